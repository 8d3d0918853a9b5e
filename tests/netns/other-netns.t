#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What weir did to a device in one network namespace, clear and apply in
# another take back: by its mark, wherever the namespace is found.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab

# make_device NETNS-OPTIONS...: d0 with a qdisc of somebody's, where nsenter
# gets by the options.
make_device() {
	nsenter "$@" ip link add d0 type veth peer name d1
	nsenter "$@" ip link set d0 up
	nsenter "$@" tc qdisc add dev d0 root handle 5: tbf rate 400mbit burst 100kb latency 50ms
}
picture() {
	nsenter "$@" tc qdisc show
	nsenter "$@" tc filter show dev d0 ingress
	nsenter "$@" ip -o link show | awk -F': ' '{ print $2 }'
}
l=--net=/run/netns/$left r=--net=/run/netns/$right
make_device "$l"
make_device "$r"
before=$(picture "$l") right_before=$(picture "$r")
policy <<EOP
[device d0]
takeover = yes
out = 10mbit
in = 20mbit
EOP

ok "a device is limited on the left" nsenter "$l" "$WEIRCTL" apply "$work/policy.ini"
status() { "$@" "$WEIRCTL" status --json | jq -r '.devices[].state'; }
is "status knows it anywhere" "$(status nsenter "$l") $(status)" "attached attached"
no="^weirctl: device d0 is in another network namespace: run weirctl there$"
gone="^weirctl: the network namespace of device d0 has gone: apply the policy again$"
leaves="^weirctl: device number [0-9]+ of"
refuses() { says "$1 on the right is refused" "$2" "$no" nsenter "$r" "$WEIRCTL" "${@:3}"; }
refuses limit 1 limit "$cg" out=1mbit
refuses run 125 run --out 1mbit -- true
refuses watch 1 watch --once
is "and leaves it alone" "$(status)" attached
ok "clear, on the right" nsenter "$r" "$WEIRCTL" clear
is "leaves the left as it was" "$(picture "$l")" "$before"
is "and keeps nothing" "$(ls "$WEIR_STATE" "$WEIR_BPFFS" 2>/dev/null)" ""

nsenter "$l" "$WEIRCTL" apply "$work/policy.ini" >/dev/null
like "an apply on the right says what goes on the left" \
	"$(nsenter "$r" "$WEIRCTL" apply --dry-run "$work/policy.ini")" "- device d0 in another netns: "
ok "it limits the device there" nsenter "$r" "$WEIRCTL" apply "$work/policy.ini"
is "and leaves the left as it was" "$(picture "$l")" "$before"
is "a second one has nothing to do" \
	"$(nsenter "$r" "$WEIRCTL" apply --dry-run "$work/policy.ini")" "nothing to change"
ok "clear, in neither" "$WEIRCTL" clear
is "leaves the right as it was, too" "$(picture "$r")" "$right_before"

# ------------------------------------------- namespaces that have no name

unshare -n sleep 600 &
keeper=$!
pids+=("$keeper")
until_true 5 eval "[ \$(readlink /proc/$keeper/ns/net) != \$(readlink /proc/self/ns/net) ]"
k=--net=/proc/$keeper/ns/net
make_device "$k"
before=$(picture "$k")
nsenter "$k" "$WEIRCTL" apply "$work/policy.ini" >/dev/null
says "clear, where that process is not seen, says what it leaves" 1 \
	"$leaves another network namespace is left as it is, .*: run weirctl clear there$" \
	unshare --pid --fork --mount-proc "$WEIRCTL" clear
ok "and keeps the qdisc that made way" eval 'ls "$WEIR_STATE"/qdisc-*'
ok "clear, where it is" "$WEIRCTL" clear
is "leaves all as it was" "$(picture "$k")" "$before"
is "and keeps nothing of it" "$(ls "$WEIR_STATE" "$WEIR_BPFFS" 2>/dev/null)" ""

ip netns attach "$lab-k" "$keeper"
sed 's/^takeover/netns = '"$lab-k"'\n&/' "$work/policy.ini" >"$work/named.ini"
ok "one that has a name is limited by it" "$WEIRCTL" apply "$work/named.ini"
ip netns del "$lab-k"
ok "clear, when only its name has gone" "$WEIRCTL" clear
is "leaves all as it was" "$(picture "$k")" "$before"

