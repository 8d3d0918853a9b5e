#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Chains that jump to others: what they decide of real traffic, what is counted,
# and what is shown of them.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"
make_cgroup "$cg/b"

policy <<EOP
[group a]
match = $cg/a
filter-out = out

[group b]
match = $cg/b
filter-out = out

[chain out]
policy = deny
10 = jump web tcp to port 80,443
20 = jump names udp
30 = return tcp to port 99
40 = allow tcp to port 99-100

[chain web]
10 = jump banned
20 = return to not 10.77.0.0/24
30 = allow

[chain banned]
policy = allow
10 = reject tcp to port 443

[chain names]
10 = allow to port-less
EOP
like "a rule that cannot be read is said with its line" "$(apply 2>&1)" "policy.ini:26: error: 10: 'port-less'"
sed -i 's/to port-less/to 10.77.0.2/' "$work/policy.ini"
ok "the policy applies" apply

# sent CGROUP: sends 40 datagrams, and says what becomes of four connections
cat >"$work/send.py" <<'EOP'
import errno, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("10.77.0.2", 53))
sent = 0
while sent < 40:
	try:
		s.send(b"x")
		sent += 1
	except ConnectionRefusedError:
		pass  # what the other side said to the one before
said = []
for host, port in ("10.77.0.2", 80), ("10.77.0.2", 443), ("10.77.0.2", 99), ("10.77.0.2", 100):
	t = socket.socket()
	t.settimeout(5)
	try:
		t.connect((host, port))
		said.append("passed")
	except OSError as e:
		said.append(errno.errorcode.get(e.errno, "late"))
print(*said)
EOP
sent() { in_cgroup "$cg/$1" nsenter --net=/run/netns/"$left" python3 "$work/send.py"; }
counted() {
	"$WEIRCTL" stats --json "$1" | jq -r --argjson n "$2" '.chains[0].rules[] | select(.number == $n) | .packets'
}

listen() {
	nsenter --net=/run/netns/"$1" socat "TCP6-LISTEN:$2,fork,reuseaddr,ipv6only=0" PIPE &
	pids+=($!)
	until_listening "$1" "$2"
}
for port in 80 100; do listen "$right" $port; done
before=$(uname -r | awk -F. '{ print ($1 * 100 + $2 < 518) }')
rejected=ECONNREFUSED
[ "$before" = 0 ] || rejected=EPERM
is "connect() is told what the chains say" "$(sent a)" "passed $rejected EPERM passed"
is "each datagram is counted by the jump" "$(counted out 20)" 40
is "and by what it leads to" "$(counted names 10)" 40
within "the jump counts what was sent" "$(counted out 10)" 3 20
is "as does the one within" "$(counted web 10)" "$(counted out 10)"
is "what was rejected is counted where it was" "$(counted banned 10)" 1
is "what passed is, too" "$(counted web 30)" "$(counted out 10)"
is "another group counts in the same place" "$(sent b >/dev/null && counted names 10)" 80

# ------------------------------------------------------------- what is shown
explain() { "$WEIRCTL" explain "$@" 2>&1; }
is "explain names the jumps that led there" \
	"$("$WEIRCTL" explain --json out a tcp 10.77.0.2:443 | jq -c '.chains[0] | [[.through[].number], .rule.number, .verdict]')" \
	'[[10,10],10,"reject"]'
like "in words, too" "$(explain out a tcp 10.77.0.2:80)" \
	"$work/policy.ini:$(grep -n '10 = jump web' "$work/policy.ini" | cut -d: -f1): 10 = jump web tcp to port 80,443"
is "behind a return it is the caller's turn" \
	"$("$WEIRCTL" explain --json out a tcp 10.9.0.2:80 | jq -c '.chains[0] | [.through, .by_policy, .verdict]')" \
	'[[],true,"deny"]'
is "a jump that almost matched is said" \
	"$("$WEIRCTL" explain --json out a tcp 10.77.0.2:81 | jq -c '[.chains[0].almost[] | [.number, .missed]]')" \
	'[[10,"to-port"],[30,"to-port"],[40,"to-port"]]'
like "stats has jumps as they are written" "$("$WEIRCTL" stats out)" "packets .*   10 = jump web tcp to port 80,443"
is "and no policy where there is none" "$("$WEIRCTL" stats web | grep -c 'policy =')" 0
is "nor in JSON" "$("$WEIRCTL" stats --json web | jq -c '.chains[0] | [.policy, (.rules | length)]')" '[null,3]'
like "status counts what is written" "$("$WEIRCTL" status)" "tables: 9 rules"
like "a command cannot be put under a part" "$("$WEIRCTL" run --filter-out web -- true 2>&1)" \
	"chain 'web' has no policy, so it can only be jumped to"

# ------------------------------------------------------------ what is changed
sed -i 's/^30 = allow$/30 = allow tcp to port 80\n40 = deny/' "$work/policy.ini"
is "a plan tells of rules, not of copies" "$(apply --dry-run | grep -c ' rule ')" 2
ok "which applies" apply
is "counters of other rules go on" "$(counted names 10)" 80
sed -i 's/^10 = jump banned/10 = jump out/' "$work/policy.ini"
like "a circle is refused" "$(apply 2>&1)" "would jump to itself"
is "and changes nothing" "$("$WEIRCTL" stats --json web | jq -r '.chains[0].rules[0].text')" "jump banned"
finish
