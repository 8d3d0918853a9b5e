#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The first rules of a device's chain, asked before the stack: what they deny does
# not get as far as tc, and all figures are the same.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/netns/xdp.bash
. "$(dirname "$0")/xdp.bash"
tool=$PWD/build/plain/tests/netns/net-tool
make_lab
# No packets but those of the test.
for ns in "$left" "$right"; do
	nsenter --net=/run/netns/"$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
done

wish in 'xdp = no'
ok "a policy applies" apply
"$WEIRCTL" set add bad "${banned[@]}"
is "with xdp = no there is none" "$(is_on)" "false 0"
send
is "all frames come as far as tc" "$met" $n_frames
wanted=$counted
like "which denies them by each of the rules" "$wanted" '^14 1 11 [0-9]+ 1 [0-9]+ 1 [0-9]+ 1 [0-9]+ $'

wish in 'xdp = yes'
like "the plan says so" "$(apply --dry-run)" "attach the program for xdp"
ok "the policy applies with xdp = yes" apply
is "and there it is" "$(is_on)" "true 1"
is "again there is nothing to change" "$(apply --dry-run)" "nothing to change"
send
is "what is denied by the first rules does not come as far as tc" "$met" $((n_frames - n_early))
is "and all is counted as before" "$counted" "$wanted"
"$WEIRCTL" set del bad "${banned[@]}"
send
is "what is taken out of the set is let through at once" "$met" $((n_frames - 1))
"$WEIRCTL" set add bad "${banned[@]}"
send
is "and what is added is not" "$met" $((n_frames - n_early))
ok "other packets pass" in_right ping -q -c1 -W2 10.77.0.1
if ip -n "$right" link set v0 mtu 9000 2>/dev/null; then
	ip -n "$left" link set v0 mtu 9000
	ok "and those that are longer than a page" in_right ping -q -c1 -W2 -M "do" -s 8000 10.77.0.1
	ip -n "$right" link set v0 mtu 1500
	ip -n "$left" link set v0 mtu 1500
else
	skip "and those that are longer than a page" "no XDP on a veth with such (5.18)"
fi
# Or they would ask for each other again some time later.
ip -n "$left" neigh flush dev v0
ip -n "$right" neigh flush dev v0
like "doctor knows of it" "$("$WEIRCTL" doctor)" 'yes xdp '

first=$(program)
wish other 'xdp = yes'
ok "another chain is switched to" apply
is "without another program" "$(program)" "$first"
send
is "and holds" "$counted$met" "$wanted$((n_frames - n_early))"

# What is in the way.
sed -i '/^[12]0 = /d' "$work/policy.ini"
ok "a chain that begins otherwise" apply
is "takes it away" "$(is_on)" "false 0"
like "and says why" "$(status | field xdp_reason)" 'no rule that denies by the source alone'
wish other
ok "by itself" apply
is "there is none on a veth" "$(is_on)" "false 0"
like "and status says why" "$("$WEIRCTL" status)" 'no xdp: a veth would be slower'
in_left "$tool" xdp v0
first=$(program)
wish other 'xdp = yes'
ok "where somebody else's program is" apply
is "it is left alone" "$(is_on) $(program)" "false 1 $first"
like "and named" "$("$WEIRCTL" status)" "no xdp: a program of somebody else's is there"
is "and again there is nothing to change" "$(apply --dry-run)" "nothing to change"
send
is "all is denied by tc then" "$counted$met" "$wanted$n_frames"
in_left "$tool" rmxdp v0
ok "when that has gone" apply
is "ours comes" "$(is_on)" "true 1"

# Come and gone.
make_netns "$lab-o"
ip -n "$left" link set v0 netns "$lab-o"
ok "a device that is moved elsewhere" apply
is "does not take it along" "$(ip -n "$lab-o" link show v0 | grep -c prog/xdp)" 0
ip -n "$lab-o" link del v0
make_link "$left" v0 "$right" v0 0 2>/dev/null # without IPv6
ok "one that comes in its place" apply
is "has it" "$(is_on)" "true 1"
ip -n "$left" link del v0
is "a device that has gone" "$(is_on)" "false 0"
make_link "$left" v0 "$right" v0 0 2>/dev/null # without IPv6
ok "and comes back" "$WEIRCTL" watch --once
is "has it again" "$(is_on)" "true 1"
send
is "and denies" "$counted$met" "$wanted$((n_frames - n_early))"

# Killed on its way, to and fro.
points=({1..9}) kills=0 bad=0
[ -z "$short" ] || points=(2 6)
for point in "${points[@]}"; do
	for to in no yes; do
		wish other "xdp = $to"
		(WEIR_CRASH_AT=$point "$WEIRCTL" apply "$work/policy.ini") >/dev/null 2>&1
		[ $? -ne 137 ] || kills=$((kills + 1))
		apply >/dev/null || bad=$((bad + 1))
		[[ $to$(is_on) == @("yestrue 1"|"nofalse 0") ]] || bad=$((bad + 1))
	done
done 2>/dev/null
is "killed on its way" "$kills" $((2 * ${#points[@]}))
is "the next apply puts it right" "$bad" 0

# A bridge runs no programs itself.
ip -n "$left" link add v1 type bridge
wish other
sed -i 's/^\[device v0/[device v1/' "$work/policy.ini"
ok "a device whose driver refuses it" apply
is "does without" "$(is_on)" "false 0"
like "and says why" "$("$WEIRCTL" status)" 'no xdp: the driver says: '
is "it is not tried again" "$(apply --dry-run)" "nothing to change"
is "and nothing is left where it was" "$(program)" ""
wish other 'xdp = no'
sed -i 's/^\[device v0/[device v1/' "$work/policy.ini"
like "until nobody wants it" "$(apply)" 'forget that its driver refused xdp'
is "which is said once" "$(apply --dry-run)" "nothing to change"
wish other 'xdp = yes'
ok "the other has it again" apply
is "once more" "$(is_on)" "true 1"
ok "clear succeeds" "$WEIRCTL" clear
is "and leaves no program" "$(program)" ""
finish
