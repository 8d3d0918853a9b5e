#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What explain says of a packet is what becomes of that packet, and asking
# leaves nothing behind.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a/b"
make_cgroup "$cg/c"

policy <<EOP
[group outer]
match = $cg/a
filter-out = outer-out

[group inner]
match = $cg/a/b
filter-out = inner-out
filter-in = inner-in

[group late]
match = $cg/late
filter-in = inner-in

[group free]
match = $cg/c

[device v0]
netns = $left
filter-in = host-in

[chain outer-out]
policy = allow
10 = deny tcp to port 25

[chain inner-out]
policy = deny
10 = allow established
20 = allow tcp to 10.77.0.0/24 port 80,443
30 = reject tcp to @far port 8080
40 = allow udp to port 53 limit 1/m burst 1
50 = allow icmp echo-request uid 12345
60 = allow icmp echo-request mark 7
70 = allow udp to port 67-68 dscp ef
80 = allow tcp iface lo

[chain inner-in]
policy = deny
10 = allow established
20 = allow tcp from 203.0.113.0/24 to port 443 flags SYN/SYN,ACK
30 = allow udp length 100-200
35 = allow udp to port 99 limit 1/m per source burst 1
40 = deny ip6

[chain host-in]
policy = deny
10 = allow tcp to port 22
20 = allow icmp echo-request
30 = allow udp to port 99

[set far]
elements = 198.51.100.0/24, 2001:db8::/32
EOP

says "without a policy there is nothing to explain" 1 "no policy is in force" \
	"$WEIRCTL" explain in inner tcp 203.0.113.9:5555 443
ok "the policy applies" apply

explain() { "$WEIRCTL" explain "$@" 2>&1; }
last() { explain "$@" | tail -1; }
# almost WORD...: what the last chain's rules lacked, in order
missed() { "$WEIRCTL" explain --json "$@" | sed -n 's/^ *"missed": "\(.*\)",\?$/\1/p' | tr '\n' ' '; }
line() { grep -nF "$1" "$work/policy.ini" | head -1 | cut -d: -f1; }

like "the rule that decides is named with its file and line" \
	"$(explain out inner tcp 10.77.0.2:443)" \
	"$work/policy.ini:$(line '20 = allow tcp to 10.77'): 20 = allow tcp to 10\.77\.0\.0/24 port 80,443"
is "what all chains allow is allowed" "$(last out inner tcp 10.77.0.2:443)" allowed
is "what the outer group denies is denied" "$(last out inner tcp 10.77.0.2:25)" \
	"denied by chain outer-out of group outer at $cg/a"
is "what a rule rejects is rejected" "$(last out inner tcp 198.51.100.9:8080)" \
	"rejected by chain inner-out of group inner at $cg/a/b"
is "sets are asked for IPv6, too" "$(last out inner tcp '[2001:db8::9]:8080')" \
	"rejected by chain inner-out of group inner at $cg/a/b"
# The program is as much to the verifier as all others: seconds, emulated.
[ -z "${WEIR_VM:-}" ] || finish
is "a group that filters nothing allows all" "$(last out free tcp 10.77.0.2:25)" \
	"allowed: no chain is met"
is "a group without a cgroup is asked alone" "$(last in late tcp 203.0.113.9:5 443)" allowed
is "a cgroup can be named" "$(last out "$cg/a/b" tcp 10.77.0.2:25)" \
	"denied by chain outer-out of group outer at $cg/a"
is "a device in another network namespace is asked" "$(last in v0 tcp 10.77.0.2:5 10.77.0.1:22)" allowed
is "and denies" "$(last in v0 tcp 10.77.0.2:5 10.77.0.1:23)" "denied by chain host-in of device v0 in netns $left"
is "what keeps the network working passes a device" \
	"$(last in v0 icmp6 neighbour-solicitation fd77::2 fd77::1)" allowed

# ------------------------------------------------------ one condition lacks
is "state" "$(missed in inner udp 203.0.113.9:1 2 length 150)" "state "
is "state and port" "$(missed in inner tcp 203.0.113.9:1 444)" "state to-port "
is "flags" "$(missed in inner tcp 203.0.113.9:1 443 flags SYN,ACK)" "state flags "
is "the source" "$(missed in inner tcp 203.0.114.9:1 443)" "state from "
is "length" "$(missed in inner udp 203.0.113.9:1 2)" "state length to-port "
is "length, which a packet may have" "$(last in inner udp 203.0.113.9:1 2 length 150)" allowed
is "loopback" "$(missed out inner icmp echo-request 192.0.2.1 uid 12345 iface lo)" "loopback protocol "
is "a user" "$(last out inner icmp echo-request 10.77.0.9 uid 12345)" allowed
is "a mark" "$(last out inner icmp echo-request 10.77.0.9 mark 7)" allowed
like "neither" "$(missed out inner icmp echo-request 10.77.0.9)" "uid mark "
is "a DSCP" "$(last out inner udp 10.77.0.9:67 dscp ef)" allowed
like "no DSCP" "$(missed out inner udp 10.77.0.9:67)" "dscp "
is "established" "$(last in inner tcp 203.0.113.9:1 9 state established)" allowed
like "why is said in words" "$(explain in inner tcp 203.0.113.9:1 444)" \
	"almost, but it goes to port 444:"
