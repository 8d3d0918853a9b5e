#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The bound holds whatever sockets do, and whatever becomes of their processes.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
split_segments
make_cgroup "$cg/a"
traffic=$PWD/tests/netns/traffic
sink "$right" 7001
low=0.95 high=1.01 many=1000 least=-1000
[ -z "${WEIR_VM:-}" ] || { low=0.7 high=1.07 least=-5000; }
# Emulated, a thousand take seconds to connect.
[ -z "$short" ] || many=100
ok "a limit applies" limit_a 10mbit

send() {
	begin "$cg/a" nsenter --net=/run/netns/"$left" "$@" >/dev/null 2>&1
	sender=$begun
}

# ahead_of FROM: how much more has come since than the rate takes, in ms at 10
# Mbit/s.  The burst is 40 ms and the slack 50, and a packet or two come on top.
# Moments at which a machine stands still are no excuse, as it is one clock.
most=95
ahead_of() { echo "$1 $(arrived)" | awk '{ printf "%.1f", ($3 - $1) * 8e-4 - ($4 - $2) / 1e3 }'; }

# bounded NAME: from its first packet on it sends rate × time, burst and slack at
# most, and then has the rate.
bounded() {
	local name=$1 from now
	shift
	from=$(arrived)
	send "$@"
	for _ in {1..500}; do # the last moment at which nothing had come
		now=$(arrived)
		((${now% *} - ${from% *} < 2000)) || break
		from=$now
	done
	sleep 2
	within "$name: no more than rate and burst at first (ms)" "$(ahead_of "$from")" $((least - 800)) $most
	within "… and then the rate" "$(wire_share 10 $sample)" $low $high
	end "$sender"
}
takes_back() { bounded "who takes back his pacing rate all the time" "$traffic" free 10.77.0.2 7001; }
raw() { bounded "IP packets that are neither TCP nor UDP" "$traffic" raw 10.77.0.2 253 1400; }
# They wait for each other, and for TCP's timers; what they left may come as a
# burst at any time, which is 2 % of two seconds.  The slack has a segment of 1.2 ms
# for each, and where an emulated machine stood still they all send that at once.
crowd_most=120 crowd_low=0.9 crowd_high=1.03
[ -z "${WEIR_VM:-}" ] || { crowd_most=$((40 + (16 + many) * 12 / 10)) crowd_low=0.85 crowd_high=1.1; }
crowd() {
	most=$crowd_most low=0.75 high=$crowd_high bounded "$many connections" \
		"$traffic" crowd 10.77.0.2 7001 $many
	send "$traffic" raw 10.77.0.2 253 1400
	sleep 1
	within "when they have gone, others have the rate" "$(wire_share 10 $sample)" $crowd_low $crowd_high
	end "$sender"
}
for who in $(dealt takes_back raw); do $who; done
crowd

# Stopped, and continued when all credit is there.
low=0.9
[ -z "${WEIR_VM:-}" ] || low=0.7
send "$traffic" crowd 10.77.0.2 7001 4
sleep 1
kill -STOP "$sender"
sleep 1
from=$(arrived)
kill -CONT "$sender"
sleep 2
within "who was stopped has no more than rate and burst afterwards (ms)" \
	"$(ahead_of "$from")" $least $most
within "… and then the rate" "$(wire_share 10 $sample)" $low $high
end "$sender"
finish
