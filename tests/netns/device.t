#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A device's own limits and rules, both ways, beside other people's qdiscs.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
talk=$PWD/tests/bench/talk
out=50 in=20 later=30 soon=5
# A packet costs an emulated processor half a millisecond.
[ -z "${WEIR_VM:-}" ] || out=12 in=8 later=10 soon=50
serve "$right" 5201
serve "$left" 5202

policy <<EOP
[device v0]
netns = $left
out = ${out}mbit
in = ${in}mbit
filter-in = in
filter-out = out

[chain in]
policy = deny
10 = allow established
20 = allow tcp to port 5202
30 = allow icmp echo-request

[chain out]
policy = allow
10 = deny tcp to port 81
20 = reject udp to port 83
EOP
picture() {
	tc -n "$left" qdisc show
	tc -n "$left" class show dev v0
	tc -n "$left" filter show dev v0 ingress
	tc -n "$left" filter show dev v0 egress
	ip -n "$left" -o link show | awk -F': ' '{ print $2 }'
}
before=$(picture)
ok "a device's policy applies" apply
is "a second apply has an empty plan" "$(apply --dry-run)" "nothing to change"

# rate SERVER-NS CLIENT-NS ADDRESS PORT FLAGS...
rate() {
	local client=$1 address=$2 port=$3
	shift 3
	nsenter --net=/run/netns/"$client" iperf3 -J -c "$address" -p "$port" -t 3 -O 1 "$@" >"$work/iperf"
	rate_of "$work/iperf"
}
queue_holds "TCP out over IPv4" $out "$left" v0 rate "$left" 10.77.0.2 5201 -P 4
queue_holds "TCP out over IPv6" $out "$left" v0 rate "$left" fd77:0::2 5201
ifb=$(ip -n "$left" -br link | awk '/^weir/ { print $1; exit }')
queue_holds "TCP in" $in "$left" "$ifb" rate "$right" 10.77.0.1 5202 -P 2

# In one queue with those who fill the limit, a question waits as long as they do:
# 50 ms and more, under emulation 160 and more.
in_right "$talk" reply 7002 1 &
pids+=($!)
until_listening "$right" 7002
# asks NAME CLIENT-NS ADDRESS PORT: a question from the left beside four bulk flows
asks() {
	nsenter --net=/run/netns/"$2" iperf3 -c "$3" -p "$4" -t 3 -P 4 >/dev/null &
	sleep 1.2
	got=$(in_left "$talk" ask 10.77.0.2 7002 1 1)
	within "$1 (median, ms)" "${got% *}" 0 $soon
	wait $!
}
asks "a question does not wait with those who fill the limit out" "$left" 10.77.0.2 5201
asks "nor does an answer with those who fill the limit in" "$right" 10.77.0.1 5202

lane=$(tc -n "$left" class show dev v0 | awk '/ leaf / { last = $3 } END { print last }')
ok "somebody takes a lane away" tc -n "$left" class del dev v0 classid "$lane"
ok "an apply makes the queue anew" apply
is "which is whole then" "$(apply --dry-run)" "nothing to change"

knock() { nsenter --net=/run/netns/"$1" timeout 1 bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null; }
in_right socat TCP6-LISTEN:81,fork,reuseaddr,ipv6only=0 PIPE &
pids+=($!)
in_left socat TCP6-LISTEN:90,fork,reuseaddr,ipv6only=0 PIPE &
pids+=($!)
until_listening "$right" 81
until_listening "$left" 90
if knock "$left" 10.77.0.2 81; then fail "a denied port is not reached"; else pass "a denied port is not reached"; fi
if knock "$right" 10.77.0.1 90; then fail "policy deny holds for what arrives"; else pass "policy deny holds for what arrives"; fi
# By the kernel's own look at the answer's checksums, past the chain for what arrives.
refused() { in_left timeout 2 bash -c "exec 3<>/dev/udp/$1/83; echo x >&3; read -t1 <&3" 2>&1; }
like "who sends what is rejected hears it" "$(refused 10.77.0.2)" "refused"
like "of IPv6, too" "$(refused fd77:0::2)" "refused"
ok "answers to what was asked for are established" knock "$left" 10.77.0.2 5201
ok "an allowed ping gets in and its answer out" in_right ping -q -c1 -W1 10.77.0.1
ip -n "$left" neigh flush dev v0
ok "neighbour discovery works under policy deny" in_left ping -q -c1 -W2 fd77:0::2
within "stats counts the denied ones" \
	"$("$WEIRCTL" stats --json | jq '.devices[0].in.denied_packets + .devices[0].out.denied_packets')" 2 1000

sed -i "s/^out = .*mbit/out = ${later}mbit/; /^in = /d" "$work/policy.ini"
ok "a changed policy applies" apply
queue_holds "the changed rate" $later "$left" v0 rate "$left" 10.77.0.2 5201
within "the removed limit is gone" "$(rate "$right" 10.77.0.1 5202 -t 1)" 25 100000
like "stats shows what passes a chain alone" "$("$WEIRCTL" stats v0)" " in +- +[0-9.]+ [MGT]B passed"
ok "clear succeeds" "$WEIRCTL" clear
is "and leaves the device as it was" "$(picture)" "$before"

tc -n "$left" qdisc add dev v0 root handle 5: tbf rate 400mbit burst 100kb latency 50ms
before=$(picture)
apply 2>"$work/err"
is "a qdisc of somebody else's is not touched" $? 1
like "but named, with what would do" "$(cat "$work/err")" "qdisc 'tbf'.*takeover = yes"
is "nothing has changed" "$(picture)" "$before"
sed -i 's/^netns = .*/&\ntakeover = yes/' "$work/policy.ini"
ok "with takeover = yes it is replaced" apply
queue_holds "and the limit is there," $later "$left" v0 rate "$left" 10.77.0.2 5201
ok "clear succeeds again" "$WEIRCTL" clear
is "and puts the qdisc back" "$(picture)" "$before"

tc -n "$left" qdisc del dev v0 root
# 336 ms and more at the rate.
policy <<EOP
[device v0]
netns = $left
out = 5mbit
out-burst = 2mb
EOP
ok "a limit with a burst applies" apply
in_right "$talk" reply 7003 210000 &
pids+=($!)
until_listening "$right" 7003
got=$(in_left "$talk" ask 10.77.0.2 7003 0.3 210000)
within "a flow has the burst that is configured (median, ms)" "${got% *}" 0 200
"$WEIRCTL" clear

policy <<EOP
[device nosuch0]
netns = $left
out = 10mbit
EOP
says "a device that is not there is no error, and apply says so" 0 \
	"weirctl: device nosuch0 in netns $left waits until it is there$" \
	"$WEIRCTL" apply "$work/policy.ini"
like "status says that it waits" "$("$WEIRCTL" status)" "nosuch0.*waits"
ip -n "$left" link add nosuch0 type veth peer name nosuch1
ok "when it has come, watch --once fits it out" "$WEIRCTL" watch --once
is "status says so" "$("$WEIRCTL" status --json | field state)" attached
ip -n "$left" link del nosuch0
ok "a device that went away does not stop an apply" apply
sed -i "s/^netns.*/netns = $lab-none/" "$work/policy.ini"
says "nor does a namespace that is not there, and apply says so" 0 \
	"weirctl: device nosuch0 in netns $lab-none waits until that network namespace is there$" \
	"$WEIRCTL" apply "$work/policy.ini"
ok "nor clear" "$WEIRCTL" clear
finish
