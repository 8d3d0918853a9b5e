#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What rules with log decide, connections and limits are told of as they happen,
# and what is not told of is counted.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
esc=$'x\e[31m"'
make_cgroup "$cg/a/$esc"
make_cgroup "$cg/b"
make_cgroup "$cg/c"

policy <<EOP
[group a]
match = $cg/a
filter-out = out
filter-in = in

[group b]
match = $cg/b
filter-out = out-b

[group c]
match = $cg/c
out = 10kbit
shaper = police

[device v0]
netns = $left
filter-in = host-in

[chain out]
policy = allow
5 = deny tcp mark 7 log
10 = deny tcp to port 81 log "no 81: "
20 = reject udp to port 84 log
30 = allow tcp to port 80 new log
40 = allow tcp to port 82 log 1000000/s burst 1000000
50 = deny udp to port 100 log 1/m burst 3
60 = deny udp to port 101 log 1000000/s burst 1000000
70 = deny udp to port 102

[chain out-b]
policy = allow
10 = allow udp to port 103 log
20 = deny udp to port 104 log

[chain in]
policy = allow
10 = deny tcp to port 91 log

[chain host-in]
policy = allow
10 = deny udp to port 99 log "device "
EOP
ok "the policy applies" apply

echo_server() {
	nsenter --net=/run/netns/"$right" socat "TCP4-LISTEN:$1,fork,reuseaddr" PIPE &
	pids+=($!)
	until_listening "$right" "$1"
}
echo_server 80
echo_server 82

in_a() { in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" "$@"; }
in_b() { in_cgroup "$cg/b" nsenter --net=/run/netns/"$left" "$@"; }
to_udp() { in_a bash -c "for i in {1..$2}; do echo x >/dev/udp/10.77.0.2/$1; done" 2>/dev/null; }

# Whether it is there: as soon as a thread of its own keeps its seat.
is_seated() { [ "$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l)" = 2 ]; }
# listen NAME OPTION...: in the background; what it prints is in $work/NAME.
listen() {
	local name=$1
	shift
	"$WEIRCTL" monitor "$@" >"$work/$name" 2>"$work/$name.err" &
	listener=$!
	pids+=("$listener")
	until_true 20 is_seated $listener
}
# hush: ends the last one as a person does; its exit status.
hush() {
	kill -INT "$listener"
	wait "$listener"
}
lines() { wc -l <"$work/$1"; }
heard() { until_true 10 eval "[ \$(lines $1) -ge $2 ]"; }
get() { jq -rs "$2" "$work/$1"; }

listen all --json
in_a bash -c 'echo $$ >"$0"; exec 3<>/dev/tcp/10.77.0.2/81' "$work/pid" 2>/dev/null
heard all 1
is "a refused connect is told of, with who, where and why" \
	"$(get all '.[0] | "\(.kind) \(.hook) \(.verdict) \(.direction) \(.group) \(.cgroup) \(.protocol) \(.source) \(.destination) \(.destination_port) \(.chain) \(.rule) \(.text) \(.line) \(.prefix)|\(.program) \(.pid)"')" \
	"verdict connect deny out a $cg/a tcp null 10.77.0.2 81 out 10 deny tcp to port 81 log \"no 81: \" 22 no 81: |bash $(<"$work/pid")"
is "its file is told, too" "$(get all '.[0].file')" "$work/policy.ini"
like "and when" "$(get all '.[0].time')" '^20[0-9-]*T[0-9:]*\.[0-9]{6}Z$'
in_a bash -c 'echo $$ >"$0"; exec 3<>/dev/tcp/10.77.0.2/80; echo hello >&3; read -r _ <&3' "$work/pid"
to_udp 84 1
in_right timeout 0.3 bash -c 'exec 3<>/dev/tcp/10.77.0.1/91' 2>/dev/null # nobody listens there
nsenter --net=/run/netns/"$right" bash -c 'echo x >/dev/udp/10.77.0.1/99'
heard all 4
is "an allowed one is, by its packet, and once" \
	"$(get all '.[] | select(.destination_port == 80) | "\(.hook) \(.verdict) \(.source) \(.rule) \(.program) \(.pid)"')" \
	"packet allow 10.77.0.1 30 bash $(<"$work/pid")"
is "so is a rejected datagram" \
	"$(get all '.[] | select(.destination_port == 84) | "\(.verdict) \(.protocol) \(.program)"')" "reject udp bash"
is "and what a device denies" \
	"$(get all '.[] | select(.destination_port == 99) | "\(.verdict) \(.direction) \(.device) \(.group) \(.source) \(.chain) \(.prefix)|\(.pid)"')" \
	"deny in v0 null 10.77.0.2 host-in device |null"
hush
is "it ends as it is told to, with 0" $? 0

# What only the packet shows: TCP sends its first segment once more.
cat >"$work/marked.py" <<'EOP'
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, 36, 7)
try:
	s.connect(("10.77.0.2", 80))
