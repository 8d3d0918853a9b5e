#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A limit stays exact through many changes, many connections and long delays.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
split_segments
make_cgroup "$cg/a"
talk=$PWD/tests/bench/talk
sink "$right" 7001
serve "$right" 5201
changes=${WEIR_CHANGES:-100} low=0.97 high=1.01 mbit=20 churn=(1 2)
# A packet costs an emulated processor half a millisecond.
[ -z "${WEIR_VM:-}" ] || { changes=6 low=0.88 high=1.07 mbit=6; }
# There a connection takes some, and they are made one by one.
[ -z "$short" ] || churn=(5 1)
ok "a limit applies" limit_a ${mbit}mbit
flows() {
	begin "$cg/a" nsenter --net=/run/netns/"$left" iperf3 -c 10.77.0.2 -p 5201 -P 2 -t 600 >/dev/null 2>&1
	flows=$begun
	sleep 1.5
}

flows
from=$(arrived) failed=0
for ((i = 0; i < changes; i++)); do
	"$WEIRCTL" limit a out=$((i % 2 ? 3 * mbit / 2 : mbit / 2))mbit >/dev/null || failed=$((failed + 1))
done
is "$changes changes under load succeed" $failed 0
within "what leaves meanwhile is between the rates (Mbit/s)" \
	"$(mbit_between "$from" "$(arrived)")" $((mbit / 2)) $((3 * mbit / 2))
"$WEIRCTL" limit a out=${mbit}mbit >/dev/null
sleep 1
within "the last one holds" "$(wire_share $mbit $sample)" $low $high
ok "the connections are still there" kill -0 $flows

# Connections that come, send and go; a reset each, so none is left behind.
in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" "$talk" churn 10.77.0.2 7001 "${churn[@]}" >/dev/null 2>&1
sleep $((churn[1] + 1))
within "after hundreds of connections the two have the rate again" "$(wire_share $mbit $sample)" $low $high
end $flows

for delay in $(dealt 100 20 5); do
	if ! tc -n "$right" qdisc replace dev v0 root netem delay ${delay}ms limit 10000 2>/dev/null; then
		skip "two flows have the rate at an RTT of $delay ms" "the kernel has no netem"
		continue
	fi
	flows
	sleep 2
	within "two flows have the rate at an RTT of $delay ms" "$(wire_share $mbit $sample)" $low $high
	end $flows
done
finish
