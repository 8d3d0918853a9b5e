#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A container's published port: netfilter gives its packets other addresses between
# two devices, and each of these knows the flow by those that it sees.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
box=$lab-b
make_netns "$left"
make_netns "$right"
make_netns "$box"
make_link "$left" n0 "$right" n0 1
make_link "$right" m0 "$box" m0 2
ip -n "$left" route add default via 10.77.1.2
ip -n "$box" route add default via 10.77.2.1
in_right sysctl -qw net.ipv4.ip_forward=1

if ! in_right nft -f - 2>"$work/why" <<'EON'; then
table ip t {
	chain p { type nat hook prerouting priority -100;
		tcp dport 8080 dnat to 10.77.2.2:80
		udp dport 5353 dnat to 10.77.2.2:53
	}
	chain q { type nat hook postrouting priority 100; oifname "m0" masquerade; }
}
EON
	skip "a published port is reached through weir's devices" "no NAT of nft's: $(tail -n 1 "$work/why")"
	finish
fi

policy <<EOP
[device n0]
filter-in = from-outside
filter-out = to-outside
[device m0]
filter-out = to-box
filter-in = from-box
[chain from-outside]
policy = deny
10 = allow established
20 = allow tcp to port 8080 new
30 = allow udp to port 5353 new
[chain to-outside]
policy = deny
10 = allow established
20 = allow related
[chain to-box]
policy = deny
10 = allow established
20 = allow tcp to 10.77.2.2 port 80 new
30 = allow udp to 10.77.2.2 port 53 new
[chain from-box]
policy = deny
10 = allow established
20 = allow related
EOP
ok "the policy is applied" in_right "$WEIRCTL" apply "$work/policy.ini"
sink "$box" 80
packets() {
	in_right "$WEIRCTL" stats "$1" --json |
		jq ".chains[0].rules[] | select(.number == $2) | .packets"
}
flows() { in_right "$WEIRCTL" stats --json | jq ".devices[] | select(.name == \"$1\") | .flows.$2"; }

# shellcheck disable=SC2016
ok "a published port is reached" in_left timeout 5 bash -c \
	'exec 3<>/dev/tcp/10.77.1.2/8080 && echo hello >&3'
for chain in from-outside to-box; do is "$chain has seen one new flow" "$(packets $chain 20)" 1; done
for device in n0 m0; do
	is "$device knows one flow, by what it sees" "$(flows $device opened)" 1
	is "which is proven" "$(flows $device proven)" 1
done

# Nobody listens there: the box says so, and is translated back.
# shellcheck disable=SC2016
in_left bash -c 'exec 3>/dev/udp/10.77.1.2/5353 && echo hello >&3'
ok "an error about a flow is related where it comes from" until_true 5 eval '[ "$(packets from-box 20)" = 1 ]'
ok "and behind the translation" until_true 5 eval '[ "$(packets to-outside 20)" = 1 ]'
is "nothing else came" "$(in_right "$WEIRCTL" stats --json | jq -c '[.chains[].policy_packets]')" "[0,0,0,0]"

# A packet too big for the way: the router's own answer is about a flow, too.
ip -n "$right" link set m0 mtu 1300
# shellcheck disable=SC2016
in_left timeout 5 bash -c 'exec 3<>/dev/tcp/10.77.1.2/8080 && head -c 20000 /dev/zero >&3 && sleep 0.3' &
wait $!
within "a path-MTU message is related" "$(packets to-outside 20)" 2 9
in_right "$WEIRCTL" clear
finish
