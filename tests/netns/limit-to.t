#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Limits by address: each destination has its own, or none, whoever sends.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_link "$left" v1 "$right" v1 1
make_link "$left" v2 "$right" v2 2
for dev in v0 v1 v2; do in_left ethtool -K $dev tso off; done
make_cgroup "$cg/a"
make_cgroup "$cg/b"
for port in 5201 5202 5203; do serve "$right" $port; done
traffic=$PWD/tests/netns/traffic
out=20 more=12 backup=5 free=60 low=0.95 high=1.04 wait=1 sample=1
# Who has no limit has more than others, but his sender is late now and then.
none_low=0.8 none_high=1.5
# A packet costs an emulated processor half a millisecond.
[ -z "${WEIR_VM:-}" ] || {
	out=3 more=2 backup=1 free=4 low=0.84 high=1.08 none_low=0.7 none_high=1.6 wait=4 sample=1.5
}

# limits OUT-TO [LINES]: by address, beside the limit of everything else.
limits() {
	policy <<EOP
[group a]
match = $cg/a, $cg/b
out = ${out}mbit
out-to = $1
${2:-}
[set backup]
elements = 10.77.1.0/24, fd77:1::/64
[set usual]
elements = 10.77.0.0/24, fd77:0::/64
EOP
	apply
}

send() {
	begin "$cg/${from:-a}" nsenter --net=/run/netns/"$left" "$@" >/dev/null 2>&1
	senders+=("$begun")
}
three() {
	senders=()
	send iperf3 -t 600 -c 10.77.0.2 -p 5201
	send iperf3 -t 600 -c fd77:1::2 -p 5202
	# What iperf3 sends of this is 1.046 of it on the wire.
	send iperf3 -t 600 -c 10.77.2.2 -p 5203 -b ${free}M
}

# shares NAME MBIT...: what comes by v0, v1 and v2 while all send is so much; by v2,
# who has no limit.
shares() {
	local name=$1 i=0 mbit pids=() lows=("$low" "$low" "$none_low") highs=("$high" "$high" "$none_high")
	shift
	for mbit; do
		look_at=v$i wire_share "$mbit" $sample >"$work/share$i" &
		pids+=($!)
		# So many that look would be in each other's way there.
		[ -z "${WEIR_VM:-}" ] || wait $!
		i=$((i + 1))
	done
	wait "${pids[@]}"
	i=0
	for mbit; do
		within "$name: $mbit Mbit/s by v$i" "$(cat "$work/share$i")" "${lows[i]}" "${highs[i]}"
		i=$((i + 1))
	done
}

# paced HOST: its connections that have a pacing rate of anybody's.
paced() { ss -N "$left" -tinH "dst $1" | grep -c 'pacing_rate [^ /]*/'; }
is_paced() { [ "$(paced "$1")" -gt 0 ]; }

# figures: of two destinations what passed (bytes), and was dropped (packets).
figures() {
	"$WEIRCTL" stats --json a | jq -r '[.groups[0].cgroups[0].out_to[-2, -1]
		| .passed_bytes, .dropped_packets] | @tsv'
}

# more_than MBIT DEV: comes there.
more_than() { [ "$(look_at=$2 wire_mbit 0.3 | cut -d. -f1)" -gt "$1" ]; }

wire=$(wire4 $free) none="10.77.2.0/24, fd77:2::/64 none"
start=three few=30 # TCP does not pace its first window
if [ "$("$WEIRCTL" doctor --json | field tcp_iterator)" = true ]; then
	start=: few=0
	[ -z "${WEIR_VM:-}" ] || few=30
	three
	ok "connections fill the links" until_true 20 more_than $((2 * out)) v1
