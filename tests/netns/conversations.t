#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Conversations, packet by packet, through a router whose one device is weir's,
# and where nft asks netfilter's connection tracking: the states are the same, or
# they differ as docs/state.md says.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/netns/states.bash
. tests/netns/states.bash
tool=$PWD/build/plain/tests/netns/frame-tool
far=$lab-f
make_netns "$left"
make_netns "$right"
make_netns "$far"

# The hosts have no addresses: nobody answers but this test.
for side in "$left n0" "$far m0"; do
	read -r ns device <<<"$side"
	ip link add "$device" netns "$ns" type veth peer name "$device" netns "$right"
	nsenter --net=/run/netns/"$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	ip -n "$right" link set "$device" address 02:00:00:00:00:01
	ip -n "$ns" link set "$device" up
	ip -n "$right" link set "$device" up
done
in_right sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.ip_forward=1 \
	net.ipv4.conf.{all,n0,m0}.rp_filter=0
ip -n "$right" addr add 10.77.1.1/24 dev n0
ip -n "$right" addr add 10.77.2.1/24 dev m0
for host in 8 11 12 13 14 15 20 21 22 23 24 25 26 27 28 29; do
	ip -n "$right" neigh add 10.77.1.$host lladdr 02:00:00:00:00:02 dev n0
done
for host in 8 9; do ip -n "$right" neigh add 10.77.2.$host lladdr 02:00:00:00:00:02 dev m0; done

keys=
begin_both() {
	rules 4 "$1" forward
	{
		printf '[device n0]\n%sfilter-in = forward%s\nfilter-out = forward%s\n' \
			"$keys" $batch $batch
		cat "$work/chains"
	} >"$work/policy.ini"
	in_right "$WEIRCTL" apply "$work/policy.ini" >/dev/null || return
	in_right nft flush ruleset && in_right nft -f "$work/nft" &&
		in_right sysctl -qw net.netfilter.nf_conntrack_checksum=0
}

why=
begin_both 1 2>"$work/why" || why="no connection tracking of nft's: $(tail -n 1 "$work/why")"
if [ -n "$why" ]; then
	command -v nft >/dev/null && in_right "$WEIRCTL" status >/dev/null || why="there is no nft"
	skip "conversations have the states that netfilter gives them" "$why"
	finish
fi

# conversation NAME: reads "> | < FRAME = STATE [STATE]": weir's, and where it is
# another netfilter's.  $n is the near host, another each time, $f the far one.
conversation() {
	local name=$1 line frame step=0
	: >"$work/frames" && want_nothing
	while IFS= read -r line; do
		[ -n "$line" ] || continue
		step=$((step + 1)) frame=${line% = *}
		case $frame in
		*" | "*) frame="${frame/ | / dscp=$step | }" ;;
		*) frame="$frame dscp=$step" ;;
		esac
		echo "$frame" >>"$work/frames"
		# shellcheck disable=SC2086 # one or two
		want "$step forward" ${line##* = }
	done
	if ! begin_both $step || ! "$tool" talk "$left" n0 "$far" m0 <"$work/frames" 2>"$work/why"; then
		fail "$name" "$(cat "$work/why")"
		return
	fi
	in_right "$WEIRCTL" stats --json | seen_by_weir >"$work/seen.weir"
	in_right nft list table inet t | seen_by_nft >"$work/seen.nft"
	compare "$name" $step "$(cat -n "$work/frames")"
}
f=10.77.2.9

n=10.77.1.11
conversation "TCP from call to end" <<EOC
> tcp $n:5 > $f:80 flags=S seq=100 len=0 = new
> tcp $n:5 > $f:80 flags=S seq=100 len=0 = new
< tcp $f:80 > $n:5 flags=SA seq=900 ack=101 len=0 = established
< tcp $f:80 > $n:5 flags=SA seq=900 ack=101 len=0 = established
> tcp $n:5 > $f:80 flags=A seq=101 ack=901 len=0 = established
> tcp $n:5 > $f:80 flags=PA seq=101 ack=901 len=10 = established
< tcp $f:80 > $n:5 flags=PA seq=901 ack=111 len=20 = established
> tcp $n:5 > $f:80 flags=S seq=5000 len=0 = established
< tcp $f:80 > $n:5 flags=S seq=5000 len=0 = invalid
< tcp $f:80 > $n:5 flags=FA seq=921 ack=111 len=0 = established
> tcp $n:5 > $f:80 flags=A seq=111 ack=922 len=0 = established
> tcp $n:5 > $f:80 flags=S seq=5000 len=0 = established
> tcp $n:5 > $f:80 flags=FA seq=111 ack=922 len=0 = established
< tcp $f:80 > $n:5 flags=A seq=922 ack=112 len=0 = established
> tcp $n:5 > $f:80 flags=S seq=5000 len=0 = new
< tcp $f:80 > $n:5 flags=SA seq=7000 ack=5001 len=0 = established
> tcp $n:5 > $f:80 flags=A seq=5001 ack=7001 len=0 = established
EOC