like "the policy decides where no rule does" "$(explain in inner tcp 203.0.113.9:1 444)" \
	"$work/policy.ini:$(line '[chain inner-in]'): no rule matches: policy = deny"

# --------------------------------------------- nothing of it is left behind
for _ in 1 2 3; do explain out inner udp 10.77.0.2:53 >/dev/null; done
is "no token was taken" "$(last out inner udp 10.77.0.2:53)" allowed
before=$("$WEIRCTL" stats --json inner-out inner-in outer-out host-in)
explain out inner tcp 10.77.0.2:443 >/dev/null
is "nothing was counted" "$("$WEIRCTL" stats --json inner-out inner-in outer-out host-in)" "$before"
is "nothing was counted at all" "$(grep -c '"packets": [1-9]' <<<"$before")" 0
cat >"$work/send.py" <<'EOP'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(2):
	try:
		s.sendto(b"x", ("10.77.0.2", 53))
		print("sent")
	except OSError:
		print("denied")
EOP
is "the real packets have the token still" \
	"$(in_cgroup "$cg/a/b" nsenter --net=/run/netns/"$left" python3 "$work/send.py" | tr '\n' ' ')" \
	"sent denied "
is "and explain knows that it is gone" "$(last out inner udp 10.77.0.2:53)" \
	"denied by chain inner-out of group inner at $cg/a/b"
like "which it says" "$(missed out inner udp 10.77.0.2:53)" "limit "

cat >"$work/hear.py" <<'EOP'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.77.0.1", 99))
s.settimeout(10)
print(s.recv(9).decode(), flush=True)
EOP
begin "$cg/a/b" nsenter --net=/run/netns/"$left" python3 "$work/hear.py"
until_true 5 eval "ss -N $left -lunH 'sport = :99' | grep -q ."
is "a source has its own token" "$(last in inner udp 10.77.0.2:5 10.77.0.1:99)" allowed
echo x | in_right socat - UDP-SENDTO:10.77.0.1:99
wait "$begun"
is "which is gone when it is" "$(last in inner udp 10.77.0.2:5 10.77.0.1:99)" \
	"denied by chain inner-in of group inner at $cg/a/b"
is "and another's is not" "$(last in inner udp 10.77.0.3:5 10.77.0.1:99)" allowed

# ------------------------------------------------------------- what is wrong
says "a packet that is none is a usage error" 2 "'tpc' is not a protocol" \
	"$WEIRCTL" explain in inner tpc 192.0.2.1:1 2
says "so is another direction" 2 "neither in nor out" "$WEIRCTL" explain up inner tcp 192.0.2.1:1 2
says "a group that is not there" 1 "there is no group or device 'nobody'" \
	"$WEIRCTL" explain in nobody tcp 192.0.2.1:1 2
says "an interface that is not there" 1 "there is no interface 'no0'" \
	"$WEIRCTL" explain in inner tcp 192.0.2.1:1 2 iface no0
ok "JSON is one document" eval "'$WEIRCTL' explain --json in inner tcp 203.0.113.9:1 444 | python3 -m json.tool"

# ----------------------------------------------------- a long chain, by rank
{
	printf '[group a]\nmatch = %s/a\nfilter-out = long\n[chain long]\npolicy = deny\n' "$cg"
	for i in $(seq 1000); do echo "$i = allow udp to 192.0.2.$((i % 250)) port $((i + 1000))"; done
	echo '2000 = allow tcp to port 80'
} >"$work/policy.ini"
ok "a chain of 1001 rules applies" apply
is "its last rule is found" "$(last out a tcp 192.0.2.3:80)" allowed
is "one that almost matched is found among them" \
	"$(missed out a udp 192.0.2.7:1258)" "to-port to-port to to-port to-port "
is "more are counted" "$("$WEIRCTL" explain --json out a udp 192.0.2.7:9 | field almost_more)" 0

finish
