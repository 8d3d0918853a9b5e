#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real frames that are cut off, that lie, or that have more headers than anybody
# needs, at a device: where a chain denies, none of them gets in by a rule that
# lets in what they pretend to be; those that can be read do; all are counted.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
tool=$PWD/build/plain/tests/netns/frame-tool
make_netns "$left"
make_netns "$right"
for ns in "$left" "$right"; do
	nsenter --net=/run/netns/"$ns" sysctl -qw net.ipv6.conf.{all,default}.disable_ipv6=1
done
ip link add w0 netns "$left" type veth peer name w0 netns "$right"
ip -n "$left" link set w0 up
ip -n "$right" link set w0 up
until_true 5 eval "ip -n $right -br link show w0 | grep -q LOWER_UP"

# policy_of NAME: a policy of its own for each step, as counters go on else.
policy_of() {
	policy <<EOP
[device w0]
filter-in = $1
[chain $1]
strict = yes
policy = deny
10 = allow tcp to port 22
20 = allow udp to port 22
30 = allow icmp 8
40 = allow icmp6 128
EOP
	in_right "$WEIRCTL" apply "$work/policy.ini" >/dev/null
}
# counts: how many the rules let in, how many the policy kept out.
counts() {
	in_right "$WEIRCTL" stats --json |
		jq -r '.chains[0] | "\([.rules[].packets] | add) \(.policy_packets)"'
}
# step NAME LET-IN LINE...: sends frames; the others are kept out.
step() {
	local name=$1 let_in=$2 want
	shift 2
	n=$((n + 1))
	policy_of "c$n" || { fail "$name" "no policy"; return; }
	want="$let_in $(($# - let_in))"
	printf '%s\n' "$@" >"$work/frames"
	in_left "$tool" w0 <"$work/frames" || { fail "$name" "not sent"; return; }
	until_true 2 eval '[ "$(counts)" = "'"$want"'" ]'
	is "$name: $# frames" "$(counts)" "$want"
}
n=0

# cut_at_each HEADER-BYTES TEXT: 10 bytes are behind the headers.
cut_at_each() {
	local headers=$1 text=$2 i whole lines=()
	whole=$((headers + 10))
	lines=("$text")
	# With less behind a tag nobody sees it: the kernel cannot take the tag off.
	for ((i = 2; i < whole; i++)); do lines+=("$text cut=$i"); done
	step "cut off at every byte: $text" 1 "${lines[@]}"
	lines=()
	for ((i = headers - 19; i < whole + 40; i++)); do lines+=("$text claims=$i"); done
	step "claiming every length: $text" 11 "${lines[@]}"
}
cut_at_each 40 "tcp 10.0.0.1:1 > 10.0.0.2:22"
cut_at_each 28 "udp 10.0.0.1:1 > 10.0.0.2:22"
cut_at_each 28 "icmp 10.0.0.1 > 10.0.0.2 type=8"
cut_at_each 80 "tcp 10.0.0.1:1 > 10.0.0.2:22 options=10"
cut_at_each 28 "udp 10.0.0.1:1 > 10.0.0.2:22 vlan"
cut_at_each 28 "udp 10.0.0.1:1 > 10.0.0.2:22 vlan vlan"
cut_at_each 60 "tcp [2001:db8::1]:1 > [2001:db8::2]:22"
cut_at_each 64 "udp [2001:db8::1]:1 > [2001:db8::2]:22 ext=0,60"
cut_at_each 48 "icmp6 [2001:db8::1] > [2001:db8::2] type=128 vlan vlan"

lines=()
for ((i = 0; i <= 10; i++)); do lines+=("tcp 10.0.0.1:1 > 10.0.0.2:22 options=$i"); done
step "options of every length" 11 "${lines[@]}"

lines=() ext=0
for ((i = 1; i <= 12; i++)); do
	lines+=("udp [2001:db8::1]:1 > [2001:db8::2]:22 ext=$ext")
	ext+=,60
done
step "up to 12 extension headers, of which 8 are looked past" 8 "${lines[@]}"

# The kernel takes the outermost off, so that there may be three here.
lines=() tags=
for ((i = 0; i <= 6; i++)); do
	lines+=("udp 10.0.0.1:1 > 10.0.0.2:22$tags" "udp [2001:db8::1]:1 > [2001:db8::2]:22$tags")
	tags+=" vlan"
done
step "up to 6 tags, of which 3 are looked past" 8 "${lines[@]}"

first="udp 10.0.0.1:1 > 10.0.0.2:22 len=24 frag=0+"
later="udp 10.0.0.1 > 10.0.0.2 len=24"
step "fragments before their first, and behind it, overlapping" 4 \
	"$later frag=2+ fragid=7" "$first fragid=7" "$later frag=2+ fragid=7" \
	"$later frag=3+ fragid=7" "$later frag=6 fragid=7" "$later frag=6 fragid=8"
step "a fragment that would overwrite the flags of its first" 2 \
	"tcp 10.0.0.1:1 > 10.0.0.2:22 len=24 frag=0+ fragid=9" "tcp 10.0.0.1 > 10.0.0.2 len=24 frag=1+ fragid=9" \
	"tcp 10.0.0.1 > 10.0.0.2 len=24 frag=4 fragid=9"
finish