except OSError:
	pass
EOP
listen text
text=$listener
listen refusals --json --deny
refusals=$listener
listen of_b --json --group b
of_b=$listener
listen two --json --count 2
two=$listener
says "more than four cannot listen" 1 "4 monitors are running already" "$WEIRCTL" monitor
in_a python3 "$work/marked.py"
in_b bash -c 'echo x >/dev/udp/10.77.0.2/103; echo x >/dev/udp/10.77.0.2/104' 2>/dev/null
in_cgroup "$cg/a/$esc" nsenter --net=/run/netns/"$left" bash -c 'exec 3<>/dev/tcp/10.77.0.2/81' 2>/dev/null
heard text 4
wait "$two"
is "one ends after as many as it was asked for" "$? $(lines two)" "0 2"
heard of_b 2
heard refusals 3
is "one connect that is denied by its packet is one event" \
	"$(get refusals '[.[] | select(.rule == 5)] | length')" 1
is "one hears of nothing that is allowed" "$(get refusals '[.[].verdict] | unique | join(" ")')" deny
is "one hears of its group alone" "$(get of_b '[.[] | "\(.group) \(.verdict)"] | join(", ")')" "b allow, b deny"
like "the text names all of it" "$(head -1 "$work/text")" \
	"^[0-9:.]+ deny out tcp 10\.77\.0\.1:[0-9]+ -> 10\.77\.0\.2:80, group a, $cg/a, chain out rule 5 \($work/policy.ini:21\), by python3\[[0-9]+\]$"
if grep -q $'\e' "$work/text"; then fail "a cgroup's name moves no cursor"; else pass "a cgroup's name moves no cursor"; fi
like "but can be read" "$(tail -1 "$work/text")" 'x\\x1b\[31m"'
kill -INT "$text" "$refusals" "$of_b"
wait "$text" "$refusals" "$of_b"

# A policy that comes meanwhile; a flow that was known before.
sed -i 's/^10 = deny tcp to port 81/11 = deny tcp to port 81/' "$work/policy.ini"
mkfifo "$work/go"
begin "$cg/a" nsenter --net=/run/netns/"$left" bash -c '
	exec 3<>/dev/tcp/10.77.0.2/82
	for i in {1..40}; do echo x >&3; read -r _ <&3; done
	echo known >"$0.known"
	read -r _ <"$0"
	for i in {1..5}; do echo x >&3; read -r _ <&3; done' "$work/go"
until_true 20 [ -s "$work/go.known" ]
listen later --json
echo >"$work/go"
heard later 5
like "packets of a flow that is known are told of as well" "$(get later '[.[] | select(.rule == 40)] | length')" '^([5-9]|[1-9][0-9])$'
apply >/dev/null
in_a bash -c 'exec 3<>/dev/tcp/10.77.0.2/81' 2>/dev/null
until_true 10 grep -q '"rule": 11' "$work/later"
is "rules of a policy that came meanwhile are known" \
	"$(get later '[.[] | select(.destination_port == 81)][0] | "\(.rule) \(.line) \(.chain)"')" "11 22 out"

# Each rule has its bound.
to_udp 100 10
sleep 0.1
hush
is "a rule tells no more than its bound, and how much it kept to itself" \
	"$(get later '[([.[] | select(.rule == 50)] | length), ([.[] | .suppressed // 0] | add)] | join(" ")')" "3 7"

# More than anybody reads: 4 MiB hold some 30,000.
cat >"$work/flood.py" <<'EOP'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[1])):
	try:
		s.sendto(b"x", ("10.77.0.2", 101))
	except OSError:
		pass
