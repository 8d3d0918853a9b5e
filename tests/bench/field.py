# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the benches measure: two network namespaces with a veth between,
a cgroup for the senders, and a meter at the far end that counts wire bytes.
Python 3 and its standard library; iperf3, tc, ip, bpftool and clang are run.
"""
import contextlib
import ctypes
import os
import re
import struct
import subprocess
import time

BINS = 4096
BIN_S = 0.01
SYS_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280}[os.uname().machine]
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def run(*argv, check=True, **kw):
    done = subprocess.run(argv, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
    if check and done.returncode:
        raise SystemExit("%s: %s" % (" ".join(argv), done.stderr.strip()))
    return done


def cgroup_mount():
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        for line in lines:
            if " - cgroup2 " in line:
                return line.split()[4]
    raise SystemExit("no cgroup2 mount")


def bpf_build(name, build):
    """Compiles NAME.bpf.c of this folder; the object's path."""
    os.makedirs(build, exist_ok=True)
    out = os.path.join(build, name + ".bpf.o")
    run("clang", "-O2", "-g", "-target", "bpf", "-mcpu=v2",
        "-I/usr/include/" + os.uname().machine + "-linux-gnu",
        "-iquote", ROOT, "-c", os.path.join(HERE, name + ".bpf.c"), "-o", out)
    return out


