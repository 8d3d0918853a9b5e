#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What weir keeps of a device goes with it, at the next apply: its mark, its
# counters, its ifb and the qdisc that made way.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
other=$lab-o
ip netns add "$other"
at_exit "ip netns del $other 2>/dev/null"

# make_device NETNS: v1, with a qdisc of somebody's.
make_device() {
	ip -n "$1" link add v1 type veth peer name v2
	ip -n "$1" addr add 10.78.0.1/24 dev v1
	ip -n "$1" link set v2 up
	ip -n "$1" link set v1 up
	tc -n "$1" qdisc add dev v1 root tbf rate 400mbit burst 100kb latency 50ms
}

entries() { bpftool -j map dump pinned "$WEIR_BPFFS/maps/$1" | jq length; }
kept() {
	echo "marks=$(entries device_marks) counters=$(entries device_tallies)" \
		"ifbs=$(ip -n "$left" -o link show type ifb | grep -c .)" \
		"files=$(find "$WEIR_STATE" -name 'qdisc-*' | grep -c .)"
}
denied() { "$WEIRCTL" stats --json | jq '[.devices[].out.denied_packets] | add'; }

policy <<EOP
[device v1]
netns = $left
takeover = yes
out = 10mbit
in = 10mbit
filter-out = out
[chain out]
policy = allow
10 = deny udp to port 9
EOP
make_device "$left"
ok "a device is limited" apply
is "what is kept of it" "$(kept)" "marks=1 counters=1 ifbs=1 files=1"
ip -n "$left" neigh add 10.78.0.2 lladdr 02:00:00:00:00:01 dev v1
in_left bash -c 'for i in 1 2 3; do echo >/dev/udp/10.78.0.2/9; done' 2>/dev/null
is "what it denied was counted" "$(denied)" 3

ip -n "$left" link del v1
make_device "$left"
ok "made anew, it is limited again" apply
is "nothing is kept of the one before" "$(kept)" "marks=1 counters=1 ifbs=1 files=1"
is "its counters begin anew, too" "$(denied)" 0

ip -n "$left" link del v1
like "a dry run says what has gone" "$(apply --dry-run)" "- device v1 in netns $left: .*gone"
ok "an apply after it has gone" apply
is "keeps nothing of it" "$(kept)" "marks=0 counters=0 ifbs=0 files=0"
is "and a second one has nothing to do" "$(apply --dry-run)" "nothing to change"

sed -i "s/^netns = .*/netns = $other/" "$work/policy.ini"
make_device "$other"
ok "a device of another namespace is limited" apply
ip netns del "$other"
ok "an apply after the namespace has gone" apply
if [ "$(stat -Lc %i /proc/self/ns/pid)" = $((0xEFFFFFFC)) ]; then
	is "keeps nothing of it either" "$(kept)" "marks=0 counters=0 ifbs=0 files=0"
else
	skip "keeps nothing of it either" "not all processes are seen in this pid namespace"
fi

sed -i "s/^netns = .*/netns = $left/" "$work/policy.ini"
make_device "$left"
ok "a device is limited once more" apply
ip -n "$left" link del v1
ok "a clear after it has gone" "$WEIRCTL" clear
is "leaves no ifb" "$(ip -n "$left" -o link show type ifb)" ""
is "and no file" "$(ls "$WEIR_STATE" 2>/dev/null)" ""
finish
