# SPDX-License-Identifier: GPL-2.0-or-later
"""The limiters that the benches compare.  To add one: a class below, and its
name is known to every scene.
"""
import contextlib
import json
import os
import struct
import time

import field as f

CNI = "/usr/lib/cni/bandwidth"


class Limiter:
    """What puts a limit in bit/s on what leaves the field's cgroup.  Whoever
    cannot do something raises Failed; the bench names it and goes on."""
    name = "none"

    def __init__(self, field):
        self.field = field

    def set(self, bps, alone=True):
        """Puts the limit on, or changes it.  Where not alone, others use the
        device, too, and are not to be limited."""

    def device(self, bps):
        """Limits all that leaves the device."""
        self.set(bps)

    def spread(self, rates):
        """Limits each of the cgroups g0, g1, … to a rate of its own."""
        raise f.Failed("no limits for many cgroups on one device")

    def crowd(self, bps, idle):
        """Puts the limit on, and on so many others that nobody uses."""
        raise f.Failed("no limits for many cgroups on one device")

    def clear(self):
        """Takes all away; also where nothing is."""

    def pacing(self, _bps, _header=66):
        """What an application tells its socket; None for nothing."""
        return None


class Paced(Limiter):
    """No limiter: applications that pace themselves.  What the machine can do
    at that rate."""
    name = "paced"

    def spread(self, rates):
        pass

    def pacing(self, bps, header=66):
        # The option counts payload and one header of a burst's many.
        return bps * (1514 - header) / 1514


class Weir(Limiter):
    name = "weir"

    def weirctl(self, *argv):
        field = self.field
        env = dict(os.environ, WEIR_BPFFS=field.pins + "/weir",
                   WEIR_STATE=field.folder + "/state",
                   WEIR_RUN=field.folder + "/run")
        f.run(field.weirctl, *argv, env=env)

    def apply(self, text):
        policy = self.field.folder + "/bench.ini"
        with open(policy, "w", encoding="ascii") as out:
            out.write(text)
        self.weirctl("apply", policy)

    def groups(self, groups):
        """Limits of cgroups by their names below the field's."""
        self.apply("".join(
            "[group g%d]\nmatch = /%s/%s\nout = %dbit\n" % (
                i, self.field.prefix, path, bps)
            for i, (path, bps) in enumerate(groups)))

    def device(self, bps):
        self.apply("[device v0]\nnetns = %s\nout = %dbit\n" % (
            self.field.a, bps))

    def set(self, bps, alone=True):
        self.groups([("b", bps)])

    def spread(self, rates):
        self.groups([("b/g%d" % i, bps) for i, bps in enumerate(rates)])

    def crowd(self, bps, idle):
        self.groups([("b", bps)] + [("other%d" % i, 1000000)
                                    for i in range(idle)])

    def clear(self):
        if os.path.exists(self.field.pins + "/weir"):
            self.weirctl("clear")


class Queue(Limiter):
    """A qdisc at the root of the sender's device."""

    def queue(self, *argv, command="replace", **kw):
        self.field.tc(self.field.a, "qdisc", command, "dev", "v0", "root",
                      *argv, **kw)

    def clear(self):
        self.queue(command="del", check=False)


class Htb(Queue):
    name = "htb"
    minor = 2  # the class of cgroup g0; others follow

    def root(self, default):
        shown = self.field.tc(self.field.a, "qdisc", "show", "dev", "v0")
        if "htb 1:" not in shown.stdout:
            self.queue("handle", "1:", "htb", "default", default)

    def set(self, bps, alone=True):
        # Class 0 is "direct": at once and without a limit.
        self.root("1" if alone else "0")
        self.field.tc(self.field.a, "class", "replace", "dev", "v0", "parent",
                      "1:", "classid", "1:1", "htb", "rate", "%d" % bps)

    def spread(self, rates):
        """Sockets name their class themselves (SO_PRIORITY): no filter could
        cost less."""
        self.root("0")
        lines = ["class add dev v0 parent 1: classid 1:%x htb rate %d\n" % (
            self.minor + i, bps) for i, bps in enumerate(rates)]
        self.field.tc(self.field.a, "-batch", "-", input="".join(lines))

    def crowd(self, bps, idle):
        self.set(bps)
        self.spread([1000000] * idle)


