#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who is rejected at a device hears it at once, by an answer that is right to the
# last byte: where his packets arrive, where they would leave, and behind a router.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
tool=$PWD/tests/netns/reject.py
make_lab
make_netns "$lab-f"
make_link "$right" v1 "$lab-f" v1 1
ip -n "$left" route add 10.77.1.0/24 via 10.77.0.2
ip -n "$left" route add fd77:1::/64 via fd77:0::2
ip -n "$lab-f" route add 10.77.0.0/24 via 10.77.1.1
ip -n "$lab-f" route add fd77:0::/64 via fd77:1::1
in_right sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
# What comes from where no route leads back is dropped: answers do not.
for ns in "$left" "$right"; do
	nsenter --net=/run/netns/"$ns" sysctl -qw net.ipv4.conf.all.rp_filter=1
done

# That nobody would be refused else; nor do answers pass a chain.
for at in "$right 4001" "$right 4002" "$lab-f 4001" "$lab-f 4003"; do
	nsenter --net=/run/netns/"${at% *}" socat "TCP6-LISTEN:${at#* },fork,reuseaddr,ipv6only=0" /dev/null &
	pids+=($!)
done
until_listening "$right" 4002
until_listening "$lab-f" 4003
# A new address may take seconds to be found behind a router.
until_true 10 in_left ping -q -c1 -W1 fd77:1::2
policy <<EOP
[device v0]
netns = $right
filter-in = arriving
filter-out = answers

[device v1]
netns = $right
filter-in = closed
filter-out = forwarded

[chain arriving]
policy = allow
10 = reject tcp to port 4001
20 = reject udp to port 4001
30 = reject icmp echo-request length 200
40 = reject icmp6 echo-request length 200
50 = deny tcp to port 4009

[chain forwarded]
policy = allow
10 = reject tcp to port 4003
20 = reject udp to port 4003

[chain answers]
policy = allow
10 = deny tcp from any port 4001 flags RST/RST
20 = deny icmp 3 from 10.77.0.2
30 = deny icmp6 1 from fd77:0::2

[chain closed]
policy = deny
EOP
ok "the policy applies" apply
attempts() { in_left python3 "$tool" attempt "$@"; }
both_refused="ECONNREFUSED at-once, ECONNREFUSED at-once"
is "IPv4: what arrives is answered" "$(attempts 10.77.0.2 tcp/4001 udp/4001)" "$both_refused"
is "IPv6: what arrives is answered" "$(attempts fd77:0::2 tcp/4001 udp/4001)" "$both_refused"
address=$(ip -n "$right" -br link show v0 | awk '{ print $3 }')
is "in a VLAN, too" "$(in_left python3 "$tool" tagged v0 "$address")" $'tag 5, right\ntag 5, right'
is "to another host, too" "$(attempts 10.77.1.2 tcp/4001 udp/4001)" "$both_refused"
is "what leaves a router is answered" "$(attempts 10.77.1.2 tcp/4003 udp/4003)" "$both_refused"
is "of IPv6, too" "$(attempts fd77:1::2 tcp/4003 udp/4003)" "$both_refused"
is "what is allowed passes" "$(attempts 10.77.0.2 tcp/4002)" "ok at-once"
[ -n "$short" ] || is "what is denied hears nothing" "$(attempts 10.77.0.2 tcp/4009 | sed 's/ after.*//')" "timeout"
unreachable() { in_left ping -c1 -W1 -s "$2" "$1" | grep -o "Destination.*nreachable.*"; }
like "a rejected ping hears that it is" "$(unreachable 10.77.0.2 172)" "Port [Uu]nreachable"
like "a rejected ping of IPv6 does" "$(unreachable fd77:0::2 152)" "Port [Uu]nreachable"
figures() { "$WEIRCTL" stats --json | jq -r ".devices[] | select(.name == \"$1\") | .$2 | \"\(.answered_packets) \(.withheld_packets)\""; }
is "the answers are counted where they arrived" "$(figures v0 in)" "10 0"
is "and where they would have left" "$(figures v1 out)" "4 0"
like "text says so" "$("$WEIRCTL" stats v0)" "in +10 rejected packets answered, 0 too many"

# Real sockets leave the checksum to the device; the answer has one of its own.
is "the checksums of answers to real sockets are there, and right" \
	"$(in_left python3 "$tool" watch v0 python3 "$tool" attempt 10.77.0.2 tcp/4001 udp/4001 2>/dev/null)" "2 0"
cat >"$work/flood.py" <<'EOP'
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
begin = time.monotonic()
for i in range(1000):
	s.sendto(b"x", ("10.77.0.2", 4001))
print(int((time.monotonic() - begin) * 1000))
EOP
before=$(figures v0 in)
took=$(in_left python3 "$work/flood.py")
until_true 5 eval '[ $(figures v0 in | awk "{ print \$1 + \$2 }") -ge 1012 ]'
after=$(figures v0 in)
within "of a thousand at once so many are answered" $((${after% *} - ${before% *})) 50 $((took + 60))
is "and the others counted" "$((${after% *} + ${after#* } - ${before% *}))" 1000
ok "clear" "$WEIRCTL" clear

# On this host: the answer arrives at the device, and no chain there sees it.
policy <<EOP
[device v0]
netns = $left
filter-in = closed
filter-out = leaving

[chain leaving]
policy = allow
10 = reject tcp to port 4002
20 = reject udp to port 4002
30 = reject to not 10.77.0.0/16, fd77::/16, fe80::/10, ff00::/8

