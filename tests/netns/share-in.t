#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What arrives for services of the host waits at the ifb of the device by which it
# comes: for their own limits, and for the device's, which they share.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_link "$left" v1 "$right" v1 1
talk=$PWD/tests/bench/talk
limit=50 total=80 again=0.001 soon=2
[ -z "${WEIR_VM:-}" ] || limit=8 soon=50
for name in a b later; do make_cgroup "$cg/$name"; done
weirctl() { in_left "$WEIRCTL" "$@"; }
apply() { weirctl apply "$@" "$work/policy.ini"; }
picture() {
	in_left tc qdisc show
	in_left ip -br link show | awk '{ print $1 }'
}
serve_in() { # CGROUP PORT
	begin "$1" nsenter --net=/run/netns/"$left" iperf3 -s -p "$2" >/dev/null 2>&1
	until_listening "$left" "$2"
}
serve_in "$cg/a" 5201
serve_in "$cg/b" 5202
begin "$cg/a" nsenter --net=/run/netns/"$left" "$talk" reply 7001 1
until_listening "$left" 7001 20
before=$(picture)

policy <<EOP
[group a]
match = $cg/a, $cg/later
in = ${limit}mbit
[group b]
match = $cg/b
[device v0]
EOP
ok "a policy that but names the device applies" apply
is "a second apply has an empty plan" "$(apply --dry-run)" "nothing to change"
like "status says where it waits" "$(weirctl status)" "$cg/a[[:space:]]+in +${limit}mbit by htb on v0"
like "and who is policed, as no process is there yet" "$(weirctl status)" "$cg/later[[:space:]]+in +${limit}mbit by police"
ifb=$(in_left ip -br link | awk '/^weir/ { print $1; exit }')
receive() { # PORT FLAGS...
	local port=$1
	shift
	in_right iperf3 -J -c 10.77.0.1 -p "$port" "$@" >"$work/iperf"
	rate_of "$work/iperf"
}
queue_holds "TCP for a service of the host" $limit "$left" "$ifb" receive 5201 -P 2
[ -n "${WEIR_VM:-}" ] || within "of which is sent again (share)" "$(jq ".end.sum_sent.retransmits /
	(.end.sum_sent.bytes / 1448)" "$work/iperf")" 0 $again
in_right iperf3 -c 10.77.0.1 -p 5201 -t 4 -P 2 >/dev/null &
client=$!
sleep 1
got=$(in_right "$talk" ask 10.77.0.1 7001 1 1)
within "a question to it does not wait with those who fill its limit (median, ms)" "${got% *}" 0 $soon
wait $client

# What follows is decided by the same programs on all kernels, and takes long where
# a processor is emulated.
if [ -n "${WEIR_VM:-}" ]; then
	ok "clear succeeds" weirctl clear
	is "and leaves all as it was" "$(picture)" "$before"
	finish
fi

within "a service without a limit is not slowed" "$(receive 5202 -t 1)" $((limit * 2)) 100000
most=$(awk -v l=$limit 'BEGIN { print l * 1.2 }')
within "what comes by another device is policed" "$(
	in_right iperf3 -J -c 10.77.1.1 -p 5201 -t 1 -P 2 >"$work/iperf"
	rate_of "$work/iperf"
)" 0.01 "$most"
within "and UDP in fragments, which tell no port" "$(
	in_right iperf3 -J -u -l 8000 -b $((limit * 4))M -c 10.77.0.1 -p 5201 -t 1 2>/dev/null >"$work/iperf"
	jq '.end.sum | .bits_per_second * (100 - .lost_percent) / 1e8' "$work/iperf"
)" 0.01 "$most"

# A process of its is behind a veth as well, which the policy names: not all that
# arrives for the cgroup waits at the other device then.
make_netns "$lab-b"
make_link "$left" v2 "$lab-b" v0 2
cp "$work/policy.ini" "$work/without.ini"
printf '[device v2]\n' >>"$work/policy.ini"
begin "$cg/a" nsenter --net="/run/netns/$lab-b" iperf3 -s -p 5205 >/dev/null 2>&1
until_listening "$lab-b" 5205
where_in() { weirctl status --json | jq -r ".groups[].cgroups[] | select(.path == \"$cg/a\") | .in.shaper + \" \" + (.device // \"-\")"; }
came() { weirctl stats --json | jq ".groups[].cgroups[] | select(.path == \"$cg/a\") | .in.passed_bytes"; }
ok "a cgroup with processes on the host and behind a veth" apply
is "is policed" "$(where_in)" "police -"
in_right iperf3 -c 10.77.0.1 -p 5201 -t 4 -P 2 >/dev/null &
client=$!
in_left iperf3 -c 10.77.2.2 -p 5205 -t 4 -P 2 >/dev/null &
other=$!
sleep 1
from=$(came) at=$EPOCHREALTIME
sleep 2
within "and has its limit once (share)" "$(awk -v a="$from" -v b="$(came)" -v s="$at" -v e="$EPOCHREALTIME" -v m=$limit \
	'BEGIN { print (b - a) * 8 / 1e6 / (e - s) / m }')" 0.01 1.1
