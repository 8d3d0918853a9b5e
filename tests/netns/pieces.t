#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets of which little lies in one piece, as drivers of network cards hand them
# over: the Ethernet header at a device, the IP header at a socket.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
frames=$PWD/build/plain/tests/netns/frame-tool
make_lab
for ns in "$left" "$right"; do
	nsenter --net=/run/netns/"$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	ip -n "$ns" link set v0 mtu 9000
done
nsenter --net=/run/netns/"$left" sysctl -qw net.ipv6.conf.v0.disable_ipv6=0 \
	net.ipv6.conf.v0.accept_dad=0
ip -n "$left" link set v0 address 02:00:00:00:00:01
ip -n "$left" addr add fd77::1/64 dev v0 nodad
ip -n "$left" route add 10.9.0.0/24 dev v0
ip -n "$left" route add fd00:9::/64 dev v0
make_cgroup "$cg/a"

# One rule for each of the frames, in their order.
rules=$(
	cat <<'EOR'
10 = allow udp from 10.9.0.1 port 1 to port 9
20 = allow tcp from 10.9.0.1 flags SYN/SYN to port 9
30 = allow icmp echo-reply from 10.9.0.1
40 = allow ip6 udp to port 9
50 = allow ip6 tcp to port 9
60 = allow ip6 udp to port 10
70 = allow ip6 sctp to port 9
EOR
)
mapfile -t sent <<'EOF'
udp 10.9.0.1:1 > 10.77.0.1:9 len=20
tcp 10.9.0.1:1 > 10.77.0.1:9 len=100 flags=S options=3
icmp 10.9.0.1 > 10.77.0.1 type=0 id=7
udp [fd00:9::1]:1 > [fd77::1]:9
tcp [fd00:9::1]:1 > [fd77::1]:9 flags=S
udp [fd00:9::1]:1 > [fd77::1]:10 ext=60,0
sctp [fd00:9::1]:1 > [fd77::1]:9 len=20
EOF
policy <<EOP
[device v0]
netns = $left
filter-in = in
[group a]
match = $cg/a
filter-in = heard
[chain in]
policy = deny
$rules
90 = reject udp to port 99
[chain heard]
policy = deny
10 = allow icmp echo-reply
20 = allow sctp to port 9
EOP
ok "a policy applies" apply
figures() { "$WEIRCTL" stats in --json | jq -r '.chains[0].rules[:-1][].packets' | tr '\n' ' '; }
all=$(printf '1 %.0s' "${sent[@]}")

# Raw sockets hear what comes before anybody has looked behind its IP header.
hears() {
	local family
	for family in 2 10; do
		in_cgroup "$cg/a" ip netns exec "$left" timeout 5 python3 -c '
import socket, sys
family = int(sys.argv[1])
raw = socket.socket(family, socket.SOCK_RAW, 1 if family == 2 else 132)
print("listens", flush=True)
raw.recv(9000)
print("heard", flush=True)' $family >"$work/heard.$family" &
	done
	until_true 5 eval 'grep -q listens "$work"/heard.2 && grep -q listens "$work"/heard.10'
}
heard() { until_true 3 eval 'grep -q heard "$work/heard.2" && grep -q heard "$work/heard.10"'; }

for how in "" pieces; do
	hears
	printf '%s\n' "${sent[@]}" | in_right "$frames" $how v0
	ok "${how:-whole}: what a raw socket hears of both families passes its group" heard
	is "${how:-whole}: each is known by its headers" "$(figures)" "$all"
	wait
	all=${all//1/2}
done
# The answer to one that is rejected goes by the sum of all of it.
in_right timeout 5 python3 -c '
import socket
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x800))
raw.bind(("v0", 0))
print("listens", flush=True)
while raw.recv(9000)[23:36:11] != bytes([1, 3]):
    pass
print("answered", flush=True)' >"$work/answer" &
until_true 5 grep -q listens "$work/answer"
echo "udp 10.9.0.1:1 > 10.77.0.1:99 len=900" | in_right "$frames" pieces v0
ok "one that is rejected is answered" until_true 3 grep -q answered "$work/answer"
wait
ok "clear succeeds" "$WEIRCTL" clear

# What TCP sends lies elsewhere than its headers; without a link header before them.
if ip -n "$left" tuntap add dev t0 mode tun 2>/dev/null && ip -n "$right" tuntap add dev t0 mode tun; then
	for i in 1 2; do
		ns=$([ $i = 1 ] && echo "$left" || echo "$right")
		ip -n "$ns" addr add 10.78.0.$i/24 dev t0
		ip -n "$ns" link set t0 up
	done
	policy <<-EOP
		[device t0]
		netns = $left
		filter-in = back
		filter-out = there
		[chain there]
		policy = deny
		10 = allow tcp to port 7000
		[chain back]
		policy = deny
		10 = allow tcp from port 7000
	EOP
	ok "a policy about a device without link headers applies" apply
	is "all that TCP sends by it passes" \
		"$(timeout 20 python3 "$(dirname "$0")/relay.py" "$left" "$right" 10.78.0.2 100000)" 100000
	is "as what it is" "$("$WEIRCTL" stats there --json | jq '.chains[0].policy_packets')" 0
	ok "clear takes that back" "$WEIRCTL" clear
else
	skip "all that TCP sends by a device without link headers passes" "the kernel has no tun"
fi
finish
