# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the netns tests share: a lab of their own (two network namespaces with
# a veth between them, a cgroup, folders for pins, state and lock) that is
# taken down whatever happens, TAP, and traffic.
#
#	$lab	prefix of everything that is made	$work	a folder
#	$left $right	namespaces; 10.77.0.1/fd77::1 left, .2 right
#	$cg	the lab's cgroup below the mount, "/weir-test-…"
#	$cgdir	the same, in the file system

set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

WEIRCTL=${WEIRCTL:-$PWD/build/plain/weirctl}
lab=wt$$
work=$(mktemp -d "${TMPDIR:-/tmp}/weir-test-XXXXXX")
left=$lab-l right=$lab-r
cg=/weir-test-$$
cgmount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
cgdir=$cgmount$cg
export WEIR_BPFFS=$work/bpf WEIR_STATE=$work/state WEIR_RUN=$work/run

# An emulated processor is slow: where its machine runs for make check, not for
# check-long, a test does what it promises once, and as short as it can.
short=${WEIR_VM:-}
[ -z "${WEIR_LONG:-}" ] || short=

# dealt VARIANT...: all of them; where it must be short, the kernels have them in
# turn, and each has one at least.
dealt() {
	local kernels=(5.10 6.1 6.12 7) i=0
	[ -n "$short" ] || { echo "$@"; return; }
	until ((i == 3)) || [ "${kernels[i]}" = "$short" ]; do i=$((i + 1)); done
	echo "${@:i % $# + 1:1}"
	for ((i += 5; i <= $#; i += 4)); do echo "${!i}"; done
}

# ------------------------------------------------------------------- TAP

tests=0 failures=0

pass() {
	tests=$((tests + 1))
	echo "ok $tests - $1"
}

fail() {
	tests=$((tests + 1)) failures=$((failures + 1))
	echo "not ok $tests - $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/# /'
}

# skip NAME REASON: the reason names the kernel's missing feature.
skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# ok NAME COMMAND...: passes when the command does.
ok() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then pass "$name"; else fail "$name" "$* gave $?" "$output"; fi
}

is() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got:  $2" "want: $3"; fi
}

like() {
	if [[ $2 =~ $3 ]]; then pass "$1"; else fail "$1" "got:  $2" "want: $3"; fi
}

# within NAME VALUE LOW HIGH, decimals.
within() {
	if awk -v v="$2" -v l="$3" -v h="$4" 'BEGIN { exit !(v != "" && v >= l && v <= h) }'; then
		pass "$1 ($2)"
	else
		fail "$1" "got $2, want $3 … $4"
	fi
}

# says NAME STATUS PATTERN COMMAND...: what it prints and exits with, within
# ten seconds (an emulated processor takes as much longer) and 512 MiB.
says() {
	local name=$1 status=$2 pattern=$3 output got seconds=10
	shift 3
	[ -z "${WEIR_VM:-}" ] || seconds=60
	output=$(ulimit -v $((512 * 1024)) && exec timeout $seconds "$@" 2>&1)
	got=$?
	if [ "$got" = "$status" ] && [[ $output =~ $pattern ]]; then
		pass "$name"
	else
		fail "$name" "got:  $got, ${output:0:1000}" "want: $status, $pattern"
	fi
}

# field NAME: the first of that name in weirctl's JSON.  Not by jq, which takes an
# emulated processor half a second to begin.
field() { sed -n "/^ *\"$1\": /{s/.*: \"\?\([^\",]*\).*/\1/p;q}"; }

# until_true SECONDS COMMAND...: polls a predicate.
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# --------------------------------------------------------- set up, take down

pids=()
cleanups=()

at_exit() { cleanups+=("$1"); }

# Ends a process that this test started, and waits for it.
end() {
	local pid
	for pid; do
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
}

