# SPDX-License-Identifier: GPL-2.0-or-later
"""Rate over time, as SVG."""
import os

import svg

NAMES = ("weir", "htb", "bucket")
COLOURS = {"weir": "#0b6e4f", "htb": "#d1495b", "bucket": "#8d99ae"}
WIDTH = 1.1  # of weir's line; the others are behind it, and thinner
# scene: what the picture is called, its title, when it begins (s)
PICTURES = {
    "quiet": ("start", "4 flows start after a pause", -0.1),
    "change": ("change", "4 flows, the rate doubled and halved", -0.5),
    "crowd": ("crowd", "one flow, then 64", -0.5),
}


def draw(path, title, begin, runs):
    figure, axes = svg.begin(7, 2.6)
    top = 2.5
    for name in reversed(NAMES):
        for series in [r["series"] for r in runs if r["limiter"] == name][:1]:
            axes.plot([begin + i / 100 for i in range(len(series))],
                      [min(v, top * 1.02) for v in series], label=name,
                      color=COLOURS[name], drawstyle="steps-post",
                      linewidth=WIDTH if name == NAMES[0] else WIDTH * 0.7)
    axes.set(title=title, xlabel="s", ylabel="share of the rate, per 10 ms",
             ylim=(0, top))
    axes.grid(True, linewidth=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], frameon=False, ncols=3,
                loc="upper right")
    svg.end(figure, path)


def all_of(runs, folder):
    """Draws what there are series for; the names of files and titles."""
    os.makedirs(folder, exist_ok=True)
    drawn = []
    for scene, (name, title, begin) in PICTURES.items():
        some = [r for r in runs if r["scene"] == scene and
                r.get("series") and r["limiter"] in NAMES]
        for rate in dict.fromkeys(r["case"]["rate"] for r in some):
            if rate not in ("100mbit", "1gbit"):
                continue
            file = "%s-%s.svg" % (name, rate)
            said = "%s, at %s" % (title, rate)
            draw(os.path.join(folder, file), said, begin,
                 [r for r in some if r["case"]["rate"] == rate])
            drawn.append((file, said))
    return drawn
