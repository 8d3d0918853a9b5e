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
low=0.95 high=1.01
[ -z "${WEIR_VM:-}" ] || { low=0.7 high=1.05; }
ok "a limit applies" limit_a 10mbit

send() {
	begin "$cg/a" nsenter --net=/run/netns/"$left" "$@" >/dev/null 2>&1
	sender=$begun
}

# bounded NAME: from its first packet on it sends rate × time + burst at most,
# and then has the rate.  The burst is 40 ms, the slack 50 ms.
bounded() {
	local name=$1 from
	shift
	from=$(arrived)
	send "$@"
	sleep 2
	within "$name: no more than rate and burst at first (Mbit/s in 2 s)" \
		"$(mbit_between "$from" "$(arrived)")" 1 10.6
	within "… and then the rate" "$(wire_share 10 2)" $low $high
	end "$sender"
}
bounded "who takes back his pacing rate all the time" "$traffic" free 10.77.0.2 7001
bounded "IP packets that are neither TCP nor UDP" "$traffic" raw 10.77.0.2 253 1400
# They wait for each other, and for TCP's timers; what they left may come as a
# burst at any time, which is 2 % of two seconds.
most=1.03
[ -z "${WEIR_VM:-}" ] || most=$high
low=0.75 high=$most bounded "a thousand connections" "$traffic" crowd 10.77.0.2 7001 1000
send "$traffic" raw 10.77.0.2 253 1400
sleep 1
within "when they have gone, others have the rate" "$(wire_share 10 2)" 0.9 $most
end "$sender"

# Stopped, and continued when all credit is there.
low=0.9
[ -z "${WEIR_VM:-}" ] || low=0.7
send "$traffic" crowd 10.77.0.2 7001 4
sleep 2
kill -STOP "$sender"
sleep 3
from=$(arrived)
kill -CONT "$sender"
sleep 2
within "who was stopped has no more than rate and burst afterwards (Mbit/s in 2 s)" \
	"$(mbit_between "$from" "$(arrived)")" 5 10.6
within "… and then the rate" "$(wire_share 10 2)" $low $high
end "$sender"
finish
