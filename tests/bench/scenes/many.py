# SPDX-License-Identifier: GPL-2.0-or-later
"""Many groups."""
import contextlib
import json
import os
import statistics
import time

import field as f
from scenes import Column, cases, high, low, scene
from scenes.cost import MACHINE, PROGRAMS, Cost

HUNDRED = 100


@contextlib.contextmanager
def cgroups(field, count):
    """That many below the limited one: g0, g1, …"""
    paths = ["%s/g%d" % (field.cgroup, i) for i in range(count)]
    for path in paths:
        os.makedirs(path, exist_ok=True)
    try:
        yield paths
    finally:
        for path in paths:
            field.empty(path)
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(path)


def counts(field, n, first=0):
    return [field.port_bytes(f.SPREAD + first + i) for i in range(n)]


@contextlib.contextmanager
def spread(trial, names, rates, first=0):
    """A greedy flow from each of the cgroups below the limited one; it has
    begun in all of them.  The first has the port so many behind SPREAD."""
    field, n = trial.field, len(names)
    paced = [trial.limiter.pacing(bps) or 0 for bps in rates]
    start = counts(field, n, first)
    process = field.talk("spread", f.HOST, f.SPREAD + first, 20, field.cgroup,
                         0x10000 + 2, *["%s=%.0f" % pair for pair in
                                        zip(names, paced)])
    try:
        f.wait(lambda: all(a < b for a, b in
                           zip(start, counts(field, n, first))))
        yield start
    finally:
        f.stop(process)


def sent_bps(field, n, seconds, first=0):
    """What each of n flows sends in that time."""
    before, now = counts(field, n, first), time.monotonic()
    f.sleep_until(now + seconds)
    sent = [b - a for a, b in zip(before, counts(field, n, first))]
    took = time.monotonic() - now
    return [bytes_ * 8 / took for bytes_ in sent]


def shares(trial, rates):
    """Share of each cgroup's rate over 3 s, and the cost of all."""
    field, n = trial.field, len(rates)
    with spread(trial, ["g%d" % i for i in range(n)], rates):
        time.sleep(1.5)
        cost = Cost(field)
        sent = sent_bps(field, n, 3)
        result = cost.per(sum(sent) / 8 * 3)
    return [got / bps for got, bps in zip(sent, rates)], result


@scene([Column("least", "least share", "%.4f", "at least 0.98", high, -0.98),
        Column("median", "median", "%.4f"),
        Column("most", "most", "%.4f", "at most 1.02", low, 1.02),
        PROGRAMS, MACHINE], "weir paced htb", cases(rate="1100mbit"),
       limited=False)
def hundred(trial):
    """100 cgroups at once, at 2 to 20 Mbit/s each, all greedy."""
    rates = [2000000 * (1 + i % 10) for i in range(HUNDRED)]
    with cgroups(trial.field, HUNDRED):
        trial.limiter.spread(rates)
        try:
            got, cost = shares(trial, rates)
        finally:
            trial.limiter.clear()
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
