# SPDX-License-Identifier: GPL-2.0-or-later
"""Where rules are measured: two network namespaces with a veth between, made
anew for everybody, as what one leaves behind would be paid by the next; and a
cgroup whose sockets the rules hold for.  All by one process on one processor.
"""
import contextlib
import json
import os
import shutil
import subprocess

import field as f

PROGRAMS = os.path.join(f.BUILD, "tests/bench-rules")
CLIENT, SERVER = "192.0.2.1", "192.0.2.2"
NOBODY = "192.0.2.99"  # there the way leads to all other addresses
SEED = 5


class Ground:
    """Packets go from namespace a to b; the rules are at one of them."""

    def __init__(self, prefix, weirctl):
        self.prefix = prefix
        self.weirctl = weirctl
        self.a, self.b = prefix + "-a", prefix + "-b"
        self.top = os.path.join(f.cgroup_mount(), prefix)
        self.cgroup = os.path.join(self.top, "b")  # of sockets with rules
        self.home = os.path.join(self.top, "home")
        self.pins = "/run/" + prefix + "-bpf"
        self.folder = "/run/" + prefix + "-files"

    def __enter__(self):
        self.remove()
        for path in (self.cgroup, self.home, self.pins, self.folder):
            os.makedirs(path, exist_ok=True)
        f.run("mount", "-t", "bpf", "bpf", self.pins)
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        self.netns_remove()
        if os.path.ismount(self.pins):
            f.run("umount", self.pins, check=False)
        for path in (self.pins, self.cgroup, self.home, self.top):
            with contextlib.suppress(OSError):
                os.rmdir(path)
        shutil.rmtree(self.folder, ignore_errors=True)

    def netns_remove(self):
        for ns in (self.a, self.b):
            if os.path.exists("/run/netns/" + ns):
                f.run("ip", "netns", "del", ns, check=False)

    def fresh(self):
        """Both namespaces anew."""
        self.netns_remove()
        for ns in (self.a, self.b):
            f.run("ip", "netns", "add", ns)
            f.run(*f.inside(ns), "sysctl", "-qw",
                  "net.ipv4.conf.all.rp_filter=0",
                  "net.ipv4.conf.default.rp_filter=0",
                  "net.ipv4.tcp_no_metrics_save=1")
        f.run("ip", "link", "add", "v0", "netns", self.a, "type", "veth",
              "peer", "name", "v0", "netns", self.b)
        for ns, address in ((self.a, CLIENT), (self.b, SERVER)):
            self.ip(ns, "addr", "add", address + "/24", "dev", "v0")
            self.ip(ns, "link", "set", "lo", "up")
            self.ip(ns, "link", "set", "v0", "up")
        # Whoever the rules are about is here, and answers go there.
        self.ip(self.a, "route", "add", "local", "10.0.0.0/8", "dev", "lo")
        self.ip(self.b, "route", "add", "10.0.0.0/8", "via", CLIENT)
        # What leaves for anywhere is dropped as soon as it arrives.
        self.ip(self.a, "neigh", "add", NOBODY, "lladdr", "02:00:00:00:00:99",
                "dev", "v0", "nud", "permanent")
        self.ip(self.a, "route", "add", "default", "via", NOBODY)
        # Nobody asks for an address while it is measured.
        for ns, other, there in ((self.a, SERVER, self.b),
                                 (self.b, CLIENT, self.a)):
            self.ip(ns, "neigh", "replace", other, "lladdr",
                    self.mac(there), "dev", "v0", "nud", "permanent")

    @staticmethod
    def ip(ns, *argv):
        return f.run(*f.inside(ns), "ip", *argv)

    def mac(self, ns):
        shown = self.ip(ns, "-j", "link", "show", "dev", "v0").stdout
        return json.loads(shown)[0]["address"]

    def netns(self, hook):
        """That of the rules."""
        return self.b if hook == "in" else self.a

    def file(self, name):
        return os.path.join(self.folder, name)

    def generate(self, name, *words):
        """A file of rules; what the generator says beside them."""
        with open(self.file(name), "w", encoding="ascii") as out:
            return generate(out, *words)

    def timed(self, hook, *argv, count=1, env=None):
        """Median of what a command takes in the namespace of the rules, ms."""
        done = f.run(os.path.join(PROGRAMS, "stopwatch"),
                     "/run/netns/" + self.netns(hook), str(count), *argv,
                     env=dict(os.environ, **(env or {})))
        last = done.stdout.splitlines()[-1].split()
        return float(last[1])

    def traffic(self, scene, kind="exact", rules=1, **more):
        """Costs of a packet, in ns."""
        argv = [os.path.join(PROGRAMS, "traffic"), scene,
                "from=/run/netns/" + self.a, "to=/run/netns/" + self.b,
                "cgroup=" + self.cgroup, "home=" + self.home,
                "client=" + CLIENT, "server=" + SERVER, "kind=" + kind,
                "rules=%d" % rules, "seed=%d" % SEED,
                "processor=%d" % (os.cpu_count() - 1)]
        argv += ["%s=%s" % pair for pair in more.items()]
        figures = json.loads(f.run(*argv).stdout)
        lost = 1 - figures["passed"] / figures["sent"]
        if lost > 0.001:
            raise f.Failed("%.2g %% of the packets did not come" %
                           (lost * 100))
        return {"ns": figures["ns"]}


def generate(out, *words):
    argv = [os.path.join(PROGRAMS, "generate")] + [str(w) for w in words]
    done = subprocess.run(argv, check=False, stdout=out, text=True,
                          stderr=subprocess.PIPE, timeout=120)
    if done.returncode:
        raise f.Failed("generate: " + done.stderr.strip())
    return done.stderr.strip()


def kernel_bytes():
    """What the kernel has for itself and cannot give back."""
    with open("/proc/meminfo", encoding="ascii") as lines:
        kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return 1024 * (kib["MemTotal"] - sum(kib[key] for key in (
        "MemFree", "Buffers", "Cached", "SReclaimable", "AnonPages")))
