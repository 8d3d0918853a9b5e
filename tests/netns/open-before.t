#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Connections that are open, and busy, when their limit comes.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a/sub"
serve "$right" 5201
features=$("$WEIRCTL" doctor --json | jq -r '.features | .tcp_iterator, .socket_callbacks')
# All that comes is left out by what doctor says: so that is not taken on trust.
least=$(printf '5.15\n%s\n' "$(uname -r)" | sort -V | head -n 1)
is "doctor finds the iterator from Linux 5.15 on" "${features%%$'\n'*}" \
	"$([ "$least" = 5.15 ] && echo true || echo false)"
iterator=${features%$'\n'*} callbacks=${features#*$'\n'}
if [ "$iterator" != true ]; then
	skip "connections that are open get the rate of a limit" "the kernel has no iterator over TCP sockets"
	finish
fi
first=20 second=40 settle=0.3 low=0.94 high=1.05 few=0
# Where an emulated machine stands still they all send at once, to the bound.
[ -z "${WEIR_VM:-}" ] || { first=5 second=10 settle=1 low=0.88 high=1.07 few=30; }

# What the right has received, payload in bytes, and when (us).
received() {
	local from=${EPOCHREALTIME/[.,]/} bytes
	bytes=$(ss -N "$right" -tinH 'sport >= :5201' | grep -o 'bytes_received:[0-9]*' | awk -F: '{ sum += $2 } END { printf "%.0f", sum }')
	echo "$bytes $(((from + ${EPOCHREALTIME/[.,]/}) / 2))"
}

# speed SECONDS: Mbit/s of payload that arrive in that time.
speed() {
	local from
	from=$(received)
	sleep "$1"
	mbit_between "$from" "$(received)"
}

# share MBIT: what arrives on the wire, of that limit.  Only then in segments: all
# that the link can take would be much less.
share() {
	split_segments
	wire_share "$1" $sample
	in_left ethtool -K v0 tso on
}

limit() {
	policy <<EOP
[group outer]
match = $cg/a
out = $1mbit

[group inner]
match = $cg/a/*
out = 1gbit
EOP
	apply
}

dropped() { "$WEIRCTL" stats --json outer | field dropped_packets; }

# Where it is emulated a link of 60 Mbit/s, or the processor would have no time.
[ -z "${WEIR_VM:-}" ] || tc -n "$left" qdisc add dev v0 root tbf rate 60mbit burst 100kb latency 30ms

# Busy from before any of weir's programs is there: two of one client, one of
# another.
serve "$right" 5202
send() {
	begin "$cg/a/sub" nsenter --net=/run/netns/"$left" iperf3 -c 10.77.0.2 -t 600 "$@" >/dev/null 2>&1
}
send -p 5201 -P 2
send -p 5202
third=$begun
is_fast() { [ "$(speed 0.3 | cut -d. -f1)" -gt $((5 * second)) ]; }
ok "the connections saturate the link" until_true 20 is_fast
ok "a limit applies" limit $first
sleep $settle
within "they have it at once, all together" "$(share $first)" $low $high
ok "it is raised" "$WEIRCTL" limit outer out=${second}mbit
sleep $settle
was=$(dropped)
within "and they have more" "$(share $second)" $low $high
within "of which nothing is dropped any more (packets)" $(($(dropped) - was)) 0 $few
end $third
[ "$callbacks" = true ] || "$WEIRCTL" watch --once
sleep $settle
within "what one had is the others' when he is gone" "$(share $second)" $low $high

ok "clear" "$WEIRCTL" clear
ok "lets them go" until_true 10 is_fast
if [ "$callbacks" != true ]; then
	skip "an apply that is killed leaves them alone" "the kernel cannot be made to call for sockets that are open"
	finish
fi

# Told a rate, and the limit never comes.
crash_at() {
	(WEIR_CRASH_AT=$1 limit $first) >/dev/null 2>&1
} 2>/dev/null
in_force() { [ "$("$WEIRCTL" status --json | field generation)" = 1 ]; }
for ((at = 1; at < 20; at++)); do
	crash_at $at
	in_force && break
	until_true 10 is_fast || fail "an apply killed at point $at leaves them alone" "$(speed 1)"
done
within "killed before its limit is in force an apply leaves them alone (points)" $((at - 1)) 3 18
widest=$(ss -N "$left" -tinH 'dport >= :5201' | grep -o ' cwnd:[0-9]*' | cut -d: -f2 | sort -n | tail -1)
within "nor is a window left at what stands for no clamp" "$widest" 2 100000
ok "the next one works" limit $first
sleep $settle
within "and they have its limit" "$(share $first)" $low $high
finish