n=10.77.1.12
conversation "calls at once, half-open, refused" <<EOC
> tcp $n:5 > $f:80 flags=S seq=100 len=0 = new
< tcp $f:80 > $n:5 flags=S seq=900 len=0 = established
> tcp $n:5 > $f:80 flags=SA seq=100 ack=901 len=0 = established
< tcp $f:80 > $n:5 flags=SA seq=900 ack=101 len=0 = established
> tcp $n:5 > $f:80 flags=A seq=101 ack=901 len=0 = established
> tcp $n:6 > $f:80 flags=S seq=100 len=0 = new
> tcp $n:6 > $f:80 flags=A seq=101 ack=901 len=0 = invalid
> tcp $n:6 > $f:80 flags=FA seq=101 ack=901 len=0 = invalid
< tcp $f:80 > $n:6 flags=FA seq=900 ack=101 len=0 = invalid
> tcp $n:7 > $f:80 flags=S seq=100 len=0 = new
< tcp $f:80 > $n:7 flags=RA seq=0 ack=101 len=0 = established
> tcp $n:7 > $f:80 flags=S seq=300 len=0 = new
< tcp $f:80 > $n:8 flags=SA seq=900 ack=101 len=0 = invalid
< tcp $f:80 > $n:8 flags=RA seq=900 ack=101 len=0 = invalid
< tcp $f:80 > $n:8 flags=FA seq=900 ack=101 len=0 = invalid
> tcp $n:8 > $f:80 flags=SF seq=900 len=0 = invalid
> tcp $n:8 > $f:80 flags=- seq=900 len=0 = invalid
EOC

n=10.77.1.13
conversation "what is older than the policy, and one way only" <<EOC
> tcp $n:5 > $f:80 flags=PA seq=100 ack=900 len=10 = new
< tcp $f:80 > $n:5 flags=A seq=900 ack=110 len=0 = established
> tcp $n:5 > $f:80 flags=A seq=110 ack=900 len=0 = established
< tcp $f:81 > $n:5 flags=SA seq=900 ack=110 len=0 = invalid
< tcp $f:81 > $n:5 flags=A seq=901 ack=110 len=0 = new
< tcp $f:81 > $n:5 flags=A seq=901 ack=110 len=0 = new
> udp $n:5 > $f:53 len=9 = new
> udp $n:5 > $f:53 len=9 = new
EOC

n=10.77.1.14
conversation "resets and data from far beyond" <<EOC
> tcp $n:5 > $f:80 flags=S seq=100 len=0 = new
< tcp $f:80 > $n:5 flags=SA seq=900 ack=101 len=0 = established
> tcp $n:5 > $f:80 flags=A seq=101 ack=901 len=0 = established
< tcp $f:80 > $n:5 flags=R seq=90000000 len=0 = established invalid
< tcp $f:80 > $n:5 flags=PA seq=90000000 ack=101 len=10 = established invalid
< tcp $f:80 > $n:5 flags=FA seq=90000000 ack=101 len=0 = established invalid
> tcp $n:5 > $f:80 flags=S seq=70000000 len=0 = established
< tcp $f:80 > $n:5 flags=PA seq=901 ack=101 len=10 = established
> tcp $n:5 > $f:80 flags=A seq=101 ack=911 len=0 = established
< tcp $f:80 > $n:5 flags=R seq=911 len=0 = established
> tcp $n:5 > $f:80 flags=S seq=5000 len=0 = new established
EOC

