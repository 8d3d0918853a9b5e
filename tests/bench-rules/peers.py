# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is compared.  To add one: a class below, and a word in PEERS.

A case has a kind of rules, how many, and a hook: in (of namespace b) or out
(of namespace a).  Whoever cannot do something raises Failed, and the table
says why.
"""
import json
import os
import re
import time

import field as f
import ground as g

MIXED = ("acl", "fw", "ipc")
INI, CHANGED = "rules.ini", "changed.ini"


class Peer:
    """Nobody: what there is without any rules."""
    name = "none"
    about = "no firewall"
    extra = ""  # what it says of a case beside its figures

    def __init__(self, ground):
        self.ground = ground

    def write(self, case):
        """Its files, in the time of nobody."""

    def load(self, case):
        """All rules of a case; ms of the whole process."""

    def change(self, case, count=1):
        """One of them; ms of the whole process, the median of count."""
        raise f.Failed("has no rules")

    def write_networks(self, case):
        raise f.Failed("has no sets of networks")

    def add_network(self, case, count):
        """One more into the set; ms of the whole process."""
        raise f.Failed("has no sets of networks")

    def memory(self, case):
        """Bytes of the kernel, where somebody tells."""

    def clear(self):
        """What does not go with the namespaces."""


# ------------------------------------------------------------------- nft

class Nft(Peer):
    name = "nft-linear"
    about = "nft, one rule a line"
    form = "nft"
    first = guard = ""
    added = ""  # to a set; else a rule is replaced

    def write(self, case):
        hook = {"in": "input", "out": "output"}[case["hook"]]
        self.extra = self.ground.generate(
            "nft", self.form, case["kind"], case["rules"], g.SEED, hook,
            self.first, self.guard)

    def nft(self, case, *argv, count=1):
        return self.ground.timed(case["hook"], "nft", *argv, count=count)

    def load(self, case):
        return self.nft(case, "-f", self.ground.file("nft"))

    def change(self, case, count=1):
        if self.added:
            return self.nft(case, "add element inet weir_bench s0 { %s }" %
                            self.added, count=count)
        rules = f.run(*f.inside(self.ground.netns(case["hook"])), "nft", "-a",
                      "list", "chain", "inet", "weir_bench", "rules").stdout
        handles = re.findall(r"(?:accept|drop) # handle (\d+)", rules)
        return self.nft(case, "replace rule inet weir_bench rules handle %s "
                        "ip saddr 10.1.2.3 udp dport 5{} accept" %
                        handles[len(handles) // 2], count=count)

    def networks(self, case, elements):
        with open(self.ground.file("nft"), "w", encoding="ascii") as out:
            out.write("table inet weir_bench {\n\tset s0 {\n"
                      "\t\ttype ipv4_addr; flags interval;\n"
                      "\t\telements = {\n")
            out.writelines(line.rstrip("\n") + ",\n" for line in elements)
            out.write("\t\t}\n\t}\n\tchain rules {\n\t\ttype filter hook "
                      "input priority filter; policy drop;\n"
                      "\t\tip saddr @s0 accept\n\t}\n}\n")


class NftSet(Nft):
    name = "nft-set"
    about = "nft, a hash set"
    form = "nft-sets"
    added = "10.1.2.3 . 5{}"



class NftInterval(NftSet):
    name = "nft-interval"
    about = "nft, interval sets (pipapo; of networks alone a tree)"
    form = "nft-intervals"

    def write(self, case):
        if case["kind"] in MIXED:
            self.form = "nft-layers"
        super().write(case)
        if case["kind"] in MIXED:
            self.extra = "%s sets" % self.extra

    def write_networks(self, case):
        with open(self.ground.file("networks"), encoding="ascii") as lines:
            self.networks(case, lines)

    def add_network(self, case, count):
        return self.nft(case, "add element inet weir_bench s0 "
                        "{ 192.168.{}.0/24 }", count=count)


class NftCt(NftSet):
    name = "nft-ct"
    about = "nft, `ct state established accept` first, then a hash set"
    first = "ct state established accept"


class NftCgroup(NftSet):
    name = "nft-cgroup"
    about = "nft, `socket cgroupv2`, then a hash set"

    # nft looks for cgroups there alone, wherever cgroup2 is mounted.
    home = "/sys/fs/cgroup"

    def nft(self, case, *argv, count=1):
        if f.cgroup_mount() == self.home:
            return super().nft(case, *argv, count=count)
        return self.ground.timed(
            case["hook"], "unshare", "-m", "sh", "-c",
            'mount --bind "$0" %s && exec nft "$@"' % self.home,
            f.cgroup_mount(), *argv, count=count)

    def write(self, case):
        path = os.path.relpath(self.ground.cgroup, f.cgroup_mount())
        self.guard = 'socket cgroupv2 level %d "%s" ' % (
            path.count("/") + 1, path)
        super().write(case)


# ------------------------------------------------------ iptables and ipset

class Iptables(Peer):
    name = "iptables"
    about = "iptables-legacy, one rule a line"

    def chain(self, case):
        return {"in": "INPUT", "out": "OUTPUT"}[case["hook"]]

    def write(self, case):
        self.ground.generate("iptables", "iptables", case["kind"],
                             case["rules"], g.SEED, self.chain(case))

    def load(self, case):
        return self.ground.timed(case["hook"], "iptables-legacy-restore",
                                 self.ground.file("iptables"))

    def change(self, case, count=1):
        return self.ground.timed(
            case["hook"], "iptables-legacy", "-R", self.chain(case),
            str(case["rules"] // 2 + 1), "-s", "10.1.2.3", "-p", "udp",
            "--dport", "5{}", "-j", "ACCEPT", count=count)


class Ipset(Iptables):
    name = "ipset"
    about = "iptables-legacy and a hash of ipset"
    matched = "src,dst"

    def write(self, case):
        if case["kind"] in MIXED:
            raise f.Failed("no type of set has five fields")
        self.ground.generate("ipset", "ipset", case["kind"], case["rules"],
                             g.SEED)
        self.write_rule(case)

    def write_rule(self, case):
        with open(self.ground.file("iptables"), "w", encoding="ascii") as out:
            out.write("*filter\n:%s DROP [0:0]\n-A %s -m set --match-set "
                      "weir_bench %s -j ACCEPT\nCOMMIT\n" % (
                          self.chain(case), self.chain(case), self.matched))

    def load(self, case):
        took = self.ground.timed(case["hook"], "ipset", "-exist", "restore",
                                 "-file", self.ground.file("ipset"))
        return took + super().load(case)

    def change(self, case, count=1):
        return self.ground.timed(case["hook"], "ipset", "add", "weir_bench",
                                 "10.1.2.3,udp:5{}", count=count)

    def memory(self, case):
        said = f.run(*f.inside(self.ground.netns(case["hook"])), "ipset",
                     "list", "-t", "weir_bench").stdout
        return int(re.search(r"Size in memory: (\d+)", said)[1])

    def write_networks(self, case):
        self.matched = "src"
        size = 1 << (case["rules"] - 1).bit_length()
        with open(self.ground.file("networks"), encoding="ascii") as lines, \
                open(self.ground.file("ipset"), "w", encoding="ascii") as out:
            out.write("create weir_bench hash:net family inet hashsize %d "
                      "maxelem 2000000\n" % size)
            out.writelines("add weir_bench " + line for line in lines)
        self.write_rule(case)

    def add_network(self, case, count):
        return self.ground.timed(case["hook"], "ipset", "add", "weir_bench",
                                 "192.168.{}.0/24", count=count)


# ------------------------------------------------------------------ weir

class Weir(Peer):
    name = "weir"
    about = "weir, a group's chain at the cgroup"

    def __init__(self, ground):
        super().__init__(ground)
        self.env = {"WEIR_BPFFS": ground.pins + "/weir",
                    "WEIR_STATE": ground.file("state"),
                    "WEIR_RUN": ground.file("run")}

    def head(self, case):
        return "[group rules]\nmatch = /%s/b\nfilter-%s = rules\n%s" % (
            self.ground.prefix, case["hook"], self.room(case))

    @staticmethod
    def room(case):
        """As much as nf_conntrack has here."""
        return "flows = 131072\n" if case.get("states") else ""

    def policy(self, name, case, rules):
        with open(self.ground.file(name), "w", encoding="ascii") as out:
            out.write(self.head(case))
            out.write("[chain rules]\npolicy = deny\n")
            out.writelines(rules)

    def apply(self, case, name):
        """Somewhat after the one before: it would wait for what that has left
        to do behind it."""
        time.sleep(0.1)
        return self.weirctl(case, "apply", self.ground.file(name))

    def weirctl(self, case, *argv, count=1):
        return self.ground.timed(case["hook"], self.ground.weirctl, *argv,
                                 count=count, env=self.env)

    def write(self, case):
        self.ground.generate("chain", "weir", case["kind"], case["rules"],
                             g.SEED)
        with open(self.ground.file("chain"), encoding="ascii") as lines:
            rules = lines.readlines()
        if case.get("states"):
            rules[:] = ["1 = allow established\n"] + [
                "%d =%s" % (i + 2, rule.split("=", 1)[1])
                for i, rule in enumerate(rules)]
        self.policy(INI, case, rules)
        middle = len(rules) // 2
        rules[middle] = "%d = allow udp from 10.1.2.3 port 5\n" % (middle + 1)
        self.policy(CHANGED, case, rules)
        # Programs are there already where somebody has used weir before.
        self.policy("before.ini", case, ["%d = allow udp to port %d\n" % (
            i, i) for i in range(1, 11)])

    def load(self, case):
        self.apply(case, "before.ini")
        return self.apply(case, INI)

    def change(self, case, count=1):
        took = []
        for turn in range(count):
            name = INI if turn % 2 else CHANGED
            took.append(self.apply(case, name))
        return sorted(took)[count // 2]

    def write_networks(self, case):
        """The set is loaded by an apply, as the others' are."""
        self.write(dict(case, kind="exact", rules=1))
        self.policy(INI, case, ["1 = allow from @nets\n", "[set nets]\n",
                                "file = %s\n" % self.ground.file("networks")])

    def add_network(self, case, count):
        return self.weirctl(case, "set", "add", "nets", "192.168.{}.0/24",
                            count=count)

    def memory(self, case):
        done = f.run(self.ground.weirctl, "status", "--json",
                     env=dict(os.environ, **self.env))
        tables = json.loads(done.stdout).get("tables", {})
        return tables.get("memory_bytes")

    def clear(self):
        if os.path.exists(self.env["WEIR_BPFFS"]):
            f.run(self.ground.weirctl, "clear",
                  env=dict(os.environ, **self.env))


class WeirDevice(Weir):
    name = "weir-device"
    about = "weir, a device's chain at tc"

    def head(self, case):
        return "[device v0]\nnetns = %s\nfilter-%s = rules\n%s" % (
            self.ground.netns(case["hook"]), case["hook"], self.room(case))


PEERS = {peer.name: peer for peer in (
    Peer, Nft, NftSet, NftInterval, NftCt, NftCgroup, Iptables, Ipset, Weir,
    WeirDevice)}
