# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits within limits, limits that are shared, and groups that share."""
import contextlib
import os
import statistics
import time

import field as f
from scenes import Column, cases, high, low, near, scene
from scenes.many import cgroups, counts, sent_bps, spread

# In parts of the parent's limit; three deep.
TREE = {"p": 1, "p/more": 2, "p/more/deep": None, "p/less": 0.3,
        "p/less/deep": None, "p/none": None, "p/none/deep": None}
LEAVES = ("p/more/deep", "p/less/deep", "p/none/deep")


@contextlib.contextmanager
def tree(field):
    """The cgroups of TREE, and a place for each of LEAVES.  By a process it is
    known where that is, before anything is sent."""
    for path in TREE:
        os.makedirs(os.path.join(field.cgroup, path), exist_ok=True)
    try:
        with field.boxes(len(LEAVES)) as boxes:
            places = [{"cgroup": os.path.join(field.cgroup, leaf), **box}
                      for leaf, box in zip(LEAVES, boxes)]
            for place in places:
                field.start(["sleep", "300"], place["cgroup"],
                            place.get("ns", field.box))
            yield places
    finally:
        for path in reversed(TREE):
            path = os.path.join(field.cgroup, path)
            field.empty(path)
            os.rmdir(path)


def rates_of(field, places, seconds):
    """What passes in each of the places, a greedy flow there, in bit/s."""
    with contextlib.ExitStack() as undo:
        ports = [undo.enter_context(field.iperf(20, **place))
                 for place in places]
        time.sleep(1.5)
        now = time.monotonic()
        before = [field.port_bytes(port) for port in ports]
        f.sleep_until(now + seconds)
        took = time.monotonic() - now
        return [(field.port_bytes(port) - had) * 8 / took
                for port, had in zip(ports, before)]


def nested_of(trial):
    """Each leaf alone, then all together."""
    field, bps = trial.field, trial.bps
    limits = [("b/" + path, part * bps) for path, part in TREE.items() if part]
    with tree(field) as places:
        trial.limiter.groups(limits)
        try:
            more = rates_of(field, places[:1], 2)[0]
            less = rates_of(field, places[1:2], 2)[0]
            all_of = rates_of(field, places, 3)
        finally:
            trial.limiter.clear()
    return {"more": more / bps, "less": less / bps / TREE["p/less"],
            "sum": sum(all_of) / bps, "least": min(all_of) / bps,
            "less_beside": all_of[1] / bps / TREE["p/less"]}


NESTED = [Column("more", "below 2 x the parent's, alone", "%.4f",
                 "within 1 % of the parent's", near(1), 0.01),
          Column("less", "below 0.3 x, alone", "%.4f", "within 1 %", near(1),
                 0.01),
          Column("sum", "all three, sum", "%.4f", "within 1 %", near(1), 0.01),
          Column("least", "the least's part", "%.3f"),
          Column("less_beside", "beside others, of its 0.3", "%.3f",
                 "at most 1.01", low, 1.01)]


@scene(NESTED, "weir", cases(rate="100mbit"), limited=False)
def nested(trial):
    """A limit `out`; below it one of twice, one of 0.3 and none."""
    return nested_of(trial)


@scene(NESTED, "weir", cases(rate="100mbit"), limited=False,
       place="container")
def nested_in(trial):
    """The same with limits `in`, and a container for each leaf."""
    return nested_of(trial)


SHARED = {"all": 20, "each": 200}


@scene([Column("sum", "sum / all limits", "%.4f", "within 1 %", near(1), 0.01),
        Column("least", "least, of its part", "%.3f"),
        Column("most", "most", "%.3f"),
        Column("first", "the most in the second after its first packet, less "
               "burst", "%.3f", "at most 1.02", low, 1.02)],
       "weir", cases(rate="100mbit", share="all each"), limited=False)
