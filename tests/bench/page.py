# SPDX-License-Identifier: GPL-2.0-or-later
"""A page of docs/ whose figures stand between marks."""
import re


def fill(page, name, text):
    mark = r"(<!-- begin %s -->\n).*?(<!-- end %s -->)" % (name, name)
    page, count = re.subn(mark, lambda m: m[1] + "\n" + text + "\n\n" + m[2],
                          page, flags=re.DOTALL)
    if count != 1:
        raise SystemExit("no marks for '%s'" % name)
    return page
