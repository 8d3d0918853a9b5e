#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Devices upon devices: a VLAN, a macvlan, a bond, a bridge, one with a queue for
# each of several processors.  All are limited by one policy, and put back.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
ip -n "$left" link add q0 numtxqueues 4 numrxqueues 4 type veth \
	peer name q0 netns "$right" numtxqueues 4 numrxqueues 4

# side NETNS END KIND: that end's device of the kind; 1 where the kernel has none.
side() {
	local ns=$1 end=$2
	case $3 in
	vlan) ip -n "$ns" link add link v0 name vlan type vlan id 7 ;;
	macvlan) ip -n "$ns" link add link v0 name macvlan type macvlan mode bridge ;;
	bond)
		ip -n "$ns" link add bond type bond mode active-backup miimon 50 &&
			ip -n "$ns" link set p0 down && ip -n "$ns" link set p0 master bond &&
			ip -n "$ns" link set p0 up
		;;
	bridge) ip -n "$ns" link add bridge type bridge && ip -n "$ns" link set p1 master bridge up ;;
	mq) ip -n "$ns" link set q0 name mq ;;
	esac 2>/dev/null || return
	ip -n "$ns" addr add "10.78.$4.$end/24" dev "$3"
	ip -n "$ns" link set "$3" up
}
for i in 0 1; do ip -n "$left" link add p$i type veth peer name p$i netns "$right"; done

n=0 kinds=()
for kind in vlan macvlan bond bridge mq; do
	n=$((n + 1))
	if side "$left" 1 $kind $n; then
		side "$right" 2 $kind $n
		kinds+=("$kind")
	else
		skip "a $kind is limited" "the kernel has no $kind"
	fi
done

# A root with a queue of its own for each processor, as network cards have.
tc -n "$left" qdisc add dev mq root handle 9: mq
tc -n "$left" qdisc add dev mq parent 9:2 handle 92: pfifo limit 77
if ! tc -n "$left" qdisc add dev mq parent 9:3 handle 93: fq_codel limit 500 2>/dev/null; then
	tc -n "$left" qdisc add dev mq parent 9:3 handle 93: tbf rate 5mbit burst 10k latency 20ms
fi

{
	for kind in "${kinds[@]}"; do
		printf '[device %s]\nnetns = %s\nout = 8mbit\nin = 50mbit\n' "$kind" "$left"
	done
} >"$work/policy.ini"
picture() {
	local kind
	for kind in v0 "${kinds[@]}"; do
		tc -n "$left" qdisc show dev "$kind"
		tc -n "$left" filter show dev "$kind" egress
	done
	ip -n "$left" -o link show | awk -F': ' '{ print $2 }'
}
before=$(picture)
says "mq that somebody set up is not touched" 1 "device 'mq in netns $left' has a qdisc 'mq'.*takeover = yes" \
	"$WEIRCTL" apply "$work/policy.ini"
is "nothing has changed" "$(picture)" "$before"
echo 'takeover = yes' >>"$work/policy.ini"
says "with takeover all are limited" 0 "" "$WEIRCTL" apply "$work/policy.ini"
is "a second apply has an empty plan" "$("$WEIRCTL" apply --dry-run "$work/policy.ini")" "nothing to change"
like "the root of several queues is one queue now" "$(tc -n "$left" qdisc show dev mq)" "htb 7765: root"

# What is sent there waits in its queue, and arrives no faster.  1.5 s at the rate,
# but for what may wait and the burst.
begin "$cg" nsenter --net=/run/netns/"$right" iperf3 -s -p 5201 >/dev/null 2>&1
until_listening "$right" 5201
n=0
for kind in vlan macvlan bond bridge mq; do
	n=$((n + 1))
	[[ " ${kinds[*]} " == *" $kind "* ]] || continue
	until_true 10 in_left ping -q -c1 -W1 10.78.$n.2 || fail "$kind reaches its other end"
	in_left iperf3 -J -c 10.78.$n.2 -p 5201 -t 1.5 >"$work/iperf" 2>&1
	within "$kind: out" "$(wire4 "$(rate_of "$work/iperf")")" 4 10
done
"$WEIRCTL" stats --json >"$work/stats"
for kind in "${kinds[@]}"; do
	within "$kind: its queue has counted what left" \
		"$(jq ".devices[] | select(.name == \"$kind\") | .out.passed_bytes" "$work/stats")" 600000 3000000
	within "$kind: and what arrived" \
		"$(jq ".devices[] | select(.name == \"$kind\") | .in.passed_packets" "$work/stats")" 20 100000
done
ok "clear succeeds" "$WEIRCTL" clear
is "and puts all back" "$(picture)" "$before"
finish
