# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures as SVG: text as text, and the same file from the same figures."""
import io
import re


def begin(width, height):
    """A figure with one picture in it, in inches."""
    # Whoever draws nothing does not need it.
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "font.size": 9,
                                "svg.hashsalt": "weir"})
    from matplotlib import pyplot
    return pyplot.subplots(figsize=(width, height), layout="constrained")


def end(figure, path):
    from matplotlib import pyplot
    text = io.StringIO()
    figure.savefig(text, format="svg",
                   metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    with open(path, "w", encoding="utf-8") as out:
        # A hundredth of a point is enough, and half of the size.
        out.write(re.sub(r"(\d\.\d\d)\d+", r"\1", text.getvalue()))
