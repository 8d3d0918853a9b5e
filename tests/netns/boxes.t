#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Containers that speak but one family, move to another bridge, get another name
# for their veth, and are started again and again; and what passes two queues.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"

host=$lab-h
make_netns "$host"
make_netns "$right"
mkdir -p "$cgdir"
make_cgroup "$cg/boxes"
make_cgroup "$cg/client"
make_link "$host" up0 "$right" v0 0
in_host() { nsenter --net=/run/netns/"$host" "$@"; }
weir() { in_host "$WEIRCTL" "$@"; }
in_host sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
in_right ethtool -K v0 tso off
ip -n "$right" route add default via 10.77.0.1
ip -n "$right" route add default via fd77:0::1
for i in 1 2; do
	ip -n "$host" link add br$i type bridge
	ip -n "$host" addr add 10.77.$i.1/24 dev br$i
	ip -n "$host" addr add fd77:$i::1/64 dev br$i nodad
	ip -n "$host" link set br$i up
done

# start_box NAME BRIDGE: a namespace behind a bridge with a process in a cgroup of
# its own, $box.
start_box() {
	ip netns add "$lab-$1"
	ip -n "$host" link add "b$1" type veth peer name v0 netns "$lab-$1"
	ip -n "$host" link set "b$1" master "$2" up
	ip -n "$lab-$1" link set v0 up
	make_cgroup "$cg/boxes/$1"
	begin "$cg/boxes/$1" nsenter --net="/run/netns/$lab-$1" sleep 1000
	box=$begun
}
stop_box() {
	end "$box"
	ip netns del "$lab-$1"
	rmdir "$cgdir/boxes/$1"
}
# serve_in NAME PORT
serve_in() {
	begin "$cg/boxes/$1" nsenter --net="/run/netns/$lab-$1" iperf3 -s -p "$2" >/dev/null 2>&1
	until_listening "$lab-$1" "$2"
}

