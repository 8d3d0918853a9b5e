#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What arrives in a container (a namespace behind a bridge) waits in a queue
# on the host side of its veth.  The host is a namespace here too.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"

host=$lab-h box=$lab-b
make_netns "$host"
make_netns "$right"
mkdir -p "$cgdir"
make_cgroup "$cg/boxes"
ip -n "$host" link add br0 type bridge
ip -n "$host" addr add 10.77.1.1/24 dev br0
ip -n "$host" addr add fd77:1::1/64 dev br0 nodad
ip -n "$host" link set br0 up
make_link "$host" up0 "$right" v0 0
nsenter --net=/run/netns/"$host" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n "$right" route add default via 10.77.0.1
ip -n "$right" route add default via fd77:0::1
in=20 later=12 out=10 some=4
# A packet costs an emulated processor half a millisecond.
[ -z "${WEIR_VM:-}" ] || in=8 later=5 out=5 some=2
weir() { nsenter --net=/run/netns/"$host" "$WEIRCTL" "$@"; }

policy <<EOP
[group boxes]
match = $cg/boxes/*
in = ${in}mbit
in-from = 10.77.5.0/24 none, fd77:5::/64 ${some}mbit
out = ${out}mbit
filter-in = in

[chain in]
policy = allow
10 = deny tcp to port 81
EOP
ok "the policy applies before there is a container" weir apply "$work/policy.ini"
weir watch >"$work/watch" 2>&1 &
watcher=$!
pids+=("$watcher")

# A container: a namespace with a server in it, in a cgroup of its own.
make_netns "$box"
ip -n "$host" link add vbox type veth peer name eth0 netns "$box"
ip -n "$host" link set vbox master br0 up
ip -n "$box" addr add 10.77.1.2/24 dev eth0
ip -n "$box" addr add fd77:1::2/64 dev eth0 nodad
ip -n "$box" link set eth0 up
ip -n "$box" route add default via 10.77.1.1
ip -n "$box" route add default via fd77:1::1
make_cgroup "$cg/boxes/one"
in_cgroup "$cg/boxes/one" nsenter --net=/run/netns/"$box" iperf3 -s -p 5201 >/dev/null 2>&1 &
pids+=($!)
until_listening "$box" 5201
until_true 10 in_right ping -6 -q -c1 -W1 fd77:1::2

shaper() { weir stats --json | jq -r '.groups[0].cgroups[0].in.shaper'; }
ok "watch gives it a queue" until_true 10 eval '[ "$(shaper)" = htb ]'
like "status names its veth" "$(weir status)" "${in}mbit by htb on vbox"

rate() { nsenter --net=/run/netns/"$right" iperf3 -J -p 5201 -t 3 -O 1 "$@" >"$work/iperf" 2>&1; rate_of "$work/iperf"; }
queue_holds "what arrives over IPv4" $in "$host" vbox rate -c 10.77.1.2
queue_holds "what arrives over IPv6, four flows," $in "$host" vbox rate -c fd77:1::2 -P 4
nsenter --net=/run/netns/"$host" ethtool -K up0 tso off
sends_as=$cg sends_from=$right holds "what leaves gets $out Mbit/s" $out \
	iperf3 -c 10.77.1.2 -p 5201 -t 60 -R

# Sources with limits of their own go past the queue.
ip -n "$right" addr add 10.77.5.2/32 dev v0
ip -n "$right" addr add fd77:5::2/128 dev v0 nodad
ip -n "$host" route add 10.77.5.2 via 10.77.0.2
ip -n "$host" route add fd77:5::2 via fd77:0::2
before=$(queued "$host" vbox)
within "who has no limit has more than the others (Mbit/s)" \
	"$(rate -c 10.77.1.2 -B 10.77.5.2 -b $((2 * in))M -t 2)" $((5 * in / 4)) $((3 * in))
rate -c fd77:1::2 -B fd77:5::2 -u -b ${in}M -l 1400 -t 1 -O 0 >/dev/null
within "who has another is policed (packets dropped)" \
	"$(weir stats --json | jq '.groups[0].cgroups[0].in_from[1].dropped_packets')" 20 100000
within "and nothing of either waits (bytes)" $(($(queued "$host" vbox) - before)) 0 20000

# What was dropped: by the kernel's count of the queue, and by weir's of all.
queue_dropped() { tc -n "$host" -s class show dev vbox | awk '/^class htb/ { leaf = / leaf / }
	leaf && sub(/.*dropped /, "") { sum += $1 } END { print sum + 0 }'; }
dropped() { weir stats --json | jq '.groups[0].cgroups[0].in.dropped_packets'; }
queue_is_empty() { ! tc -n "$host" -s class show dev vbox | grep -q 'backlog [1-9]'; }
until_true 5 queue_is_empty
before="$(queue_dropped) $(dropped)"
rate -c 10.77.1.2 -u -b $((3 * in))M -l 1400 -t 1 -O 0 >/dev/null
until_true 5 queue_is_empty
is "the queue drops what is too much, the police nothing" \
	"$(echo "$before $(queue_dropped) $(dropped)" | awk '{ print ($3 - $1 > 100), ($4 - $2) - ($3 - $1) }')" "1 0"

# Twenty flows of a twentieth each.  clamped: how many of them offer little.
in_cgroup "$cg/boxes/one" nsenter --net=/run/netns/"$box" "$PWD/tests/bench/talk" sink 5204 1 &
pids+=($!)
until_listening "$box" 5204 10
nsenter --net=/run/netns/"$right" tests/netns/traffic crowd 10.77.1.2 5204 20 &
crowd=$!
pids+=("$crowd")
clamped() { nsenter --net=/run/netns/"$box" ss -tinH state established 'sport = :5204' |
	grep -o 'rcv_ssthresh:[0-9]*' | awk -F: '$2 < 16000 { n++ } END { print n + 0 }'; }
# Where an emulated processor is late, the path looks long to most of them.
few=15
[ -z "${WEIR_VM:-}" ] || few=1
can=$(printf '5.11\n%s\n' "$(uname -r)" | sort -V | head -n 1)
if [ "$can" = 5.11 ]; then
	ok "receivers offer no more than their part of the rate" until_true 20 eval '[ "$(clamped)" -ge '$few' ]'
else
	skip "receivers offer no more than their part of the rate" "the kernel lets no program clamp a window"
	sleep 2
fi
# An emulated processor has enough to do without who asks.
[ -n "${WEIR_VM:-}" ] || within "who asks for little does not wait behind them (ms)" \
	"$(in_right ping -q -n -i0.05 -c20 10.77.1.2 | awk -F/ '/^rtt/ { print $5 }')" 0 10

end "$watcher"
if [ "$can" = 5.11 ]; then
	grep -v '^in =' "$work/policy.ini" | weir apply - >/dev/null
	ok "without the limit they offer what they like" until_true 10 eval '[ "$(clamped)" -eq 0 ]'
	weir apply "$work/policy.ini" >/dev/null
	ok "with it again they do not" until_true 20 eval '[ "$(clamped)" -ge '$few' ]'
	weir clear >/dev/null
	ok "clear lets their windows go" until_true 10 eval '[ "$(clamped)" -eq 0 ]'
	weir apply "$work/policy.ini" >/dev/null
fi
end "$crowd"
sed "s/^in = .*/in = 1mbit/" "$work/policy.ini" | weir apply - >/dev/null
is "at a low rate a lane holds no more than TCP waits for" \
	"$(tc -n "$host" qdisc show dev vbox | awk '/bfifo/ { print $NF }' | sort -u)" "32Kb"
