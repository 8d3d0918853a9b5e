#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A network card whose driver runs XDP natively: the first rules of its chain are
# asked there by themselves.  Two cards of an emulated machine's, one wire.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/netns/xdp.bash
. "$(dirname "$0")/xdp.bash"

cards=()
if [ -n "${WEIR_VM:-}" ] && modprobe virtio_net 2>"$work/why"; then
	for card in /sys/class/net/*; do
		[ ! -e "$card/device" ] || cards+=("${card##*/}")
	done
fi
if [ ${#cards[@]} != 2 ]; then
	skip "a network card runs the first rules natively" \
		"there are no two network cards that a test may use"
	finish
fi

make_netns "$left"
make_netns "$right"
for i in 0 1; do
	ns=$([ $i = 0 ] && echo "$left" || echo "$right")
	ip link set "${cards[i]}" netns "$ns"
	ip -n "$ns" link set "${cards[i]}" name v0
	nsenter --net=/run/netns/"$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	ip -n "$ns" addr add 10.77.0.$((i + 1))/24 dev v0
	# The frames are for nobody: the card would not take them.
	ip -n "$ns" link set v0 up promisc on
done
until_true 5 in_right ping -q -c1 -W1 10.77.0.1
# Or they would ask for each other again some time later.
ip -n "$left" neigh flush dev v0
ip -n "$right" neigh flush dev v0

wish in 'xdp = no'
ok "a policy applies" apply
"$WEIRCTL" set add bad "${banned[@]}"
is "with xdp = no there is no program" "$(is_on)" "false 0"
send
is "all frames come as far as tc" "$met" $n_frames
wanted=$counted
like "which denies them by each of the rules" "$wanted" "^14 1 11 "

wish in
ok "it applies without a word of xdp" apply
if [ "$(is_on)" = "false 0" ]; then
	# Up to 5.12: a queue for each processor, beside those of the stack.
	like "where the driver refuses, status says why" "$("$WEIRCTL" status)" \
		'no xdp: the driver says: '
	skip "the first rules run natively" "virtio_net has no queues for XDP here (5.13)"
	send
	is "and all frames come as far as tc" "$met" $n_frames
else
	is "and the program is there" "$(is_on)" "true 1"
	is "natively" "$(ip -n "$left" -d link show v0 | grep -c ' xdp ')" 1
	send
	is "what is denied by the first rules does not come as far as tc" "$met" \
		$((n_frames - n_early))
fi
is "and all is counted as before" "$counted" "$wanted"
ok "other packets pass" in_right ping -q -c1 -W2 10.77.0.1
ok "clear succeeds" "$WEIRCTL" clear
is "and leaves no program" "$(program)" ""
finish