n=10.77.1.15
conversation "UDP, ICMP and errors" <<EOC
> udp $n:5 > $f:53 len=9 = new
< udp $f:53 > $n:6 len=9 = new
< udp $f:53 > $n:5 len=9 = established
> udp $n:5 > $f:53 len=9 = established
< icmp $f > $n type=0 id=7 = invalid
> icmp $n > $f type=8 id=7 = new
> icmp $n > $f type=8 id=7 = new
< icmp $f > $n type=0 id=7 = established
> icmp $n > $f type=8 id=7 = established
< icmp $f > $n type=3 code=3 len=0 | udp $n:5 > $f:53 len=9 = related
< icmp 10.77.2.8 > $n type=3 code=4 len=0 | udp $n:5 > $f:53 len=9 = related
< icmp 10.77.2.8 > $n type=11 len=0 | icmp $n > $f type=8 id=7 = related
< icmp 10.77.2.8 > $n type=3 code=1 len=0 | udp $n:9 > $f:53 len=9 = invalid
< icmp 10.77.2.8 > 10.77.1.8 type=3 code=1 len=0 | udp $n:5 > $f:53 len=9 = invalid
> gre $n > $f len=9 = new
< gre $f > $n len=9 = established
EOC

# From here on the device looks at windows, too.  What is older than they are,
# netfilter has called invalid before Linux 6.2.
older=established
[ "$(printf '%s\n' 6.2 "$(uname -r)" | sort -V | head -n 1)" = 6.2 ] || older=invalid
keys=$'tcp-windows = yes\n'

n=10.77.1.20
conversation "windows: data, ends and acknowledgements outside of them" <<EOC
> tcp $n:5 > $f:80 flags=S seq=100 len=0 win=1000 = new
< tcp $f:80 > $n:5 flags=SA seq=900 ack=101 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=A seq=101 ack=901 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=PA seq=101 ack=901 len=500 win=1000 = established
< tcp $f:80 > $n:5 flags=A seq=901 ack=701 len=0 win=1000 = invalid
< tcp $f:80 > $n:5 flags=A seq=901 ack=601 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=PA seq=9000 ack=901 len=10 win=1000 = invalid
> tcp $n:5 > $f:80 flags=FA seq=9000 ack=901 len=0 win=1000 = invalid
> tcp $n:5 > $f:80 flags=R seq=9000 len=0 = invalid
< tcp $f:80 > $n:5 flags=PA seq=9000 ack=601 len=10 win=1000 = invalid
< tcp $f:80 > $n:5 flags=FA seq=90000000 ack=601 len=0 win=1000 = invalid
< tcp $f:80 > $n:5 flags=R seq=90000000 len=0 = invalid
< tcp $f:80 > $n:5 flags=R seq=900 len=0 = invalid
> tcp $n:5 > $f:80 flags=A seq=601 ack=950 len=0 win=1000 = invalid
> tcp $n:5 > $f:80 flags=PA seq=601 ack=901 len=1000 win=1000 = established
> tcp $n:5 > $f:80 flags=PA seq=101 ack=901 len=500 win=1000 = established
> tcp $n:5 > $f:80 flags=A seq=600 ack=901 len=0 win=1000 = established $older
> tcp $n:5 > $f:80 flags=A seq=600 ack=901 len=1 win=1000 = established
< tcp $f:80 > $n:5 flags=PA seq=901 ack=1601 len=1000 win=1000 = established
> tcp $n:5 > $f:80 flags=FA seq=1601 ack=1901 len=0 win=1000 = established
< tcp $f:80 > $n:5 flags=FA seq=1901 ack=1602 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=A seq=1602 ack=1902 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=S seq=5000 len=0 win=1000 = new
< tcp $f:80 > $n:5 flags=SA seq=70000000 ack=5001 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=A seq=5001 ack=70000001 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=PA seq=9000 ack=70000001 len=10 win=1000 = invalid
EOC

