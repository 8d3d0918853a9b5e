#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who gets which part of a limit: short messages go first, and an application
# that asks for less than its share gets just that.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"
talk=$(dirname "$0")/../bench/talk
rate=100 bytes=250000 most=40 ask=3
[ -z "${WEIR_VM:-}" ] || rate=20 bytes=50000 most=50 ask=2
serve "$right" 5201
in_right "$talk" reply 7002 $bytes &
pids+=($!)
ok "a limit applies" limit_a ${rate}mbit
as_a() { in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" "$@"; }

# 20 ms of the whole rate: 60 for a third of it, as each of three would have.
begin "$cg/a" nsenter --net=/run/netns/"$left" iperf3 -c 10.77.0.2 -p 5201 -t 60 -P 2 >/dev/null 2>&1
bulk=$begun
sleep 2
got=$(as_a "$talk" ask 10.77.0.2 7002 $ask $bytes)
within "a message of 20 ms beside two bulk flows (median, ms)" "${got% *}" 12 $most
end $bulk

split_segments
tenth=$((rate / 10))
# It asks for so much payload, which is 1.046 of it on the wire.
[ -n "${WEIR_VM:-}" ] || low=0.993 high=1.067
holds "an application that asks for a tenth gets that" $tenth \
	iperf3 -c 10.77.0.2 -p 5201 -t 60 --fq-rate ${tenth}M
one=$rate
[ -z "${WEIR_VM:-}" ] || one=5 # as slow as limit-out.t has one flow there
limit_a ${one}mbit
[ -n "${WEIR_VM:-}" ] || low=0.972 high=1.025
holds "one that asks for five times the limit gets the limit" $one \
	iperf3 -c 10.77.0.2 -p 5201 -t 60 --fq-rate $((one * 5))M

begin "$cg/a" nsenter --net=/run/netns/"$left" iperf3 -c 10.77.0.2 -p 5201 -t 60 --fq-rate ${tenth}M >/dev/null 2>&1
sleep 2
ok "clear" "$WEIRCTL" clear
within "gives nobody more than he asks for" "$(wire_share $tenth 2)" 0.93 1.16
finish
