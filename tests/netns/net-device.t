#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# netlink/ and tc/ by themselves: whose a qdisc, a clsact and a filter is, and
# that everything comes back as it was.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab

mkdir -p "$WEIR_BPFFS" "$WEIR_STATE"
mount -t bpf bpf "$WEIR_BPFFS"
net_tool=$PWD/build/plain/tests/netns/net-tool
[ -x "$net_tool" ] || { fail "make tests has made net-tool"; finish; }
tool() { in_left "$net_tool" "$@"; }
tc_left() { tc -n "$left" "$@"; }

# Qdiscs, classes and filters, without what counts and what hashes order.
picture() {
	local parent
	tc_left -d qdisc show dev v0 | sed 's/direct_packets_stat [0-9]*//'
	tc_left -d class show dev v0 | sort
	for parent in root 1: 1:1; do
		tc_left filter show dev v0 parent $parent 2>/dev/null
	done | sed 's/ (rule hit.*//'
}

# ------------------------------------------------------- somebody's root

# comes_back NAME: with takeover, the root of v0 makes way and comes back.
comes_back() {
	local before
	before=$(picture)
	tool apply v0 1 100000000 0 2>/dev/null
	is "$1: a root that is not ours is refused" $? 16
	is "$1: and left as it is" "$(picture)" "$before"
	TAKEOVER=1 ok "$1: it makes way" tool apply v0 1 100000000 0
	like "$1: for ours" "$(tool show v0 1)" "root=ours .* mark=3"
	TAKEOVER=1 ok "$1: another rate keeps it" tool apply v0 1 200000000 0
	ok "$1: ours goes" tool remove v0 1
	is "$1: and it is back" "$(picture)" "$before"
	is "$1: no file is left" "$(ls "$WEIR_STATE")" ""
	tc_left qdisc del dev v0 root
}

# root_is NAME TC-COMMAND...: skipped where the kernel has no such qdisc.  They are
# put back all in one way, so each kernel has some of them.
these=" $(dealt tbf fast-tbf pfifo prio sfq fq_codel fq netem | xargs) "
root_is() {
	local name=$1
	shift
	[[ $these == *" $name "* ]] || return
	if tc_left qdisc add dev v0 root "$@" 2>/dev/null; then
		comes_back "$name"
	else
		skip "$name comes back" "the kernel has no such qdisc"
	fi
}

root_is tbf tbf rate 5mbit burst 10k latency 20ms
root_is fast-tbf handle 3: tbf rate 50gbit burst 10m latency 20ms peakrate 60gbit mtu 65000
root_is pfifo pfifo limit 77
root_is prio handle 1: prio bands 4
root_is sfq sfq perturb 10
root_is fq_codel fq_codel limit 500 target 3ms
root_is fq fq
root_is netem netem delay 10ms 2ms loss 1%

tc_left qdisc add dev v0 root handle 1: htb default 20 r2q 5
tc_left class add dev v0 parent 1: classid 1:1 htb rate 500mbit ceil 600mbit quantum 60000
tc_left class add dev v0 parent 1:1 classid 1:10 htb rate 5mbit ceil 10mbit prio 2
tc_left class add dev v0 parent 1:1 classid 1:20 htb rate 6mbit burst 30k
tc_left class add dev v0 parent 1: classid 1:30 htb rate 50gbit quantum 3000
tc_left qdisc add dev v0 parent 1:10 handle 2: tbf rate 5mbit burst 10k latency 20ms
tc_left qdisc add dev v0 parent 1:20 handle 3: htb default 1
tc_left class add dev v0 parent 3: classid 3:1 htb rate 3mbit
tc_left qdisc add dev v0 parent 3:1 pfifo limit 9
if tc_left filter add dev v0 parent 1: protocol ip prio 3 u32 match ip dport 80 0xffff flowid 1:10 2>/dev/null; then
	tc_left filter add dev v0 parent 1: protocol ip prio 3 handle 5: u32 divisor 4
	tc_left filter add dev v0 parent 1: protocol ip prio 3 u32 ht 5:2: match ip src 192.0.2.4 flowid 1:20
fi
comes_back "htb with classes and filters"

# ------------------------------------------------------ somebody's clsact

foreign_filter() {
	tc_left filter add dev v0 egress prio 50 protocol ip u32 \
		match ip dport 9999 0xffff flowid :1
}
tc_left qdisc add dev v0 clsact
foreign_filter
ok "beside a clsact and a filter of others" tool apply v0 1 100000000 50000000
ok "ours goes" tool remove v0 1
like "their filter stays" "$(tc_left filter show dev v0 egress)" u32
tc_left qdisc del dev v0 clsact

ok "with a clsact of ours" tool apply v0 1 100000000 50000000
foreign_filter
ok "that somebody uses, too, ours goes" tool remove v0 1
like "their filter stays" "$(tc_left filter show dev v0 egress)" u32
tc_left qdisc del dev v0 clsact

ok "with a clsact that only we use" tool apply v0 1 100000000 50000000
ok "ours goes" tool remove v0 1
is "and clsact too" "$(tc_left qdisc show dev v0 | grep clsact)" ""

tc_left qdisc add dev v0 ingress
tool apply v0 1 0 0 2>"$work/err"
is "an ingress qdisc is refused" $? 17
like "by name" "$(cat "$work/err")" "'v0': add qdisc clsact: a qdisc ingress"
tool remove v0 1
like "and stays" "$(tc_left qdisc show dev v0)" ingress
tc_left qdisc del dev v0 ingress

# ------------------------------------------------------- special devices

tool apply nosuch 1 1000000 0 2>"$work/err"
is "a device that is not there is ENODEV" $? 19
is "and said so" "$(cat "$work/err")" "device 'nosuch': no such device"

ip -n "$left" link add d0 type veth peer name d1
ip -n "$left" link set d0 up
ok "a device gets an ifb" tool apply d0 3 1000000 1000000
ip -n "$left" link del d0
ok "the device goes, then" tool remove v0 1
is "so does its ifb" "$(ip -n "$left" -o link show type ifb)" ""

ok "the loopback device is a device" tool apply lo 2 100000000 50000000
ok "what passes it gets through" in_left ping -q -c2 -i0.1 -W1 127.0.0.1
like "and was queued both ways" "$(tool show lo 2)" "in .*passed=[1-9].*out .*passed=[1-9]"
ok "ours goes" tool remove lo 2

if ip -n "$left" tuntap add dev t0 mode tun 2>/dev/null; then
	ip -n "$left" link set t0 up
	ok "a device without link headers is a device" tool apply t0 4 1000000 1000000
	ok "ours goes" tool remove t0 4
else
	skip "a device without link headers" "the kernel has no tun"
fi

# ------------------------------------------------------------- containers

mkdir -p "$cgdir/a/b"
nsenter --net=/run/netns/"$right" sleep 1000 &
pids+=($!)
echo $! >"$cgdir/a/b/cgroup.procs"
sleep 1000 &
pids+=($!)
echo $! >"$cgdir/a/cgroup.procs"
like "a container's veth is found from its cgroup" "$(tool container "$cgdir/a")" \
	"processes=2 host=0 veths=1.v0 [0-9]+ inner=v0 "
like "from within, there is none" "$(in_right "$net_tool" container "$cgdir/a")" \
	"processes=2 host=1 veths=0"
tool container "$cgdir/nosuch" 2>"$work/err"
is "a cgroup that is not there is ENOENT" $? 2
finish
