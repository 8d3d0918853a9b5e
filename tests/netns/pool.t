#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A limit on what arrives that holds over several veths: of a container with two
# networks, of all containers of a group, of a group and the groups inside it.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"

host=$lab-h
make_netns "$host"
make_netns "$right"
mkdir -p "$cgdir"
make_cgroup "$cg/client"
make_link "$host" up0 "$right" v0 0
weir() { nsenter --net=/run/netns/"$host" "$WEIRCTL" "$@"; }
nsenter --net=/run/netns/"$host" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
nsenter --net=/run/netns/"$right" ethtool -K v0 tso off
ip -n "$right" route add default via 10.77.0.1
ip -n "$right" route add default via fd77:0::1

# network BOX NUMBER: one more network of it, 10.77.NUMBER.2 there, veth bNUMBER here.
network() {
	make_link "$host" "b$2" "$lab-$1" "v$2" "$2"
	ip -n "$lab-$1" route add default via "10.77.$2.1" 2>/dev/null
	ip -n "$lab-$1" route add default via "fd77:$2::1" 2>/dev/null
}
# box NAME CGROUP NUMBER...: a container with so many networks, and a server in it.
box() {
	local name=$1 group=$2 number
	shift 2
	make_netns "$lab-$name"
	for number; do network "$name" "$number"; done
	make_cgroup "$group"
	begin "$group" nsenter --net="/run/netns/$lab-$name" \
		socat -u TCP6-LISTEN:5001,fork,reuseaddr,ipv6only=0 OPEN:/dev/null
}

unit=10
[ -z "${WEIR_VM:-}" ] || unit=3
policy <<EOP
[group two]
match = $cg/two
in = $((2 * unit))mbit
[group all]
match = $cg/all/*
in = $((2 * unit))mbit
share = all
[group nest]
match = $cg/nest
in = $((4 * unit))mbit
[group wide]
match = $cg/nest/wide
in = $((8 * unit))mbit
[group narrow]
match = $cg/nest/narrow
in = ${unit}mbit
EOP
make_cgroup "$cg/all"
make_cgroup "$cg/nest"
box two "$cg/two" 1
if [ -z "$short" ]; then
	box all1 "$cg/all/1" 11
	box all2 "$cg/all/2" 12
	box all3 "$cg/all/3" 13
fi
box wide "$cg/nest/wide" 21
box narrow "$cg/nest/narrow" 22
box none "$cg/nest/none" 23
for name in $(ip netns list | grep -o "^$lab-[a-z0-9][a-z0-9]\+"); do
	until_listening "$name" 5001 10
done
picture() {
	tc -n "$host" qdisc show
	ip -n "$host" -o link show type ifb
	ls "$WEIR_STATE" "$WEIR_BPFFS" 2>/dev/null
}
before=$(picture)
ok "the policy applies" weir apply "$work/policy.ini"
is "a second apply has an empty plan" "$(weir apply --dry-run "$work/policy.ini")" "nothing to change"
# queue NAME: the device that what arrives in the cgroups of this group waits at.
queue() { weir status --json | jq -r "[.groups[] | select(.name == \"$1\").cgroups[].device] | unique | join(\" \")"; }
is "a container with one network has a queue at its veth" "$(queue two)" b1
network two 2
weir watch --once >"$work/watch"
like "with one more network they share one" "$(queue two)" "^weirp[0-9a-f]{8}$"
is "status names both, and whose they are" \
	"$(weir status | sed -n "s/^ *\(veth b[12]:.*\)/\1/p" | xargs)" \
	"veth b1: v1 of network namespace $lab-two veth b2: v2 of network namespace $lab-two"

# sent DEVICE...: bytes that the host has sent to them, and when (us).
sent() {
	devices=" $* " looker "$host" 'while read -r name _ _ _ _ _ _ _ _ bytes _; do
			[[ $devices != *" ${name%:} "* ]] || ((sum += bytes))
		done </proc/net/dev
		echo "$sum ${EPOCHREALTIME/[.,]/}"'
}
# floods ADDRESS...: two flows to each of them, until they are ended.
floods() {
	local address
	for address in "$@" "$@"; do
		begin "$cg/client" nsenter --net=/run/netns/"$right" \
			bash -c 'exec cat /dev/zero >"/dev/tcp/$0/5001"' "$address"
		senders+=("$begun")
	done
}
# have NAME MBIT LOW HIGH NUMBER...: what these networks get together, as a share.
have() {
	local name=$1 mbit=$2 low=$3 high=$4 from
	shift 4
	from=$(sent "${@/#/b}")
	sleep $sample
	within "$name" "$(echo "$from $(sent "${@/#/b}")" |
		awk -v m="$mbit" '{ printf "%.4f", ($3 - $1) * 8 / ($4 - $2) / m }')" "$low" "$high"
}
settled() { sleep $settle; }
rest() {
	end "${senders[@]}"
	senders=()
}
low=0.985 high=1.015
# As with queue_holds: emulated senders do not always fill a queue.
[ -z "${WEIR_VM:-}" ] || low=0.1 high=1.05

senders=()
if [ -z "$short" ]; then
	floods 10.77.1.2 fd77:2::2
	settled
	have "a container with two networks has the limit once" $((2 * unit)) $low $high 1 2
	rest
	floods 10.77.11.2 fd77:12::2 10.77.13.2
	settled
	have "all containers of a group have its limit together" $((2 * unit)) $low $high 11 12 13
	rest
	weir limit all "in=$((3 * unit))mbit" >/dev/null
	floods 10.77.11.2 fd77:12::2 10.77.13.2
	settled
	have "a changed limit holds" $((3 * unit)) $low $high 11 12 13
	rest
fi
# A classifier of the container's own: it copies what comes to a device.
for box in narrow:22 none:23; do
	ip -n "$lab-${box%:*}" link add copies type ifb
	ip -n "$lab-${box%:*}" link set copies up
	tc -n "$lab-${box%:*}" qdisc add dev "v${box#*:}" clsact
	tc -n "$lab-${box%:*}" filter add dev "v${box#*:}" ingress prio 5 protocol all u32 match u32 0 0 \
		action mirred egress mirror dev copies
done
floods 10.77.21.2 fd77:22::2 10.77.23.2
settled
# What waits in the inner queue comes and goes beside that.
[ -n "${WEIR_VM:-}" ] || sample=4
have "a group and those inside it have its limit together" $((4 * unit)) $low $high 21 22 23
[ -n "${WEIR_VM:-}" ] || sample=2
have "one inside with less has no more than its own" $unit 0.1 $high 22
rest
for box in narrow:22 none:23; do
	within "${box%:*}'s own classifier has seen what came" "$(tc -n "$lab-${box%:*}" -s filter show dev "v${box#*:}" ingress |
		sed -n 's/.*Sent [0-9]* bytes \([0-9]*\) .*/\1/p')" 100 10000000
