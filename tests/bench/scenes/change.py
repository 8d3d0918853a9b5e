# SPDX-License-Identifier: GPL-2.0-or-later
"""A limit that changes, or comes, under load."""
import statistics
import time

import field as f
from scenes import Column, cases, low, near, scene

NEVER_MS = 1000


def in_force(field, bps, since):
    """ms until the mean of 40 ms is within 5 % of the rate."""
    bins = [n * 8 / bps / f.BIN_S for n in field.bins(since, since + 1)]
    for i in range(len(bins) - 4):
        if abs(statistics.mean(bins[i:i + 4]) - 1) < 0.05:
            return i * 10
    return NEVER_MS


@scene([Column("up_ms", "to twice, ms", "%.0f", "at most 50 ms", low, 50),
        Column("up_share", "the second after", "%.3f", "at most 1.06", low,
               1.06),
        Column("down_ms", "to half, ms", "%.0f", "at most 50 ms", low, 50),
        Column("down_share", "the second after", "%.3f", "at most 1.06", low,
               1.06)],
       "weir htb tbf cni bucket", cases(rate="100mbit 1gbit"))
def change(trial):
    """To twice the rate, and back: until it is in force, with 4 flows."""
    field, result = trial.field, {}
    with trial.bulk(12, 4):
        time.sleep(1.5)
        first = time.monotonic()
        for name, factor in (("up", 2), ("down", 1)):
            trial.limit(int(trial.bps * factor))
            now = time.monotonic()
            f.sleep_until(now + 1.05)
            bps = trial.bps * factor
            result[name + "_ms"] = in_force(field, bps, now)
            result[name + "_share"] = field.share(bps, now, now + 1)
        result["series"] = trial.series(first - 0.5, now + 1)
    return result


@scene([Column("took_ms", "until in force, ms", "%.0f", "at most 100 ms", low,
               100),
        Column("share", "second after 100 ms", "%.4f", "within 5 %", near(1),
               0.05)],
       "weir htb tbf cni bucket", cases(rate="100mbit 1gbit"), limited=False)
def open_before(trial):
    """4 flows that saturate the link before the limit is put on."""
    field = trial.field
    with field.iperf(8, 4):
        time.sleep(1.5)
        trial.limit(trial.bps)
        now = time.monotonic()
        f.sleep_until(now + 1.15)
    return {"took_ms": in_force(field, trial.bps, now),
            "share": field.share(trial.bps, now + 0.1, now + 1.1)}