def bpf_call(command, attr):
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(attr, 128)
    result = libc.syscall(SYS_BPF, command, buffer, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf")
    return result


def map_open(pin):
    path = ctypes.create_string_buffer(pin.encode())
    return bpf_call(7, struct.pack("=QII", ctypes.addressof(path), 0, 0))


def map_read(fd, key, size):
    k = ctypes.create_string_buffer(key, len(key))
    v = ctypes.create_string_buffer(size)
    bpf_call(1, struct.pack("=IIQQQ", fd, 0, ctypes.addressof(k),
                            ctypes.addressof(v), 0))
    return v.raw


def map_write(fd, key, value):
    k = ctypes.create_string_buffer(key, len(key))
    v = ctypes.create_string_buffer(value, len(value))
    bpf_call(2, struct.pack("=IIQQQ", fd, 0, ctypes.addressof(k),
                            ctypes.addressof(v), 0))


class Field:
    def __init__(self, prefix, build, mtu=1500):
        self.prefix = prefix
        self.a, self.b = prefix + "-a", prefix + "-b"
        self.cgroup = os.path.join(cgroup_mount(), prefix, "b")
        self.far = os.path.join(cgroup_mount(), prefix, "far")  # receivers
        self.pins = "/run/" + prefix + "-bpf"  # a bpffs of our own
        self.build = build
        self.mtu = mtu
        self.servers = []
        self.port = 5200

    def __enter__(self):
        self.remove()
        os.makedirs(self.cgroup, exist_ok=True)
        os.makedirs(self.far, exist_ok=True)
        os.makedirs(self.pins, exist_ok=True)
        run("mount", "-t", "bpf", "bpf", self.pins)
        for ns in (self.a, self.b):
            run("ip", "netns", "add", ns)
        run("ip", "link", "add", "v0", "mtu", str(self.mtu), "netns", self.a,
            "type", "veth", "peer", "name", "v0", "mtu", str(self.mtu),
            "netns", self.b)
        for n, ns in ((1, self.a), (2, self.b)):
            self.ip(ns, "addr", "add", "10.98.7.%d/24" % n, "dev", "v0")
            self.ip(ns, "addr", "add", "fd98:7::%d/64" % n, "dev", "v0", "nodad")
            self.ip(ns, "link", "set", "lo", "up")
            self.ip(ns, "link", "set", "v0", "up")
        run("bpftool", "prog", "loadall", bpf_build("meter", self.build),
            self.pins + "/meter", "type", "classifier",
            "pinmaps", self.pins + "/maps")
        self.tc(self.b, "qdisc", "add", "dev", "v0", "clsact")
        program = next(self.pins + "/meter/" + f
                       for f in os.listdir(self.pins + "/meter"))
        self.tc(self.b, "filter", "add", "dev", "v0", "ingress", "bpf", "da",
                "object-pinned", program)
        self.meter = map_open(self.pins + "/maps/meter")
        # An address of IPv6 needs a moment.
        self.wait(lambda: run(*self.inside(self.a), "ping", "-c1", "-W1",
                              "fd98:7::2", check=False).returncode == 0)
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.kill()
            server.wait()
        self.remove()

    def remove(self):
        for ns in (self.a, self.b):
            run("ip", "netns", "del", ns, check=False)
        run("umount", self.pins, check=False)
        with contextlib.suppress(OSError):
            os.rmdir(self.pins)
        for path in (self.cgroup, self.far, os.path.dirname(self.cgroup)):
            with contextlib.suppress(OSError):
                os.rmdir(path)

    @staticmethod
    def wait(predicate, seconds=5):
        end = time.monotonic() + seconds
        while not predicate():
            if time.monotonic() > end:
                raise SystemExit("waited too long")
            time.sleep(0.02)

    @staticmethod
    def inside(ns):
        # not "ip netns exec": that hides bpffs
        return ["nsenter", "--net=/run/netns/" + ns]

    def ip(self, ns, *argv, check=True):
        return run(*self.inside(ns), "ip", *argv, check=check)

    def tc(self, ns, *argv, check=True):
        return run(*self.inside(ns), "tc", *argv, check=check)

    def start(self, argv, cgroup=None, ns=None, **kw):
        """Starts a command in the cgroup and namespace under test, or in
        those given."""
        procs = os.path.join(cgroup or self.cgroup, "cgroup.procs")

        def enter():
            with open(procs, "w", encoding="ascii") as f:
                f.write("0")
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen(self.inside(ns or self.a) + list(argv),
                                preexec_fn=enter, text=True, **kw)

    def cpu_seconds(self):
        """What senders and receivers have used so far."""
        used = 0
        for cgroup in (self.cgroup, self.far):
            with open(cgroup + "/cpu.stat", encoding="ascii") as stat:
                used += int(stat.readline().split()[1])
        return used / 1e6

    def bins(self, first, last):
        """Wire bytes per 10 ms from monotonic time first up to last (s)."""
        raw = map_read(self.meter, b"\0\0\0\0", BINS * 16)
        values = struct.unpack("=%dQ" % (BINS * 2), raw)
        result = []
        for stamp in range(int(first / BIN_S), int(last / BIN_S)):
            at = stamp % BINS
            result.append(values[at] if values[BINS + at] == stamp else 0)
        return result

    def server(self):
        """A server of its own for each run: a client that is killed leaves
        iperf3 busy.  Returns its port."""
        self.port += 1
        self.servers.append(self.start(
            ["iperf3", "-s", "-1", "-p", str(self.port)], self.far, self.b,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        self.wait(lambda: run(*self.inside(self.b), "ss", "-Hltn",
                              "sport = :%d" % self.port).stdout)
        return self.port

    def serve(self, argv, port):
        """A server that lives as long as the field."""
        self.servers.append(self.start(argv, self.far, self.b,
                                       stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL))
        self.wait(lambda: run(*self.inside(self.b), "ss", "-Hltn",
                              "sport = :%d" % port).stdout)

    def tcp_sent(self):
        """Bytes of payload that the sockets of namespace a have sent."""
        text = run(*self.inside(self.a), "ss", "-tinH").stdout
        return sum(map(int, re.findall(r"bytes_sent:(\d+)", text)))

    @contextlib.contextmanager
    def iperf(self, seconds, flows=1, cc=None, v6=False, udp_bps=None,
              more=()):
        """Traffic of iperf3 as long as the context lasts, at most seconds."""
        argv = ["iperf3", "-p", str(self.server()), "-t", str(seconds),
                "-c", "fd98:7::2" if v6 else "10.98.7.2", "-P", str(flows)]
        if cc:
            argv += ["-C", cc]
        if udp_bps:
            argv += ["-u", "-b", str(udp_bps), "-l", "1400"]
        argv += more
        client = self.start(argv, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
        try:
            yield client
        finally:
            for process in (client, self.servers.pop()):
                process.kill()
                process.wait()

    def retransmits(self):
        """Segments sent again by anyone in namespace a, so far."""
        text = run(*self.inside(self.a), "nstat", "-asz", "TcpRetransSegs").stdout
        return int(text.split()[-2])

    def htb(self, bps):
        """HTB on the sender's device; 0 takes it away."""
        kinds = self.tc(self.a, "qdisc", "show", "dev", "v0").stdout
        if not bps:
            self.tc(self.a, "qdisc", "del", "dev", "v0", "root", check=False)
            return
        if "htb 1:" not in kinds:
            self.tc(self.a, "qdisc", "add", "dev", "v0", "root", "handle",
                    "1:", "htb", "default", "1")
        self.tc(self.a, "class", "replace", "dev", "v0", "parent", "1:",
                "classid", "1:1", "htb", "rate", str(bps))

    def ping(self, count=200, interval=0.01):
        """Round trips in ms: median, 99th of a hundred."""
        p = self.start(["ping", "-n", "-i", str(interval), "-c", str(count),
                        "-W", "1", "10.98.7.2"])
        text = p.communicate()[0]
        times = sorted(float(t) for t in re.findall(r"time=([\d.]+)", text))
        if not times:
            return None, None
        return times[len(times) // 2], times[len(times) * 99 // 100]


def traffic_start(bins, least=3000):
    """Index of the first bin with data in it, not just a handshake."""
    return next((i for i, n in enumerate(bins) if n >= least), 0)