wait $client $other
sed -i "s/^\[device v[02]\]/&\nin = ${total}mbit/" "$work/policy.ini"
ok "where the device has a limit, too" apply
is "it is policed beside that, and so status says" "$(where_in)" "police -"
end "$begun"
is "a plan says what the tables alone will have" "$(apply --dry-run)" \
	"$(printf '~ device %s: whose own limit in waits there: 1 more, 0 fewer, 0 otherwise\n' v0 v2)"
ip -n "$left" link del v2
mv "$work/without.ini" "$work/policy.ini"
ok "without the veth" apply
is "it waits again" "$(where_in)" "htb v0"
begin "$cg/a" nsenter --net="/run/netns/$lab-b" sleep 1000
if ip -n "$left" link add link v0 name m0 netns "$lab-b" type macvlan mode bridge 2>/dev/null; then
	ip -n "$lab-b" link set m0 up
	ok "behind a macvlan instead" apply
	is "it is policed, too" "$(where_in)" "police -"
	ip -n "$lab-b" link del m0
else
	skip "behind a macvlan it is policed, too" "the kernel has no macvlan"
fi
end "$begun"
apply >/dev/null

serve_in "$cg/later" 5203
ok "a look of watch finds the service that has begun" weirctl watch --once
like "and gives it its class" "$(weirctl status)" "$cg/later[[:space:]]+in +${limit}mbit by htb on v0"
like "stats show what waits there" "$(weirctl stats a)" "v0 in +[0-9.]+ .?B passed"

sed -i "s|^in = ${limit}mbit|&\nin-from = 10.77.0.0/16 none|" "$work/policy.ini"
ok "a source without a limit is excepted" apply
within "and does not wait for that of the others" "$(receive 5201 -t 1)" $((limit * 2)) 100000
sed -i '/^in-from/d' "$work/policy.ini"

sed -i "s/^\[device v0\]/&\nin = ${total}mbit/; s/^in = ${limit}mbit/weight = 20/" "$work/policy.ini"
printf '[device v1]\nout = 1gbit\n' >>"$work/policy.ini"
ok "a limit of the device applies" apply
queue_holds "TCP for all" $total "$left" "$ifb" receive 5202 -P 4
in_right iperf3 -c 10.77.0.1 -p 5201 -t 4 -P 1 >/dev/null &
client=$!
in_right iperf3 -c 10.77.0.1 -p 5202 -t 4 -P 4 >/dev/null &
other=$!
shares() { weirctl stats --json | jq -r '.groups[].cgroups[] | .path + " " + ([.shares[] | select(.side == "in")][0].passed_bytes | tostring)' | sort; }
sleep 2
shares >"$work/from"
sleep 1.5
shares >"$work/to"
wait $client $other
within "one connection of a group of twice the weight has twice what four others have" \
	"$(join "$work/from" "$work/to" | awk -v a="$cg/a" -v b="$cg/b" '{ got[$1] = $3 - $2 } END { print got[a] / (got[a] + got[b]) }')" \
	0.61 0.72
ok "clear succeeds" weirctl clear
is "and leaves all as it was" "$(picture)" "$before"
stuck=0 kills=0
for ((point = 3; point < 60; point += 4)); do
	(WEIR_CRASH_AT=$point apply) >/dev/null 2>&1 && break
	kills=$((kills + 1))
	((point % 8 != 3)) || apply >/dev/null 2>&1 || stuck=$((stuck + 1))
	weirctl clear || stuck=$((stuck + 1))
	[ "$(picture)" = "$before" ] || stuck=$((stuck + 1))
done 2>/dev/null
within "an apply was killed at its points" $kills 5 14
is "and the next, or clear, made good" $stuck 0
finish
