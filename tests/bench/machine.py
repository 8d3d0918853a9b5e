# SPDX-License-Identifier: GPL-2.0-or-later
"""What a bench was run on, as results tell it."""
import os
import platform
import time

import field as f


def read():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(":", 1)[1].strip() for line in info
                      if line.startswith("model name")), platform.machine())
    # The last change to the programs; none of the tests'.
    version = f.run("git", "-C", f.ROOT, "log", "-1", "--format=%h", "--",
                    "base", "rules", "pins", "netlink", "tc", "cgroup", "ctl",
                    check=False).stdout.strip()
    return {"kernel": platform.release(), "processors": os.cpu_count(),
            "model": model, "weir": version,
            "date": time.strftime("%Y-%m-%d", time.gmtime())}


def text(results):
    """Of the first result; others are of the same machine."""
    here = results[0]["machine"]
    return "weir %(weir)s, Linux %(kernel)s, %(processors)d processors " \
        "(%(model)s), %(date)s." % here