take_down() {
	local i pid
	trap - EXIT
	for pid in "${pids[@]:-}"; do [ -z "$pid" ] || end "$pid"; done
	"$WEIRCTL" clear >/dev/null 2>&1
	for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do eval "${cleanups[i]}"; done
	if [ -d "$cgdir" ]; then
		while read -r pid; do kill -KILL "$pid" 2>/dev/null; done \
			< <(find "$cgdir" -name cgroup.procs -exec cat {} + 2>/dev/null)
		until_true 5 eval "! grep -q . $cgdir/cgroup.procs $cgdir/*/cgroup.procs 2>/dev/null"
		find "$cgdir" -depth -type d -exec rmdir {} + 2>/dev/null
	fi
	umount "$WEIR_BPFFS" 2>/dev/null
	rm -rf "$work"
}

finish() {
	take_down
	echo "1..$tests"
	[ $failures -eq 0 ]
	exit
}
trap 'take_down; exit 1' INT TERM HUP
trap take_down EXIT

in_left() { nsenter --net=/run/netns/"$left" "$@"; }
in_right() { nsenter --net=/run/netns/"$right" "$@"; }

# make_link NS1 DEV1 NS2 DEV2 SUBNET-NUMBER
make_link() {
	# With the same number at both ends, as the first in two namespaces have, it
	# is no tunnel to the kernel, and that it is up then waits for a second.
	ip -n "$1" link add "$2" index $((100 + $5)) type veth peer name "$4" netns "$3"
	ip -n "$1" addr add "10.77.$5.1/24" dev "$2"
	ip -n "$3" addr add "10.77.$5.2/24" dev "$4"
	ip -n "$1" addr add "fd77:$5::1/64" dev "$2" nodad
	ip -n "$3" addr add "fd77:$5::2/64" dev "$4" nodad
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

make_netns() {
	ip netns add "$1"
	at_exit "end \$(ip netns pids $1); ip netns del $1"
	ip -n "$1" link set lo up
}

# The lab: left --veth-- right.  A cgroup of its own for what left sends.
make_lab() {
	make_netns "$left"
	make_netns "$right"
	make_link "$left" v0 "$right" v0 0
	mkdir -p "$cgdir"
	until_true 5 in_left ping -6 -c1 -W0.1 fd77:0::2
}

make_cgroup() { mkdir -p "$cgmount$1"; }

# in_cgroup PATH COMMAND...: runs it there, from its first instruction.
in_cgroup() {
	local procs=$cgmount$1/cgroup.procs
	shift
	bash -c 'echo $$ > "$0" && exec "$@"' "$procs" "$@"
}

# begin PATH COMMAND...: the same in the background.  $begun is the command's own
# process, not a shell that waits for it; of nsenter --net=… it is there.
begin() {
	local procs=$cgmount$1/cgroup.procs
	shift
	bash -c 'echo $$ > "$0" && exec "$@"' "$procs" "$@" &
	begun=$!
	pids+=("$begun")
	[ "$1" = nsenter ] || return 0
	until_true 10 eval "! [ -e /proc/$begun/ns/net ] || [ /proc/$begun/ns/net -ef ${2#--net=} ]"
}

# ---------------------------------------------------------------- traffic

# until_listening NETNS PORT [SECONDS]
until_listening() { until_true "${3:-5}" eval "ss -N $1 -ltnH 'sport = :$2' 2>/dev/null | grep -q ."; }

# serve NETNS PORT: iperf3 in the background.
serve() {
	nsenter --net=/run/netns/"$1" iperf3 -s -p "$2" >/dev/null 2>&1 &
	pids+=($!)
	until_listening "$1" "$2"
}

# sink NETNS PORT: takes all that comes, of any number of connections.
sink() {
	nsenter --net=/run/netns/"$1" "$PWD/tests/bench/talk" sink "$2" 1 &
	pids+=($!)
	until_listening "$1" "$2" 10 # Python takes its time to begin
}

policy() { cat >"$work/policy.ini"; }
apply() { "$WEIRCTL" apply "$@" "$work/policy.ini"; }

# limit_a RATE: a policy with but one limit, of what leaves the lab's cgroup a.
limit_a() {
	policy <<EOP
[group a]
match = $cg/a
out = $1
EOP
	apply >/dev/null
}

# shellcheck source=tests/netns/rate.bash
. tests/netns/rate.bash