EOP
count() { "$WEIRCTL" stats --json | jq ".chains[] | select(.name == \"out\") | .rules[] | select(.number == 60) | .packets"; }
mkfifo "$work/pipe"
sleep 60 <>"$work/pipe" & # holds it open
pids+=($!)
"$WEIRCTL" monitor --json >"$work/pipe" 2>/dev/null &
listener=$!
pids+=("$listener")
until_true 10 is_seated $listener
before=$(count)
in_a python3 "$work/flood.py" 40000
offered=$(($(count) - before))
cat "$work/pipe" >"$work/flood" &
reader=$!
pids+=("$reader")
until_true 60 eval '[ "$(stat -c %s "$work/flood")" -gt 1000000 ]'
kill -INT $listener
wait $listener
is "who waits for a reader ends as well" $? 0
until_true 10 grep -q '"lost"' "$work/flood"
sum=$(jq -s 'map(if .kind == "lost" then .lost + .suppressed else 1 end) | add' "$work/flood")
is "all that was offered was told of or counted as lost" "$offered $sum" "40000 40000"
within "some was lost" "$(jq -s 'map(.lost // 0) | add' "$work/flood")" 1 40000
end "$reader"

# Killed: nothing is left of it but a seat, which the next one takes.
listen killed --json --connections
killed=$listener
# By its link, which bpftool does not show at a cgroup of 5.10's.
program() { awk '/^link_type/ { link = FILENAME } /^prog_id/ && FILENAME == link { print $2 }' "/proc/$killed"/fdinfo/*; }
until_true 10 eval '[ -n "$(program)" ]'
program=$(program)
ok "it listens to connections" bpftool prog show id "$program"
in_a bash -c 'echo $$ >"$0"; exec 3<>/dev/tcp/10.77.0.2/80; printf "hello" >&3; read -r -n5 _ <&3' "$work/pid"
until_true 10 grep -q '"closed"' "$work/killed"
is "a connection is told of when it opens" \
	"$(get killed '[.[] | select(.kind == "opened")][0] | "\(.direction) \(.group) \(.cgroup) \(.source) \(.destination) \(.destination_port) \(.program) \(.pid)"')" \
	"out a $cg/a 10.77.0.1 10.77.0.2 80 bash $(<"$work/pid")"
like "and when it closes, with what it took" \
	"$(get killed '[.[] | select(.kind == "closed")][0] | "\(.destination_port) \(.sent_bytes) \(.received_bytes) \(.duration_us) \(.pid)"')" \
	"^80 [567] [567] [1-9][0-9]* $(<"$work/pid")$"
end "$killed"
ok "one that was killed is attached nowhere" until_true 10 eval "! bpftool prog show id $program"
in_a bash -c 'exec 3<>/dev/tcp/10.77.0.2/80' || fail "and nothing is in the way"
listen next --json
begin "$cg/c" nsenter --net=/run/netns/"$left" bash -c 'exec 3>/dev/udp/10.77.0.2/9
	while sleep 0.1; do for i in {1..9}; do printf "%01000d" 0 >&3; done; done' 2>/dev/null
until_true 10 grep -q '"limit"' "$work/next"
is "a limit that drops is told of" \
	"$(get next '[.[] | select(.kind == "limit")][0] | "\(.direction) \(.group) \(.cgroup) \(.limit_bps) \(.dropped_packets > 0) \(.dropped_bytes > 0)"')" \
	"out c $cg/c 10000 true true"
end "$begun"
("$WEIRCTL" monitor --count 5 2>/dev/null | true) &
gone=$!
pids+=("$gone")
ok "one whose reader has gone ends" until_true 10 eval "! kill -0 $gone 2>/dev/null"
"$WEIRCTL" clear
until_true 10 eval "! kill -0 $listener 2>/dev/null"
wait "$listener"
is "when all is cleared it ends, and says so" "$? $(<"$work/next.err")" "1 weirctl: no policy is in force any more"
says "then there is nothing to listen to" 1 "no policy is in force" "$WEIRCTL" monitor
says "a number of events is one" 2 "'0' is not a number of events" "$WEIRCTL" monitor --count 0
finish
