# SPDX-License-Identifier: GPL-2.0-or-later
"""What tables of results are made of, whatever was measured.  A run is a
dict with figures, or with why there are none.
"""
import statistics


def median(runs, key):
    values = [r["figures"][key] for r in runs
              if r.get("figures", {}).get(key) is not None]
    return statistics.median(values) if values else None


def ordered(values):
    """Without those that came before; dicts, too."""
    return [v for i, v in enumerate(values) if v not in values[:i]]


def table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |",
             "| --- " * len(headings) + "|"]
    return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in rows])
