# SPDX-License-Identifier: GPL-2.0-or-later
"""Costs over the number of rules, as SVG."""
import os

import results
import svg

COLOURS = {"weir": "#0b6e4f", "weir-device": "#53b58f", "nft-linear":
           "#d1495b", "nft-set": "#edae49", "nft-interval": "#8c6d1f",
           "iptables": "#30638e", "ipset": "#8d99ae", "nft-ct": "#9b5094",
           "nft-cgroup": "#c9a0dc"}
# file: part, figure, kind, title, axis
CURVES = {
    "rules-known": ("packets", "known", "exact", "known flow",
                    "ns above no firewall"),
    "rules-first": ("packets", "first", "exact", "first packets of flows",
                    "ns above no firewall"),
    "rules-acl": ("mixed", "first", "acl",
                  "first packets, rules of five fields (acl)",
                  "ns above no firewall"),
    "rules-load": ("loads", "load", "exact", "to load all rules", "ms"),
    "rules-change": ("loads", "change", "exact", "to change one rule", "ms"),
}


def draw(path, title, axis, lines):
    figure, axes = svg.begin(7, 3.6)
    for name, points in lines.items():
        axes.plot(*zip(*points), label=name, color=COLOURS.get(name),
                  marker="o", markersize=2.5,
                  linewidth=2 if name in results.OURS else 1)
    axes.set(title=title, xlabel="rules", ylabel=axis, xscale="log",
             yscale="log")
    axes.grid(True, linewidth=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", fontsize=7)
    svg.end(figure, path)


def line_of(runs, figure, name):
    """Rules and values; on logarithmic axes there is no 0."""
    points = []
    for case in results.ordered([r["case"] for r in runs]):
        found = results.value(runs, figure, case, name)
        if found is not None:
            points.append((case["rules"], max(found, 1e-3 if not figure.above
                                              else 1)))
    return sorted(points)


def all_of(runs, folder):
    """Draws what there are figures for; the names of files and titles."""
    os.makedirs(folder, exist_ok=True)
    drawn = []
    for file, (part, key, kind, title, axis) in CURVES.items():
        some = [r for r in runs if r["part"] == part and
                r["case"]["kind"] == kind]
        figure = next(f for f in results.FIGURES[part] if f.key == key)
        lines = {name: line_of(some, figure, name) for name in COLOURS}
        lines = {name: points for name, points in lines.items()
                 if len(points) > 1}
        if lines:
            draw(os.path.join(folder, file + ".svg"), title, axis, lines)
            drawn.append((file + ".svg", title))
    return drawn
