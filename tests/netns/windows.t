#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real TCP, with loss and packets out of order, through a device that looks at
# windows: of each transfer as many segments are established, and invalid, as to
# netfilter, which passes over less before Linux 6.2.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
far=$lab-f
make_netns "$left"
make_netns "$right"
make_netns "$far"
make_link "$left" n0 "$right" n0 1
make_link "$far" m0 "$right" m0 2
# put_together on|off: whether the kernel may hand on several segments as one, which
# weir counts as several, and nft does not.
put_together() {
	local end
	for end in "$left n0" "$right n0" "$right m0" "$far m0"; do
		nsenter --net=/run/netns/"${end% *}" ethtool -K "${end#* }" tso "$1" gso "$1" gro "$1"
	done
}
put_together off
in_right sysctl -qw net.ipv4.ip_forward=1
ip -n "$left" route add 10.77.2.0/24 via 10.77.1.2
ip -n "$far" route add 10.77.1.0/24 via 10.77.2.2
until_true 5 in_left ping -q -c1 -W1 10.77.2.1

cat >"$work/policy.ini" <<EOP
[device n0]
filter-in = c
filter-out = c
tcp-windows = yes
[chain c]
policy = deny
10 = allow established
20 = allow tcp new from 10.77.1.1
30 = allow invalid
EOP
cat >"$work/nft" <<EON
table ip t {
	chain f {
		type filter hook forward priority 0
		ct state established counter comment "established"
		ct state invalid counter comment "invalid"
	}
}
EON
# What was counted so far: established and invalid.
of_weir() { in_right "$WEIRCTL" stats c --json | jq -r '.chains[0].rules | map(select(.number != 20).packets) | @tsv'; }
of_nft() { in_right nft list table ip t 2>/dev/null | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p' | xargs; }
# Sets weir and nft, at a time when nothing passes.
look() {
	local figures
	until
		figures=$(of_nft)
		read -ra weir <<<"$(of_weir)"
		[ "$figures" = "$(of_nft)" ]
	do :; done
	read -ra nft <<<"$figures"
}
ok "the policy is in force" in_right "$WEIRCTL" apply "$work/policy.ini"
has_nft=
in_right nft -f "$work/nft" 2>/dev/null && has_nft=1

# Killed at any point, an apply without windows leaves them to the next one with them.
sed 's/^tcp-windows.*/flows = 1000/' "$work/policy.ini" >"$work/less.ini"
memory() { in_right "$WEIRCTL" status --json | field memory_bytes; }
crash_at() { (WEIR_CRASH_AT=$1 in_right "$WEIRCTL" apply "$work/less.ini") >/dev/null 2>&1; } 2>/dev/null
whole=$(memory) kills=0 strays=0 less=0
for ((point = 1; point <= 60; point++)); do
	crash_at $point
	[ $? -eq 137 ] || break
	kills=$((kills + 1))
	[ "$(memory)" -gt $((whole / 2)) ] || strays=$((strays + 1))
	in_right "$WEIRCTL" apply "$work/policy.ini" >/dev/null
	[ "$(memory)" -gt $((whole / 2)) ] || less=$((less + 1))
done
within "an apply without windows was killed at its points, one by one" "$kills" 4 60
within "and has left another table" "$strays" 1 "$kills"
is "but the next apply with windows makes room for them" "$less" 0
in_right "$WEIRCTL" apply "$work/policy.ini" >/dev/null

size=200M
[ -z "$short" ] || size=8M
serve "$far" 5201
exact=
[ "$(printf '%s\n' 6.2 "$(uname -r)" | sort -V | head -n 1)" != 6.2 ] || exact=1
# transfer NAME IPERF3-ARGUMENT...
transfer() {
	local name=$1 weir=() nft=() had=() nft_had=()
	shift
	look
	had=("${weir[@]}") nft_had=("${nft[@]}")
	ok "$name: all of it arrives" in_left timeout 120 iperf3 -c 10.77.2.1 -n $size "$@"
	look
	weir=($((weir[0] - had[0])) $((weir[1] - had[1])))
	within "$name: segments are established" "${weir[0]}" 1000 1e9
	[ -n "$has_nft" ] || { is "$name: nothing is invalid" "${weir[1]}" 0; return; }
	nft=($((nft[0] - nft_had[0])) $((nft[1] - nft_had[1])))
	if [ -n "$exact" ]; then
		is "$name: as many are established, and invalid, as to netfilter" "${weir[*]}" "${nft[*]}"
	else
		within "$name: no more is invalid than to netfilter" "${weir[1]}" 0 "${nft[1]}"
	fi
}
transfer "there"
transfer "and back, by several" -R -P 4

# Lost before the device, and behind it.
cat >"$work/loss" <<EON
table ip loss {
	chain i { type filter hook input priority 0; meta l4proto tcp numgen random mod 1000 < 3 drop; }
	chain o { type filter hook postrouting priority 0; meta l4proto tcp numgen random mod 1000 < 3 drop; }
}
EON
if [ -n "$has_nft" ] && in_left nft -f "$work/loss" && ip netns exec "$far" nft -f "$work/loss"; then
	transfer "with loss" -P 4
	transfer "with loss, back" -R -P 4
	in_left nft flush ruleset
	ip netns exec "$far" nft flush ruleset
else
	skip "with loss" "there is no nft"
fi

if tc -n "$left" qdisc replace dev n0 root netem delay 1ms 300us loss 0.3% limit 10000 2>/dev/null &&
	tc -n "$far" qdisc replace dev m0 root netem delay 1ms loss 0.3% reorder 95% 25% limit 10000; then
	transfer "out of order" -P 4
	transfer "out of order, back" -R -P 4
	tc -n "$left" qdisc del dev n0 root
	tc -n "$far" qdisc del dev m0 root
else
	skip "out of order" "the kernel has no netem"
fi

put_together on
look
before=${weir[1]}
ok "put together: all of it arrives" in_left timeout 120 iperf3 -c 10.77.2.1 -n $size --bidir
look
is "put together: nothing is invalid" $((weir[1] - before)) 0
finish
