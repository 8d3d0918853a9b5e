# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits on what arrives, and what others feel of those who fill a limit."""
import time

import field as f
import places
from scenes import Column, cases, low, scene
from scenes.bulk import FIRST, LESS, SHARE
from scenes.latency import answers

AGAIN = Column("again", "sent again, % of segments", "%.3f", "below 0.1 %",
               low, 0.1)
P50 = Column("p50_ms", "1 byte, p50, ms")
P99 = Column("p99_ms", "p99, ms", "%.3f", ratio=True)
COLUMNS = [SHARE, FIRST, LESS, AGAIN, P50,
           Column("p50_ratio", "p50 / idle", "%.2f", "at most 2", low, 2),
           P99,
           Column("p99_ratio", "p99 / idle", "%.2f", "at most 2", low, 2),
           Column("ping_ms", "ping, ms", "%.3f", ratio=True)]
PEERS = "weir htb tbf cni bucket"


def measure(trial, settle=1):
    """4 s of bulk, the first second apart; one byte there and back within,
    ping after.  settle: seconds until the share is looked at."""
    field, case = trial.field, trial.case
    idle, idle99 = answers(field, 1, max(1, settle / 2))
    sent, since = field.segments(), time.monotonic()
    cc, _, version = case.get("traffic", "cubic").partition("/")
    with trial.bulk(60, int(case["flows"]), cc=cc, v6=version == "6"):
        began = trial.began(since)
        f.sleep_until(began + settle)
        now = time.monotonic()
        busy, busy99 = answers(field, 1, 2.5)
        f.sleep_until(now + 3.05)
        share = field.share(trial.bps, now, now + 3)
        sent, again = (b - a for a, b in zip(sent, field.segments()))
        ping, _ = field.ping(60)
    return {"share": share, "again": 100 * again / max(sent + again, 1),
            "p50_ms": busy, "p50_ratio": busy / idle,
            "p99_ms": busy99, "p99_ratio": busy99 / idle99,
            "ping_ms": ping, **trial.start(began)}


@scene(COLUMNS, PEERS, cases(rate="1mbit 10mbit 100mbit 1gbit 5gbit",
                             flows="4"), place="container")
def in_(trial):
    """Bulk TCP into a container behind a veth and a bridge."""
    return measure(trial)


@scene(COLUMNS, "weir", cases(rate="10mbit 1gbit", flows="1 16",
                              traffic="cubic cubic/6"), place="container")
def in_flows(trial):
    """The same in one and in many connections, and by IPv6."""
    return measure(trial)


@scene(COLUMNS, "weir htb tbf bucket", cases(rate="10mbit 100mbit 1gbit",
                                             flows="4"), place="host")
def in_host(trial):
    """Bulk TCP into a service of the host, whose device the policy names."""
    return measure(trial)


@scene(COLUMNS, "weir htb tbf cni",
       cases(rate="20mbit", flows="4", rtt="5ms 20ms 100ms"), kernel="6.12",
       place="distant")
def in_rtt(trial):
    """Bulk TCP into a container, from far away."""
    rtt = trial.case["rtt"]
    trial.field.delay(rtt)
    # In slow start the window of each flow doubles with each round trip.
    return measure(trial, 3 + int(rtt[:-2]) / 25)


NEIGHBOUR = [P50, Column("p50_ratio", "p50 / idle", "%.2f", "at most 1.5",
                         low, 1.5),
             P99, Column("p99_ratio", "p99 / idle", "%.2f", "at most 1.5",
                         low, 1.5)]


def neighbour_of(trial, **who):
    """One byte there and back of a cgroup beside the limited one."""
    field = trial.field
    idle, idle99 = answers(field, 1, 1.5, **who)
    with trial.bulk(20, 4):
        time.sleep(1)
        busy, busy99 = answers(field, 1, 1.5, **who)
    return {"p50_ms": busy, "p50_ratio": busy / idle,
            "p99_ms": busy99, "p99_ratio": busy99 / idle99}


@scene(NEIGHBOUR, "none weir bucket", cases(rate="100mbit 1gbit"), rounds=3)
def neighbour_out(trial):
    """What a cgroup without a limit feels of one that fills its `out`."""
    return neighbour_of(trial, cgroup=trial.field.free)


@scene(NEIGHBOUR, "none weir bucket", cases(rate="100mbit 1gbit"), rounds=3,
       place="host")
def neighbour_in(trial):
    """What a cgroup without a limit feels of one that fills its `in`."""
    return neighbour_of(trial, port=places.NEIGHBOUR)
