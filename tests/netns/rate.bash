# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Rates, as the tests of limits measure them: what iperf3 says that it received,
# what HTB counts, and what came over the wire.  Part of lib.bash.

# Wire bytes per payload byte, full segments of MTU 1500 with timestamps.
wire4() { awk -v x="$1" 'BEGIN { printf "%.4f", x * 1514 / 1448 }'; }
wire6() { awk -v x="$1" 'BEGIN { printf "%.4f", x * 1514 / 1428 }'; }

# The wire bytes that HTB has sent, all leaf classes, by what tc shows.
leaf_bytes() {
	awk '/^class htb/ { leaf = / leaf / }
		/Sent/ && leaf { sum += $2 }
		END { printf "%.0f", sum }'
}

# queued NETNS DEV: what HTB has sent there.
queued() { tc -n "$1" -s class show dev "$2" | leaf_bytes; }

# queued_at NETNS DEV: the same, and the time of that, in microseconds.  Half of
# what tc takes, and of three that one that took least: under emulation it takes
# long, and now and then longer.
queued_at() {
	local from to shown took=1000000000 at quickest
	for _ in 1 2 3; do
		from=${EPOCHREALTIME/[.,]/}
		shown=$(tc -n "$1" -s class show dev "$2")
		to=${EPOCHREALTIME/[.,]/}
		((to - from < took)) || continue
		took=$((to - from)) at=$(((from + to) / 2)) quickest=$shown
	done
	echo "$(leaf_bytes <<<"$quickest") $at"
}

# queue_holds NAME MBIT NETNS DEV COMMAND...: while COMMAND (iperf3) sends, DEV's
# queue lets pass MBIT, by HTB's own count; and the receiver has it by COMMAND's:
# less exactly, as that jumps by a queue's length when a lost segment comes.
# Under emulation a sender does not always fill a queue, and what tc counts is
# of a moment that is not known exactly: there the limit is a bound alone.
queue_holds() {
	local name=$1 mbit=$2 ns=$3 dev=$4 low=0.985 high=1.015 client before after
	local flags=(-t 5 -O 1) sample=3
	shift 4
	if [ -n "${WEIR_VM:-}" ]; then
		low=0.1 high=1.04 flags=(-t 3 -O 0) sample=1.5
	fi
	before=$(queued "$ns" "$dev")
	"$@" "${flags[@]}" >"$work/received" &
	client=$!
	until_true 5 eval "[ \$((\$(queued $ns $dev) - before)) -gt $((mbit * 50000)) ]"
	before=$(queued_at "$ns" "$dev")
	sleep $sample
	after=$(queued_at "$ns" "$dev")
	within "$name at $mbit Mbit/s on the wire" "$(echo "$before $after" | awk -v m="$mbit" \
		'{ print ($3 - $1) * 8 / ($4 - $2) / m }')" $low $high
	wait "$client"
	within "… and the receiver has it" "$(awk -v x="$(cat "$work/received")" -v m="$mbit" \
		'BEGIN { print x * 1514 / 1448 / m }')" "$(awk -v l=$low 'BEGIN { print l - 0.085 }')" 1.1
}

# rate_of FILE: Mbit/s received, between the first second and the last, as iperf3
# -J says under "sum_received".  By awk, as jq takes emulation half a second.
rate_of() {
	awk -F'[:,]' '/"sum_received"/ { found = 1 }
		found && /"bits_per_second"/ { printf "%.6g\n", $2 / 1e6; exit }' "$1" 2>/dev/null
}

# From here on each segment that left sends is a packet of its own when it
# arrives: what right counts is then what was on the wire.
split_segments() { in_left ethtool -K v0 tso off; }

# Bytes that have arrived on the right, with link headers, and when (us).
arrived() {
	local at=${EPOCHREALTIME/[.,]/}
	echo "$(in_right awk '/v0:/ { sub(/.*:/, ""); print $1 }' /proc/net/dev) $(((at + ${EPOCHREALTIME/[.,]/}) / 2))"
}

# mbit_between FROM TO: the rate, of what two calls of arrived said.
mbit_between() { echo "$1 $2" | awk '{ printf "%.6g", ($3 - $1) * 8 / ($4 - $2) }'; }

# wire_share MBIT SECONDS: what arrives in that time, as a share of that rate.
wire_share() {
	local from
	from=$(arrived)
	sleep "$2"
	awk -v x="$(mbit_between "$from" "$(arrived)")" -v m="$1" 'BEGIN { printf "%.4f", x / m }'
}
