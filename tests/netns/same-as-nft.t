#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Random policies, translated to nft, decide the same real packets by the same
# rules: at a device of weir's, and at one of nft's beside it.  WEIR_SEED repeats
# a run, WEIR_ROUNDS makes it longer.  What the two do not mean the same by is
# said in tests/netns/same-nft.c.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
tool=$PWD/build/plain/tests/netns/same-nft
seed=${WEIR_SEED:-$RANDOM}
rounds=${WEIR_ROUNDS:-${short:+3}}
rounds=${rounds:-12}
packets=400

# Nothing but what is sent: no addresses, nobody who asks for one.
make_netns "$left"
make_netns "$right"
for ns in "$left" "$right"; do
	nsenter --net=/run/netns/"$ns" sysctl -qw net.ipv6.conf.{all,default}.disable_ipv6=1
done
for device in w0 n0; do
	ip link add "$device" netns "$left" type veth peer name "$device" netns "$right"
	ip -n "$left" link set "$device" up
	ip -n "$right" link set "$device" up
done
until_true 5 eval "ip -n $right -br link show w0 | grep -q LOWER_UP && ip -n $right -br link show n0 | grep -q LOWER_UP"

# What nft's table does not allow: nft itself, or this kernel.
why=
command -v nft >/dev/null || why="there is no nft"
[ -n "$why" ] || in_right nft 'table netdev t { chain c { type filter hook ingress device "n0" priority 0; }; }' 2>/dev/null ||
	why="no table of nft at a device's ingress"
in_right nft delete table netdev t 2>/dev/null
if [ -n "$why" ]; then
	skip "every packet is decided by the same rule" "$why"
	finish
fi

# Rules, by chain and number, and the packets that they had, if any; of jumps and
# returns, too.
of_weir() {
	in_right "$WEIRCTL" stats --json | jq -r '.chains[] | .name as $name |
		([$name + ":0", .policy_packets], (.rules[] | [$name + ":\(.number)", .packets])) | @tsv' |
		only_counted
}
of_nft() {
	in_right nft list table netdev same |
		sed -n 's/.*counter packets \([0-9]*\) .*comment "\([^"]*:[0-9]*\)".*/\2\t\1/p' | only_counted
}
only_counted() { awk '{ n[$1] += $2 } END { for (i in n) if (n[i]) print i, n[i] }' | sort; }
# What came: of weir, what was decided.
weir_all() {
	in_right "$WEIRCTL" stats --json | jq '[.chains[] | .policy_packets,
		(.rules[] | select(.text | test("^(jump|return)") | not) | .packets)] | add'
}
nft_all() {
	in_right nft list table netdev same |
		sed -n 's/.*counter packets \([0-9]*\) .*comment "all".*/\1/p'
}
all_came() { [ "$(weir_all)" = $packets ] && [ "$(nft_all)" = $packets ]; }
sum() { awk '{ n += $2 } END { print n + 0 }'; }

round() {
	"$tool" write "$1" 40 "$work" w0 n0 &&
		in_right "$WEIRCTL" apply "$work/policy.ini" >/dev/null &&
		{ in_right nft delete table netdev same 2>/dev/null || :; } &&
		in_right nft -f "$work/policy.nft" &&
		in_left "$tool" send "$1" $packets w0 n0 || return
	until_true 5 all_came
	of_weir >"$work/weir"
	of_nft >"$work/nft"
	diff "$work/weir" "$work/nft"
}

by_rules=0 led=0
for ((i = 0; i < rounds; i++)); do
	if ! difference=$(round $((seed + i)) 2>&1); then
		fail "every packet is decided by the same rule" "WEIR_SEED=$((seed + i)) (< weir, > nft):" \
			"$difference" "$(cat "$work/policy.ini" "$work/policy.nft" 2>/dev/null)"
		finish
	fi
	by_rules=$((by_rules + packets - $(grep ':0 ' "$work/weir" | sum)))
	led=$((led + $(sum <"$work/weir") - packets))
done
pass "every packet is decided by the same rule: $((rounds * packets)) packets, $led times led on, WEIR_SEED=$seed"
within "most of them by one, not by the policy" $((by_rules * 100 / (rounds * packets))) 40 100
finish
