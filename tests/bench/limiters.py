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
        self.flows = 1  # that will come; hardly anybody knows

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

    def groups(self, groups):
        """Limits of cgroups by their names below the field's; those below a
        limited one are under both limits."""
        raise f.Failed("no limits for cgroups below others")

    def pattern(self, path, share, bps):
        """A limit for cgroups by a pattern: share 'each' or 'all'."""
        raise f.Failed("no limits by a pattern")

    def total(self, bps, _paths, asks=""):
        """A limit of the device, with these cgroups under it; asks: what a
        policy says of the first."""
        if asks:
            raise f.Failed("groups ask for nothing")
        self.device(bps)

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
        place = f.inside(field.home) if field.home else []
        f.run(*place, field.weirctl, *argv, env=env)

    def apply(self, text):
        policy = self.field.folder + "/bench.ini"
        with open(policy, "w", encoding="ascii") as out:
            out.write(text)
        self.weirctl("apply", policy)

    def groups(self, groups):
        """Limits of cgroups by their names below the field's."""
        field = self.field
        self.apply(field.device + "".join(
            "[group g%d]\nmatch = /%s/%s\n%s = %dbit\n" % (
                i, field.prefix, path, field.direction, bps)
            for i, (path, bps) in enumerate(groups)))

    def pattern(self, path, share, bps):
        field = self.field
        self.apply("[group g]\nmatch = /%s/%s\nshare = %s\n%s = %dbit\n" % (
            field.prefix, path, share, field.direction, bps))

    def total(self, bps, paths, asks=""):
        """The device's, over groups without limits."""
        self.apply("[device v0]\nnetns = %s\nout = %dbit\n" % (
            self.field.a, bps) + "".join(
                "[group g%d]\nmatch = /%s/%s\n%s\n" % (
                    i, self.field.prefix, path, "" if i else asks)
                for i, path in enumerate(paths)))

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


class WeirEdt(Weir):
    """What leaves the device, by departure times."""
    name = "weir-edt"
    shaper = "edt"

    def set(self, bps, alone=True):
        if not alone:
            raise f.Failed("limits a device, not a cgroup")
        self.apply("[device v0]\nnetns = %s\nout = %dbit\nshaper = %s\n" % (
            self.field.a, bps, self.shaper))

    def device(self, bps):
        self.set(bps)

    pattern = Limiter.pattern
    total = Limiter.total
    spread = Limiter.spread
    crowd = Limiter.crowd


class WeirHtb(WeirEdt):
    """The same by HTB."""
    name = "weir-htb"
    shaper = "htb"


class Sender(Weir):
    """weir's limit on what arrives, and senders that pace themselves to it:
    what could be won by pacing those that are on the same host."""
    name = "sender"
    pacing = Paced.pacing


class Window(Weir):
    """weir's limit on what arrives, and the receive window clamped to what
    the round trip needs, by one who knows how many flows there will be."""
    name = "window"
    more_us = 10000

    def set(self, bps, alone=True):
        super().set(bps, alone)
        field = self.field
        pins = field.bpf_load(self.name)
        fd = f.map_open(pins + "/parts")
        f.map_write(fd, b"\0\0\0\0", struct.pack(
            "=QQ", int(bps / 8 / self.flows), self.more_us))
        os.close(fd)
        self.program("attach")

    def program(self, command, **kw):
        field = self.field
        f.run("bpftool", "cgroup", command, field.cgroup, "sock_ops", "pinned",
              os.path.join(field.pins, self.name, "window_clamp"), **kw)

    def clear(self):
        self.program("detach", check=False)
        self.field.bpf_unload(self.name)
        super().clear()


class Queue(Limiter):
    """A qdisc at the root of the sender's device, or of the one that leads
    to the receiver."""

    def tc(self, what, command, *argv, **kw):
        ns, device = self.field.queue
        return self.field.tc(ns, what, command, "dev", device, *argv, **kw)

    def queue(self, *argv):
        self.field.queue_make()
        self.tc("qdisc", "replace", "root", *argv)

    def clear(self):
        self.tc("qdisc", "del", "root", check=False)
        self.field.queue_remove()


class Htb(Queue):
    name = "htb"
    minor = 2  # the class of cgroup g0; others follow

    def root(self, default):
        shown = self.tc("qdisc", "show", check=False)
        if "htb 1:" not in shown.stdout:
            self.queue("handle", "1:", "htb", "default", default)

    def set(self, bps, alone=True):
        # Class 0 is "direct": at once and without a limit.
        self.root("1" if alone else "0")
        self.tc("class", "replace", "parent", "1:", "classid", "1:1", "htb",
                "rate", "%d" % bps)

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
    calls it.  TBF: out on an ifb that the host's end of the container's veth
    sends to, in on that end itself."""
    name = "cni"

    def call(self, command, bps):
        field = self.field
        sandbox, (host, device) = "/run/netns/" + field.box, field.box_peer
        way = {"out": "egress", "in": "ingress"}[field.direction]
        config = {
            "cniVersion": "0.4.0", "name": "bench", "type": "bandwidth",
            way + "Rate": int(bps), way + "Burst": self.burst_bits(bps),
            "prevResult": {
                "cniVersion": "0.4.0",
                "interfaces": [{"name": device},
                               {"name": "v0", "sandbox": sandbox}],
                "ips": [{"version": "4", "address": "10.98.7.1/24",
                         "interface": 1}]}}
        env = dict(os.environ, CNI_COMMAND=command, CNI_NETNS=sandbox,
                   CNI_CONTAINERID="weirbench", CNI_IFNAME="v0",
                   CNI_PATH=os.path.dirname(CNI))
        f.run(*f.inside(host), CNI, env=env, input=json.dumps(config))

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
        host, device = self.field.box_peer
        for queue in ("ingress", "root"):
            self.field.tc(host, "qdisc", "del", "dev", device, queue,
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
            self.program("attach")

    def program(self, command, **kw):
        field = self.field
        way = {"out": "egress", "in": "ingress"}[field.direction]
        f.run("bpftool", "cgroup", command, field.cgroup, way, "pinned",
              os.path.join(field.pins, self.name, "bucket_" + way), **kw)

    def clear(self):
        self.program("detach", check=False)
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
            self.tc("qdisc", "add", "clsact")
            self.tc("filter", "add", "egress", "bpf", "da", "object-pinned",
                    pins + "/edt_egress")

    def clear(self):
        self.tc("qdisc", "del", "clsact", check=False)
        super().clear()
        self.field.bpf_unload(self.name)


LIMITERS = {limiter.name: limiter for limiter in (
    Limiter, Paced, Weir, WeirEdt, WeirHtb, Sender, Window, Htb, Tbf, Cni,
    CniUnset, Bucket, Edt)}
