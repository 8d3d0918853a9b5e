# SPDX-License-Identifier: GPL-2.0-or-later
"""What a limit costs those who have one, and those who have none."""
import time

import field as f
from scenes import PEERS, Column, cases, high, low, scene

PROGRAMS = Column("cpu_s_per_gb", "programs, CPU s/GB", "%.3f", ratio=True)
MACHINE = Column("machine_s_per_gb", "machine, CPU s/GB", "%.3f",
                 "at most HTB's", low, 1, True, "htb")


class Cost:
    """CPU time from its making on."""

    def __init__(self, field):
        self.field = field
        self.programs = field.cpu_seconds()
        self.machine = f.busy_seconds()

    def per(self, wire):
        gigabytes = max(wire, 1) / 1e9
        return {"cpu_s_per_gb":
                (self.field.cpu_seconds() - self.programs) / gigabytes,
                "machine_s_per_gb":
                (f.busy_seconds() - self.machine) / gigabytes}


@scene([PROGRAMS._replace(bar="at most 1.05 of paced", miss=low, most=1.05,
                          against="paced"),
        MACHINE, Column("share", "share of the rate", "%.4f")],
       "none weir " + PEERS, cases(rate="5gbit", flows="4"), rounds=3)
def cpu(trial):
    """CPU seconds per GB: of the programs, and of the whole machine."""
    return cost_of(trial)


@scene([PROGRAMS, MACHINE, Column("share", "share of the rate", "%.4f")],
       "none weir sender htb tbf cni", cases(rate="1gbit 5gbit", flows="4"),
       rounds=3, place="container")
def in_cpu(trial):
    """The same for what arrives in a container."""
    return cost_of(trial)


def cost_of(trial):
    """Of bulk TCP for 3 s."""
    field = trial.field
    with trial.bulk(10, int(trial.case["flows"])):
        time.sleep(1)
        now, cost = time.monotonic(), Cost(field)
        f.sleep_until(now + 3)
        wire = sum(field.bins(now, time.monotonic()))
        result = cost.per(wire)
    return {"share": field.share(trial.bps, now, now + 3), **result}


def device_gbps(field, device, seconds):
    """What a device sends, and the CPU time of that."""
    time.sleep(0.7)
    cost, now = Cost(field), time.monotonic()
    sent = field.device_bytes(device)
    time.sleep(seconds)
    sent = field.device_bytes(device) - sent
    return {"gbps": sent * 8e-9 / (time.monotonic() - now), **cost.per(sent)}


GBPS = Column("gbps", "Gbit/s", "%.2f", "that of none (0.97)", high, -0.97,
              True, "none")


@scene([GBPS, PROGRAMS], "none weir htb bucket", cases(rate="100mbit"),
       rounds=3, limited=False)
def neighbour(trial):
    """A cgroup without a limit, on the device where another has one."""
    field = trial.field
    trial.limiter.set(trial.bps, alone=False)
    with field.iperf(6, cgroup=field.free):
        return device_gbps(field, "v0", 1.5)


@scene([GBPS, PROGRAMS], "none weir htb bucket", cases(rate="100mbit"),
       rounds=3)
def loopback(trial):
    """The limited cgroup to itself, over lo."""
    with trial.field.iperf(6, host="127.0.0.1"):
        return device_gbps(trial.field, "lo", 1.5)