sed -i "s/^in = .*/in = ${later}mbit/" "$work/policy.ini"
before=$(dropped)
ok "without watch, an apply changes the queue" weir apply "$work/policy.ini"
ok "and what was dropped stays counted" [ "$(dropped)" -ge "$before" ]
queue_holds "the new rate holds" $later "$host" vbox rate -c 10.77.1.2
is "a second apply has an empty plan" "$(weir apply --dry-run "$work/policy.ini")" "nothing to change"

make_cgroup "$cg/boxes/two"
in_cgroup "$cg/boxes/two" nsenter --net=/run/netns/"$host" iperf3 -s -p 5203 >/dev/null 2>&1 &
pids+=($!)
until_listening "$host" 5203
nsenter --net=/run/netns/"$right" iperf3 -J -c 10.77.0.1 -p 5203 -t 2 >"$work/iperf" 2>&1
within "where there is no queue, police bounds what arrives" "$(wire4 "$(rate_of "$work/iperf")")" 0.3 $((later + 1))

ip -n "$host" link del vbox
ok "a veth that went away does not stop an apply" weir apply "$work/policy.ini"
ok "clear succeeds" weir clear
is "and leaves no pins" "$(ls -A "$work" | tr '\n' ' ')" "iperf policy.ini received watch "
finish
