#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Apply, again, changed, failed, cleared: what a script relies on.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/web"

snapshot() {
	ip -d link show | grep -c weir
	ls /sys/fs/bpf 2>/dev/null
	ls -d "$work"/{bpf,state,run} 2>/dev/null
	ip -n "$left" -d link show
	tc -n "$left" qdisc show
	tc -n "$left" filter show dev v0 ingress
}
before=$(snapshot)

# What the anchor has, by its pinned links, and what devices would.
attached() {
	(cd "$WEIR_BPFFS" && ls links && ls -d tc-*) 2>/dev/null | sed 's/^[0-9]*-//' | sort | xargs
}
calls=(group_connect4 group_connect6 group_sendmsg4 group_sendmsg6)

policy <<EOP
[group web]
match = $cg/web
out = 100mbit
filter-out = web-out

[chain web-out]
policy = allow
10 = deny tcp to port 81
20 = allow tcp to port 80,443
3000000000 = deny tcp to port 82
EOP

is "before any apply, no policy is in force" "$("$WEIRCTL" status)" "no policy is in force"
like "a dry run prints the plan" "$(apply --dry-run)" "group web: .*out 100mbit"
is "and changes nothing" "$(snapshot)" "$before"
ok "apply succeeds" apply
is "it attaches just what the policy needs" "$(attached)" \
	"$(printf '%s\n' "${calls[@]}" group_out group_sockops | sort | xargs)"
like "status shows the limit and its mechanism" "$("$WEIRCTL" status)" "out 100mbit by pace"
is "a second apply has an empty plan" "$(apply --dry-run)" "nothing to change"
generation=$("$WEIRCTL" status --json | field generation)
ok "a second apply succeeds" apply
is "and changes nothing" "$("$WEIRCTL" status --json | field generation)" "$generation"

in_cgroup "$cg/web" nsenter --net=/run/netns/"$left" ping -q -c3 -i0.1 10.77.0.2 >/dev/null
passed() { "$WEIRCTL" stats --json web | field passed_packets; }
policy_packets() { "$WEIRCTL" stats --json web-out | field policy_packets; }
is "stats counts what the group sent" "$(passed)" 3
is "and what the chain's policy decided" "$(policy_packets)" 3
is "rules have the numbers that the file gives them" \
	"$("$WEIRCTL" stats --json | jq -c '[.chains[0].rules[].number]')" "[10,20,3000000000]"

sed -i 's/out = 100mbit/out = 50mbit/; s/^20 =.*/30 = allow udp/' "$work/policy.ini"
like "a changed rate is in the plan" "$(apply --dry-run)" "~ group web: .*out 50mbit"
ok "a changed policy applies" apply
is "it keeps the group's counters" "$(passed)" 3
is "and the chain's" "$(policy_packets)" 3
sed -i 's/^filter-out =.*/&\nfilter-in = web-out/' "$work/policy.ini"
like "what another hook needs is in the plan" "$(apply --dry-run)" "attach the programs"
ok "and comes with it" apply
is "there, too" "$(attached)" "$(printf '%s\n' "${calls[@]}" group_in group_out group_sockops | sort | xargs)"

echo 'out = 1mbps' >>"$work/policy.ini"
apply >/dev/null 2>"$work/err"
is "an error in the policy is exit status 2" $? 2
like "and says file and line" "$(cat "$work/err")" "policy.ini:[0-9]+: error: "
like "and the old policy stays in force" "$("$WEIRCTL" status)" "out 50mbit by pace"

setpriv --reuid=65534 --clear-groups "$WEIRCTL" apply "$work/policy.ini" 2>/dev/null
like "an ordinary user is told that it takes root" \
	"$(setpriv --reuid=65534 --clear-groups "$WEIRCTL" clear 2>&1)" "^weirctl: clear: only root"

ok "clear succeeds" "$WEIRCTL" clear
is "clear leaves nothing" "$(snapshot)" "$before"
ok "clear can be run twice" "$WEIRCTL" clear
is "and leaves nothing again" "$(snapshot)" "$before"

only_in() {
	policy <<-EOP
		[group web]
		match = $cg/web
		filter-in = web-in
		${1-}
		[chain web-in]
		policy = allow
		10 = deny udp to port 9
	EOP
	apply
}
ok "a policy for what arrives alone applies" only_in
is "what leaves meets no program" "$(attached)" group_in
ok "it is applied with a limit, too" only_in "out = 10mbit"
is "that needs what leaves" "$(attached)" "group_in group_out group_sockops"
ok "and without it again" only_in
is "sockets may be paced still, which what leaves will lift" "$(attached)" \
	"group_in group_out group_sockops"
like "that is a state to stay in" "$(apply --dry-run)" "nothing to change"
ok "clear takes these, too" "$WEIRCTL" clear
is "and leaves nothing" "$(snapshot)" "$before"
finish
