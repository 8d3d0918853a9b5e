# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenes that the benches play.  To add one: a function in a file here,
with @scene before it, that takes a trial and gives a dict of figures.
"""
import contextlib
import importlib
import itertools
import pkgutil
import time
import typing

import field as f

PEERS = "paced htb tbf cni bucket"
UNITS = {"kbit": 1000, "mbit": 1000000, "gbit": 1000000000}
SCENES = {}


def rate_parse(text):
    for unit, factor in UNITS.items():
        if text.endswith(unit):
            return int(float(text[:-len(unit)]) * factor)
    raise SystemExit("'%s' is not a rate (try 100mbit)" % text)


class Column(typing.NamedTuple):
    """A figure, and what it should be."""
    key: str
    heading: str
    form: str = "%.3f"
    bar: str = ""  # in words; the next two decide it
    miss: typing.Callable = None  # how far a figure is from the best
    most: float = 0  # how far it may be
    ratio: bool = False  # shown as times weir's, too
    against: str = ""  # the limiter whose figure the bar is a share of


class Scene(typing.NamedTuple):
    name: str
    measure: typing.Callable
    columns: list
    limiters: list
    cases: list
    rounds: int
    limited: bool  # whether the limit is put on before
    kernel: str  # that it is for, where this machine's own will not do
    place: str  # of places.make

    @property
    def about(self):
        return " ".join(self.measure.__doc__.split())


def near(goal):
    return lambda figure: abs(figure - goal)


def low(figure):
    return figure


def high(figure):
    return -figure


def cases(**lists):
    """Each of one with each of the others; a list is a text of words."""
    values = [text.split() for text in lists.values()]
    return [dict(zip(lists, row)) for row in itertools.product(*values)]


def scene(columns, limiters, over, rounds=1, limited=True, kernel="",
          place="field"):
    def register(measure):
        name = measure.__name__.rstrip("_")  # "in" is a word of Python's
        SCENES[name] = Scene(name, measure, columns, limiters.split(), over,
                             rounds, limited, kernel, place)
        return measure
    return register


class Trial:
    """One run of a scene: where, under which limiter, and what of it."""

    def __init__(self, field, limiter, case):
        self.field = field
        self.limiter = limiter
        self.case = case
        self.bps = rate_parse(case["rate"])
        limiter.flows = int(case.get("flows", 1))

    def limit(self, bps):
        self.limiter.set(bps)

    @contextlib.contextmanager
    def bulk(self, seconds, flows=1, v6=False, **traffic):
        """Greedy TCP, that paces itself where that is what is compared."""
        own = self.limiter.pacing(self.bps, 86 if v6 else 66)
        more = ["--fq-rate", "%d" % (own / flows)] if own else []
        with self.field.iperf(seconds, flows, v6=v6, more=more,
                              **traffic) as port:
            yield port

    def began(self, since):
        """When traffic came, not just a handshake; waits for it."""
        least = min(3000, self.bps / 8 * f.BIN_S * 0.8)

        def index():
            bins = self.field.bins(since, time.monotonic())
            return next((i for i, n in enumerate(bins) if n >= least), None)
        f.wait(lambda: index() is not None)
        return (int(since / f.BIN_S) + index()) * f.BIN_S

    def start(self, began):
        """The first second, and that less the burst that weir allows where
        none is configured: 40 ms, five full segments at least."""
        share = self.field.share(self.bps, began, began + 1)
        burst = max(0.04, 5 * 1514 * 8 / self.bps)
        return {"first_second": share, "first_less": share - burst}

    def series(self, first, last):
        """Rate over time, as shares of the trial's rate, per 10 ms."""
        return [round(n * 8 / self.bps / f.BIN_S, 4)
                for n in self.field.bins(first, last)]


# In the order in which they are played and shown; what is new comes last.
FILES = ["bulk", "latency", "sharing", "change", "cost", "many", "edt",
         "arriving", "groups"]
for module in sorted((m.name for m in pkgutil.iter_modules(__path__)),
                     key=lambda name: (FILES + [name]).index(name)):
    importlib.import_module("scenes." + module)
