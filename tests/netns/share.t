#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Groups share a device's limit: by weight and priority, and each is sure of what
# it asked for; cgroups that come and go have their part at once.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
talk=$PWD/tests/bench/talk
# BBR takes seconds to find that there is more to have, and paces below it meanwhile.
export CONGESTION=cubic
n=18 rate=100 sample=4 far=0.1 even=0.05
# A packet costs an emulated processor half a millisecond.
[ -z "${WEIR_VM:-}" ] || n=4 rate=12 sample=2 far=0.3 even=0.3
for ((i = 0; i < n + 2; i++)); do make_cgroup "$cg/s/g$i"; done
make_cgroup "$cg/x/g0"
in_right "$talk" sink 9000 $((n + 2)) &
pids+=($!)
in_right "$talk" reply 7002 1 &
pids+=($!)
until_listening "$right" $((9000 + n + 1)) 20
until_listening "$right" 7002 20

# s/g1 is sure of a part; s/g0 and the others ask for nothing at first.
write_policy() {
	policy <<EOP
[group first]
match = $cg/s/g0
$1
[group sure]
match = $cg/s/g1
out-min = $((rate / 4))mbit
[group others]
match = $cg/s/g[2-9], $cg/s/g1[0-9], $cg/x/*
$2
[device v0]
netns = $left
out = ${rate}mbit
EOP
}
write_policy "" ""
ok "a policy with shares applies" apply
is "a second apply has an empty plan" "$(apply --dry-run)" "nothing to change"
like "status says how the limit is shared" "$("$WEIRCTL" status)" \
	"sure: .*out-min $((rate / 4))mbit.*v0 in netns $left: .*, out shared by group, attached"

# What of it would take long in turns of 64 KB is cut, so that turns are short.
kinds() { tc -n "$left" qdisc show dev v0 | awk '/parent 7765:/ { print $2 }' | sort -u | paste -s; }
is "at this rate packets are cut" "$(kinds)" tbf
sed -i "s/^out = .*/out = 10gbit/" "$work/policy.ini"
apply >/dev/null
is "at a high one they are not" "$(kinds)" bfifo
is "and a second apply has an empty plan" "$(apply --dry-run)" "nothing to change"
write_policy "" ""
apply >/dev/null

# shares: what the class of each cgroup has sent, "PATH BYTES" a line.
shares() {
	"$WEIRCTL" stats --json | jq -r '.groups[].cgroups[] | .path + " " + (.shares[0].passed_bytes | tostring)' | sort
}
# between FROM TO: the part of all that each has sent, in two files of shares.
between() {
	join "$1" "$2" | awk '{ part[$1] = $3 - $2; sum += part[$1] }
		END { for (path in part) print path, part[path] / sum }' >"$work/parts"
}
part_of() { awk -v p="$cg/$1" '$1 == p { print $2 }' "$work/parts"; }
measure() {
	shares >"$work/from"
	sleep "$1"
	shares >"$work/to"
	between "$work/from" "$work/to"
}
# spread BELOW FIRST-PORT N: from $cg/BELOW/g0, g1, … two connections each, as one
# whose window still grows has not always enough for its turn; before other programs,
# as what is measured is the queue.
spread() {
	local senders=() i
	for ((i = 0; i < $3; i++)); do senders+=("g$i=0"); done
	spreaders=()
	for _ in 1 2; do
		nice -n -20 nsenter --net=/run/netns/"$left" "$talk" spread 10.77.0.2 "$2" 60 "$cgdir/$1" 0 "${senders[@]}" 2>/dev/null &
		spreaders+=("$!")
	done
	pids+=("${spreaders[@]}")
}

spread s 9000 $((n + 2))
sleep 2
before=$(queued_at "$left" v0)
measure $sample
after=$(queued_at "$left" v0)
low=0.98 high=1.02
[ -z "${WEIR_VM:-}" ] || { low=0.6 high=1.05; }
within "$((n + 2)) greedy groups have the limit together" "$(echo "$before $after" | awk -v m="$rate" \
	'{ print ($3 - $1) * 8 / ($4 - $2) / m }')" $low $high
within "one keeps what it is sure of" "$(part_of s/g1)" 0.243 0.4
fair=$(awk -v sure="$(part_of s/g1)" -v n="$n" 'BEGIN { print (1 - sure) / (n + 1) }')
worst=$(for ((i = 0; i < n + 2; i++)); do [ $i -eq 1 ] || part_of s/g$i; done |
	awk -v f="$fair" '{ d = $1 / f - 1; d = d < 0 ? -d : d; if (d > worst) worst = d } END { print worst }')
within "the others have the same (the worst is off by)" "$worst" 0 $even

# clears_all: the end.
clears_all() {
	ok "clear succeeds" "$WEIRCTL" clear
	is "and leaves nothing" "$(tc -n "$left" qdisc show dev v0; tc -n "$left" class show dev v0)" \
		"qdisc noqueue 0: root refcnt 2 "
	finish
}

# What others do to a question of a cgroup that sends little.
asks() { in_cgroup "$cg/x/g0" nsenter --net=/run/netns/"$left" "$talk" ask 10.77.0.2 7002 1 1; }
soon=2
[ -z "${WEIR_VM:-}" ] || soon=50
got=$(asks)
within "a question beside them does not wait (median, ms)" "${got% *}" 0 $soon

# Emulated senders do not always fill what is theirs; and what follows is the same
# on all kernels.
if [ -n "${WEIR_VM:-}" ]; then clears_all; fi

write_policy "priority = high" "priority = low"
ok "priorities apply under traffic" apply
sleep 0.5
measure 1
within "who has the highest priority has what is spare" "$(part_of s/g0)" 0.7 0.76
within "and who is sure of something still has it" "$(part_of s/g1)" 0.24 0.27
got=$(asks)
within "a question from a group of low priority does not wait either (median, ms)" "${got% *}" 0 $soon
end "${spreaders[@]}"

write_policy "weight = 30" ""
ok "a weight applies" apply
spread s 9000 1
first=${spreaders[0]}
sleep 1
measure 0.5
within "who sends alone has all of it" "$(part_of s/g0)" 0.99 1
spread x 9001 1
until_true 10 eval "shares | grep -q '$cg/x/g0 [1-9][0-9]\{4,\}'"
sleep 0.1
measure 1
within "0.1 s after one of a third of its weight begins that has a quarter" "$(part_of x/g0)" \
	"$(awk -v d=$far 'BEGIN { print (1 - d) / 4 }')" "$(awk -v d=$far 'BEGIN { print (1 + d) / 4 }')"
end "${spreaders[@]}"
sleep 0.1
before=$(queued_at "$left" v0)
sleep 0.5
after=$(queued_at "$left" v0)
within "0.1 s after it ends the first has all again" "$(echo "$before $after" | awk -v m="$rate" \
	'{ print ($3 - $1) * 8 / ($4 - $2) / m }')" "$(awk -v l=$low 'BEGIN { print l - 0.03 }')" 1.05

# A cgroup that comes and goes, and looks of watch that are killed.
classes() { tc -n "$left" class show dev v0 | grep -c '^class htb'; }
promised() { # bit per second that all lanes have for sure
	tc -n "$left" class show dev v0 | awk '/ leaf / { for (i = 1; i < NF; i++) if ($i == "rate") {
			r = $(i + 1); f = r ~ /Gbit/ ? 1e9 : r ~ /Mbit/ ? 1e6 : r ~ /Kbit/ ? 1e3 : 1
			sub(/[A-Z]*bit/, "", r); sum += r * f } } END { print sum / 1e6 }'
}
look_at() { (WEIR_CRASH_AT=$1 "$WEIRCTL" watch --once) >/dev/null 2>&1; } 2>/dev/null
rmdir "$cgdir"/s/g[2-9] "$cgdir"/s/g1?
"$WEIRCTL" watch --once >/dev/null
had=$(classes) turn=$(tc -n "$left" class show dev v0 | awk '/ root / { print $3 }')
kills=0 more=0 stuck=0
for ((point = 1; point < 40; point++)); do
	make_cgroup "$cg/x/g1"
	look_at $point
	status=$?
	awk -v p="$(promised)" -v r=$rate 'BEGIN { exit !(p <= r * 1.001) }' || more=$((more + 1))
	"$WEIRCTL" watch --once >/dev/null || stuck=$((stuck + 1))
	[ "$(classes)" -eq $((had + 3)) ] || stuck=$((stuck + 1))
	[ "$(apply --dry-run)" = "nothing to change" ] || stuck=$((stuck + 1))
	rmdir "$cgmount$cg/x/g1"
	"$WEIRCTL" watch --once >/dev/null || stuck=$((stuck + 1))
	[ "$(classes)" -eq "$had" ] || stuck=$((stuck + 1))
	[ $status -eq 137 ] || break
	kills=$((kills + 1))
