#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a group sends stays at its limit, on the wire.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"
serve "$right" 5201

# send FLAGS...: Mbit/s of payload after the first second, the median of three:
# others use this machine, too, and that tells where a processor is full
send() {
	for _ in 1 2 3; do
		in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" \
			iperf3 -J -p 5201 -t 3 -O 1 "$@" >"$work/iperf" 2>&1
		rate_of "$work/iperf"
	done | sort -g | sed -n 2p
}
drops() { jq '[.groups[].cgroups[].out.dropped_packets] | add' "$1"; }

# while_steady COMMAND...: and what weir counts once it is steady, before and after.
while_steady() {
	(
		sleep 1.5
		"$WEIRCTL" stats --json >"$work/before"
		sleep 0.8
		"$WEIRCTL" stats --json >"$work/after"
	) &
	watcher=$!
	"$@"
	wait $watcher
	is "and weir drops nothing of it, once it is steady" "$(drops "$work/after")" "$(drops "$work/before")"
}

# An emulated processor has no gigabits.
if [ -z "${WEIR_VM:-}" ]; then
	ok "a limit of 1000 Mbit/s applies" limit_a 1000mbit
	for flows in 1 4; do
		within "$flows TCP flows over IPv4 get 1000 Mbit/s on the wire" \
			"$(wire4 "$(send -c 10.77.0.2 -P $flows)")" 980 1020
	done
	six() { within "a TCP flow over IPv6 gets 1000 Mbit/s on the wire" "$(wire6 "$(send -c fd77:0::2)")" 980 1020; }
	while_steady six
fi

split_segments
one=10 udp=20
# Linux 5.10 sends two segments at a time, and an emulated processor's timers are
# late by as long as these take at 10 Mbit/s.
[ -z "${WEIR_VM:-}" ] || one=4 udp=4
ok "a limit of 10 Mbit/s applies" limit_a 10mbit
holds "4 TCP flows over IPv4 get 10 Mbit/s on the wire" 10 iperf3 -p 5201 -t 60 -c 10.77.0.2 -P 4
limit_a ${one}mbit
[ -n "${WEIR_VM:-}" ] || holds "a TCP flow over IPv4 gets $one Mbit/s on the wire" $one iperf3 -p 5201 -t 60 -c 10.77.0.2
while_steady holds "a TCP flow over IPv6 gets $one Mbit/s on the wire" $one iperf3 -p 5201 -t 60 -c fd77:0::2
limit_a ${udp}mbit
[ -n "${WEIR_VM:-}" ] || low=0.97 high=1.01
holds "UDP at twice the limit gets the limit" $udp \
	iperf3 -p 5201 -t 60 -c 10.77.0.2 -u -b $((2 * udp))M -l 1400

serve "$left" 5202
got=$(in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" iperf3 -J -p 5202 -t 1 -c 127.0.0.1 >"$work/lo"; rate_of "$work/lo")
within "loopback is not limited" "$got" $((3 * udp)) 1000000

limit_a 10mbit
in_left ethtool -K v0 tso on
begin "$cg/a" nsenter --net=/run/netns/"$left" iperf3 -c 10.77.0.2 -p 5201 -t 60 >/dev/null 2>&1
sleep 2
"$WEIRCTL" clear 2>"$work/err"
last=$(wire_mbit 1)
if [ "$("$WEIRCTL" doctor --json | field tcp_iterator)" = true ]; then
	within "clear lifts the rate of a connection that is open (Mbit/s)" "$last" 20 1000000
else
	skip "clear lifts the rate of a connection that is open" "this kernel has no TCP iterator that may set options"
	like "and clear says so" "$(cat "$work/err")" "cannot lift the pacing of sockets that are open, nor their windows"
fi
finish
