#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sets and lists of interfaces, on real packets: changed while the policy is in
# force, and for interfaces that come, go, and are called otherwise.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"
policy <<EOP
[group a]
match = $cg/a
filter-out = out
[chain out]
policy = allow
10 = deny udp to port 1001 iface @lan
20 = deny udp to port 1002 iface w*, @lan
30 = deny udp to port 1003 iface lo,v0
[set lan]
holds = interfaces
EOP
# Interfaces are those of the namespace that it runs in.
weirctl() { in_left "$WEIRCTL" "$@"; }
set_() { weirctl set "$@"; }
sends() { in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" bash -c "echo >/dev/udp/$1/$2" 2>/dev/null; }
# state ADDRESS: of the three ports
state() {
	local port all=
	for port in 1001 1002 1003; do
		sends "$1" $port && all+="open " || all+="shut "
	done
	echo "$all"
}
watched() { weirctl watch --once; }

ok "the policy applies" weirctl apply "$work/policy.ini"
is "where the set has none, one is named" "$(state 10.77.0.2)$(state 127.0.0.1)" "open open shut open open shut "
ok "an interface is added" set_ add lan v0
is "and the next packet by it denied" "$(state 10.77.0.2)$(state fd77::2)" "shut shut shut shut shut shut "
is "on loopback it is not" "$(state 127.0.0.1)" "open open shut "
like "explain says by which rule" "$(weirctl explain out a udp 10.77.0.2:1001)" 'iface @lan.*denied'
like "and why not" "$(weirctl explain out a udp 10.77.0.2:1001 iface lo)" 'passes lo'
ok "twice is the same" set_ add lan v0
ok "others, and a name's beginning" set_ add lan eth7 'wl*' 10
is "are listed" "$(set_ list lan | tr '\n' ' ')$(set_ list)" "10 eth7 v0 wl* set lan: 4 interfaces"
is "in JSON, too" "$(set_ list --json lan | tr -d ' \n')" \
	'{"sets":[{"name":"lan","holds":"interfaces","elements":[{"element":"10"},{"element":"eth7"},{"element":"v0"},{"element":"wl*"}]}]}'
says "an address is none" 1 "'10.0.0.1' is an address, but set 'lan' holds interfaces" "$WEIRCTL" set add lan 10.0.0.1
says "nor is what no interface is called" 1 "'a/b' is not the name" "$WEIRCTL" set add lan a/b
says "one that another reaches into is none of its own" 1 "no element wlan0, but wl\*" "$WEIRCTL" set del lan wlan0
ok "they are deleted" set_ del lan v0 10
is "and packets pass" "$(state 10.77.0.2)" "open open shut "
ok "with a timeout" set_ add lan 'v*' timeout 1s
is "it is in at first" "$(state 10.77.0.2)" "shut shut shut "
ok "and out by itself" until_true 5 sends 10.77.0.2 1001
set_ list lan >"$work/list"
echo lo >>"$work/list"
ok "what was listed is loaded" set_ load lan "$work/list"
is "with loopback, which has its say then" "$(set_ list lan | tr '\n' ' ')$(state 127.0.0.1)" "eth7 lo wl* shut shut shut "
is "again there is nothing to change" "$(weirctl apply --dry-run "$work/policy.ini")$(watched)" "nothing to change"

# Interfaces that come later, and go.
set_ add lan x0
make_link "$left" x0 "$right" x0 1
is "one that appears is not known" "$(state 10.77.1.2)" "open open open "
is "until watch learns of it" "$(watched)" "+ interface x0: rules know it by its name"
is "then it is" "$(state 10.77.1.2)$(state 10.77.0.2)" "shut shut open open open shut "
ip -n "$left" link set x0 down
ip -n "$left" link set x0 name w0
ip -n "$left" link set w0 up
is "one that is called otherwise" "$(watched)" "~ interface w0: it is called so now"
is "is so for the rules" "$(state 10.77.1.2)" "open shut open "
ip -n "$left" link del w0
is "one that goes is forgotten" "$(watched)" "- interface w0: it is not there now"
is "twice is the same" "$(watched)" ""

# A policy without such rules knows no names.
rows() { bpftool map dump pinned "$WEIR_BPFFS/maps/ifaces" | grep -c ^key; }
like "names are in the kernel" "$(rows)" "^[12]$"
sed -i 's/iface .*/iface v0/' "$work/policy.ini"
ok "where no rule looks at several" weirctl apply "$work/policy.ini"
sed -i 's/1002/1004/' "$work/policy.ini"
ok "nor did before" weirctl apply "$work/policy.ini"
is "there are none" "$(rows)" 0
is "and one is known by its number" "$(state 10.77.0.2)" "shut open shut "
finish
