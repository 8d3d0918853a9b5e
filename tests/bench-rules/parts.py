# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured.  A part has cases; each peer is set up for a case, plays
the case's scenes, and is taken down again.  Peers take turns in each round.
"""
import typing

import field as f
import ground as g

ALL = "none nft-linear nft-set nft-interval nft-ct nft-cgroup iptables " \
    "ipset weir weir-device"
LISTS = "none nft-linear nft-interval iptables weir weir-device"
# A rule a line at 100,000 costs a millisecond a packet.
HUGE = 100000


class Part(typing.NamedTuple):
    name: str
    about: str
    peers: list
    cases: list
    quick: list  # cases of them
    play: typing.Callable  # (ground, peer, case, quick) gives figures
    rounds: int


PARTS = {}


def part(peers, cases, quick, rounds=3):
    def register(play):
        PARTS[play.__name__] = Part(
            play.__name__, " ".join(play.__doc__.split()), peers.split(),
            cases, quick, play, rounds)
        return play
    return register


def set_up(ground, peer, case):
    ground.fresh()
    peer.write(case)
    return peer.load(case)


def scene(ground, case, name, quick, **more):
    """ns of a packet."""
    if quick:
        more.update(samples=5, packets=more.get("packets", 10000) // 2,
                    seconds=0.5)
    return ground.traffic(name, case["kind"], case["rules"], **more)["ns"]


def exact(rules, kind="exact"):
    return {"kind": kind, "rules": rules, "hook": "in"}


@part(ALL, [exact(n) for n in (1, 10, 100, 1000, 10000, HUGE)],
      [exact(1), exact(HUGE)])
def packets(ground, peer, case, quick):
    """Rules of a source (/32) and a port each, at what arrives for a UDP
    server. ns of CPU for a packet of 64 bytes."""
    set_up(ground, peer, case)
    figures = {"known": scene(ground, case, "known", quick),
               "peers": scene(ground, case, "peers", quick),
               "first": scene(ground, case, "first", quick)}
    if case["rules"] == HUGE:
        figures["flows"] = scene(ground, case, "flows", quick, flows=HUGE)
    return figures


# The last packet of a handshake has no socket of a cgroup to nft.
@part(ALL.replace("nft-cgroup ", ""),
      [exact(1, "tcp"), exact(HUGE, "tcp")], [exact(HUGE, "tcp")])
def connections(ground, peer, case, quick):
    """The same at what arrives for a TCP server. ns of CPU to connect, accept
    and close."""
    set_up(ground, peer, case)
    return {"tcp": scene(ground, case, "tcp", quick, packets=3000)}


def stateful_case(kind):
    return dict(exact(HUGE, kind), states=True)


@part("none nft-ct weir weir-device",
      [stateful_case("exact"), stateful_case("tcp")],
      [stateful_case("exact"), stateful_case("tcp")])
def stateful(ground, peer, case, quick):
    """What is established passes first, then rules of a source and a port
    each. Of UDP, flows in which both sides have spoken, all in turns; and the
    first packets of others. Of TCP, to connect, accept and close. ns of CPU.
    """
    set_up(ground, peer, case)
    if case["kind"] == "tcp":
        return {"tcp": scene(ground, case, "tcp", quick, packets=3000)}
    figures = {"talks%d" % flows: scene(ground, case, "talks", quick,
                                        flows=flows)
               for flows in (64, 10000, HUGE)}
    figures["first"] = scene(ground, case, "first", quick)
    return figures


MIXED = [{"kind": kind, "rules": rules, "hook": "out"}
         for kind in ("acl", "fw", "ipc") for rules in (1000, 10000, HUGE)]


@part(LISTS, MIXED, [MIXED[1]])
def mixed(ground, peer, case, quick):
    """Rules of five fields with prefixes, ranges and ports, shapes mixed, at
    what leaves; each packet of a flow that was not there before. ns of CPU for
    a packet."""
    load = set_up(ground, peer, case)
    figures = {"first": scene(ground, case, "mixed", quick), "load": load}
    if peer.extra:
        figures["note"] = peer.extra
    return figures


SIZES = [exact(n) for n in (10, 100, 1000, 10000, HUGE)]


@part(ALL.replace("none ", "").replace("nft-cgroup ", "").replace(
    "nft-ct ", "").replace(" weir-device", ""), SIZES, [SIZES[0], SIZES[-1]])
def loads(ground, peer, case, quick):
    """To load rules of a source and a port each, and to change one of them;
    ms of the whole process."""
    before = g.kernel_bytes()
    load = set_up(ground, peer, case)
    figures = {"load": load, "memory": grown(before, case),
               "told": million(peer.memory(case))}
    try:
        figures["change"] = peer.change(case, 1 if quick else 5)
    except f.Failed as e:
        figures["note"] = str(e)
    return figures


def grown(before, case):
    """MB that the kernel has more; of few rules that is too little to see."""
    if case["rules"] < HUGE:
        return None
    return (g.kernel_bytes() - before) / 1e6


def million(number):
    return None if number is None else number / 1e6


NETWORKS = [exact(n) for n in (1000, HUGE, 1000000)]


@part("none nft-interval ipset weir weir-device", NETWORKS, [NETWORKS[1]])
def networks(ground, peer, case, quick):
    """A set of networks, and packets from all of them; ns of CPU for a
    packet."""
    ground.generate("networks", "networks", "", case["rules"])
    ground.fresh()
    before = g.kernel_bytes()
    figures = {}
    if peer.name != "none":
        peer.write_networks(case)
        figures["load"] = peer.load(case)
        figures["memory"] = grown(before, case)
        figures["told"] = million(peer.memory(case))
    figures["first"] = scene(ground, exact(1), "networks", quick,
                             flows=case["rules"])
    if peer.name != "none":
        try:
            figures["change"] = peer.add_network(case, 1 if quick else 5)
        except f.Failed as e:
            figures["note"] = str(e)
    return figures
