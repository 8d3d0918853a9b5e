# SPDX-License-Identifier: GPL-2.0-or-later
"""What others in the same cgroup feel of those who fill its limit."""
import time

import field as f
from scenes import Column, cases, low, near, scene

ALL = "none paced weir htb tbf cni bucket"


def answers(field, size, seconds, port=None, cgroup=None):
    """Median and 99th of a hundred, in ms."""
    said = field.said(field.talk("ask", f.HOST, port or f.REPLIES[size],
                                 seconds, size, cgroup=cgroup))
    if len(said) != 2:
        raise f.Failed("no answers")
    return said


@scene([Column("p50_ms", "1 byte, p50, ms"),
        Column("p50_ratio", "p50 / idle", "%.2f", "at most 1.2", low, 1.2),
        Column("p99_ms", "p99, ms", "%.3f", ratio=True),
        Column("p99_ratio", "p99 / idle", "%.2f", "at most 1.2", low, 1.2),
        Column("ping_ms", "ping, ms", "%.3f", ratio=True),
        Column("ping_ratio", "ping / idle", "%.2f", "at most 1.5", low, 1.5)],
       ALL, cases(rate="100mbit 1gbit"), rounds=3)
def latency(trial):
    """One byte there and back, and ping, while 4 flows fill the limit."""
    field = trial.field
    idle, idle99 = answers(field, 1, 1)
    ping_idle, _ = field.ping(50)
    with trial.bulk(20, 4):
        time.sleep(1)
        busy, busy99 = answers(field, 1, 1.5)
        ping, _ = field.ping(60)
    return {"p50_ms": busy, "p50_ratio": busy / idle,
            "p99_ms": busy99, "p99_ratio": busy99 / idle99,
            "ping_ms": ping,
            "ping_ratio": ping / ping_idle if ping and ping_idle else None}


@scene([Column("small_ms", "10 KB, p50, ms"),
        Column("small99_ms", "10 KB, p99, ms", "%.3f", "below 0.5 ms", low,
               0.5, True),
        Column("large_ms", "1 MB, p50, ms"),
        Column("large99_ms", "1 MB, p99, ms", "%.3f", "below 15 ms", low, 15,
               True)],
       ALL, cases(rate="1gbit"), rounds=3)
def rpc(trial):
    """Requests of 10 KB and 1 MB beside 2 bulk flows."""
    field = trial.field
    with trial.bulk(20, 2):
        time.sleep(1)
        small, small99 = answers(field, 10000, 1.5)
        large, large99 = answers(field, 1000000, 2.5)
    return {"small_ms": small, "small99_ms": small99, "large_ms": large,
            "large99_ms": large99}


@scene([Column("share", "share of the rate", "%.4f", "within 1 %", near(1),
               0.01),
        Column("p50_ms", "1 byte, p50, ms", ratio=True),
        Column("p99_ms", "p99, ms", ratio=True),
        Column("p99_ratio", "p99 / idle", "%.2f", "at most 2", low, 2),
        Column("retransmits", "retransmits", "%.0f", "0", low, 0)],
       "none weir htb tbf", cases(rate="10mbit 100mbit 1gbit"), rounds=3,
       limited=False)
def device(trial):
    """A device's total: one byte there and back while 4 flows fill it."""
    field, again = trial.field, trial.field.retransmits()
    _, idle99 = answers(field, 1, 1)
    trial.limiter.device(trial.bps)
    with trial.bulk(20, 4):
        time.sleep(1)
        now = time.monotonic()
        busy, busy99 = answers(field, 1, 2)
        f.sleep_until(now + 3)
        total = field.share(trial.bps, now, now + 3)
        again = field.retransmits() - again
    return {"share": total, "p50_ms": busy, "p99_ms": busy99,
            "p99_ratio": busy99 / idle99, "retransmits": again}
