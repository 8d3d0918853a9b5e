#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Policies of any size one after the other in the same maps: no row of another one
# is left, who reads meanwhile reads one of them, and memory is given back.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/web"

# rules_of N: a policy whose last rule alone allows TCP to port 7000, over lo.
rules_of() {
	policy <<EOP
[group web]
match = $cg/web
filter-out = c
[chain c]
policy = deny
$(seq 1 $(($1 - 1)) | sed 's/.*/& = allow udp to 192.0.2.1 port &/')
$1 = allow
EOP
}
tables() { "$WEIRCTL" status --json | sed -n '/"tables"/,/}/p'; }
rules() { tables | field rules; }
memory() { tables | field memory_bytes; }
sends() { in_cgroup "$cg/web" nsenter --net=/run/netns/"$left" ping -q -c1 -W2 10.77.0.2; }

for n in 2 1 40 3 4000 5 300 2; do
	rules_of $n
	ok "$n rules are applied" apply
	is "and are all that there are" "$(rules)" $n
	ok "and hold, to the last one" sends
done
like "status has a line for it" "$("$WEIRCTL" status)" $'\n'"tables: 2 rules, [0-9]+\.[0-9] MB"$'\n'

rules_of 4000
ok "many rules" apply
many=$(memory)
rules_of 2
ok "and few of them" apply
sed -i 's/2 = allow/2 = allow icmp/' "$work/policy.ini"
ok "twice" apply
few=$(memory)
if [ $((few + 800000)) -lt "$many" ]; then pass "take less memory"; else fail "take less memory" "$few of $many"; fi

# Large tables are compared where the kernel has them, and put beside them.
rules_of 20000
ok "very many rules" apply
sed -i 's/^10000 = .*/10000 = allow udp to 192.0.2.9 port 9/' "$work/policy.ini"
is "of which one changes" "$(apply)" "~ rule c 10000: allow udp to 192.0.2.9 port 9"
is "and is changed" "$(apply --dry-run)" "nothing to change"
is "and all are there" "$(rules)" 20000
ok "and hold, to the last one" sends

# The process that waits behind an apply may be killed, or the next be at once.
for n in 1 2 3 4 5 6; do
	rules_of $((n % 2 + 7))
	apply >/dev/null || break
done
is "policies follow each other without a pause" "$n $(rules)" "6 7"

reads() {
	local i seen
	for ((i = 0; i < 60; i++)); do
		seen=$("$WEIRCTL" stats --json c 2>&1 | grep -c '"number"')
		echo "$seen"
	done | sort -un | xargs >"$work/seen"
}
reads &
reader=$!
for ((n = 0; n < 40; n++)); do
	rules_of $((n % 2 ? 30 : 900))
	apply >/dev/null || break
	kill -0 $reader 2>/dev/null || break
done
wait $reader
like "who reads meanwhile sees no mixture" "$(cat "$work/seen")" "^(7 )?(30( 900)?|900)$"

ok "clear" "$WEIRCTL" clear
finish
