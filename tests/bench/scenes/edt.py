# SPDX-License-Identifier: GPL-2.0-or-later
"""Beside departure times and fq, on a kernel that has fq, under QEMU."""
import statistics
import time

import field as f
from scenes import Column, cases, low, near, scene


@scene([Column("share", "TCP, share of the rate", "%.4f", "within 0.5 %",
               near(1), 0.005),
        Column("ping_ms", "ping, ms", "%.2f", ratio=True),
        Column("ping_ratio", "ping / idle", "%.2f"),
        Column("retransmits", "retransmits", "%.0f", "0", low, 0),
        Column("udp_share", "UDP, share", "%.4f", "0.99 to 1", near(0.995),
               0.0055),
        Column("unevenness", "variation over 10 ms", "%.3f")],
       "weir weir-edt weir-htb htb edt", cases(rate="10mbit", flows="4"), kernel="6.12")
def edt(trial):
    """4 flows with ping beside them, then UDP at twice the limit."""
    field = trial.field
    idle, _ = field.ping(50, 0.02)
    again = field.retransmits()
    with trial.bulk(60, int(trial.case["flows"])):
        time.sleep(4)
        now = time.monotonic()
        ping, _ = field.ping(100, 0.02)
        f.sleep_until(now + 4)
        share = field.share(trial.bps, now, now + 4)
        again = field.retransmits() - again
    since = time.monotonic()
    with field.iperf(60, udp_bps=2 * trial.bps):
        now = trial.began(since) + 2
        f.sleep_until(now + 3.05)
        bins = field.bins(now, now + 3)
    return {"share": share, "ping_ms": ping, "retransmits": again,
            "ping_ratio": ping / idle if ping and idle else None,
            "udp_share": sum(bins) * 8 / trial.bps / 3,
            "unevenness": statistics.pstdev(bins) /
            max(1, statistics.mean(bins))}