done
within "a look that finds a new cgroup was killed at its points" "$kills" 15 38
is "none left more for sure than the limit" "$more" 0
is "and the next gave each its class, or took it away" "$stuck" 0
is "below the class in force all the time" "$(tc -n "$left" class show dev v0 | awk '/ root / { print $3 }')" "$turn"
ok "a limit that is shared still has traffic" kill -0 "$first"

sed -i "s/^out-min.*/&\n[group more]\nmatch = $(sed 's,/,\\/,g' <<<"$cg")\/y\/*\nout-min = $((rate / 2))mbit/" "$work/policy.ini"
make_cgroup "$cg/y/a"
ok "as much as there is can be asked for" apply
make_cgroup "$cg/y/b"
says "more cannot" 1 "^weirctl: device 'v0 in netns $left': the out-min of all cgroups are $((rate * 5 / 4))mbit, more than its ${rate}mbit \\(the most is of group 'more'\\)$" \
	"$WEIRCTL" apply "$work/policy.ini"
says "but who makes a cgroup does not stop watch" 0 "the out-min of all cgroups are" "$WEIRCTL" watch --once
within "which gives each as much of it as there is" "$(promised)" "$(awk -v r=$rate 'BEGIN { print r * 0.98 }')" \
	"$(awk -v r=$rate 'BEGIN { print r * 1.001 }')"
clears_all
