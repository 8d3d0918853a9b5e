#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Quotas: counted in the kernel, at an end with the very next packet, and known
# again after a cgroup, weirctl or the machine was started anew.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
for name in a b d plain; do make_cgroup "$cg/$name"; done
split_segments
serve "$right" 5201
in_right socat -u TCP4-LISTEN:7000,fork,reuseaddr OPEN:/dev/null &
pids+=($!)
until_listening "$right" 7000

write_policy() {
	policy <<EOP
[group a]
match = $cg/a
quota = ${1:-300kb}/month
quota-counts = out
after = deny
[group b]
match = $cg/b
quota = ${2:-300kb}/month
after = 4mbit
out-to = fd77::/16 2mbit, 10.78.0.0/16 8mbit
[group d]
match = $cg/d $cg/e
share = all
quota = 10mb/month
after = deny
[group plain]
match = $cg/plain
out = 1gbit
EOP
}

# stat_of GROUP NAME: of its first cgroup, what stats says of the quota.
stat_of() { "$WEIRCTL" stats "$1" --json | sed -n '/"quota": {/,$p' | field "$2"; }
used() { stat_of "$1" used_bytes; }
in_a() { in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" "$@"; }
connects() { in_a timeout 5 bash -c 'exec 3<>/dev/tcp/10.77.0.2/7000'; }
# What is not sent when the quota ends is never sent.
send_a() {
	{ head -c "$1" /dev/zero && sleep 0.3; } |
		in_a timeout 3 socat -u - TCP4:10.77.0.2:7000,linger=0 2>/dev/null
}
written() { awk -v g="$1" '$4 == g { print $3 }' "$WEIR_STATE/quotas"; }

write_policy
plan=$(apply)
like "the plan names a quota" "$plan" "group a: $cg/a, quota 300kb/month of out, then deny"
is "nothing is used" "$(used a) $(stat_of a used_up)" "0 false"

# ------------------------------------------------------------ what is counted

before=$(arrived)
send_a 1000000
after=$(arrived)
within "a quota ends within a packet" "$(used a)" 300000 $((300000 + 66000))
within "and is what came over the wire" "$((${after% *} - ${before% *} - $(used a)))" -200 2000
is "it is used up" "$(stat_of a used_up)" true
like "connect() says so at once" "$(connects 2>&1)" "Operation not permitted"
like "and so does sendmsg()" "$(echo x | in_a socat - UDP4-SENDTO:10.77.0.2:9 2>&1)" "Operation not permitted"
ok "loopback goes on" in_a ping -c1 -W2 127.0.0.1
in_a socat -u UDP4-RECV:9000 OPEN:"$work/got",creat &
pids+=($!)
until_true 5 eval "ss -N $left -lunH 'sport = :9000' | grep -q ."
echo x | in_right socat -u - UDP4-SENDTO:10.77.0.1:9000
is "nothing arrives either" "$(cat "$work/got" 2>/dev/null)" ""
within "and is counted as denied" "$("$WEIRCTL" stats a --json | sed -n '/"in": {/,$p' | field denied_packets)" 1 210
end "${pids[-1]}"

until_true 5 rmdir "$cgdir/a"
make_cgroup "$cg/a"
like "a cgroup of the same name has the same quota" "$(connects 2>&1)" "Operation not permitted"

# ------------------------------------------------------- what comes afterwards

sends_as=$cg/b holds "after it there is another limit" 4 iperf3 -c 10.77.0.2 -p 5201 -t 60
sends_as=$cg/b holds "and a slower one of an address goes on" 2 iperf3 -c fd77:0::2 -p 5201 -t 60
within "what passes then counts, too" "$(used b)" 500000 20000000

# ------------------------------------------------------- a period that ends

# le BYTES NUMBER: as bpftool wants its bytes.
le() { local i n=$2; for ((i = 0; i < $1; i++)); do printf '%d ' $((n & 255)); n=$((n >> 8)); done; }
maps=$WEIR_BPFFS/maps
version=$(bpftool map lookup pinned "$maps/calendar_state" key 0 0 0 0 | field version)
now=$(awk '{ printf "%.0f", $1 * 1000 }' /proc/uptime)
# shellcheck disable=SC2046
bpftool map update pinned "$maps/calendars" key $(le 4 $((version % 2 * 4 + 3))) value $(le 4 2) $(le 4 0) \
	$(le 8 0) $(le 8 1) $(le 8 1000000000) \
	$(le 8 $(((now + 1000) * 1000000))) $(le 8 $((EPOCHSECONDS + 60))) $(le 8 1000) \
	$(for ((i = 2; i < 64; i++)); do le 24 0; done)
# shellcheck disable=SC2046
bpftool map update pinned "$maps/calendar_state" key 0 0 0 0 \
	value $(le 8 $((version + 2))) $(le 8 $((EPOCHSECONDS * 1000000000 - now * 1000000))) $(le 24 0)
ok "it lets pass when a period ends" until_true 10 connects
within "as the next begins, in the kernel" "$(used a)" 1 2000

# What follows is the same on every kernel.
[ -z "$short" ] || finish
write_policy
"$WEIRCTL" clear
rm "$WEIR_STATE/quotas"
apply >/dev/null
send_a 1000000
before=$(used a)

# ----------------------------------------------------------- over a boot

# All that a boot takes from the kernel; folders and processes stay.
boot() { rm -rf "$WEIR_BPFFS"/{links,maps,programs-*}; }
"$WEIRCTL" watch --once
is "what was used is written" "$(written a)" "$before"
boot
ok "without its pins a cgroup is free" connects
apply >/dev/null
is "after a boot all is as it was" "$(used a)" "$before"
like "and denied" "$(connects 2>&1)" "Operation not permitted"

is "the second apply changes nothing" "$(apply)$(used a)" "$before"
begin "$cg/b" nsenter --net=/run/netns/"$left" iperf3 -c 10.77.0.2 -p 5201 -t 60 >/dev/null 2>&1
until_true 10 eval "[ \$(stat_of b used_up) = true ]"
write_policy 2mb 100gb
apply >/dev/null
is "a larger quota keeps what was used" "$(used a)" "$before"
ok "and lets more pass" connects
within "also of a connection that was slowed" "$(wire_mbit 0.3)" 50 1000000
end "$begun"
"$WEIRCTL" clear
write_policy
apply >/dev/null
within "clear does not forget" "$(used a)" "$before" $((before + 1000))

# ------------------------------------------------------- what is removed

send_b() { echo x | in_cgroup "$cg/b" nsenter --net=/run/netns/"$left" socat -u - UDP4-SENDTO:10.77.0.2:9; }
send_b
for map in account_ids accounts; do
	bpftool -j map dump pinned "$maps/$map" | jq -r '.[].key | join(" ")' | while read -r key; do
		# shellcheck disable=SC2086
		bpftool map delete pinned "$maps/$map" key $key
	done
done
send_b
# shellcheck disable=SC2046
ok "who finds no account forgets nothing that is being read" \
	bpftool map lookup pinned "$maps/members" key $(le 8 "$(stat -c %i "$cgdir/b")")
send_b
within "and has one with the next packet" "$(used b)" 20 200

# ledger LINE...: as weir writes it.
ledger() {
	local text=$'weir-quotas 1\n' sum=$((0xcbf29ce484222325)) i c
	for i; do text+=$i$'\n'; done
	for ((i = 0; i < ${#text}; i++)); do
		printf -v c %d "'${text:i:1}"
		sum=$(((sum ^ c) * 0x100000001b3))
	done
	printf '%send %d %016x\n' "$text" $# $sum
}
ledger "hour $((EPOCHSECONDS - 7200)) 5 over /x" "hour $EPOCHSECONDS 7 on /x" \
	"day -50400 3 begin /x" >"$WEIR_STATE/quotas"
"$WEIRCTL" watch --once
is "of a kind that no quota has, what is over goes" "$(written over)$(written on)$(written begin)" 7

# --------------------------------------------------------------- asked for

ok "it begins anew when asked to" "$WEIRCTL" limit a quota=reset
is "from nothing" "$(used a) $(written a)" "0 "
ok "and lets pass" connects
"$WEIRCTL" limit "$cg/b" quota=reset
is "by the path of a cgroup, too" "$(used b)" 0
says "where there is no quota there is none to reset" 1 "^weirctl: group 'plain' has no quota$" \
	"$WEIRCTL" limit plain quota=reset
says "one for all is reset by its group" 1 "has one quota for all of its cgroups \(name the group\)$" \
	"$WEIRCTL" limit "$cg/d" quota=reset
says "another one is for the files" 2 "'quota=1gb/day' would change a quota" "$WEIRCTL" limit a quota=1gb/day

# ----------------------------------------------------------------- crashes

# A cgroup of d sends, watch writes; both end in the same moment.
load=4M
[ -z "${WEIR_VM:-}" ] || load=1M
behind() {
	local watch sender
	"$WEIRCTL" watch >/dev/null 2>&1 &
	watch=$!
	begin "$cg/d" nsenter --net=/run/netns/"$left" iperf3 -u -b $load -c 10.77.0.2 -p 5201 -t 60 >/dev/null 2>&1
	sender=$begun
	until_true 20 eval "[ \$(used d) -gt $(($(used d) + 150000)) ]"
	sleep "0.$((RANDOM % 9))"
	kill -KILL $watch $sender
	wait $watch $sender 2>/dev/null
	echo $(($(used d) - $(written d)))
}
most=0
for _ in 1 2 3; do
	now=$(behind 2>/dev/null)
	((now <= most)) || most=$now
done
within "after a crash less than a percent is forgotten" "$most" 0 100000
counted=$(written d)
boot
apply >/dev/null
is "a boot after that knows the rest" "$(used d)" "$counted"

# crash_at POINT: an apply that is killed there; that shell's word goes nowhere.
crash_at() {
	(WEIR_CRASH_AT=$1 "$WEIRCTL" apply "$work/policy.ini") >/dev/null 2>&1
	[ $? -ne 137 ] || kills=$((kills + 1))
} 2>/dev/null
send_a 100000
before=$(used a) bad=0 kills=0
for ((point = 1; kills == point - 1; point++)); do
	write_policy $((400 + point))kb
	crash_at $point
	[ "$(used a)" = "$before" ] || bad=$((bad + 1))
done
within "an apply was killed at its points" $kills 7 40
apply >/dev/null
for point in 3 4 5 6; do
	boot
	crash_at "$point"
	apply >/dev/null || bad=$((bad + 1))
	[ "$(used a)" = "$before" ] || bad=$((bad + 1))
done
is "and nothing was forgotten or counted twice" $bad 0

# ------------------------------------------------------------ bad ledgers

again=("$WEIRCTL" apply "$work/policy.ini")
"$WEIRCTL" clear
echo "month 1 1 a /x" >>"$WEIR_STATE/quotas"
says "a ledger that is damaged is put aside" 0 \
	"quotas: line [0-9]+ does not fit what is above it: .*kept as $WEIR_STATE/quotas.damaged" "${again[@]}"
is "and nothing of it is believed" "$(used d)" 0
ok "but kept" test -s "$WEIR_STATE/quotas.damaged"
"$WEIRCTL" clear
echo "weir-quotas 2" >"$WEIR_STATE/quotas"
says "that of another version, too" 0 "quotas: it is of another version of weir" "${again[@]}"
"$WEIRCTL" clear
head -c 100000 /dev/urandom >"$WEIR_STATE/quotas"
says "and any bytes" 0 "quotas: (line 1 is not whole|it is no file of quotas)" "${again[@]}"
"$WEIRCTL" clear
rm "$WEIR_STATE"/quotas*
mkdir "$WEIR_STATE/quotas"
says "what is no file is not touched" 1 "quotas' is no file of quotas" "${again[@]}"
is "and nothing is in force then" "$("$WEIRCTL" status)" "no policy is in force"
rmdir "$WEIR_STATE/quotas"
finish
