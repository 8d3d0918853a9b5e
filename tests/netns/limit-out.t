#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a group sends stays at its limit, on the wire.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"
serve "$right" 5201

# send FLAGS...: Mbit/s of payload after the first second, the median of $runs:
# others use this machine, too, and that tells where a processor is full
runs=1
send() {
	for ((run = 0; run < runs; run++)); do
		in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" \
			iperf3 -J -p 5201 -t 3 -O 1 "$@" >"$work/iperf" 2>&1
		rate_of "$work/iperf"
	done | sort -g | sed -n "$((runs / 2 + 1))p"
}
drops() { jq '[.groups[].cgroups[].out.dropped_packets] | add' "$1"; }

rates='10 1000' counts='1 4' low=0.98 high=1.02
[ -z "${WEIR_VM:-}" ] || rates=10 counts=4 # an emulated processor has no gigabits
for rate in $rates; do
	[ "$rate" -lt 1000 ] || runs=3
	ok "a limit of $rate Mbit/s applies" limit_a "${rate}mbit"
	for flows in $counts; do
		share=$(awk -v x="$(wire4 "$(send -c 10.77.0.2 -P $flows)")" -v r="$rate" 'BEGIN { print x / r }')
		within "$flows TCP flows over IPv4 get $rate Mbit/s on the wire" "$share" $low $high
	done
	one=$rate
	if [ -n "${WEIR_VM:-}" ]; then
		# Linux 5.10 sends two segments at a time, and an emulated processor's
		# timers are late by as long as these take at 10 Mbit/s.
		one=4
		limit_a ${one}mbit
	fi
	(
		sleep 2
		"$WEIRCTL" stats --json >"$work/before"
		sleep 1.5
		"$WEIRCTL" stats --json >"$work/after"
	) &
	share=$(awk -v x="$(wire6 "$(send -c fd77:0::2)")" -v r="$one" 'BEGIN { print x / r }')
	wait $!
	within "a TCP flow over IPv6 gets $one Mbit/s on the wire" "$share" $low $high
	is "and weir drops nothing of it, once it is steady" "$(drops "$work/after")" "$(drops "$work/before")"
done

udp=20 runs=1
[ -z "${WEIR_VM:-}" ] || udp=4
limit_a ${udp}mbit
# 1400 bytes of payload are 1442 on the wire
got=$(send -c 10.77.0.2 -u -b $((2 * udp))M -l 1400)
within "UDP at twice the limit gets the limit" "$(awk -v x="$got" -v m=$udp 'BEGIN { print x * 1442 / 1400 / m }')" 0.97 1.01

serve "$left" 5202
got=$(in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" iperf3 -J -p 5202 -t 1 -c 127.0.0.1 >"$work/lo"; rate_of "$work/lo")
within "loopback is not limited" "$got" $((3 * udp)) 1000000

limit_a 10mbit
in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" \
	iperf3 -J -c 10.77.0.2 -p 5201 -t 4 >"$work/iperf" 2>&1 &
sleep 2
"$WEIRCTL" clear 2>"$work/err"
wait $!
last=$(jq '.intervals[-1].sum.bits_per_second / 1e6' "$work/iperf")
if [ "$("$WEIRCTL" doctor --json | jq .features.tcp_iterator)" = true ]; then
	within "clear lifts the rate of a connection that is open (Mbit/s)" "$last" 20 1000000
else
	skip "clear lifts the rate of a connection that is open" "this kernel has no TCP iterator that may set options"
	like "and clear says so" "$(cat "$work/err")" "cannot lift the pacing"
fi
finish
