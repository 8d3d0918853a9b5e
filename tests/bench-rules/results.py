# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as Markdown.  A result is what `rules --json` writes: a list of
runs, each of a part, a case, a peer and a round, with figures or with why
there are none.
"""
import typing

from cells import median, ordered, table
from parts import PARTS

NONE, OURS = "none", ("weir", "weir-device")


class Figure(typing.NamedTuple):
    key: str
    heading: str
    above: bool = False  # shown above what it is without a firewall
    form: str = "%.0f"


FIGURES = {
    "packets": [Figure("known", "Known flow, both sockets connected", True),
                Figure("peers", "64 peers of an unconnected server", True),
                Figure("first", "First packets: each of a new flow", True),
                Figure("flows", "100,000 flows, known", True)],
    "connections": [Figure("tcp", "Connect, accept, close", True)],
    "stateful": [Figure("talks64", "Established, 64 flows", True),
                 Figure("talks10000", "Established, 10,000 flows", True),
                 Figure("talks100000", "Established, 100,000 flows", True),
                 Figure("first", "First packets: each of a new flow", True),
                 Figure("tcp", "Connect, accept, close", True)],
    "mixed": [Figure("first", "First packets", True),
              Figure("load", "To load them, ms")],
    "loads": [Figure("load", "To load them, ms", form="%.4g"),
              Figure("change", "To change one, ms", form="%.4g"),
              Figure("memory", "Kernel memory, by what is free, MB"),
              Figure("told", "Kernel memory, as it is told, MB",
                     form="%.1f")],
    "networks": [Figure("first", "First packets", True),
                 Figure("load", "To load them, ms"),
                 Figure("change", "To add one, ms", form="%.4g"),
                 Figure("memory", "Kernel memory, by what is free, MB"),
                 Figure("told", "Kernel memory, as it is told, MB",
                        form="%.1f")],
}

# part, figure, a case or part of it, peers, most, as the issue has it
BARS = [
    ("packets", "known", {}, ["weir"], 35),
    ("packets", "peers", {}, ["weir", "weir-device"], 45),
    ("packets", "known", {}, ["weir-device"], 45),
    ("packets", "flows", {"rules": 100000}, OURS, 130),
    ("packets", "first", {"rules": 100000}, OURS, 177),
    ("mixed", "first", {"rules": 10000}, OURS, 150),
    ("mixed", "first", {"rules": 100000}, OURS, 500),
    ("connections", "tcp", {"rules": 100000}, OURS, 200),
    ("stateful", "talks64", {}, OURS, 45),
    ("stateful", "talks10000", {}, OURS, 80),
    ("stateful", "talks100000", {}, OURS, 200),
    ("stateful", "first", {}, OURS, 400),
    ("stateful", "tcp", {}, OURS, 700),
    ("networks", "first", {"rules": 1000000}, OURS, 300),
    ("networks", "told", {"rules": 1000000}, ["weir"], 100),
    ("networks", "load", {"rules": 1000000}, ["weir"], 1500),
    ("networks", "load", {"rules": 100000}, ["weir"], 80),
    ("networks", "change", {"rules": 100000}, ["weir"], 0.7),
    ("loads", "load", {"rules": 10}, ["weir"], 10),
    ("loads", "load", {"rules": 10000}, ["weir"], 20),
    ("loads", "load", {"rules": 100000}, ["weir"], 100),
    ("loads", "change", {"rules": 100000}, ["weir"], 5),
    ("loads", "told", {"rules": 100000}, ["weir"], 64),
    ("mixed", "load", {"rules": 100000}, ["weir"], 300),
]


def of_case(runs, case, name):
    return [r for r in runs if r["case"] == case and r["peer"] == name]


def value(runs, figure, case, name):
    """A median; above that of nobody, where it is to be so."""
    found = median(of_case(runs, case, name), figure.key)
    if found is None or not figure.above:
        return found
    base = median(of_case(runs, case, NONE), figure.key)
    return None if base is None else found - base


def case_text(case):
    rules = "{:,}".format(case["rules"])
    return rules if case["kind"] in ("exact", "tcp") else "%s, %s" % (
        case["kind"], rules)


def cell(runs, figure, case, name):
    """With how many times weir's it is."""
    found = value(runs, figure, case, name)
    if found is None:
        return "-"
    text = figure.form % found
    ours = value(runs, figure, case, OURS[0])
    if name not in OURS and ours and ours > 0:
        text += " (%.3g ×)" % (found / ours)
    return text