n=10.77.1.21
conversation "windows: their scale, and none" <<EOC
> tcp $n:5 > $f:80 flags=S seq=100 len=0 win=1000 scale=0 = new
< tcp $f:80 > $n:5 flags=SA seq=900 ack=101 len=0 win=1000 scale=14 = established
> tcp $n:5 > $f:80 flags=PA seq=101 ack=901 len=10 win=1000 = established
< tcp $f:80 > $n:5 flags=A seq=901 ack=111 len=0 win=2 = established
> tcp $n:5 > $f:80 flags=PA seq=32800 ack=901 len=10 win=1000 = established
> tcp $n:5 > $f:80 flags=PA seq=70000 ack=901 len=10 win=1000 = invalid
< tcp $f:80 > $n:5 flags=PA seq=3000 ack=111 len=10 win=2 = invalid
< tcp $f:80 > $n:5 flags=PA seq=1800 ack=111 len=10 win=2 = established
> tcp $n:6 > $f:80 flags=S seq=100 len=0 win=1000 scale=7 = new
< tcp $f:80 > $n:6 flags=SA seq=900 ack=101 len=0 win=1000 = established
> tcp $n:6 > $f:80 flags=A seq=101 ack=901 len=0 win=1000 = established
< tcp $f:80 > $n:6 flags=PA seq=5000 ack=101 len=10 win=1000 = invalid
> tcp $n:7 > $f:80 flags=S seq=100 len=0 win=1000 = new
< tcp $f:80 > $n:7 flags=SA seq=900 ack=101 len=0 win=1000 scale=7 = established
> tcp $n:7 > $f:80 flags=PA seq=101 ack=901 len=10 win=1000 = established
< tcp $f:80 > $n:7 flags=A seq=901 ack=111 len=0 win=1000 = established
> tcp $n:7 > $f:80 flags=PA seq=5000 ack=901 len=10 win=1000 = invalid
> tcp $n:8 > $f:80 flags=S seq=100 len=0 win=1000 scale=200 = new
< tcp $f:80 > $n:8 flags=SA seq=900 ack=101 len=0 win=1000 scale=7 = established
> tcp $n:8 > $f:80 flags=A seq=101 ack=901 len=0 win=2 = established
< tcp $f:80 > $n:8 flags=PA seq=30000 ack=101 len=10 win=1000 = established
< tcp $f:80 > $n:8 flags=PA seq=90000 ack=101 len=10 win=1000 = invalid
EOC

n=10.77.1.22
conversation "windows: nothing left, keepalives, numbers that wrap around" <<EOC
> tcp $n:5 > $f:80 flags=S seq=4294967000 len=0 win=1000 = new
< tcp $f:80 > $n:5 flags=SA seq=4294967295 ack=4294967001 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=A seq=4294967001 ack=0 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=PA seq=4294967001 ack=0 len=1000 win=1000 = established
< tcp $f:80 > $n:5 flags=A seq=0 ack=705 len=0 win=1000 = established
< tcp $f:80 > $n:5 flags=A seq=0 ack=706 len=0 win=1000 = invalid
< tcp $f:80 > $n:5 flags=PA seq=0 ack=705 len=1000 win=0 = established
> tcp $n:5 > $f:80 flags=A seq=704 ack=1000 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=PA seq=705 ack=1000 len=1 win=1000 = established
< tcp $f:80 > $n:5 flags=A seq=1000 ack=705 len=0 win=0 = established
> tcp $n:5 > $f:80 flags=PA seq=3000 ack=1000 len=10 win=1000 = invalid
< tcp $f:80 > $n:5 flags=A seq=1000 ack=705 len=0 win=2000 = established
> tcp $n:5 > $f:80 flags=PA seq=705 ack=1000 len=1000 win=1000 = established
> tcp $n:5 > $f:80 flags=PA seq=1705 ack=1000 len=1000 win=1000 = established
< tcp $f:80 > $n:5 flags=A seq=999 ack=2705 len=0 win=2000 = established
< tcp $f:80 > $n:5 flags=A seq=999 ack=2705 len=1 win=2000 = established
> tcp $n:5 > $f:80 flags=PA seq=4294967001 ack=0 len=10 win=1000 = established $older
> tcp $n:5 > $f:80 flags=A seq=2704 ack=1000 len=0 win=1000 = established
EOC

