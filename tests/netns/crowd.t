#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Many containers at once: one apply gives each its queue, one clear takes all away.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"

# A bound that a busy machine keeps, too; the one that counts is for check-long.
many=100 most=30
[ -z "${WEIR_LONG:-}" ] || many=1000 most=2
[ -z "${WEIR_VM:-}" ] || many=10 most=60
host=$lab-h
make_netns "$host"
mkdir -p "$cgdir/boxes"
weir() { nsenter --net=/run/netns/"$host" "$WEIRCTL" "$@"; }
is_inside() { ! [ "/proc/$1/ns/net" -ef /proc/self/ns/net ]; }
for ((i = 0; i < many; i++)); do
	mkdir "$cgdir/boxes/$i"
	begin "$cg/boxes/$i" unshare --net socat -u TCP4-LISTEN:7 OPEN:/dev/null
	boxes[i]=$begun
done
for pid in "${boxes[@]}"; do until_true 60 is_inside "$pid"; done
for ((i = 0; i < many; i++)); do
	echo "link add box$i type veth peer name eth0 netns ${boxes[i]}"
	echo "link set box$i up"
done | nsenter --net=/run/netns/"$host" ip -batch -

policy <<EOP
[group boxes]
match = $cg/boxes/*
in = 20mbit
out = 10mbit
EOP
picture() {
	tc -n "$host" qdisc show
	ip -n "$host" -o link | wc -l
}
before=$(picture)
seconds() { # of what a command takes
	local from=${EPOCHREALTIME/[.,]/}
	"$@" >/dev/null || { echo "failed"; return; }
	echo $((${EPOCHREALTIME/[.,]/} - from)) | awk '{ print $1 / 1e6 }'
}
within "$many containers are limited, in seconds" "$(seconds weir apply "$work/policy.ini")" 0 $most
is "each has a queue" "$(tc -n "$host" class show dev box$((many - 1)) | grep -c leaf) $(weir status | grep -c "in  20mbit by htb on box")" "2 $many"
is "a second apply has an empty plan" "$(weir apply --dry-run "$work/policy.ini")" "nothing to change"
within "they are cleared, in seconds" "$(seconds weir clear)" 0 $most
is "without a trace" "$(picture)" "$before"
finish