def shared(trial):
    """One limit of many cgroups, and one for each; half of them come later."""
    field, share = trial.field, trial.case["share"]
    n = SHARED[share]
    one = trial.bps if share == "all" else trial.bps / 50
    part = one / n if share == "all" else one
    with cgroups(field, n // 2):
        trial.limiter.pattern("b/*", share, one)
        try:
            with cgroups(field, n):
                return shared_figures(trial, n, part, one)
        finally:
            trial.limiter.clear()


def shared_figures(trial, n, part, one):
    """n flows of a group each, whose part of the limit `one` is `part`."""
    field, names = trial.field, ["g%d" % i for i in range(n)]
    burst = max(0.04 * one, 5 * 1514 * 8)
    together = n if part < one else 1
    since = time.monotonic()
    with spread(trial, names, [part] * n) as start:
        f.sleep_until(since + 1)
        took = time.monotonic() - since
        first = [(b - a) * 8 for a, b in zip(start, counts(field, n))]
        if together > 1:
            first = [sum(first)]
        time.sleep(2)
        got = sent_bps(field, n, 3)
    return {"sum": sum(got) / part / n, "least": min(got) / part,
            "most": max(got) / part,
            "first": (max(first) - burst) / took / part / together}


TEN = 10


@scene([Column("sum", "sum / rate", "%.4f", "within 1 %", near(1), 0.01),
        Column("least", "least group, of its tenth", "%.3f", "at least 0.9",
               high, -0.9),
        Column("median", "median", "%.3f"),
        Column("most", "most", "%.3f", "at most 1.1", low, 1.1)],
       "weir htb tbf", cases(rate="100mbit 1gbit"), limited=False)
def total(trial):
    """A device's total over 10 groups: one has 8 flows, the others one."""
    field = trial.field
    names = ["g%d" % min(i, TEN - 1) for i in range(TEN + 7)]
    with cgroups(field, TEN):
        trial.limiter.total(trial.bps, ["b/g%d" % i for i in range(TEN)])
        try:
            with spread(trial, names, [trial.bps / len(names)] * len(names)):
                time.sleep(1.5)
                got = sent_bps(field, len(names), 3)
        finally:
            trial.limiter.clear()
    groups = got[:TEN - 1] + [sum(got[TEN - 1:])]
    fair = [bps * TEN / trial.bps for bps in groups]
    return {"sum": sum(got) / trial.bps, "least": min(fair),
            "median": statistics.median(fair), "most": max(fair)}


# What the first of the groups asks for.
ASKS = {"out-min": "out-min = %(quarter)dbit", "weight": "weight = 30",
        "priority": "priority = high"}


def ideal(asks, n):
    """Parts of the limit that the first of n greedy groups is to have, and
    each of the others."""
    if asks == "out-min":
        return 0.25 + 0.75 / n, 0.75 / n
    if asks == "weight":
        return 3 / (n + 2), 1 / (n + 2)
    return 1, 0


@scene([Column("sum", "sum / rate", "%.4f", "within 1 %", near(1), 0.01),
        Column("first", "who asks, of its ideal", "%.4f", "within 3 %",
               near(1), 0.03),
        Column("least", "least of the others", "%.3f", "within 3 %", near(1),
               0.03),
        Column("most", "most", "%.3f", "within 3 %", near(1), 0.03),
        Column("taken", "all, 0.1 s after it ends", "%.3f", "at least 0.97",
               high, -0.97),
        Column("given", "who asks, 0.1 s after it begins again", "%.3f",
               "at least 0.97", high, -0.97)],
       "weir", cases(rate="400mbit", asks="out-min weight priority",
                     groups="2 20 200"), limited=False)
def guarantees(trial):
    """Greedy groups under a device's total (cubic): one is sure of a quarter,
    or has three times the weight, or a higher priority."""
    field, asks = trial.field, trial.case["asks"]
    n = int(trial.case["groups"])
    with cgroups(field, n), congestion("cubic"):
        trial.limiter.total(trial.bps, ["b/g%d" % i for i in range(n)],
                            ASKS[asks] % {"quarter": trial.bps / 4})
        try:
            return guarantees_figures(trial, n, ideal(asks, n))
        finally:
            trial.limiter.clear()


@contextlib.contextmanager
def congestion(name):
    """For `talk spread`: some take seconds to find that there is more."""
    os.environ["CONGESTION"] = name
    try:
        yield
    finally:
        del os.environ["CONGESTION"]


def guarantees_figures(trial, n, parts):
    # Two flows each, as one whose window still grows may lack what it could
    # send; there are not as many ports for hundreds.
    field, flows = trial.field, 2 if n < 100 else 1
    others = ["g%d" % (1 + i % (n - 1)) for i in range((n - 1) * flows)]
    behind = len(others)
    with spread(trial, others, [0] * behind):
        with spread(trial, ["g0"] * flows, [0] * flows, behind):
            time.sleep(3)
            got = sent_bps(field, behind + flows, 3)
        time.sleep(0.1)
        taken = sum(sent_bps(field, behind, 0.3))
        with spread(trial, ["g0"] * flows, [0] * flows, behind):
            time.sleep(0.1)
            given = sum(sent_bps(field, flows, 0.3, behind))
    first = sum(got[behind:])
    each = [sum(got[i:behind:n - 1]) / trial.bps for i in range(n - 1)]
    figures = {"sum": sum(got) / trial.bps,
               "first": first / trial.bps / parts[0],
               "taken": taken / trial.bps,
               "given": given / trial.bps / parts[0]}
    if parts[1]:
        figures.update(least=min(each) / parts[1], most=max(each) / parts[1])
    return figures
