#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# clear leaves the machine as it was: programs, maps, links, attachments,
# qdiscs, classes, filters, devices, mounts and files.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
box=$lab-b
make_netns "$box"
ip -n "$left" link add vbox type veth peer name eth0 netns "$box"
ip -n "$left" link set vbox up
ip -n "$box" link set eth0 up
ip -n "$left" link add d0 type veth peer d1
ip -n "$left" link set d0 up
# The kernel says so a little later, and it is part of what is compared.
until_true 5 eval "ip -n $left link show d0 | grep -q LOWERLAYERDOWN"
tc -n "$left" qdisc add dev d0 root handle 5: pfifo limit 77
tc -n "$left" qdisc add dev d0 clsact
make_cgroup "$cg/web"
make_cgroup "$cg/boxes/one"
make_cgroup "$cg/two/deep"
in_cgroup "$cg/boxes/one" nsenter --net=/run/netns/"$box" sleep 300 &
pids+=($!)
until_true 5 grep -q . "$cgdir/boxes/one/cgroup.procs"
weir() { in_left "$WEIRCTL" "$@"; }

policy <<EOP
[group web]
match = $cg/web
out = 100mbit
in = 50mbit
filter-out = c
filter-in = c

[group boxes]
match = $cg/boxes/*
out = 10mbit
in = 20mbit

[group all]
match = $cg/two/deep $cg/two/later
out = 5mbit
share = all

[device v0]
out = 200mbit
in = 100mbit
filter-in = c
filter-out = c

[device d0]
out = 30mbit
in = 30mbit
takeover = yes

[chain c]
policy = allow
10 = deny tcp to port 81
20 = deny from @office limit 10/s

[set office]
elements = 192.0.2.0/24
EOP

# What can be told apart from what other programs do at the same time.
machine() {
	local device
	bpftool cgroup tree "$cgdir"
	grep -c " $work" /proc/self/mountinfo
	(cd "$work" && find . | grep -v -e before -e after -e output | sort)
	ip -n "$left" -d link show
	ip -n "$left" -o link | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | while read -r device; do
		echo "qdisc show dev $device"
		echo "class show dev $device"
		echo "filter show dev $device ingress"
		echo "filter show dev $device egress"
	done | tc -n "$left" -force -batch -
	find "$cgdir" | sort
}

# What is pinned, and the maps in its maps, as "map 12".
objects() {
	local kind id inner
	for kind in prog map link; do
		bpftool -f -j $kind show | sed "s/^/[\"$kind\",/; s/\$/]/"
	done | jq -r --arg dir "$WEIR_BPFFS/" '.[0] as $kind | .[1][] |
		select(any(.pinned[]?; startswith($dir))) | "\($kind) \(.id) \(.type)"' \
		>"$work/output.pinned"
	cut -d' ' -f1,2 "$work/output.pinned"
	for id in $(sed -n 's/^map \(.*\) array_of_maps$/\1/p' "$work/output.pinned"); do
		bpftool -j map dump id "$id"
	done | jq -r '.[].value? | arrays | reverse | map(.[2:]) | add' |
		while read -r inner; do echo "map $((16#$inner))"; done
}

# Whether the kernel still has one of the objects in the file.
remain() {
	local kind
	for kind in prog map link; do
		bpftool -j $kind show | sed "s/^/[\"$kind\",/; s/\$/]/"
	done | jq -r '.[0] as $kind | .[1][] | "\($kind) \(.id)"' |
		grep -Fxf "$work/output.objects"
}

# round NAME: apply, traffic, clear; compares.
round() {
	machine >"$work/before"
	ok "$1: apply" weir apply "$work/policy.ini"
	in_cgroup "$cg/web" nsenter --net=/run/netns/"$left" ping -q -c2 -i0.1 10.77.0.2 >/dev/null
	machine >"$work/after"
	objects | sort -u >"$work/output.objects"
	within "$1: what is in the kernel is seen" "$(diff "$work/before" "$work/after" | grep -c '^>')" 30 1000
	within "$1: programs, maps, links" "$(wc -l <"$work/output.objects")" 45 200
	is "$1: all of them are found" "$(remain | wc -l)" "$(wc -l <"$work/output.objects")"
	[ -z "${between:-}" ] || eval "$between"
	ok "$1: clear" weir clear
	machine >"$work/after"
	is "$1: the machine is as it was" "$(diff "$work/before" "$work/after")" ""
	ok "$1: the kernel has forgotten programs, maps and links" until_true 10 eval '! remain'
}

# An emulated processor has time for the two rounds below.
if [ -z "${WEIR_VM:-}" ]; then
	round "once"
	round "twice"
fi
# Generations with other anchors, devices and classes in between.
between='sed -i -e s/100mbit/70mbit/ -e "/^\[device v0/,/^$/d" "$work/policy.ini"
	ok "a changed policy" weir apply "$work/policy.ini"
	objects | sort -u >>"$work/output.objects"'
round "after a change"
unset between
mkdir -p "$WEIR_BPFFS"
mount -t bpf bpf "$WEIR_BPFFS"
mkdir "$WEIR_BPFFS/other"
round "with a bpffs of somebody else's"
ok "which stays, with what is in it" test -d "$WEIR_BPFFS/other"
umount "$WEIR_BPFFS"
finish
