#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `weirctl limit` changes a limit while traffic runs, and nothing else.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
for name in a lone boxes/one boxes/two; do make_cgroup "$cg/$name"; done
serve "$right" 5201

policy <<EOP
[group web]
match = $cg/a
out = 20mbit

[group boxes]
match = $cg/boxes/*
out = 50mbit
filter-out = guard

[chain guard]
policy = allow
10 = deny icmp
EOP
before=$(ls "$work")

says "with no policy in force there is no group to limit" 1 "^weirctl: there is no group 'web' in force" \
	"$WEIRCTL" limit web out=5mbit
is "and nothing is left of the attempt" "$(ls "$work")" "$before"
apply >/dev/null

# What was received between two points of time, Mbit/s on the wire, but for tenths of
# a second that took longer: the machine stood still.
between() {
	wire4 "$(jq --argjson a "$1" --argjson b "$2" '[.intervals[].sum | select(.start >= $a and .end <= $b and .seconds < 0.12)]
		| (map(.bytes) | add) * 8 / 1e6 / (map(.seconds) | add)' "$work/iperf")"
}
at=3 long=6
[ -z "${WEIR_VM:-}" ] || at=2.5 long=5
nsenter --net=/run/netns/"$right" iperf3 -s -1 -J -i 0.1 -p 5202 >"$work/iperf" 2>&1 &
server=$!
pids+=("$server")
until_listening "$right" 5202
in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" iperf3 -c 10.77.0.2 -p 5202 -t $long >/dev/null 2>&1 &
began=$EPOCHREALTIME
sleep $at
plan=$("$WEIRCTL" limit web out=5mbit)
changed=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
like "a changed limit is reported as by apply" "$plan" "^~ group web: .*out 5mbit"
wait "$server"
if [ -z "${WEIR_VM:-}" ]; then
	within "20 Mbit/s hold before" "$(between 1 2.9)" 19.4 20.6
	within "5 Mbit/s from 0.2 s after the change" \
		"$(between "$(awk -v c="$changed" 'BEGIN { print c + 0.2 }')" 5.9)" 4.7 5.3
else # the client needs its time to begin, too
	within "20 Mbit/s hold before" "$(between 1 2)" 5 21.5
	within "5 Mbit/s after the change" "$(between "$(awk -v c="$changed" 'BEGIN { print c + 0.5 }')" $long)" 2.5 5.5
fi
is "the connection went on" "$(jq '.intervals[-1].sum.end >= '"$long"' - 0.5' "$work/iperf")" true

generation() { "$WEIRCTL" status --json | field generation; }
passed() { "$WEIRCTL" stats --json web | field passed_packets; }
was=$(generation) packets=$(passed)
is "the same again has nothing to say" "$("$WEIRCTL" limit web out=5mbit)" ""
is "and changes nothing" "$(generation)" "$was"
within "the group's counters go on" "$packets" 1000 10000000
like "a dry run prints the plan" "$("$WEIRCTL" limit --dry-run web out=8mbit in=9mbit)" "out 8mbit .*in 9mbit"
is "as JSON, too" "$("$WEIRCTL" limit --dry-run --json "$cg/a" out=8mbit | jq -r '.changes[0].action, .changes[0].name')" \
	$'change\nweb'
is "and it changes nothing" "$(generation)" "$was"
ok "none lifts a limit" "$WEIRCTL" limit web out=none
is "… it" "$("$WEIRCTL" status --json | jq '.groups[] | select(.name == "web").cgroups[0].out')" "{}"
like "the plan of the next apply puts back what the files say" "$(apply --dry-run)" "^~ group web: .*out 20mbit"

says "a slip in a name gets a suggestion" 1 "^weirctl: there is no group 'wbe' in force \(try web\)" \
	"$WEIRCTL" limit wbe out=5mbit
says "a slip in a rate, too" 2 "^weirctl: out: '10mbt' is not a rate \(try 10mbit\)" "$WEIRCTL" limit web out=10mbt
says "so does mbps" 2 "^weirctl: in: '1mbps' is not a rate: bps means" "$WEIRCTL" limit web in=1mbps
says "a limit needs a direction" 2 "neither out=RATE nor in=RATE" "$WEIRCTL" limit web 5mbit
says "and a rate" 2 "name a group or a cgroup" "$WEIRCTL" limit web
says "once" 2 "out= is given twice" "$WEIRCTL" limit web out=5mbit out=6mbit
says "a cgroup that nothing has is a slip" 1 "there is no cgroup '$cg/none' below" "$WEIRCTL" limit "$cg/none" out=5mbit
says "a pattern is not a cgroup" 1 "is a pattern: name one cgroup" "$WEIRCTL" limit "$cg/*" out=5mbit
is "and all that changes nothing" "$("$WEIRCTL" status --json | field generation)" "$((was + 1))"

# A cgroup of its own, and one that a pattern matches.
split_segments
ok "a cgroup in no group is limited" "$WEIRCTL" limit "$cg/lone" out=5mbit
sends_as=$cg/lone holds "… to 5 Mbit/s" 5 iperf3 -c 10.77.0.2 -p 5201 -t 60
ok "a cgroup of a group gets a limit of its own" "$WEIRCTL" limit "$cg/boxes/one" out=5mbit
sends_as=$cg/boxes/one holds "… of 5 Mbit/s" 5 iperf3 -c 10.77.0.2 -p 5201 -t 60
is "the others keep theirs" "$("$WEIRCTL" status --json |
	jq -r '.groups[] | .name as $n | .cgroups[] | select(.path | test("boxes")) | "\($n) \(.path) \(.out.limit_bps)"')" \
	"boxes $cg/boxes/two 50000000
$cg/boxes/one $cg/boxes/one 5000000"
ping_from() { in_cgroup "$1" nsenter --net=/run/netns/"$left" ping -q -c1 -W1 10.77.0.2 >/dev/null 2>&1; }
ok "and it keeps its rules" eval "! ping_from '$cg/boxes/one'"
is "the same again changes nothing" "$("$WEIRCTL" limit "$cg/boxes/one" out=5mbit)" ""
ok "its limit can be lifted" "$WEIRCTL" limit "$cg/boxes/one" out=none
ok "and it keeps its rules" eval "! ping_from '$cg/boxes/one'"
is "an apply ends what no file says" "$(apply | grep '^- group' | cut -d: -f1)" "- group $cg/boxes/one
- group $cg/lone"
is "and nothing is left to change" "$(apply --dry-run)" "nothing to change"

# What arrives in a container: left is one, seen from right.
weir() { in_right "$WEIRCTL" "$@"; }
in_cgroup "$cg/boxes/two" nsenter --net=/run/netns/"$left" iperf3 -s -p 5203 >/dev/null 2>&1 &
pids+=($!)
until_listening "$left" 5203
ok "what arrives in a container gets a queue" weir limit "$cg/boxes/two" in=20mbit
like "… on its veth" "$(tc -n "$right" class show dev v0)" "rate 20Mbit"
ok "its rate is changed" weir limit "$cg/boxes/two" in=6mbit
like "… there" "$(tc -n "$right" class show dev v0)" "rate 6Mbit"
in_right ethtool -K v0 tso off
# HTB makes good what a pause left over.
[ -n "${WEIR_VM:-}" ] || low=0.95 high=1.05
sends_as=$cg sends_from=$right sends_to=$left holds "… and holds" 6 iperf3 -c 10.77.0.1 -p 5203 -t 60
ok "and lifted" weir limit "$cg/boxes/two" in=none
is "… with its queue" "$(tc -n "$right" qdisc show dev v0 | grep -c htb)" 0

"$WEIRCTL" clear
ok "with no policy in force a cgroup is limited" "$WEIRCTL" limit "$cg/lone" out=5mbit
like "… as status says" "$("$WEIRCTL" status)" "$cg/lone: $cg/lone, out 5mbit"
ok "and lifted" "$WEIRCTL" limit "$cg/lone" out=none
is "which leaves nothing" "$(ls "$work"/bpf "$work"/run "$work"/state 2>/dev/null)" ""
finish