[chain closed]
policy = deny
EOP
ok "a policy for what leaves applies" apply
# Nor does connection tracking find anything amiss, where the kernel has it.
in_left nft "table inet t { chain c { type filter hook input priority 0; ct state invalid drop; }; }" 2>/dev/null
is "IPv4: what would leave is answered" "$(attempts 10.77.0.2 tcp/4002 udp/4002)" "$both_refused"
is "IPv6: what would leave is answered" "$(attempts fd77:0::2 tcp/4002 udp/4002)" "$both_refused"
ip -n "$left" route add default via 10.77.0.2
is "whoever it was for" "$(attempts 192.0.2.1 tcp/80)" "ECONNREFUSED at-once"
ok "clear that" "$WEIRCTL" clear

# Two containers at a bridge, whose ports see what is for the other.
make_netns "$lab-b"
ip -n "$lab-b" link add b0 type bridge
ip -n "$lab-b" link set b0 up
for i in 1 2; do
	make_netns "$lab-c$i"
	ip -n "$lab-b" link add "p$i" type veth peer name e0 netns "$lab-c$i"
	ip -n "$lab-b" link set "p$i" master b0 up
	ip -n "$lab-c$i" addr add "10.77.6.$i/24" dev e0
	ip -n "$lab-c$i" link set e0 up
done
policy <<EOP
[device p1]
netns = $lab-b
filter-in = all
filter-out = all
[chain all]
policy = reject
EOP
ok "a policy for a bridge's port applies" apply
contained() { nsenter --net=/run/netns/"$lab-c$1" python3 "$tool" attempt "10.77.6.$2" tcp/4001 udp/4001; }
is "what a container sends through a bridge is answered" "$(contained 1 2)" "$both_refused"
is "and what is sent to it" "$(contained 2 1)" "$both_refused"
"$WEIRCTL" clear

if [ -c /dev/net/tun ]; then
	policy <<EOP
[device tun0]
filter-in = all
filter-out = all
[chain all]
policy = reject
strict = yes
EOP
	is "a device without link headers answers" "$(in_right python3 "$tool" tun "$WEIRCTL" "$work/policy.ini")" $'answer\nanswer'
	"$WEIRCTL" clear
else
	skip "a device without link headers answers" "this kernel has no tun"
fi

# The same as nft, byte by byte, but for flow labels, which are a kernel's own choice.
in_right sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv6.auto_flowlabels=0
ip -n "$right" neigh replace 10.77.0.1 dev v0 lladdr "$(ip -n "$left" -br link show v0 | awk '{ print $3 }')"
ip -n "$right" neigh replace fd77::1 dev v0 lladdr "$(ip -n "$left" -br link show v0 | awk '{ print $3 }')"
policy <<EOP
[device v0]
netns = $right
filter-in = all
[chain all]
policy = reject
EOP
ok "a policy that rejects all applies" apply
in_left python3 "$tool" frames v0 "$address" >"$work/weir"
"$WEIRCTL" clear
is "all are answered, and rightly" "$(awk '{ print $1 }' "$work/weir" | sort | uniq -c | xargs)" "35 right"
if in_right nft -f - 2>/dev/null <<'EOP'; then
table inet t {
	chain c {
		type filter hook input priority 0
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		meta l4proto tcp reject with tcp reset
		reject
	}
}
EOP
	in_left python3 "$tool" frames v0 "$address" >"$work/nft"
	is "as nft's reject does, byte by byte" "$(diff "$work/weir" "$work/nft" | cut -c 1-200)" ""
else
	skip "as nft's reject does, byte by byte" "this kernel has no reject of nft's"
fi
in_right nft delete table inet t 2>/dev/null

# A group has it where the kernel can.
make_cgroup "$cg/a"
policy <<EOP
[group a]
match = $cg/a
filter-in = in
[chain in]
policy = allow
10 = reject tcp to port 4005
20 = reject udp to port 4005
EOP
can=$("$WEIRCTL" doctor --json | field icmp_send)
said=$("$WEIRCTL" check "$work/policy.ini" 2>&1)
like "check says if it cannot be" "$said" "$([ "$can" = true ] && echo '^good' || echo 'policy.ini:6: warning: .*cannot answer there')"
ok "a group's policy applies" apply
in_cgroup "$cg/a" nsenter --net=/run/netns/"$right" socat TCP6-LISTEN:4005,fork,reuseaddr,ipv6only=0 /dev/null &
pids+=($!)
in_cgroup "$cg/a" nsenter --net=/run/netns/"$right" socat UDP6-LISTEN:4005,fork,reuseaddr,ipv6only=0 /dev/null &
pids+=($!)
until_listening "$right" 4005
until_true 5 eval "ss -N $right -lunH 'sport = :4005' | grep -q ."
if [ "$can" = true ]; then
	# TCP takes no error while connect() is at work: then it hears of the next try.
	both_refused="ECONNREFUSED (at-once|after 1... ms), ECONNREFUSED at-once"
	like "IPv4: what arrives in a group is answered" "$(attempts 10.77.0.2 tcp/4005 udp/4005)" "^$both_refused\$"
	like "IPv6: what arrives in a group is answered" "$(attempts fd77:0::2 tcp/4005 udp/4005)" "^$both_refused\$"
else
	skip "what arrives in a group is answered" "this kernel has no bpf_icmp_send"
fi
finish
