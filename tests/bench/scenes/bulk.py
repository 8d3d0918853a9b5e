# SPDX-License-Identifier: GPL-2.0-or-later
"""Greedy TCP: is the rate what was asked for?"""
import time

import field as f
from scenes import PEERS, Column, cases, low, near, scene

SHARE = Column("share", "share of the rate", "%.4f", "within 0.5 %", near(1),
               0.005)
FIRST = Column("first_second", "first second", "%.3f")
LESS = Column("first_less", "first second less burst", "%.3f", "at most 1.02",
              low, 1.02)
AGAIN = Column("retransmits", "retransmits", "%.0f", "0", low, 0)
PING = Column("ping_ratio", "ping / idle", "%.2f",
              "at most 1.5 above 10 Mbit/s", low, 1.5, ratio=True)


PINGS = 100
# No socket receives it, so the meter does not see it.
PING_BYTES = 84 + 14


def measure(trial):
    """3 s after the first second, which is counted apart."""
    field, case = trial.field, trial.case
    idle, _ = field.ping(30)
    sent, since = field.retransmits(), time.monotonic()
    cc, _, version = case.get("traffic", "cubic").partition("/")
    with trial.bulk(12, int(case["flows"]), cc=cc, v6=version == "6"):
        began = trial.began(since)
        f.sleep_until(began + 1)
        ping, _ = field.ping(PINGS)
        f.sleep_until(began + 4.05)
        sent = field.retransmits() - sent
    share = field.share(trial.bps, began + 1, began + 4)
    if ping:
        share += PINGS * PING_BYTES * 8 / trial.bps / 3
    return {"share": share,
            "retransmits": sent,
            "ping_ratio": ping / idle if ping and idle else None,
            **trial.start(began)}


@scene([SHARE, FIRST, LESS, AGAIN, PING], "weir " + PEERS,
       cases(rate="1mbit 10mbit 100mbit 1gbit 5gbit 10gbit", flows="4"))
def rates(trial):
    """Bulk TCP at every rate."""
    return measure(trial)


@scene([SHARE, FIRST, LESS, AGAIN, PING], "weir",
       cases(rate="1mbit 10mbit 100mbit 1gbit 5gbit 10gbit",
             flows="1 16 64"))
def flows(trial):
    """Bulk TCP in one to many connections."""
    return measure(trial)


@scene([SHARE, FIRST, LESS, AGAIN, PING], "weir",
       cases(rate="10mbit 1gbit", flows="4",
             traffic="reno bbr cubic/6 reno/6 bbr/6"))
def traffic(trial):
    """Other congestion controls, and IPv6."""
    return measure(trial)


@scene([SHARE, FIRST, LESS, AGAIN, PING], "weir",
       cases(rate="10mbit 100mbit 1gbit", flows="4",
             link="9000 576 no-gso container"))
def links(trial):
    """Other MTUs, no segmentation offload, and from within a container."""
    with trial.field.link(trial.case["link"]):
        return measure(trial)


@scene([FIRST, LESS, SHARE], "weir htb tbf cni bucket",
       cases(rate="100mbit 1gbit"))
def crowd(trial):
    """One connection, then 64: the second after that, and the next two."""
    field = trial.field
    with trial.bulk(10):
        time.sleep(1.5)
        since = time.monotonic()
        with trial.bulk(8, 63) as port:
            f.wait(lambda: field.port_bytes(port) > 64 * 1500)
            now = time.monotonic()
            f.sleep_until(now + 3.05)
    return {"share": field.share(trial.bps, now + 1, now + 3),
            **trial.start(now),
            "series": trial.series(since - 0.5, since + 2)}


@scene([FIRST, LESS], "weir htb tbf cni cni-k8s bucket",
       cases(rate="100mbit 1gbit"))
def quiet(trial):
    """After 2 s without traffic: the first second."""
    with trial.bulk(3, 4):
        time.sleep(1)
    time.sleep(2)
    since = time.monotonic()
    with trial.bulk(6, 4):
        began = trial.began(since)
        f.sleep_until(began + 1.55)
    return {**trial.start(began),
            "series": trial.series(began - 0.1, began + 1.5)}


@scene([Column("first_second", "first second", "%.3f"),
        Column("share", "share of the rate", "%.4f", "within 0.5 %", near(1),
               0.005)],
       "weir htb tbf cni bucket", cases(rate="100mbit"))
def churn(trial):
    """A new connection every 50 ms, the last closed."""
    field, now = trial.field, time.monotonic()
    process = field.talk("churn", f.HOST, f.SINK, 50, 4.5)
    f.sleep_until(now + 4.3)
    result = {"first_second": field.share(trial.bps, now + .2, now + 1.2),
              "share": field.share(trial.bps, now + 1.2, now + 4.2)}
    process.wait(timeout=20)
    return result