def figure_table(runs, figure):
    cases = [c for c in ordered([r["case"] for r in runs])
             if any(median(of_case(runs, c, r["peer"]), figure.key)
                    is not None for r in runs)]
    names = [n for n in ordered([r["peer"] for r in runs])
             if n != NONE or not figure.above]
    rows = [[n] + [cell(runs, figure, c, n) for c in cases] for n in names]
    if figure.above:
        rows.append(["without"] + [
            figure.form % (median(of_case(runs, c, NONE), figure.key) or 0)
            for c in cases])
    rows = [row for row in rows if set(row[1:]) - {"-"}]
    return table(["rules"] + [case_text(c) for c in cases], rows)


def notes(runs):
    """What a peer says, and why there is no figure; once each."""
    said = []
    for r in runs:
        note = r.get("figures", {}).get("note")
        if note:
            said.append("%s, %s: %s." % (r["peer"], case_text(r["case"]),
                                         note))
        if "missing" in r:
            said.append("Not measured: %s, %s: %s." % (
                r["peer"], case_text(r["case"]), r["missing"]))
    return ordered(said)


def part_text(part, runs):
    rounds = 1 + max(r["round"] for r in runs)
    parts = ["### " + part.name, part.about]
    said = "`tests/bench-rules/rules --parts %s`" % part.name
    if rounds > 1:
        said += ", medians of %d rounds" % rounds
    parts.append(said + ".")
    for figure in FIGURES[part.name]:
        if median(runs, figure.key) is not None:
            heading = figure.heading
            if figure.above:
                heading += ", ns above no firewall"
            parts += ["#### " + heading, figure_table(runs, figure)]
    said = notes(runs)
    if said:
        parts.append("\n".join("- " + line for line in said))
    return "\n\n".join(parts)


def text(runs):
    return "\n\n".join(
        part_text(part, [r for r in runs if r["part"] == part.name])
        for part in PARTS.values()
        if any(r["part"] == part.name for r in runs))


def best_peer(runs, figure, case):
    found = [(value(runs, figure, case, n), n)
             for n in ordered([r["peer"] for r in runs])
             if n not in OURS and n != NONE]
    found = [pair for pair in found if pair[0] is not None]
    return "%s (%s)" % (figure.form % min(found)[0], min(found)[1]) \
        if found else "-"


def flat(runs):
    """How many times that of one rule a known flow costs among 100,000."""
    some = [r for r in runs if r["part"] == "packets"]
    figure = FIGURES["packets"][0]
    for name in OURS:
        one, many = (value(some, figure, {"kind": "exact", "rules": n,
                                          "hook": "in"}, name)
                     for n in (1, 100000))
        row = ["packets", figure.heading, "100,000 / 1", name, "1.1 ×"]
        if one is None or many is None or one <= 0:
            yield row + ["not measured", "-", "-"]
            continue
        ratio = many / one
        yield row + ["yes" if ratio <= 1.1 else "**no**", "%.2f" % ratio, "-"]


def summary(runs):
    """A row for each bar and peer of ours, with the worst of its cases."""
    rows = list(flat(runs))
    for part, key, wanted, names, most in BARS:
        some = [r for r in runs if r["part"] == part and
                wanted.items() <= r["case"].items()]
        figure = next(g for g in FIGURES[part] if g.key == key)
        for name in names:
            found = [(value(some, figure, c, name), i)
                     for i, c in enumerate(ordered([r["case"] for r in some]))]
            found = [pair for pair in found if pair[0] is not None]
            row = [part, figure.heading,
                   "{:,}".format(wanted["rules"]) if wanted else "any", name,
                   "%g" % most]
            if found:
                worst, index = max(found)
                case = ordered([r["case"] for r in some])[index]
                row += ["yes" if worst <= most else "**no**",
                        figure.form % worst, best_peer(some, figure, case)]
            else:
                row += ["not measured", "-", "-"]
            rows.append(row)
    return table(["part", "figure", "rules", "who", "bar", "met", "worst case",
                  "best of the others there"], rows)
