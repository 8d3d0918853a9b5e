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

# look: the bytes that have come to v0, or $look_at, with link headers, $bytes, and
# when, $at to $to (us).  In the process that asks, and under emulation above all others:
# a program may take half a second to begin there, and look at any time of that.
look() {
	local name
	at=${EPOCHREALTIME/[.,]/}
	while read -r name bytes _ && [ "$name" != "${look_at:-v0}:" ]; do :; done </proc/net/dev
	to=${EPOCHREALTIME/[.,]/}
}

# steady SECONDS: Mbit/s of what comes to v0 in as much time, but for moments at
# which the machine stood still.  A clock ticks every 50 ms; where it is more than
# 20 late, the timers of senders are, too.  That tick does not count, nor do the
# four after it, in which a burst makes good some of it, and all takes as much
# longer, five times at most.  If more came in the whole time it is that: nothing
# shall hide in such a moment.
steady() {
	local us bytes at to had was first first_bytes good=0 sum=0 leave=0
	exec 3<> <(:)
	us=$(printf %.0f "$1e6")
	look
	first=$at first_bytes=$bytes
	while ((good < us && at - first < 5 * us)); do
		had=$bytes was=$at
		read -rt 0.05 -u 3 # a sleep that needs no process
		look
		((to - was <= tick_most)) || leave=5
		if ((leave > 0)); then
			((leave--))
		else
			((good += at - was, sum += bytes - had))
		fi
	done
	if ((good < us / 2)); then
		echo "unknown: the machine stood still for most of $(((at - first) / 1000)) ms"
		return
	fi
	((sum * (at - first) >= (bytes - first_bytes) * good)) ||
		((sum = bytes - first_bytes, good = at - first))
	((sum = sum * 8000000 / good))
	printf '%d.%06d\n' $((sum / 1000000)) $((sum % 1000000))
}
export -f look steady
# Elsewhere a tick is late where another program runs, and all of the time counts.
export tick_most=1000000000
above_all=()
[ -z "${WEIR_VM:-}" ] || tick_most=70000 above_all=(chrt --fifo 1)
looker() { nsenter --net=/run/netns/"$1" "${above_all[@]}" bash -c "$2"; }

# arrived [NETNS]: bytes that have come to v0, on the right or there, and when (us).
arrived() { looker "${1:-$right}" 'look; echo "$bytes $at"'; }

# mbit_between FROM TO: the rate, of what two calls of arrived said.
mbit_between() { echo "$1 $2" | awk '{ printf "%.6g", ($3 - $1) * 8 / ($4 - $2) }'; }

# wire_mbit SECONDS [NETNS]: what comes there in that time, but for standstills.
wire_mbit() { looker "${2:-$right}" "steady $1"; }

# wire_share MBIT SECONDS [NETNS]: the same, as a share of that rate.
wire_share() { wire_mbit "${@:2}" | awk -v m="$1" '/unknown/ { print; exit } { printf "%.4f", $1 / m }'; }

# holds NAME MBIT COMMAND...: what it sends from $sends_as in $sends_from arrives in
# $sends_to at that rate, and it goes on.
settle=1 sample=2 low=0.98 high=1.02
[ -z "${WEIR_VM:-}" ] || { low=0.93 high=1.07; }
[ -z "$short" ] || { settle=0.5 sample=1.5; }
holds() {
	local name=$1 mbit=$2 to=${sends_to:-$right} sender before share
	shift 2
	before=$(arrived "$to")
	begin "${sends_as:-$cg/a}" nsenter --net=/run/netns/"${sends_from:-$left}" "$@" >/dev/null 2>&1
	sender=$begun
	until_true 10 eval "[ \$((\$(arrived $to | cut -d' ' -f1) - ${before% *})) -gt $((mbit * 6000)) ]"
	sleep $settle
	share=$(wire_share "$mbit" $sample "$to")
	kill -0 "$sender" || share="ended, after $share"
	within "$name" "$share" $low $high
	end "$sender"
}
