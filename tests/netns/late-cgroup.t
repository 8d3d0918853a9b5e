#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A cgroup that is made after the apply is in its groups from its first
# packet on, and nothing runs that could have told the kernel so.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/machines"

policy <<EOP
[group containers]
match = $cg/machines/box-*.scope
out = 10mbit
filter-out = out

[group deep]
match = $cg/machines/pod[0-9]/?, $cg/machines/pod-*/*
filter-out = out

[group service]
match = $cg/machines/web.service
filter-out = out

[chain out]
policy = allow
10 = deny icmp
EOP
ok "a policy about cgroups that are not there applies" apply

ping_from() { in_cgroup "$1" nsenter --net=/run/netns/"$left" ping -q -c1 -W"${2:-1}" 10.77.0.2; }
# What the first rule has counted; not by jq, which takes emulation half a second.
counted() { "$WEIRCTL" stats --json | awk '/"rules"/ { rules = 1 } rules && /"packets"/ { print $2 + 0; exit }'; }
denied() {
	local before after
	before=$(counted)
	ping_from "$1" 0.1 >/dev/null 2>&1 && return 1
	after=$(counted)
	[ "$after" -eq $((before + 1)) ]
}

faults() { "$WEIRCTL" status --json | field cgroup_not_resolved; }
denied_as_fault() {
	local before
	before=$(faults)
	! ping_from "$1" 0.1 >/dev/null 2>&1 && [ "$(faults)" -gt "$before" ]
}

make_cgroup "$cg/machines/box-1.scope"
ok "its very first packet is denied" denied "$cg/machines/box-1.scope"
make_cgroup "$cg/machines/box-1.scope/inner/most"
ok "so is one from a cgroup below it" denied "$cg/machines/box-1.scope/inner/most"
make_cgroup "$cg/machines/box-1.service"
ok "a name that does not match is let alone" ping_from "$cg/machines/box-1.service"
make_cgroup "$cg/machines/pod7/a"
ok "patterns in two components match" denied "$cg/machines/pod7/a"
ok "only at their own depth" ping_from "$cg/machines/pod7"
make_cgroup "$cg/machines/podx/a"
ok "and a class only its members" ping_from "$cg/machines/podx/a"

make_cgroup "$cg/machines/web.service"
ok "a plain path matches a cgroup that appears" denied "$cg/machines/web.service"
rmdir "$cgmount$cg/machines/web.service"
make_cgroup "$cg/machines/web.service"
ok "and one that is made anew under the same name" denied "$cg/machines/web.service"

# 255 characters: two of them are more than a path is matched by.
long=$(printf '%255s' x | tr ' ' x)
make_cgroup "$cg/machines/box-4.scope/$long/$long/inner"
ok "one below names as long as can be does not escape" \
	denied "$cg/machines/box-4.scope/$long/$long/inner"
make_cgroup "$cg/machines/pod-${long:4}/$long"
ok "nor does one whose path is too long to be matched" \
	denied_as_fault "$cg/machines/pod-${long:4}/$long"

deep=$cg/machines/box-2.scope
for i in $(seq 60); do deep=$deep/d$i; done
make_cgroup "$deep"
ok "a deeply nested cgroup does not escape" denied "$deep"
for i in $(seq 20); do deep=$deep/e$i; done
make_cgroup "$deep"
ok "one nested too deep to be resolved is denied, and counted" denied_as_fault "$deep"

serve "$right" 5201
make_cgroup "$cg/machines/box-3.scope"
split_segments
sends_as=$cg/machines/box-3.scope holds "a limit of 10 Mbit/s holds there" 10 iperf3 -c 10.77.0.2 -p 5201 -t 60
is "stats lists the cgroup by its path" \
	"$("$WEIRCTL" stats --json containers | jq -r '.groups[0].cgroups[].path' | grep -c 'box-3.scope$')" 1

# Whoever can make a cgroup can make one that two groups match.
make_cgroup "$cg/boxes"
policy <<EOP
[group a]
match = $cg/boxes/a*
in = 20mbit

[group b]
match = $cg/boxes/*b
in = 10mbit
EOP
weir=(nsenter --net=/run/netns/"$left" "$WEIRCTL")
"${weir[@]}" apply "$work/policy.ini" >/dev/null
make_cgroup "$cg/boxes/ab"
begin "$cg/boxes/ab" nsenter --net=/run/netns/"$right" sleep 600
until_true 5 grep -q . "$cgdir/boxes/ab/cgroup.procs"
both="^weirctl: cgroup '$cg/boxes/ab' is matched by group 'a' and by group 'b': let one of them match it$"
says "a late cgroup that two groups match does not stop a look of watch" 0 "$both" "${weir[@]}" watch --once
is "but gets no queue" "$(tc -n "$left" qdisc show dev v0 | grep -c htb)" 0
says "nor does it stop a limit" 0 "out 1mbit" "${weir[@]}" limit "$cg/machines" out=1mbit
says "nor a run" 0 "^$" "${weir[@]}" run --out 1mbit true
says "an apply it does" 1 "$both" "${weir[@]}" apply "$work/policy.ini"
"${weir[@]}" watch >"$work/watch" 2>&1 &
pids+=($!)
ok "a watch that goes on says so" until_true 10 grep -q "$both" "$work/watch"
make_cgroup "$cg/boxes/a1"
begin "$cg/boxes/a1" nsenter --net=/run/netns/"$right" sleep 600
ok "its neighbour gets its queue" until_true 20 grep -q '^+ device v0: ' "$work/watch"
is "and the watch said it once" "$(grep -c "$both" "$work/watch")" 1
finish