n=10.77.1.23
conversation "windows: what was picked up, called again, refused" <<EOC
> tcp $n:5 > $f:80 flags=PA seq=100 ack=900 len=10 win=10 = new
< tcp $f:80 > $n:5 flags=A seq=900 ack=110 len=0 win=10 = established
> tcp $n:5 > $f:80 flags=PA seq=90000 ack=900 len=10 win=10 = established
< tcp $f:80 > $n:5 flags=A seq=900 ack=90010 len=0 win=10 = established
< tcp $f:80 > $n:5 flags=PA seq=70000000 ack=90010 len=10 win=10 = established
> tcp $n:5 > $f:80 flags=R seq=100 len=0 win=0 = invalid
> tcp $n:6 > $f:80 flags=S seq=100 len=0 win=1000 = new
> tcp $n:6 > $f:80 flags=S seq=9000 len=0 win=1000 = new
< tcp $f:80 > $n:6 flags=SA seq=900 ack=9001 len=0 win=1000 = established
> tcp $n:6 > $f:80 flags=PA seq=9001 ack=901 len=10 win=1000 = established
< tcp $f:80 > $n:6 flags=A seq=901 ack=9011 len=0 win=1000 = established
> tcp $n:7 > $f:80 flags=S seq=100 len=0 win=1000 = new
< tcp $f:80 > $n:7 flags=SA seq=900 ack=70000000 len=0 win=1000 = invalid
< tcp $f:80 > $n:7 flags=RA seq=0 ack=70000000 len=0 win=0 = invalid
< tcp $f:80 > $n:7 flags=RA seq=0 ack=101 len=0 win=0 = established
EOC

n=10.77.1.24
conversation "windows: calls in a connection" <<EOC
> tcp $n:5 > $f:80 flags=S seq=100 len=0 win=1000 = new
< tcp $f:80 > $n:5 flags=SA seq=900 ack=101 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=A seq=101 ack=901 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=S seq=70000000 len=0 win=1000 = established
< tcp $f:80 > $n:5 flags=A seq=901 ack=101 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=PA seq=101 ack=901 len=10 win=1000 = established
> tcp $n:5 > $f:80 flags=S seq=70000000 len=0 win=1000 scale=7 = established
< tcp $f:80 > $n:5 flags=SA seq=50000000 ack=70000001 len=0 win=1000 scale=7 = established
> tcp $n:5 > $f:80 flags=A seq=70000001 ack=50000001 len=0 win=8 = established
< tcp $f:80 > $n:5 flags=PA seq=50000001 ack=70000001 len=1000 win=8 = established
> tcp $n:5 > $f:80 flags=PA seq=70900001 ack=50001001 len=10 win=8 = invalid
> tcp $n:6 > $f:80 flags=S seq=100 len=0 win=1000 = new
< tcp $f:80 > $n:6 flags=A seq=7000000 ack=90000000 len=0 win=1000 = established
> tcp $n:6 > $f:80 flags=R seq=90000000 len=0 win=0 = established
> tcp $n:7 > $f:80 flags=S seq=100 len=0 win=1000 = new
< tcp $f:80 > $n:7 flags=S seq=900 len=0 win=1000 = established
> tcp $n:7 > $f:80 flags=SA seq=100 ack=901 len=0 win=1000 = established
< tcp $f:80 > $n:7 flags=SA seq=900 ack=101 len=0 win=1000 = established
> tcp $n:7 > $f:80 flags=PA seq=101 ack=901 len=10 win=1000 = established
< tcp $f:80 > $n:7 flags=PA seq=9000 ack=111 len=10 win=1000 = invalid
EOC

n=10.77.1.25
conversation "windows: resets from both sides" <<EOC
> tcp $n:5 > $f:80 flags=S seq=100 len=0 win=1000 = new
< tcp $f:80 > $n:5 flags=SA seq=900 ack=101 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=A seq=101 ack=901 len=0 win=1000 = established
< tcp $f:80 > $n:5 flags=A seq=901 ack=101 len=0 win=1000 = established
> tcp $n:5 > $f:80 flags=R seq=100 len=0 = invalid
> tcp $n:5 > $f:80 flags=R seq=200 len=0 = established
< tcp $f:80 > $n:5 flags=R seq=1000 len=0 = established
> tcp $n:5 > $f:80 flags=PA seq=101 ack=901 len=10 win=1000 = established
> tcp $n:5 > $f:80 flags=R seq=111 len=0 = established
> tcp $n:6 > $f:80 flags=S seq=100 len=0 win=1000 = new
< tcp $f:80 > $n:6 flags=SA seq=900 ack=101 len=0 win=1000 = established
> tcp $n:6 > $f:80 flags=A seq=101 ack=901 len=0 win=1000 = established
< tcp $f:80 > $n:6 flags=FA seq=901 ack=101 len=0 win=1000 = established
> tcp $n:6 > $f:80 flags=A seq=101 ack=902 len=0 win=1000 = established
EOC
finish
