# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP, UDP and TCP, and applications that want little."""
import statistics
import time

import field as f
from scenes import Column, cases, high, low, near, scene

LIMITING = "weir htb tbf cni bucket"


@scene([Column("share", "share of the rate", "%.4f", "0.99 to 1", near(0.995),
               0.0055),
        Column("unevenness", "variation over 10 ms", "%.4f", "below 0.02",
               low, 0.02, True)],
       LIMITING, cases(rate="100mbit 1gbit"))
def udp(trial):
    """UDP at twice the limit: what comes of it, and how evenly."""
    field, since = trial.field, time.monotonic()
    with field.iperf(8, udp_bps=2 * trial.bps):
        now = trial.began(since) + 1
        f.sleep_until(now + 2.05)
        bins = field.bins(now, now + 2)
    return {"share": sum(bins) * 8 / trial.bps / 2,
            "unevenness": statistics.pstdev(bins) /
            max(1, statistics.mean(bins))}


@scene([Column("sum", "sum / rate", "%.4f", "within 1 %", near(1), 0.01),
        Column("least", "the lesser's part", "%.3f", "at least a quarter",
               high, -0.25),
        Column("tcp", "TCP's part", "%.3f"),
        Column("retransmits", "retransmits", "%.0f", "0", low, 0)],
       LIMITING, cases(rate="100mbit 1gbit"))
def mix(trial):
    """TCP and UDP in one group, both greedy."""
    field, again = trial.field, trial.field.retransmits()
    with trial.bulk(10) as port, field.iperf(10, udp_bps=2 * trial.bps):
        time.sleep(1.5)
        tcp, now = field.port_bytes(port), time.monotonic()
        f.sleep_until(now + 3)
        tcp = field.port_bytes(port) - tcp
        total = field.share(trial.bps, now, now + 3)
        again = field.retransmits() - again
    tcp = tcp * 8 / trial.bps / 3
    return {"sum": total, "tcp": tcp, "least": min(tcp, total - tcp),
            "retransmits": again}


@scene([Column("sum", "sum / rate", "%.4f", "within 0.5 %", near(1), 0.005),
        Column("trickle", "got of its fifth", "%.4f", "at least 0.99", high,
               -0.99)],
       LIMITING, cases(rate="100mbit 1gbit"))
def trickle(trial):
    """An application that wants a fifth, beside 2 greedy flows."""
    field = trial.field
    with trial.bulk(8, 2):
        time.sleep(1)
        now = time.monotonic()
        process = field.talk("trickle", f.HOST, f.SINK, trial.bps / 5, 3)
        f.sleep_until(now + 3)
        total = field.share(trial.bps, now + .5, now + 3)
        sent = field.said(process)[0]
    return {"sum": total, "trickle": sent / (trial.bps / 5)}
