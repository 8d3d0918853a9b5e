#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where another version of weir has laid its maps out otherwise, a sentence says
# what to do; and clear, by what no version changes, takes all of it back.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/web"
ip -n "$left" link add d0 type veth peer name d1
ip -n "$left" link set d0 up
tc -n "$left" qdisc add dev d0 root handle 5: tbf rate 400mbit burst 100kb latency 50ms
picture() {
	ip -n "$left" -o link show 2>/dev/null | awk -F': ' '{ print $2 }'
	tc -n "$left" qdisc show
	bpftool cgroup tree "$cgdir"
}
before=$(picture)
policy <<EOP
[group web]
match = $cg/web
out = 10mbit
filter-out = c
[device d0]
netns = $left
takeover = yes
out = 10mbit
in = 20mbit
[chain c]
policy = allow
10 = deny tcp to port 81 limit 10/s
EOP
maps=$WEIR_BPFFS/maps

# Another version's programs are in folders of other names.
of_another_version() {
	local folder
	apply >/dev/null || return
	for folder in "$WEIR_BPFFS"/programs-* "$WEIR_BPFFS"/tc-*; do
		mv "$folder" "${folder%-*}-0123456789abcdef"
	done
	rm "$maps/$1"
}
sentence() {
	echo "^weirctl: what is in force is of another version of weir, whose map" \
		"'$1' is laid out otherwise: run weirctl clear, then weirctl apply$"
}
refuses() { says "$1 says that $2 is another version's" "$3" "$(sentence "$2")" "$WEIRCTL" "${@:4}"; }
clears() {
	ok "clear works" "$WEIRCTL" clear
	is "and leaves all as it was" "$(picture)" "$before"
	is "and nothing of it" "$(ls "$WEIR_STATE" "$WEIR_BPFFS" 2>/dev/null)" ""
}

# Rows of an older layout, in a table that has some and in one that has none.
shorter_rows() {
	bpftool map create "$work/bpf/row" type array key 4 value 80 entries 1 name row flags 0x1000 &&
		bpftool map create "$maps/$1" type array_of_maps key 4 value 4 entries 2 \
			name "$1" inner_map pinned "$work/bpf/row"
}
other_sockets() {
	of_another_version sockets
	bpftool map create "$maps/sockets" type hash key 4 value 8 entries 1 name sockets
	ok "status reads what it can" "$WEIRCTL" status
	refuses apply sockets 1 apply "$work/policy.ini"
	clears
	ok "then apply works" apply
	"$WEIRCTL" clear
}

other_scopes() {
	of_another_version scopes
	bpftool map create "$maps/scopes" type hash key 16 value 512 entries 1 name scopes flags 1
	refuses status scopes 1 status
	refuses apply scopes 1 apply "$work/policy.ini"
	clears
}

other_devices() {
	of_another_version devices
	shorter_rows devices
	says "so does one whose programs the kernel refuses for that" 1 \
		"^weirctl: another version of weir is in force \\(run weirctl clear, then weirctl apply\\): load the " \
		"$WEIRCTL" apply "$work/policy.ini"
	for slot in 0 1; do
		bpftool map update pinned "$maps/devices" key $slot 0 0 0 value pinned "$work/bpf/row"
	done
	rm "$work/bpf/row"
	refuses status devices 1 status
	refuses limit devices 1 limit "$cg" out=1mbit
	refuses run devices 125 run --out 1mbit true
	refuses apply devices 1 apply "$work/policy.ini"
	clears
}

other_sets() {
	of_another_version sets
	shorter_rows sets
	rm "$work/bpf/row"
	printf '[set s]\nelements = 192.0.2.0/24\n' >>"$work/policy.ini"
	refuses "an apply that writes the first rows" sets 1 apply "$work/policy.ini"
	clears
}

# Counters lie in maps that are put into one of numbers alone.
other_counters() {
	of_another_version counters
	bpftool map create "$work/bpf/row" type percpu_array key 4 value 16 entries 1024 name row &&
		bpftool map create "$maps/counters" type array_of_maps key 4 value 4 entries 1024 \
			name counters inner_map pinned "$work/bpf/row"
	bpftool map update pinned "$maps/counters" key 0 0 0 0 value pinned "$work/bpf/row"
	rm "$work/bpf/row"
	refuses stats counters 1 stats
	clears
}

# A version that had not all maps: an apply that fails leaves what tells of it.
other_fewer() {
	of_another_version sets
	rm "$maps/groups"
	shorter_rows groups
	rm "$work/bpf/row"
	says "one that has fewer maps is not written over" 1 \
		"^weirctl: another version of weir is in force \\(run weirctl clear, then weirctl apply\\): load the " \
		"$WEIRCTL" apply "$work/policy.ini"
	clears
}

other_faults() {
	of_another_version faults
	like "where a map is not there, nothing is in force" "$("$WEIRCTL" status)" "^no policy"
	clears
}

# One that had fewer tables, of which an empty one says nothing else.
other_older() {
	of_another_version ifaces
	like "what an older version has in force is read" "$("$WEIRCTL" status)" "  web: "
	like "and counted" "$("$WEIRCTL" stats --json)" '"number": 10'
	ok "apply goes on from there" apply
	is "with all that is needed" "$(ls "$maps/ifaces")" "$maps/ifaces"
	is "and nothing is to change" "$(apply --dry-run)" "nothing to change"
	clears
}

# What is said of maps does not depend on the kernel.
for map in $(dealt sockets scopes devices sets fewer faults counters older); do
	case $map in
	sockets) other_sockets ;;
	scopes) other_scopes ;;
	devices) other_devices ;;
	sets) other_sets ;;
	fewer) other_fewer ;;
	faults) other_faults ;;
	counters) other_counters ;;
	older) other_older ;;
	esac
done

of_another_version device_marks
bpftool map create "$maps/device_marks" type hash key 16 value 8 entries 1 name device_marks flags 1
says "what cannot be cleared is not" 1 \
	"^weirctl: another version of weir limits devices: only its own weirctl clear can take them back$" \
	"$WEIRCTL" clear
finish
