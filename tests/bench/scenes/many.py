# SPDX-License-Identifier: GPL-2.0-or-later
"""Many groups."""
import json
import os
import statistics
import time

import field as f
from scenes import Column, cases, high, low, scene
from scenes.cost import MACHINE, PROGRAMS, Cost

HUNDRED = 100


def shares(trial, rates):
    """Share of each cgroup's rate over 3 s, and the cost of all."""
    field = trial.field
    paced = [trial.limiter.pacing(bps) or 0 for bps in rates]

    def counts():
        return [field.port_bytes(f.SPREAD + i) for i in range(len(rates))]
    start = counts()
    process = field.talk("spread", f.HOST, f.SPREAD, 8, field.cgroup,
                         0x10000 + 2, *paced)
    f.wait(lambda: all(a < b for a, b in zip(start, counts())))
    time.sleep(1.5)
    before, now, cost = counts(), time.monotonic(), Cost(field)
    f.sleep_until(now + 3)
    sent = [b - a for a, b in zip(before, counts())]
    result = cost.per(sum(sent))
    seconds = time.monotonic() - now
    f.stop(process)
    return [n * 8 / bps / seconds for n, bps in zip(sent, rates)], result


@scene([Column("least", "least share", "%.4f", "at least 0.98", high, -0.98),
        Column("median", "median", "%.4f"),
        Column("most", "most", "%.4f", "at most 1.02", low, 1.02),
        PROGRAMS, MACHINE], "weir paced htb", cases(rate="1100mbit"),
       limited=False)
def hundred(trial):
    """100 cgroups at once, at 2 to 20 Mbit/s each, all greedy."""
    field = trial.field
    rates = [2000000 * (1 + i % 10) for i in range(HUNDRED)]
    for i in range(HUNDRED):
        os.makedirs("%s/g%d" % (field.cgroup, i), exist_ok=True)
    try:
        trial.limiter.spread(rates)
        got, cost = shares(trial, rates)
    finally:
        trial.limiter.clear()
        for i in range(HUNDRED):
            os.rmdir("%s/g%d" % (field.cgroup, i))
    return {"least": min(got), "median": statistics.median(got),
            "most": max(got), **cost}


def program_times():
    """Nanoseconds and runs of each BPF program in the kernel."""
    shown = json.loads(f.run("bpftool", "-j", "prog", "show").stdout)
    return {p["id"]: (p.get("run_time_ns", 0), p.get("run_cnt", 0))
            for p in shown}


@scene([Column("apply_s", "to put it on, s", "%.2f", "below 1 s", low, 1,
               True),
        Column("packet_ns", "programs of BPF, ns per packet", "%.0f"),
        PROGRAMS, MACHINE._replace(bar="")], "weir htb",
       cases(rate="1gbit", groups="1 10000"), limited=False)
def configured(trial):
    """Many limits configured, one of them in use, with 4 flows."""
    field, count = trial.field, int(trial.case["groups"])
    others, now = program_times(), time.monotonic()
    trial.limiter.crowd(trial.bps, count - 1)
    took = time.monotonic() - now
    with f.bpf_stats(), trial.bulk(8, 4):
        time.sleep(1)
        before, wire, cost = program_times(), time.monotonic(), Cost(field)
        f.sleep_until(wire + 2)
        result = cost.per(sum(field.bins(wire, wire + 2)))
        after = program_times()
    ours = [(after[i][0] - before[i][0], after[i][1] - before[i][1])
            for i in after if i in before and i not in others]
    packets = max((runs for _, runs in ours), default=0)
    if packets:
        result["packet_ns"] = sum(ns for ns, _ in ours) / packets
    return {"apply_s": took, **result}
