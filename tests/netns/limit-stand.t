#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A limit on what leaves holds, whatever the link and the senders are like.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
split_segments
make_cgroup "$cg/a"
make_cgroup "$cg/b"
traffic=$PWD/tests/netns/traffic
sink "$right" 7001
serve "$right" 5201
low=0.97 high=1.015 fast=20 slow=5 many=100 crowd_settle=4 crowd_sample=6
# A packet costs an emulated processor half a millisecond.
[ -z "${WEIR_VM:-}" ] || { low=0.88 high=1.07 fast=5 slow=2; }
[ -z "$short" ] || { many=20 crowd_settle=1 crowd_sample=2; }

greedy() { holds "$1" "$2" iperf3 -c 10.77.0.2 -p 5201 -t 60 -P 2; }
mtu() {
	ip -n "$left" link set v0 mtu "$1"
	ip -n "$right" link set v0 mtu "$1"
}
ok "a limit applies" limit_a ${fast}mbit
greedy "two flows have $fast Mbit/s" $fast
for link in $(dealt 9000 576 no-gso); do
	if [ "$link" = no-gso ]; then
		in_left ethtool -K v0 gso off
		greedy "… without segmentation offload" $fast
		in_left ethtool -K v0 gso on
	else
		mtu "$link"
		greedy "… with an MTU of $link" $fast
		mtu 1500
	fi
done

# Who was alone may send 17 segments at once; with these, but a quarter of the
# rate, he would sleep for 80 ms, and not hear of another rate meanwhile.
limit_a 10mbit
window_max=12
[ -z "${WEIR_VM:-}" ] || window_max=24
usual=$(in_left sysctl -n net.ipv4.tcp_congestion_control)
in_left sysctl -qw net.ipv4.tcp_congestion_control=reno
begin "$cg/a" nsenter --net=/run/netns/"$left" "$traffic" crowd 10.77.0.2 7001 1
alone=$begun
sleep 1
begin "$cg/a" nsenter --net=/run/netns/"$left" "$traffic" crowd 10.77.0.2 7001 3
windows() { in_left ss -tinHO dst 10.77.0.2 | grep -o ' cwnd:[0-9]*' | cut -d: -f2 | sort -n; }
four_are_small() { [ "$(windows | wc -l)" = 4 ] && [ "$(windows | tail -1)" -le $window_max ]; }
sleep 1
until_true 5 four_are_small
within "a connection that is not alone any more makes its window smaller (segments)" \
	"$(windows | tail -1)" 1 $window_max
end "$begun"
end "$alone"
in_left sysctl -qw net.ipv4.tcp_congestion_control="$usual"

# Of a hundred each sends two packets a second and is told of its rate as often.
# TCP gives up who is never let through in 8 s.
plain_high=$high
[ -n "${WEIR_VM:-}" ] || high=1.05
limit_a 5mbit
settle=$crowd_settle sample=$crowd_sample holds "$many connections" 5 "$traffic" crowd 10.77.0.2 7001 $many
high=$plain_high
for way in $(dealt chatter moved bursts); do
	case $way in
	chatter)
		limit_a ${slow}mbit
		holds "100 bytes at a time, without Nagle, have $slow Mbit/s" $slow \
			"$traffic" chatter 10.77.0.2 7001 100
		;;
	moved)
		# A socket belongs to the cgroup that it was made in.
		limit_a 5mbit
		holds "a socket whose process went to a cgroup without a limit" 5 \
			"$traffic" moved 10.77.0.2 7001 "$cgmount$cg/b"
		;;
	bursts)
		# A burst takes half a second.
		limit_a 1mbit
		sample=4 holds "64 KB at a time have 1 Mbit/s" 1 "$traffic" bursts 10.77.0.2 7001 65536 0
		;;
	esac
done

limit_a ${fast}mbit
if [ -e /proc/sys/net/mptcp/enabled ]; then
	in_right "$traffic" mptcp-sink 7002 2>/dev/null &
	pids+=($!)
	until_listening "$right" 7002
	holds "Multipath TCP has $fast Mbit/s" $fast "$traffic" mptcp 10.77.0.2 7002
else
	skip "Multipath TCP has $fast Mbit/s" "the kernel has no Multipath TCP"
fi
finish
