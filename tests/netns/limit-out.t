#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a group sends stays at its limit, on the wire.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"
serve "$right" 5201

limit() {
	policy <<EOP
[group a]
match = $cg/a
out = $1
EOP
	apply >/dev/null
}

# send NAME FLAGS...: Mbit/s of payload after the first second
send() {
	in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" \
		iperf3 -J -p 5201 -t "${seconds:-3}" -O 1 "$@" >"$work/iperf" 2>&1
	rate_of "$work/iperf"
}
drops() { "$WEIRCTL" stats --json | jq '[.groups[].cgroups[].out.dropped_packets] | add'; }

slow=${WEIR_SLOW_MACHINE:-}	# emulated: no gigabits there
for rate in 10 100 ${slow:-1000}; do
	[ "$rate" != 1 ] || continue
	ok "a limit of $rate Mbit/s applies" limit "${rate}mbit"
	for flows in 1 4; do
		share=$(awk -v x="$(wire4 "$(send -c 10.77.0.2 -P $flows)")" -v r="$rate" 'BEGIN { print x / r }')
		within "$flows TCP flows over IPv4 get $rate Mbit/s on the wire" "$share" 0.98 1.02
	done
	share=$(awk -v x="$(wire6 "$(send -c fd77:0::2)")" -v r="$rate" 'BEGIN { print x / r }')
	within "a TCP flow over IPv6 gets $rate Mbit/s on the wire" "$share" 0.98 1.02
	is "and weir drops nothing of it" "$(drops)" 0
	"$WEIRCTL" clear
done

limit 20mbit
# 1400 bytes of payload are 1442 on the wire
got=$(send -c 10.77.0.2 -u -b 40M -l 1400)
within "UDP at twice the limit gets the limit" "$(awk -v x="$got" 'BEGIN { print x * 1442 / 1400 / 20 }')" 0.97 1.01

serve "$left" 5202
got=$(in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" iperf3 -J -p 5202 -t 1 -c 127.0.0.1 >"$work/lo"; rate_of "$work/lo")
within "loopback is not limited" "$got" 200 1000000
finish