in=20
[ -z "${WEIR_VM:-}" ] || in=8
policy <<EOP
[group boxes]
match = $cg/boxes/*
in = ${in}mbit
[device up0]
in = 100mbit
EOP
ok "the policy applies before there is a container" weir apply "$work/policy.ini"
start_box six br1
at_exit "ip netns del $lab-six"
start_box four br1
at_exit "ip netns del $lab-four"
ip -n "$lab-six" addr add fd77:1::2/64 dev v0 nodad
ip -n "$lab-six" route add default via fd77:1::1
nsenter --net="/run/netns/$lab-four" sysctl -qw net.ipv6.conf.v0.disable_ipv6=1
ip -n "$lab-four" addr add 10.77.2.2/24 dev v0
ip -n "$lab-four" route add default via 10.77.2.1
serve_in six 5201
serve_in four 5202
ok "watch --once gives them queues" weir watch --once

sends_as=$cg/client sends_from=$right
sends_to=$lab-six holds "IPv6 alone has $in Mbit/s" $in iperf3 -c fd77:1::2 -p 5201 -t 60
ip -n "$host" link set bfour master br2
is "a veth that moves to another bridge keeps its queue" \
	"$(weir apply --dry-run "$work/policy.ini")" "nothing to change"
sends_to=$lab-four holds "there IPv4 alone has $in Mbit/s" $in iperf3 -c 10.77.2.2 -p 5202 -t 60

# ------------------------------------------------------------ counted once

begin "$cg/boxes/four" nsenter --net="/run/netns/$lab-four" socat -u UDP4-RECV:9 OPEN:/dev/null
until_true 10 eval "ss -N $lab-four -lunH 'sport = :9' | grep -q ."
counted() {
	weir stats --json | jq -r '[(.groups[].cgroups[] | select(.path | endswith("four"))),
		(.devices[] | select(.name == "up0")) | .in.passed_packets] | join(" ")'
	tc -n "$host" -s class show dev bfour | awk '/^class htb/ { leaf = / leaf / }
		leaf && /Sent/ { sum += $4 } END { print sum }'
}
# The neighbours are known by now, and what else is said comes now and then.
before=$(counted | xargs)
in_right bash -c 'for ((i = 0; i < 50; i++)); do echo; done >/dev/udp/10.77.2.2/9'
until_true 5 eval "[ \$(counted | tail -1) -ge $((${before##* } + 50)) ]"
after=$(counted | xargs)
within "what waits at the device and at the veth counts once at each" "$(echo "$before $after" |
	awk '{ for (i = 1; i <= NF / 2; i++) { n = $(i + NF / 2) - $i; if (n >= 50 && n < 56) once++ } print once }')" 3 3

# ------------------------------------------------------- other names, up, down

other_names() {
	index() { tc -n "$host" filter show dev "$1" egress | grep -o 'flowid [^ ]*'; }
	had=$(index bfour)
	ip -n "$host" link set bfour down
	ip -n "$host" link set bfour name bother
	ip -n "$host" link set bother up
	ok "a veth gets another name" weir apply "$work/policy.ini"
	like "status knows it" "$(weir status)" "${in}mbit by htb on bother"
	is "and its row is the same" "$(index bother)" "$had"
	is "a second apply has an empty plan" "$(weir apply --dry-run "$work/policy.ini")" "nothing to change"
	ours() { echo "$(tc -n "$host" qdisc show dev "$1" | grep -c 'htb\|clsact') $(ip -n "$host" -o link show type ifb | grep -c .)"; }
	is "a device has an ifb and a filter" "$(ours up0)" "1 1"
	ip -n "$host" link set up0 down
	ip -n "$host" link set up0 name up9
	says "under another name it is another device: the policy's waits" 0 "device up0 waits until it is there" \
		nsenter --net=/run/netns/"$host" "$WEIRCTL" apply "$work/policy.ini"
	is "and nothing is left at this one" "$(ours up9)" "0 0"
	ip -n "$host" link set up9 name up0
	ip -n "$host" link set up0 up
	ok "when it has its name again" weir apply "$work/policy.ini"
	is "it is limited again" "$(ours up0)" "1 1"
	ip -n "$host" link set up0 down
	ip -n "$host" link set up0 up
	is "down and up changes nothing" "$(weir apply --dry-run "$work/policy.ini")" "nothing to change"
}
[ -n "$short" ] || other_names # what no kernel makes a difference to

# ---------------------------------------------------------------- restarts

entries() { bpftool -j map dump pinned "$WEIR_BPFFS/maps/$1" | jq length; }
# How often the name of one of their veths stands in the table of strings, both slots.
names() {
	local id
	for id in $(bpftool -j map dump pinned "$WEIR_BPFFS/maps/strings" |
		jq -r '.[].value | if type == "array" then map(.[2:]) | reverse | join("") else . end'); do
		[ $((16#$id)) = 0 ] || bpftool -j map dump id $((16#$id)) | jq -r '.[]?.value[][2:]' | tr -d '\n'
	done | grep -oE "6261(3[0-9])+78" | wc -l # "ba", digits, "x"
}
kept() {
	local map
	for map in device_marks device_tallies queued scopes anchors; do echo -n "$map=$(entries $map) "; done
	echo "devices=$(weir status --json | jq '.devices | length')" \
		"ifbs=$(ip -n "$host" -o link show type ifb | grep -c .)" \
		"files=$(find "$WEIR_STATE" "$WEIR_RUN" -type f | wc -l)"
}
times=20
[ -z "$short" ] || times=2
[ -z "${WEIR_LONG:-}" ] || [ -n "${WEIR_VM:-}" ] || times=500
before=$(kept)
missed=0
for ((i = 0; i < times; i++)); do
	start_box "a${i}x" br1
	weir watch --once >/dev/null 2>"$work/err" || missed=$((missed + 1))
	[ "$(tc -n "$host" class show dev "ba${i}x" | grep -c leaf)" -gt 0 ] || missed=$((missed + 1))
	stop_box "a${i}x"
done
is "a container is started $times times, and limited each time" "$missed" 0
ok "watch sees that the last one has gone" weir watch --once
weir watch --once >/dev/null
is "nothing is kept of any of them" "$(kept)" "$before"
within "nor of their names, but for what the slot before has" "$(names)" 0 1

# ------------------------------------------------------------------ no ifb

# no_ifb: only where the kernel could be told to have none, and is nobody else's.
no_ifb() {
	[ -n "${WEIR_VM:-}" ] && weir clear && rmmod ifb && echo /bin/false >/proc/sys/kernel/modprobe
} 2>/dev/null
if no_ifb; then
	at_exit 'echo /sbin/modprobe >/proc/sys/kernel/modprobe'
	says "without ifb a limit on what arrives is refused by name" 1 \
		"^weirctl: device 'up0': add ifb 'weir[0-9]+': .*the module ifb" \
		nsenter --net=/run/netns/"$host" "$WEIRCTL" apply "$work/policy.ini"
	is "and nothing is left of the attempt" "$(tc -n "$host" qdisc show | grep -c 'htb\|clsact')" 0
else
	skip "without ifb a limit on what arrives is refused by name" "ifb is a part of this kernel"
fi
ok "clear succeeds" weir clear
is "and leaves no queue" "$(tc -n "$host" qdisc show | grep -c 'htb\|clsact')" 0
finish
