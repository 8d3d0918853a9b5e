# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as Markdown.  A result is what `limits --json` writes: a list of
runs, each of a scene, a case, a limiter and a round, with figures or with why
there are none.
"""
from cells import median, ordered, table
from scenes import SCENES

OURS = "weir"


def cell(column, runs, ours):
    """A median, and how many times weir's it is."""
    value = median(runs, column.key)
    if value is None:
        return "-"
    text = column.form % value
    of = median(ours, column.key)
    if column.ratio and of and runs is not ours:
        text += " (%.3g ×)" % (value / of)
    return text


def scene_table(scene, runs):
    """A row for each case and limiter."""
    rows = []
    keys = list(runs[0]["case"])
    for case in ordered([r["case"] for r in runs]):
        of_case = [r for r in runs if r["case"] == case]
        by_name = {name: [r for r in of_case if r["limiter"] == name]
                   for name in ordered([r["limiter"] for r in of_case])}
        ours = by_name.get(OURS, [])
        for name, some in by_name.items():
            rows.append([case[k] for k in keys] + [name] +
                        [cell(c, some, ours) for c in scene.columns])
    return table(keys + ["limiter"] + [c.heading for c in scene.columns],
                 rows)


def missing(runs):
    """Who could not be measured, once each, with the reason."""
    return ordered(["%s: %s" % (r["limiter"], r["missing"])
                    for r in runs if "missing" in r])


def rounds_of(runs):
    """How often the same was measured, in one call or in several."""
    same = [(r["case"], r["limiter"]) for r in runs]
    return max(map(same.count, same))


def command(scene, runs):
    text = "tests/bench/limits --scenes " + scene.name
    for key in ("rate", "flows", "traffic"):
        here = ordered([r["case"].get(key) for r in runs])
        if set(here) != {case.get(key) for case in scene.cases}:
            text += " --%s %s" % (key, ",".join(here))
    names = ordered([r["limiter"] for r in runs])
    if names != scene.limiters:
        text += " --limiters " + ",".join(names)
    rounds = rounds_of(runs)
    if rounds != scene.rounds:
        text += " --rounds %d" % rounds
    return text


def scene_text(scene, runs):
    parts = ["### " + scene.name, scene.about]
    bars = ["%s %s" % (c.heading, c.bar) for c in scene.columns if c.bar]
    rounds = rounds_of(runs)
    said = "`%s`" % command(scene, runs)
    if rounds > 1:
        said += ", medians of %d rounds" % rounds
    if scene.kernel:
        said += ", Linux %s under QEMU" % scene.kernel
    parts.append(said + ".")
    if bars:
        parts.append("The bar: " + "; ".join(bars) + ".")
    parts.append(scene_table(scene, runs))
    parts += ["Not measured: " + line + "." for line in missing(runs)]
    return "\n\n".join(parts)


def scenes_of(runs):
    """Scenes in their order, with their runs."""
    for scene in SCENES.values():
        some = [r for r in runs if r["scene"] == scene.name]
        if some:
            yield scene, some


def scenes_text(runs):
    return "\n\n".join(scene_text(*pair) for pair in scenes_of(runs))


def figure(column, runs, name, case):
    return median([r for r in runs if r["limiter"] == name and
                   r["case"] == case], column.key)


def worst(column, runs, name, against=""):
    """The median that is furthest from the best, over all cases; as a share
    of another limiter's, if asked for."""
    values = []
    for case in ordered([r["case"] for r in runs]):
        value = figure(column, runs, name, case)
        base = figure(column, runs, against, case) if against else 1
        if value is not None and base:
            values.append(value / base)
    return max(values, key=column.miss) if values else None


def met(column, runs):
    """A bar is met where the figure is, as exactly as it is shown."""
    value = worst(column, runs, OURS, column.against)
    if value is None:
        return "-"
    if column.against:
        said, value = " (%.2f)" % value, round(value, 2)
    else:
        said, value = "", float(column.form % value)
    good = column.miss(value) <= column.most + 1e-9
    return ("yes" if good else "**no**") + said


def summary(runs):
    """A row for each bar, with the worst of each limiter's cases."""
    names = ordered([r["limiter"] for r in runs])
    names.sort(key=lambda name: name != OURS)
    rows = []
    for scene, some in scenes_of(runs):
        for column in scene.columns:
            if not column.bar:
                continue
            figures = [worst(column, some, name) for name in names]
            rows.append([scene.name, column.heading, column.bar,
                         met(column, some)] +
                        ["-" if v is None else column.form % v
                         for v in figures])
    return table(["scene", "figure", "bar", "met"] + names, rows)
