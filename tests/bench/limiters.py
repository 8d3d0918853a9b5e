# SPDX-License-Identifier: GPL-2.0-or-later
"""The limiters that the benches compare, and how.  Each is a function of a
field and a rate in bit/s, which may be called again with another; 0 takes it
away.
"""
import contextlib
import os
import statistics
import struct
import tempfile

import field as f

UNITS = {"kbit": 1000, "mbit": 1000000, "gbit": 1000000000}


def rate_parse(text):
    for unit, factor in UNITS.items():
        if text.endswith(unit):
            return int(float(text[:-len(unit)]) * factor)
    raise SystemExit("'%s' is not a rate (try 100mbit)" % text)


def limit_none(_field, _bps):
    pass


def limit_htb(field, bps):
    field.htb(bps)


def limit_bucket(field, bps):
    """A burst of 20 ms, 15 kB at least."""
    pins = field.pins + "/bucket"
    if not bps:
        f.run("bpftool", "cgroup", "detach", field.cgroup, "egress", "pinned",
              pins + "/bucket_egress", check=False)
        f.run("rm", "-rf", pins)
        return
    os.mkdir(pins)
    f.run("bpftool", "prog", "loadall", f.bpf_build("bucket", field.build),
          pins, "pinmaps", pins)
    rate = bps // 8
    burst_ns = max(20000000, 15000 * 1000000000 // rate)
    f.map_write(f.map_open(pins + "/buckets"), b"\0\0\0\0",
                struct.pack("=IIQQQ", 0, 0, rate, burst_ns, 0))
    f.run("bpftool", "cgroup", "attach", field.cgroup, "egress", "pinned",
          pins + "/bucket_egress")


def limit_weir(field, bps):
    env = dict(os.environ, WEIR_BPFFS=field.pins + "/weir",
               WEIR_STATE=field.folder + "/state",
               WEIR_RUN=field.folder + "/run")
    if not bps:
        f.run(field.weirctl, "clear", env=env)
        return
    policy = field.folder + "/bench.ini"
    with open(policy, "w", encoding="ascii") as out:
        out.write("[group b]\nmatch = /%s/b\nout = %dbit\n" %
                  (field.prefix, bps))
    f.run(field.weirctl, "apply", policy, env=env)


LIMITERS = {"none": limit_none, "paced": limit_none, "weir": limit_weir,
            "htb": limit_htb, "bucket": limit_bucket}


def options(limiter, bps, flows, v6):
    """What iperf3 is told beside the usual: the option counts payload and one
    header for each packet of many segments."""
    if limiter != "paced":
        return ()
    payload = 1428 if v6 else 1448
    return ("--fq-rate", "%d" % (bps * payload / 1514 / flows))


@contextlib.contextmanager
def field_of(args):
    """Where a bench measures, by its arguments."""
    with f.Field(args.prefix, f.ROOT + "/build/bench") as field, \
            tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        field.folder = folder
        field.weirctl = args.weirctl
        yield field


def median_of(runs):
    result = {}
    for key in runs[0]:
        values = [r[key] for r in runs if r[key] is not None]
        result[key] = statistics.median(values) if values else None
    return result


def compare(field, limiters, bps, rounds, measure):
    """What measure(name) gives under each limiter, as medians; in each round
    one limiter after the other."""
    runs = {name: [] for name in limiters}
    for _ in range(rounds):
        for name in limiters:
            LIMITERS[name](field, bps)
            try:
                runs[name].append(measure(name))
            finally:
                LIMITERS[name](field, 0)
    return {name: median_of(figures) for name, figures in runs.items()}
