#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An apply that is killed at any point leaves the old policy or the new one,
# under running traffic, and the next apply works.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"
make_cgroup "$cg/b"

# Old and new policy: port 81 or 82 is denied, 10 or 20 Mbit/s, other places.
write_policy() {
	cat >"$work/$1.ini" <<EOP
[group a]
match = $cg/a
out = $3
out-to = 10.77.0.0/24 $3, fd77::/16 none
filter-out = out
[group $1]
match = $cg/$1/sub
out = 1gbit
[device v0]
netns = $left
out = $3
[chain out]
policy = allow
10 = deny tcp to port $2
EOP
}
write_policy b 81 500mbit
write_policy c 82 600mbit
make_cgroup "$cg/c"

in_right socat TCP4-LISTEN:81,fork,reuseaddr PIPE &
pids+=($!)
in_right socat TCP4-LISTEN:82,fork,reuseaddr PIPE &
pids+=($!)
serve "$right" 5201
load=50M
[ -z "${WEIR_VM:-}" ] || load=5M # an emulated processor has other things to do
in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" iperf3 -c 10.77.0.2 -p 5201 -t 600 -b $load >/dev/null 2>&1 &
pids+=($!)
reaches() { in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" timeout 2 bash -c "exec 3<>/dev/tcp/10.77.0.2/$1" 2>/dev/null; }

# Which policy is in force, seen from the traffic: b, c, none or a mixture.
in_force() {
	local p81=open p82=open
	reaches 81 || p81=shut
	reaches 82 || p82=shut
	case $p81$p82 in
	shutopen) echo b ;;
	openshut) echo c ;;
	openopen) echo none ;;
	*) echo mixture ;;
	esac
}

# In a shell of its own, whose word about the kill goes nowhere.
crash_at() {
	(WEIR_CRASH_AT=$1 "$WEIRCTL" apply "$work/$2.ini") >/dev/null 2>&1
} 2>/dev/null

"$WEIRCTL" apply "$work/b.ini" >/dev/null
is "the old policy is in force" "$(in_force)" b
# What an emulated processor takes ten seconds for is done for fewer points.
times=50 firsts='1 3 5 7' step=1
[ -z "${WEIR_VM:-}" ] || times=3 firsts=5 step=3
to=c from=b bad=0 stuck=0 n=0 kills=0
for ((point = 1; point <= 60; point += step)); do
	crash_at $point "$to"
	status=$?
	now=$(in_force)
	n=$((n + 1))
	[ "$status" -eq 137 ] && kills=$((kills + 1))
	[ "$now" = "$from" ] || [ "$now" = "$to" ] || bad=$((bad + 1))
	"$WEIRCTL" apply "$work/$to.ini" >/dev/null 2>"$work/err" || stuck=$((stuck + 1))
	[ "$(in_force)" = "$to" ] || stuck=$((stuck + 1))
	[ "$status" -ne 0 ] || break
	[ "$to" = c ] && { to=b from=c; } || { to=c from=b; }
done
within "an apply was killed at its points, one by one" "$kills" $((6 / step)) 60
is "each left the old or the new policy in force" "$bad" 0
is "and each next apply worked" "$stuck" 0

# The same at random times, from outside: any time that an apply takes.
began=$EPOCHREALTIME
"$WEIRCTL" apply "$work/$from.ini" >/dev/null
takes=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
"$WEIRCTL" apply "$work/$to.ini" >/dev/null
bad=0 stuck=0 kills=0 seed=${WEIR_SEED:-$RANDOM}
RANDOM=$seed
for ((i = 0; i < times; i++)); do
	[ "$to" = c ] && { to=b from=c; } || { to=c from=b; }
	"$WEIRCTL" apply "$work/$to.ini" >/dev/null 2>&1 &
	victim=$!
	sleep "$(awk -v t="$takes" -v r=$RANDOM 'BEGIN { print t * r / 32768 }')"
	kill -KILL "$victim" 2>/dev/null
	wait "$victim" 2>/dev/null
	[ $? -ne 137 ] || kills=$((kills + 1))
	now=$(in_force)
	[ "$now" = "$from" ] || [ "$now" = "$to" ] || bad=$((bad + 1))
	"$WEIRCTL" apply "$work/$to.ini" >/dev/null 2>"$work/err" || stuck=$((stuck + 1))
	[ "$(in_force)" = "$to" ] || stuck=$((stuck + 1))
done
# A second that was slow made takes long, and then most come too late.
within "an apply was killed in time" "$kills" $((times / 10)) "$times"
is "$times kills at random times left the old or the new one (seed $seed)" "$bad" 0
is "and each next apply worked" "$stuck" 0

# A first apply, killed, and cleared.
"$WEIRCTL" clear
kills=0
for point in $firsts; do
	crash_at "$point" b
	[ $? -ne 137 ] || kills=$((kills + 1))
	"$WEIRCTL" clear || stuck=$((stuck + 1))
done
is "a first apply was killed each time" "$kills" "$(wc -w <<<"$firsts")"
is "clear works after a first apply that was killed" "$stuck" 0
is "and leaves no pins" "$(ls "$WEIR_BPFFS" 2>/dev/null)" ""
is "and no qdisc" "$(tc -n "$left" qdisc show dev v0 | grep -c 'htb\|clsact')" 0

# A first apply that takes over somebody's qdisc.
ip -n "$left" link add v1 type veth peer v2
for device in v0 v1; do
	tc -n "$left" qdisc add dev $device root handle 5: tbf rate 400mbit burst 100kb latency 50ms
done
cat >"$work/over.ini" <<EOP
[device v0]
netns = $left
takeover = yes
out = 100mbit
in = 100mbit
EOP
sed 's/v0/v1/; /takeover/d' "$work/over.ini" >"$work/refused.ini"
picture() {
	tc -n "$left" qdisc show
	ip -n "$left" -o link show | awk -F': ' '{ print $2 }'
	ls -A "$WEIR_STATE" "$WEIR_BPFFS" 2>/dev/null
}
before=$(picture)
crash_at 9 over
is "a first apply is killed on its way" $? 137
"$WEIRCTL" apply "$work/refused.ini" 2>/dev/null
is "one that is refused then" $? 1
ok "does not keep clear" "$WEIRCTL" clear
is "from taking all back" "$(picture)" "$before"
has_rehearsal() { ip -n "$left" -o link show type ifb | grep -q weirt; }
other=0 kills=0 rehearsal=0 first=1
# The points at which there is a rehearsal are two of the first four.
[ -z "$short" ] || { first=$(dealt 3 4) step=6; }
for ((point = first; point < 60; point += step)); do
	crash_at $point over
	[ $? -eq 137 ] || break
	kills=$((kills + 1))
	! has_rehearsal || rehearsal=$point
	"$WEIRCTL" clear
	[ "$(picture)" = "$before" ] || other=$((other + 1))
done
within "killed at its points, one by one" "$kills" $((12 / step)) 50
is "all is as it was after each clear" "$other" 0
"$WEIRCTL" clear
crash_at $rehearsal over
ok "it is killed in the rehearsal" has_rehearsal
ip -n "$left" link del v0
ok "clear, when the device has gone" "$WEIRCTL" clear
is "leaves nothing of the rehearsal" "$(ip -n "$left" -o link show type ifb)" ""
finish
