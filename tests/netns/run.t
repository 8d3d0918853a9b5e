#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `weirctl run`: a command under a limit, in a cgroup of its own, which leaves
# nothing behind.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"
make_cgroup "$cg/b"
serve "$right" 5201

# All weirctl that run here are in the cgroup a.
# shellcheck disable=SC2016
run=(bash -c 'echo $$ >"$0" && exec "$@"' "$cgdir/a/cgroup.procs" "$WEIRCTL" run)
net=(nsenter --net=/run/netns/"$left")
left_over() {
	ls "$work"/bpf "$work"/run "$work"/state 2>/dev/null
	find "$cgdir" -name 'weir-run-*'
}
# Not by jq, which takes emulation half a second.
groups() {
	"$WEIRCTL" status --json | awk -F'"' '/^  "devices"/ { exit } /^      "name"/ { print $4 }' | sort
}
runs() { groups | grep -c '^run:'; }
cgroups() { find "$cgdir" -type d -name 'weir-run-*' | wc -l; }
none_left() { [ "$(runs) $(cgroups)" = "0 0" ]; }
two_run() { [ "$(runs)" = 2 ]; }
commands() { cat "$cgdir"/a/weir-run-*/cgroup.procs; }
no_command() { [ -z "$(commands)" ]; }
low=18 high=20.5 # others are started meanwhile; limit-out.t is exact
seconds=3
[ -z "${WEIR_VM:-}" ] || low=10 seconds=15 # what happens meanwhile takes its time there

# ------------------------------------------------------- by itself

is "the command is in a cgroup below the caller's" \
	"$("${run[@]}" --out 20mbit -- sed -n 's/[0-9]*$//; s/^0:://p' /proc/self/cgroup)" "$cg/a/weir-run-"
is "nothing is left" "$(left_over)" ""

# The rest is beside a policy.

policy <<EOP
[group b]
match = $cg/b
out = 50mbit
[chain guard]
policy = allow
10 = deny icmp
EOP
apply >/dev/null
policy_only=$(groups)

# ------------------------------------------------- how a command ends

"${run[@]}" --out 20mbit sh -c 'exit 7'
is "its exit status is passed on" $? 7
"${run[@]}" --out 20mbit -- sh -c 'kill -9 $$'
is "… 128+N for signal N" $? 137
says "… 127 where there is no such command" 127 "^weirctl: run '/nonexistent': No such file" "${run[@]}" --out 20mbit /nonexistent
says "… 126 where it is none" 126 "^weirctl: run '/etc/passwd': Permission denied" "${run[@]}" --out 20mbit /etc/passwd
says "… 125 where weirctl failed" 125 "there is no chain 'gaurd' in force \(try guard\)" "${run[@]}" --filter-out gaurd true
says "a rate that is none is a usage error" 2 "^weirctl: --out: '5mbt' is not a rate \(try 5mbit\)" "${run[@]}" --out 5mbt true
says "so is a missing command" 2 "name the command" "${run[@]}" --out 5mbit
says "… a missing limit" 2 "say how to limit it" "${run[@]}" true
says "… a missing rate" 2 "^weirctl: run: --out wants a value" "${run[@]}" --out
is "the command's options are its own" "$("${run[@]}" --out 5mbit echo --out -n)" "--out -n"
is "it has the caller's standard input" "$(echo hello | "${run[@]}" --out 5mbit cat)" "hello"
is "and no signal blocked" "$("${run[@]}" --out 5mbit sed -n 's/^SigBlk:\t*//p' /proc/self/status)" 0000000000000000
is "only the policy is left of all this" "$(groups) $(cgroups)" "$policy_only 0"

# ------------------------------------------------------- side by side

"${run[@]}" --out 20mbit --filter-out guard -- "${net[@]}" iperf3 -J -c 10.77.0.2 -p 5201 -t $seconds -O 1 >"$work/one" 2>&1 &
first=$!
serve "$right" 5202
"${run[@]}" --out 10mbit -- "${net[@]}" iperf3 -J -c fd77:0::2 -p 5202 -t $seconds -O 1 >"$work/two" 2>&1 &
second=$!
ok "two run side by side" until_true 20 two_run
sed -i 's/50mbit/40mbit/' "$work/policy.ini"
is "an apply meanwhile lets them alone" "$(apply | cut -d: -f1)" "~ group b"
ok "so does a limit" "$WEIRCTL" limit b out=30mbit
is "both are there still" "$(runs)" 2
wait "$first" "$second"
within "the one had 20 Mbit/s on the wire" "$(wire4 "$(rate_of "$work/one")")" $low $high
within "the other 10" "$(wire6 "$(rate_of "$work/two")")" "$(awk -v l=$low 'BEGIN { print l / 2 }')" 10.3
ok "both are gone" until_true 20 none_left
"${run[@]}" --filter-out guard sleep 600 &
holder=$!
until_true 20 eval '[ "$(runs)" = 1 ]'
sed '/chain/,$d' "$work/policy.ini" >"$work/other.ini"
says "a policy without a chain that a command needs is refused" 1 "chain 'guard' is not in the policy" \
	"$WEIRCTL" apply "$work/other.ini"
kill "$holder"
wait "$holder"
is "the policy is there" "$(groups)" "$policy_only"
"${run[@]}" --filter-out guard -- "${net[@]}" ping -q -c1 -W1 10.77.0.2 >/dev/null 2>&1
is "a chain filters, and the command says so" $? 1
ok "… only what it denies" "${run[@]}" --filter-out guard -- "${net[@]}" iperf3 -n 1k -c 10.77.0.2 -p 5201

