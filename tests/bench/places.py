# SPDX-License-Identifier: GPL-2.0-or-later
"""Other places to measure in than a field whose senders are limited: those
where it is the receivers.
"""
import contextlib

import field as f

NEIGHBOUR = 7011  # where the limited cgroup's neighbour answers
BOXES = 3  # containers beside the first, at most


class Arriving(f.Field):
    """Receivers in namespace b are limited, by a weirctl that runs where the
    host is."""
    direction = "in"

    def __init__(self, prefix, weirctl, mtu=1500):
        super().__init__(prefix, weirctl, mtu)
        self.senders, self.receivers = self.far, self.cgroup
        self.box = self.b

    def build(self):
        super().build()
        self.serve([f.TALK, "reply", str(NEIGHBOUR), "1"], NEIGHBOUR,
                   self.free)

    def meter_place(self):
        """All programs at ingress see what one of them drops: so what has
        passed is taken from what the receivers' sockets acknowledge."""
        f.run("bpftool", "cgroup", "attach", self.top, "egress", "pinned",
              self.pins + "/meter/taken", "multi")


class Container(Arriving):
    """Namespace b is a container: its veth is a port of a bridge of the host,
    and so is the way to the senders."""

    def __init__(self, prefix, weirctl, mtu=1500):
        super().__init__(prefix, weirctl, mtu)
        self.home = prefix + "-h"
        self.queue = self.box_peer = (self.home, "c0")

    def namespaces(self):
        return [self.a, self.b, self.home]

    def connect(self):
        self.ip(self.home, "link", "add", "br0", "type", "bridge")
        self.ip(self.home, "link", "set", "br0", "up")
        for ns, port in ((self.a, "up0"), (self.b, "c0")):
            self.veth(ns, "v0", self.home, port)
            self.ip(self.home, "link", "set", port, "master", "br0")
            self.up(self.home, port)


    @contextlib.contextmanager
    def boxes(self, count):
        """A container for each."""
        try:
            yield [self.box_make(i) for i in range(count)]
        finally:
            self.boxes_remove()

    def box_make(self, i):
        ns, host = "%s-b%d" % (self.prefix, i), "10.98.7.%d" % (10 + i)
        f.run("ip", "netns", "add", ns)
        self.veth(ns, "v0", self.home, "c%d" % (i + 1))
        self.ip(self.home, "link", "set", "c%d" % (i + 1), "master", "br0")
        self.up(self.home, "c%d" % (i + 1))
        self.ip(ns, "addr", "add", host + "/24", "dev", "v0")
        self.up(ns, "v0")
        return {"ns": ns, "host": host}

    def boxes_remove(self):
        for i in range(BOXES):
            f.run("ip", "netns", "del", "%s-b%d" % (self.prefix, i),
                  check=False)

    def remove(self):
        super().remove()
        self.boxes_remove()


class Distant(Container):
    """The same, and far away: what the container answers is late."""

    def delay(self, rtt):
        """rtt: such as 20ms."""
        # This is played on a machine of its own, and buffers may be large.
        f.run("sysctl", "-qw", "net.core.rmem_max=8388608")
        self.tc(self.home, "qdisc", "replace", "dev", "up0", "root", "netem",
                "delay", rtt, "limit", "100000")


class Host(Arriving):
    """Namespace b is the host itself, and the receivers a service of it."""
    device = "[device v0]\n"

    def __init__(self, prefix, weirctl, mtu=1500):
        super().__init__(prefix, weirctl, mtu)
        self.home = self.b
        self.queue = (self.b, "ifb0")

    def queue_make(self):
        """As it is done by hand: all that arrives goes to an ifb."""
        if self.ip(self.b, "link", "show", "ifb0", check=False).returncode == 0:
            return
        self.ip(self.b, "link", "add", "ifb0", "type", "ifb")
        self.ip(self.b, "link", "set", "ifb0", "up")
        self.tc(self.b, "qdisc", "add", "dev", "v0", "ingress")
        self.tc(self.b, "filter", "add", "dev", "v0", "parent", "ffff:",
                "protocol", "all", "u32", "match", "u32", "0", "0", "action",
                "mirred", "egress", "redirect", "dev", "ifb0")

    def queue_remove(self):
        self.tc(self.b, "qdisc", "del", "dev", "v0", "ingress", check=False)
        self.ip(self.b, "link", "del", "ifb0", check=False)


def make(name, prefix, weirctl):
    """The place that a scene is played in, by its name."""
    places = {"field": f.Field, "container": Container, "distant": Distant,
              "host": Host}
    return places[name](prefix, weirctl)