done
ip -n "$host" link del b2
weir watch --once >"$work/watch"
is "with one network less it has its own queue again" "$(queue two)" b1
tc -n "$host" qdisc replace dev b1 root handle 5: tbf rate 400mbit burst 100kb latency 50ms
weir watch --once >"$work/watch"
like "where somebody has put a qdisc at its veth, it waits elsewhere" "$(queue two)" "^weirp[0-9a-f]{8}$"
ok "clear succeeds" weir clear
like "and leaves that qdisc" "$(tc -n "$host" qdisc show dev b1)" "qdisc tbf 5: root"
tc -n "$host" qdisc del dev b1 root
is "and nothing else" "$(picture)" "$before"

# ---------------------------------------------------------------- killed

network two 2
sed -i '/^.group all/,$d' "$work/policy.ini"
before=$(picture)
kills=0 other=0
killed() { (WEIR_CRASH_AT=$1 weir apply "$work/policy.ini" || exit) >/dev/null 2>&1; }
for ((point = 1; point < 30; point += 3)); do
	[ -z "$short" ] || [ $point = 4 ] || continue
	killed $point
	[ $? = 137 ] || continue
	kills=$((kills + 1))
	weir clear
	[ "$(picture)" = "$before" ] || other=$((other + 1))
done
within "an apply that makes such a queue is killed at its points" $kills 1 30
is "and each clear leaves nothing" $other 0
killed 4
ok "an apply after that" weir apply "$work/policy.ini"
is "has all that it wants" "$(weir apply --dry-run "$work/policy.ini")" "nothing to change"
ip -n "$host" link del "$(queue two)"
weir watch --once >"$work/watch"
is "when somebody has deleted the queue, watch makes it anew" \
	"$(queue two | cut -c-5) $(weir apply --dry-run "$work/policy.ini")" "weirp nothing to change"
ok "and traffic passes it" nsenter --net=/run/netns/"$right" ping -q -c1 -W2 10.77.1.2
begin "$cg/two" nsenter --net=/run/netns/"$host" sleep 1000
until_true 5 grep -q "^$begun$" "$cgdir/two/cgroup.procs"
weir watch --once >"$work/watch"
like "where a process of the host's is limited with them, police stays beside" \
	"$(weir status)" "for several veths, and by police"
finish
