#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A container's veth that the policy names later, and no more: at no moment is
# what arrives there without its limit, also where an apply is killed.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/box"
weir() { in_left "$WEIRCTL" "$@"; }
rate=5 step=1
[ -z "${WEIR_VM:-}" ] || rate=2
[ -z "$short" ] || step=4

printf '[group box]\nmatch = %s/box\nin = %smbit\n' "$cg" $rate >"$work/row.ini"
{
	cat "$work/row.ini"
	printf '[device v0]\n'
} >"$work/named.ini"
{
	cat "$work/named.ini"
	printf 'out = %smbit\n' $rate
} >"$work/limited.ini"

# Eight times the rate goes to the container, whose end of the veth is the right one.
begin "$cg/box" nsenter --net=/run/netns/"$right" socat -u UDP-RECV:5001 OPEN:"$work/got",creat,append
until_true 5 test -e "$work/got"
begin "$cg" nsenter --net=/run/netns/"$left" tests/netns/traffic spray 5001 $((8 * rate)) 10.77.0.2
got() { stat -c %s "$work/got"; }
until_true 10 eval '[ "$(got)" -gt 10000 ]'

# As a share of the rate, in 0.3 s.
share() {
	local from at
	from=$(got)
	at=$EPOCHREALTIME
	sleep 0.3
	awk -v a="$from" -v b="$(got)" -v s="$at" -v e="$EPOCHREALTIME" -v m=$rate \
		'BEGIN { print (b - a) * 8 / 1e6 / (e - s) / m }'
}
ok "the limit of a container applies" weir apply "$work/row.ini"
sleep 0.3
within "and holds" "$(share)" 0.5 1.5

# become FROM TO: killed at each point of the way.
become() {
	local point kills=0 most=0 now
	for ((point = 1; point < 60; point += step)); do
		weir apply "$work/$1.ini" >/dev/null
		(WEIR_CRASH_AT=$point weir apply "$work/$2.ini") >/dev/null 2>&1
		[ $? -eq 137 ] || break
		kills=$((kills + 1))
		now=$(share)
		most=$(awk -v a="$most" -v b="$now" 'BEGIN { print (a > b ? a : b) }')
	done 2>/dev/null
	within "$1 to $2: killed at its points" $kills $((4 / step)) 50
	within "and after none was the most more than the limit (share)" "$most" 0.2 2
	weir apply "$work/$2.ini" >/dev/null
	is "a second apply has an empty plan" "$(weir apply --dry-run "$work/$2.ini")" "nothing to change"
	within "the limit holds then (share)" "$(share)" 0.5 1.5
}
become row limited
[ -n "$short" ] || become limited row
become row named
[ -n "$short" ] || become named row
ok "clear succeeds" weir clear
finish