class Tbf(Queue):
    name = "tbf"

    def set(self, bps, alone=True):
        if not alone:
            raise f.Failed("limits a device, not a cgroup")
        self.queue("tbf", "rate", "%d" % bps, "burst",
                   "%d" % max(5000, bps / 8 * 0.002), "latency", "50ms")


class Cni(Limiter):
    """The bandwidth plugin's own binary, called as a container's runtime
    calls it; namespace a is the container.  TBF on an ifb of namespace b."""
    name = "cni"

    def call(self, command, bps):
        field = self.field
        sandbox = "/run/netns/" + field.a
        config = {
            "cniVersion": "0.4.0", "name": "bench", "type": "bandwidth",
            "egressRate": int(bps), "egressBurst": self.burst_bits(bps),
            "prevResult": {
                "cniVersion": "0.4.0",
                "interfaces": [{"name": "v0"},
                               {"name": "v0", "sandbox": sandbox}],
                "ips": [{"version": "4", "address": "10.98.7.1/24",
                         "interface": 1}]}}
        env = dict(os.environ, CNI_COMMAND=command, CNI_NETNS=sandbox,
                   CNI_CONTAINERID="weirbench", CNI_IFNAME="v0",
                   CNI_PATH=os.path.dirname(CNI))
        f.run(*f.inside(field.b), CNI, env=env, input=json.dumps(config))

    @staticmethod
    def burst_bits(bps):
        return int(max(8 * 32000, bps * 0.02))

    def set(self, bps, alone=True):
        """There is no command for a change."""
        if not alone:
            raise f.Failed("limits a container, not a cgroup")
        self.clear()
        self.call("ADD", bps)

    def clear(self):
        # DEL leaves the queue on the device, which its runtime removes.
        with contextlib.suppress(f.Failed):
            self.call("DEL", 1000000)
        self.field.tc(self.field.b, "qdisc", "del", "dev", "v0", "ingress",
                      check=False)


class CniUnset(Cni):
    """With the burst that Kubernetes asks for where a pod names a rate."""
    name = "cni-k8s"

    @staticmethod
    def burst_bits(bps):
        return (1 << 31) - 1


class Bucket(Limiter):
    """A burst of 20 ms, 15 kB at least; what is above is dropped."""
    name = "bucket"

    def set(self, bps, alone=True):
        pins = os.path.join(self.field.pins, self.name)
        new = not os.path.exists(pins)
        if new:
            self.field.bpf_load(self.name)
        rate = int(bps / 8)
        burst_ns = max(20000000, 15000 * 1000000000 // rate)
        fd = f.map_open(pins + "/buckets")
        f.map_write(fd, b"\0\0\0\0",
                    struct.pack("=IIQQQ", 0, 0, rate, burst_ns, 0))
        os.close(fd)
        if new:
            f.run("bpftool", "cgroup", "attach", self.field.cgroup, "egress",
                  "pinned", pins + "/bucket_egress")

    def clear(self):
        f.run("bpftool", "cgroup", "detach", self.field.cgroup, "egress",
              "pinned", os.path.join(self.field.pins, self.name,
                                     "bucket_egress"), check=False)
        self.field.bpf_unload(self.name)


class Edt(Queue):
    """Departure times given in tc, and fq to keep them: Cilium's way."""
    name = "edt"

    def set(self, bps, alone=True):
        field = self.field
        pins = os.path.join(field.pins, self.name)
        new = not os.path.exists(pins)
        if new:
            self.queue("fq")
            field.bpf_load(self.name)
        fd = f.map_open(pins + "/aggregates")
        f.map_write(fd, b"\0\0\0\0", struct.pack(
            "=QQ", int(bps / 8), time.monotonic_ns()))
        os.close(fd)
        if new:
            field.tc(field.a, "qdisc", "add", "dev", "v0", "clsact")
            field.tc(field.a, "filter", "add", "dev", "v0", "egress", "bpf",
                     "da", "object-pinned", pins + "/edt_egress")

    def clear(self):
        self.field.tc(self.field.a, "qdisc", "del", "dev", "v0", "clsact",
                      check=False)
        super().clear()
        self.field.bpf_unload(self.name)


LIMITERS = {limiter.name: limiter for limiter in (
    Limiter, Paced, Weir, Htb, Tbf, Cni, CniUnset, Bucket, Edt)}
