#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# That pacing works on a kernel: what four connections send together is the
# limit.  An emulated processor is too slow for what limit-out.t asks.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/../netns/lib.bash"
make_lab
make_cgroup "$cg/a"
serve "$right" 5201
policy <<EOP
[group a]
match = $cg/a
out = 10mbit
EOP
ok "a limit of 10 Mbit/s applies" apply
in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" \
	iperf3 -J -c 10.77.0.2 -p 5201 -P 4 -t 4 -O 1 >"$work/iperf" 2>&1
within "4 TCP flows get it on the wire (Mbit/s)" "$(wire4 "$(rate_of "$work/iperf")")" 9.5 10.3
is "the shaper is pace" "$("$WEIRCTL" stats --json | jq -r '.groups[0].cgroups[0].out.shaper')" pace
ok "clear succeeds" "$WEIRCTL" clear
finish