fi
ok "limits by address apply" limits "@backup ${backup}mbit, $none"
is "a second time there is nothing to do" "$(apply)" ""
$start
sleep $wait
shares "three connections that were open before" $out $backup "$wire"
is "one without a limit is not paced" "$(paced 10.77.2.2)" 0
ok "one with a limit is" is_paced '[fd77:1::2]'
read -r passed dropped passed_none dropped_none < <(figures)
within "what passes is counted by destination" "$passed" $((backup * 100000)) 1e9
within "and next to nothing of it is dropped (packets)" "$dropped" 0 $few
within "also without a limit" "$passed_none" $((free * 100000)) 1e9
is "of which nothing is dropped" "$dropped_none" 0

# Between limits, and out of one.
change() {
	local was=$passed
	ok "another limit before it, and another rate beside it" \
		limits "@usual ${more}mbit, @backup ${backup}mbit, $none"
	sleep $wait
	shares "the same connections" $more $backup "$wire"
	read -r passed _ < <(figures)
	within "what has not changed goes on" "$passed" "$was" 1e9
	if [ -z "$short" ]; then
		ok "the limit of all else is changed" "$WEIRCTL" limit a out=1gbit
		is "and those of destinations stay" "$("$WEIRCTL" status --json |
			jq -c '.groups[0].cgroups[0] | [.out, .out_to[]] | map(.limit_bps)')" \
			"[1000000000,${more}000000,${backup}000000,null]"
	fi
	ok "who was limited is to be no more" limits "@backup none, $none"
	ok "and is not" until_true 5 more_than $((2 * out)) v1
}

# spray NAME TIMES: as often as one limit.
spray() {
	senders=()
	for from in a b; do
		send "$traffic" spray 9 $spray 10.77.1.2 fd77:0::2 10.77.2.2
	done
	until_true 20 more_than 1 v2
	sleep $wait
	shares "$1" $(($2 * out)) $(($2 * backup)) "$(awk -v m=$spray 'BEGIN { print 2 * m * 1442 / 1400 }')"
	end "${senders[@]}"
}

# What comes from each, of what is sent to each.
arrives() {
	local source came bytes=(1442 1462 1442) mbits=("$backup" "$in" "$spray") i
	local names=("one with a limit" "any other" "one without")
	# Where the sender is late for longer than the burst lasts, police lost that.
	local lows=(0.8 0.8 "$none_low") highs=("$high" "$high" "$none_high")
	nsenter --net=/run/netns/"$right" "$traffic" spray 9 $spray 10.77.1.1 fd77:0::1 10.77.2.1 &
	source=$!
	pids+=("$source")
	mapfile -t came < <(in_cgroup "$cg/a" timeout 30 nsenter --net=/run/netns/"$left" \
		"$traffic" count 9 2 10.77.1.2 fd77::2 10.77.2.2)
	end $source
	for i in 0 1 2; do
		within "of what arrives, that of ${names[i]} (share)" "$(awk -v x="${came[i]}" -v b="${bytes[i]}" \
			-v m="${mbits[i]}" 'BEGIN { print x * b / 1400 / m / 1e6 }')" "${lows[i]}" "${highs[i]}"
	done
}

# Two cgroups have their limits together; each has one socket for both families.
together() {
	out=4 backup=2 in=3 spray=5
	[ -z "${WEIR_VM:-}" ] || out=2 backup=1 in=1 spray=1.5
	ok "limits that two cgroups share, and of what arrives, apply" \
		limits "@backup ${backup}mbit, $none" "share = all
in = ${in}mbit
in-from = @backup ${backup}mbit, $none"
	spray "UDP of one socket to three" 1
	arrives
}

for scene in $(dealt change together); do
	[ $scene = change ] || end "${senders[@]}"
	$scene
done
end "${senders[@]}"
if [ -z "$short" ]; then
	limits "@backup ${backup}mbit, $none" "shaper = police" >/dev/null
	low=0.85 spray "each its own, by police" 2 # his sender is late now and then, too
	out=20 backup=5
	limits "@backup ${backup}mbit, $none" >/dev/null
	three
	sleep $wait
	shares "connections that begin" $out $backup "$wire"
fi
ok "clear" "$WEIRCTL" clear
finish
