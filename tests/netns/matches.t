#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each thing that a rule can look at, on real packets: of two that differ in
# it alone, the one is counted by the rule and the other by the next.  explain
# names the same rule.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"

rules() {
	cat <<'EOP'
30 = allow udp to port 1003 mark 0x50/0xf0
31 = allow udp to port 1003
40 = allow udp to port 1004 dscp ef
41 = allow udp to port 1004
50 = allow udp to port 1005 length 100-200
51 = allow udp to port 1005
60 = allow tcp to port 1006 flags SYN/SYN,ACK
61 = allow tcp to port 1006 flags FIN/FIN
62 = allow tcp to port 1006 flags ACK/SYN,FIN,RST,ACK
63 = allow tcp to port 1006
70 = allow icmp echo-request
71 = allow icmp 13
72 = allow icmp
80 = allow icmp6 echo-request
EOP
}
policy <<EOP
[group a]
match = $cg/a
filter-out = out

[device v0]
netns = $right
filter-in = dev

[chain out]
policy = allow
10 = allow udp to port 1001 uid 12345
11 = allow udp to port 1001
20 = allow udp to port 1002 iface v0
21 = allow udp to port 1002
25 = allow udp to port 1012 iface lo
26 = allow udp to port 1012
$(rules)

[chain dev]
policy = allow
$(rules)
EOP
# Interfaces are those of the namespace that it runs in.
ok "the policy applies" in_left "$WEIRCTL" apply "$work/policy.ini"

in_right socat TCP6-LISTEN:1006,fork,reuseaddr,ipv6only=0 /dev/null &
pids+=($!)
until_listening "$right" 1006

cat >"$work/send.py" <<'EOP'
import os, socket, struct
there = "10.77.0.2"
def udp(port, size=1, **options):
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	if "mark" in options:
		s.setsockopt(socket.SOL_SOCKET, 36, options["mark"])
	if "tos" in options:
		s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, options["tos"])
	s.sendto(b"x" * size, (there, port))
def icmp(kind):
	s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
	body = struct.pack("!BBHHH", kind, 0, 0, 7, 1) + bytes(12)
	total = sum(struct.unpack("!10H", body))
	total = (total & 0xffff) + (total >> 16)
	s.sendto(body[:2] + struct.pack("!H", ~total & 0xffff) + body[4:], (there, 0))
def icmp6(kind):
	s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)
	s.sendto(struct.pack("!BBHHH", kind, 0, 0, 7, 1), ("fd77::2", 0))

udp(1001)
if os.fork() == 0:
	os.setresuid(12345, 12345, 12345)
	udp(1001)
	os._exit(0)
os.wait()
udp(1002)
udp(1012)
udp(1003)
udp(1003, mark=0x5a)
udp(1003, mark=0x6a)
udp(1004)
udp(1004, tos=46 << 2)
udp(1004, tos=46 << 2 | 1)
for size in 71, 72, 172, 173: # and 28 of headers
	udp(1005, size)
s = socket.create_connection((there, 1006))
s.sendall(b"x")
s.close()
icmp(8)
icmp(13)
icmp(15)
icmp6(128)
EOP
ok "all is sent" in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" python3 "$work/send.py"
# The end of the connection takes its time.
until_true 5 eval "! ss -N $left -tnH state fin-wait-1 state last-ack 'dport = :1006' | grep -q ."

cat >"$work/counts.py" <<'EOP'
import json, sys
for chain in json.load(sys.stdin)["chains"]:
	for rule in chain["rules"]:
		print(chain["name"], rule["number"], rule["packets"])
EOP
"$WEIRCTL" stats --json | python3 "$work/counts.py" >"$work/counts"
count() { awk -v c="$1" -v n="$2" '$1 == c && $2 == n { print $3 }' "$work/counts"; }

is "the user: another's" "$(count out 11)" 1
is "the user: his own" "$(count out 10)" 1
is "the interface" "$(count out 20) $(count out 21)" "1 0"
is "another interface" "$(count out 25) $(count out 26)" "0 1"
for chain in out dev; do
	# A mark does not cross to another network namespace.
	[ $chain = out ] && want="1 2" || want="0 3"
	is "$chain: mark" "$(count $chain 30) $(count $chain 31)" "$want"
	is "$chain: dscp, whatever ECN says" "$(count $chain 40) $(count $chain 41)" "2 1"
	is "$chain: length, its ends included" "$(count $chain 50) $(count $chain 51)" "2 2"
	is "$chain: flags of a segment that opens" "$(count $chain 60)" 1
	is "$chain: flags of one that closes" "$(count $chain 61)" 1
	within "$chain: flags of those between" "$(count $chain 62)" 1 9
	is "$chain: no others" "$(count $chain 63)" 0
	is "$chain: ICMP types" "$(count $chain 70) $(count $chain 71) $(count $chain 72)" "1 1 1"
	within "$chain: an ICMPv6 type" "$(count $chain 80)" 1 2
done

# explained CHAIN-OWNER RULE PACKET...: by the rule that counted it
explained() {
	local direction=$1 owner=$2 rule=$3
	shift 3
	is "explain $direction $owner: $*" \
		"$(in_left "$WEIRCTL" explain --json "$direction" "$owner" "$@" | sed -n '/"rule": {/,/}/s/.*"number": \([0-9]*\).*/\1/p')" \
		"$rule"
}
both() {
	local rule=$1
	shift
	explained out a "$rule" "$@"
	explained in v0 "$rule" "$@"
}
explained out a 11 udp 10.77.0.1 10.77.0.2:1001
explained out a 10 udp 10.77.0.1 10.77.0.2:1001 uid 12345
explained out a 20 udp 10.77.0.1 10.77.0.2:1002
explained out a 26 udp 10.77.0.1 10.77.0.2:1012
both 31 udp 10.77.0.1 10.77.0.2:1003
both 30 udp 10.77.0.1 10.77.0.2:1003 mark 0x5a
both 40 udp 10.77.0.1 10.77.0.2:1004 dscp ef
both 41 udp 10.77.0.1 10.77.0.2:1004
both 51 udp 10.77.0.1 10.77.0.2:1005 length 99
both 50 udp 10.77.0.1 10.77.0.2:1005 length 100
both 60 tcp 10.77.0.1 10.77.0.2:1006
both 61 tcp 10.77.0.1 10.77.0.2:1006 flags FIN,ACK
both 62 tcp 10.77.0.1 10.77.0.2:1006 state established
both 70 icmp echo-request 10.77.0.1 10.77.0.2
both 71 icmp timestamp-request 10.77.0.1 10.77.0.2
both 72 icmp 15 10.77.0.1 10.77.0.2
both 80 icmp6 echo-request fd77::1 fd77::2

finish
