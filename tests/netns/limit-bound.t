#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The bound holds whatever sockets do, and whatever becomes of their processes.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
split_segments
make_cgroup "$cg/a"
traffic=$PWD/tests/netns/traffic
in_right "$PWD/tests/bench/talk" sink 7001 1 &
pids+=($!)
until_true 10 eval "ss -N $right -ltnH 'sport = :7001' | grep -q ."
low=0.95 high=1.01
[ -z "${WEIR_VM:-}" ] || { low=0.7 high=1.05; }
policy <<EOP
[group a]
match = $cg/a
out = 10mbit
EOP
ok "a limit applies" apply

send() {
	begin "$cg/a" nsenter --net=/run/netns/"$left" "$@" >/dev/null 2>&1
	sender=$begun
}

# bounded NAME: from its first packet on it sends rate × time + burst at most,
# and then has the rate.  The burst is 40 ms, the slack 50 ms.
bounded() {
	local name=$1 from to
	shift
	from=$(arrived)
	send "$@"
	sleep 2
	to=$(arrived)
	within "$name: no more than rate and burst at first (Mbit/s in 2 s)" \
		"$(echo "$from $to" | awk '{ print ($3 - $1) * 8 / ($4 - $2) }')" 1 10.6
	within "… and then the rate" "$(wire_share 10 2)" $low $high
	end "$sender"
}
bounded "who takes back his pacing rate all the time" "$traffic" free 10.77.0.2 7001
bounded "IP packets that are neither TCP nor UDP" "$traffic" raw 10.77.0.2 253 1400
low=0.75 # they wait for each other, and for TCP's timers
bounded "a thousand connections" "$traffic" crowd 10.77.0.2 7001 1000
send "$traffic" raw 10.77.0.2 253 1400
sleep 1
within "when they have gone, others have the rate" "$(wire_share 10 2)" 0.9 $high
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
	"$(echo "$from $(arrived)" | awk '{ print ($3 - $1) * 8 / ($4 - $2) }')" 5 10.6
within "… and then the rate" "$(wire_share 10 2)" $low $high
end "$sender"
finish
