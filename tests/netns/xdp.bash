# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Frames that the first rules of a chain deny at the device v0 of $left, and others;
# and how far they have come.
frames=$PWD/build/plain/tests/netns/frame-tool

# wish CHAIN KEYS...: the policy; counters of another chain begin anew.
wish() {
	policy <<EOP
[device v0]
netns = $left
filter-in = $1
$(printf '%s\n' "${@:2}")

[chain $1]
policy = allow
10 = deny from @bad
20 = deny ip6 from fd00:bad::/32
30 = deny udp to port 9
40 = deny from 10.9.9.9

[set bad]
EOP
}
status() { "$WEIRCTL" status --json; }
program() { ip -n "$left" link show v0 2>/dev/null | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p'; }
# is_on: whether it says so, and whether the kernel has a program.
is_on() { echo "$(status | field xdp) $(program | wc -l)"; }

# Of 15, nine are denied by the first two rules, and eight of them in a way that
# XDP can tell; it leaves to tc three of these sources: a later fragment, one that
# lies, and one behind an extension header.  The last one is allowed.
n_frames=15 n_early=9
cat >"$work/frames" <<'EOF'
udp 10.9.0.1:1 > 10.77.0.1:9 len=20
udp 10.9.0.1:1 > 10.77.0.1:5 len=0
tcp 10.9.0.1:1 > 10.77.0.1:5 len=100 flags=S options=3
icmp 10.9.0.1 > 10.77.0.1 type=8
udp 10.9.0.1:1 > 10.77.0.1:5 vlan
udp 10.9.0.1:1 > 10.77.0.1:5 vlan vlan
47 10.9.0.1 > 10.77.0.1
udp [fd00:9::1]:1 > [fd77::1]:5
udp [fd00:bad::1]:1 > [fd77::1]:5
udp 10.9.0.1 > 10.77.0.1 frag=5 fragid=7
udp 10.9.0.1:1 > 10.77.0.1:5 claims=200
udp [fd00:9::1]:1 > [fd77::1]:5 ext=60
udp 10.9.9.9:1 > 10.77.0.1:5
udp 10.8.0.1:1 > 10.77.0.1:9
udp 10.8.0.1:1 > 10.77.0.1:5
EOF
banned=(10.9.0.0/24 fd00:9::/64)

# at_tc: how many packets have come as far as that.
at_tc() { tc -n "$left" -s qdisc show dev v0 | awk '/^qdisc/ { is = $2 == "clsact" } is && /Sent/ { print $4 }'; }
figures() {
	"$WEIRCTL" stats --json | jq -c '[.devices[0].in.denied_packets, .chains[0].policy_packets] +
		[.chains[0].rules[] | .packets, .bytes]' | tr '[],' '   '
}
# send: all of them; in $met how many have come as far as tc, in $counted what was
# counted: denied by the device, allowed by the policy, packets and bytes by rule.
send() {
	local before was i
	met=$(at_tc)
	read -ra before <<<"$(figures)"
	in_right "$frames" v0 <"$work/frames"
	was=$((before[0] + before[1] + n_frames))
	until_true 5 eval 'read -ra after <<<"$(figures)"; ((after[0] + after[1] == '"$was"'))'
	met=$(($(at_tc) - met)) counted=
	for i in "${!after[@]}"; do counted+="$((after[i] - before[i])) "; done
}
