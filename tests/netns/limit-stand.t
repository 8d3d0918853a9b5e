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
low=0.97 high=1.015
[ -z "${WEIR_VM:-}" ] || { low=0.88 high=1.05; }

greedy() { holds "$1" "$2" iperf3 -c 10.77.0.2 -p 5201 -t 60 -P 2; }
mtu() {
	ip -n "$left" link set v0 mtu "$1"
	ip -n "$right" link set v0 mtu "$1"
}
ok "a limit applies" limit_a 20mbit
greedy "two flows have 20 Mbit/s" 20
mtu 9000
greedy "… with an MTU of 9000" 20
mtu 576
greedy "… of 576" 20
mtu 1500
in_left ethtool -K v0 gso off
greedy "… without segmentation offload" 20
in_left ethtool -K v0 gso on

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
sleep 2
widest=$(in_left ss -tinHO dst 10.77.0.2 | grep -o ' cwnd:[0-9]*' | cut -d: -f2 | sort -n | tail -1)
within "a connection that is not alone any more makes its window smaller (segments)" \
	"${widest:-0}" 1 $window_max
end "$begun"
end "$alone"
in_left sysctl -qw net.ipv4.tcp_congestion_control="$usual"

limit_a 5mbit
holds "100 bytes at a time, without Nagle, have 5 Mbit/s" 5 "$traffic" chatter 10.77.0.2 7001 100
# Each of them sends two packets a second and is told of its rate as often.  TCP
# gives up who is never let through in 8 s.
high=1.05
settle=4 sample=6 holds "a hundred connections" 5 "$traffic" crowd 10.77.0.2 7001 100
# A socket belongs to the cgroup that it was made in.
holds "a socket whose process went to a cgroup without a limit" 5 \
	"$traffic" moved 10.77.0.2 7001 "$cgmount$cg/b"
limit_a 1mbit
sample=4 # a burst takes half a second
holds "64 KB at a time have 1 Mbit/s" 1 "$traffic" bursts 10.77.0.2 7001 65536 0
sample=2

limit_a 20mbit
if [ -e /proc/sys/net/mptcp/enabled ]; then
	in_right "$traffic" mptcp-sink 7002 2>/dev/null &
	pids+=($!)
	until_listening "$right" 7002
	holds "Multipath TCP has 20 Mbit/s" 20 "$traffic" mptcp 10.77.0.2 7002
else
	skip "Multipath TCP has 20 Mbit/s" "the kernel has no Multipath TCP"
fi
finish