many=8
[ -z "${WEIR_VM:-}" ] || many=3
for ((i = 0; i < many; i++)); do
	"${run[@]}" --out 1mbit sh -c "exit $i" &
	waits[i]=$!
done
wrong=0
for ((i = 0; i < many; i++)); do
	wait "${waits[i]}"
	[ $? -eq $i ] || wrong=$((wrong + 1))
done
is "$many at once end with their own exit status" "$wrong" 0
is "and leave the policy" "$(groups) $(cgroups)" "$policy_only 0"

# ------------------------------------------------------------- signals

# start COMMAND...: in the background, until it says that it is ready; $weirctl
# is weirctl's own process.  (A shell's background ignores INT and QUIT.)
start() {
	: >"$work/out"
	env --default-signal=INT,QUIT "${run[@]}" --out 5mbit -- "$@" >"$work/out" 2>&1 &
	weirctl=$!
	pids+=("$weirctl")
	until_true 20 grep -q ready "$work/out"
}
talker='for s in INT TERM HUP QUIT USR1 USR2 WINCH; do trap "echo $s" $s; done; echo ready
	while [ ! -e "$0" ]; do sleep 0.05; done'
start bash -c "$talker" "$work/stop"
passed=''
for name in INT TERM HUP QUIT USR1 USR2 WINCH; do
	kill -$name "$weirctl"
	until_true 5 grep -qx $name "$work/out" && passed+=" $name"
done
is "signals are passed on" "$passed" " INT TERM HUP QUIT USR1 USR2 WINCH"
touch "$work/stop"
wait "$weirctl"
is "and the exit status is the command's" $? 0
start sh -c 'echo ready; exec sleep 60'
command=$(commands)
state() { sed 's/.*) \(.\) .*/\1/' "/proc/$1/stat"; }
states() { [ "$(state "$command")$(state "$weirctl")" = "$1" ]; }
kill -TSTP "$weirctl"
ok "TSTP stops the command, and weirctl with it" until_true 5 states TT
kill -CONT "$weirctl"
ok "CONT lets both go on" until_true 5 states SS
kill -TERM "$weirctl"
wait "$weirctl"
is "a command that TERM ends is 143" $? 143
# ^C in a terminal is for all processes there: it must not arrive twice.  weirctl
# is stopped until the command has it, or two could be one; and what weirctl
# passes on it passes on in order, so a second would come before USR1.
python3 - "$WEIRCTL" "$cgdir/a/cgroup.procs" >"$work/tty" <<'EOP'
import os, pty, signal, sys
command = """
import signal
signals = {signal.SIGINT, signal.SIGUSR1}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
print("ready", flush=True)
while True:
    info = signal.sigwaitinfo(signals)
    print("got", signal.Signals(info.si_signo).name, flush=True)
    if info.si_signo == signal.SIGUSR1: break
"""
pid, fd = pty.fork()
if pid == 0:
    with open(sys.argv[2], 'w') as procs: procs.write('0')
    os.execv(sys.argv[1], [sys.argv[1], 'run', '--out', '5mbit', '--', 'python3', '-c', command])
signal.alarm(60)
text = b''
def until(word):
    global text
    while word not in text: text += os.read(fd, 1000)
until(b'ready')
os.kill(pid, signal.SIGSTOP)
os.write(fd, b'\x03')
until(b'got SIGINT')
os.kill(pid, signal.SIGUSR1)
os.kill(pid, signal.SIGCONT)
until(b'got SIGUSR1')
print(text.count(b'got SIGINT'))
os.waitpid(pid, 0)
EOP
is "^C in a terminal arrives once" "$(cat "$work/tty")" 1

# ------------------------------------------- what is left, what is killed

began=$SECONDS
"${run[@]}" --out 5mbit -- sh -c 'sleep 60 & exit 3' >"$work/out" 2>&1
is "what the command left running does not keep weirctl" "$? $((SECONDS - began < 30))" "3 1"
is "and stays limited" "$(runs)" 1
kill "$(commands)"
ok "when it ends, the limit goes" until_true 20 none_left

start sh -c 'echo ready; exec sleep 60'
kill -KILL "$weirctl"
wait "$weirctl" 2>/dev/null
is "a killed weirctl leaves the command and its limit" "$(runs) $(commands | wc -l)" "1 1"
apply >/dev/null
is "an apply leaves it" "$(runs)" 1
kill "$(commands)"
until_true 5 no_command
is "status shows it until something changes" "$(runs)" 1
like "a dry run of apply would tidy up" "$(apply --dry-run)" "- group run:"
is "and does not yet" "$(cgroups)" 1
like "an apply does" "$(apply)" "- group run:"
ok "… with its cgroup" none_left

stuck=0 left=0
points='1 2 3 5 7'
[ -z "${WEIR_VM:-}" ] || points='2 5'
for point in $points; do
	(WEIR_CRASH_AT=$point "${run[@]}" --out 5mbit true) >/dev/null 2>&1
	"${run[@]}" --out 5mbit true || stuck=$((stuck + 1))
	until_true 5 none_left || left=$((left + 1))
done 2>/dev/null
is "one that was killed in the middle of its apply hinders nobody" "$stuck" 0
is "and the next one tidies up" "$left" 0

start sh -c 'echo ready; exec sleep 60'
"$WEIRCTL" clear
is "clear takes the limit away" "$(groups)" ""
ok "and lets the command run" kill -0 "$(commands)"
kill -TERM "$weirctl"
wait "$weirctl"
is "to its end" $? 143
is "which leaves nothing" "$(left_over)" ""
finish