# --------------------------------- namespaces that cannot be looked at

# Without the right to look at processes that may do more.
blind=(setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace)
nsenter "$k" "$WEIRCTL" apply "$work/policy.ini" >/dev/null
says "clear, where that process may not be looked at, says what it leaves" 1 "$leaves another" \
	"${blind[@]}" "$WEIRCTL" clear
ok "and keeps the qdisc that made way" eval 'ls "$WEIR_STATE"/qdisc-*'
ok "clear, with that right" "$WEIRCTL" clear
is "leaves all as it was" "$(picture "$k")" "$before"

ip netns attach "$lab-k" "$keeper"
"$WEIRCTL" apply "$work/named.ini" >/dev/null
ip netns del "$lab-k"
says "one whose name has gone is no other case" 1 "$leaves the network namespace $lab-k" \
	"${blind[@]}" "$WEIRCTL" clear
ok "clear, with that right" "$WEIRCTL" clear
is "leaves all as it was" "$(picture "$k")" "$before"

# In a mount namespace where the right has no name.
hidden=(unshare --mount bash -c 'umount "$0" && exec "$@"' "/run/netns/$right")
before=$(picture "$r")
sed 's/^takeover/netns = '"$right"'\n&/' "$work/policy.ini" >"$work/named.ini"
"$WEIRCTL" apply "$work/named.ini" >/dev/null
says "one that only a mount elsewhere shows may live" 1 "$leaves the network namespace $right" \
	"${hidden[@]}" "${blind[@]}" "$WEIRCTL" clear
ok "clear, where that mount may be looked at" "${hidden[@]}" "$WEIRCTL" clear
is "leaves the right as it was" "$(picture "$r")" "$before"
is "and keeps nothing of it" "$(ls "$WEIR_STATE" "$WEIR_BPFFS" 2>/dev/null)" ""

# ---------------------- devices of the same number, in two namespaces

twins="e0 e1 e2 e3 e4 e5"
for i in 0 2 4; do
	for ns in "$k" "$r"; do
		nsenter "$ns" ip link add e$i index $((70 + i)) type veth \
			peer name e$((i + 1)) index $((71 + i))
	done
done
for i in $twins; do printf '[device %s]\nout = 10mbit\n' "$i"; done >"$work/twins.ini"
nsenter "$k" "$WEIRCTL" apply "$work/twins.ini" >/dev/null
says "an apply says which it leaves, as it cannot look there" 0 "e5: .*
weirctl: device number 7[0-5] of another network namespace is left as it is, .*: run weirctl apply there" \
	nsenter "$r" "${blind[@]}" "$WEIRCTL" apply "$work/twins.ini"
for i in 0 2 4; do nsenter "$k" ip link del e$i; done
is "status looks at those in force" "$(status | sort | uniq -c | xargs)" "6 attached"
ok "a limit where they are is taken" nsenter "$r" "$WEIRCTL" limit "$cg" out=1mbit
says "and refused where their twins were" 1 "${no/d0/e0}" \
	nsenter "$k" "$WEIRCTL" limit "$cg" out=1mbit
for i in 0 2 4; do
	nsenter "$k" ip link add e$i index $((70 + i)) type veth peer name e$((i + 1)) index $((71 + i))
done
like "an apply there makes all anew" "$(nsenter "$k" "$WEIRCTL" apply "$work/twins.ini")" \
	"e0: make the queue.*e0: make the counters"
ok "clear takes all back" "$WEIRCTL" clear

nsenter "$k" "$WEIRCTL" apply "$work/policy.ini" >/dev/null
end "$keeper"
if [ "$(stat -Lc %i /proc/self/ns/pid)" = $((0xEFFFFFFC)) ]; then
	says "watch elsewhere, when the namespace has gone, is refused" 1 "$gone" \
		nsenter "$r" "$WEIRCTL" watch --once
	says "so is limit" 1 "$gone" nsenter "$r" "$WEIRCTL" limit "$cg" out=1mbit
	ok "clear, when the namespace has gone" "$WEIRCTL" clear
	is "keeps nothing of it" "$(ls "$WEIR_STATE" "$WEIR_BPFFS" 2>/dev/null)" ""
else
	skip "clear, when the namespace has gone" "not all processes are seen in this pid namespace"
fi
finish
