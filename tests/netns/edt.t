#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Departure times, which fq keeps: a device's limit on what leaves, and what
# arrives in a container.  The host is a namespace here, the left one.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"
make_cgroup "$cg/box"
rate=10 later=15
weir() { in_left "$WEIRCTL" "$@"; }
root() { tc -n "$left" qdisc show dev v0; }

policy <<EOP
[device v0]
out = ${rate}mbit
shaper = edt
EOP
if ! modprobe -q sch_fq && ! in_left tc qdisc add dev lo root fq 2>/dev/null; then
	weir apply "$work/policy.ini" 2>"$work/err"
	is "without fq it is refused" $? 1
	like "by name" "$(cat "$work/err")" \
		"device 'v0': this kernel has no fq, which shaper = edt takes \(try shaper = auto\)"
	weir apply - 2>"$work/err" <<<"[group box]"$'\n'"match = $cg/*"$'\n'"in = 1mbit"$'\n'"shaper = edt"
	like "also for containers to come" "$? $(cat "$work/err")" "^1 weirctl: group 'box': this kernel has no fq"
	is "and nothing is there" "$(root | grep -c 'fq\|clsact')" 0
	like "doctor says so" "$(weir doctor)" " no +fq +shaper = edt is refused"
	skip "departure times hold the rate" "the kernel has no fq"
	finish
fi

before=$(root)
ok "a limit by departure times applies" weir apply "$work/policy.ini"
is "a second apply has an empty plan" "$(weir apply --dry-run "$work/policy.ini")" "nothing to change"
like "status names the mechanism" "$(weir status)" "v0: out ${rate}mbit .*by edt, attached"

# What leaves at once is short, too.
split_segments
ip -n "$left" link set v0 gso_max_segs 4
sink "$right" 5201
began=$(arrived)
begin "$cg/a" nsenter --net=/run/netns/"$left" tests/netns/traffic crowd 10.77.0.2 5201 4
sender=$begun
until_true 10 eval "[ \$((\$(arrived | cut -d' ' -f1) - ${began% *})) -gt 20000 ]"
began=$(arrived)
sleep 1
within "the first second of four connections" \
	"$(mbit_between "$began" "$(arrived)" | awk -v m=$rate '{ print $1 / m }')" 0.9 1.1
within "and then they have the rate" "$(wire_share $rate 2)" $low $high
rtt=$(in_left ping -q -i0.05 -c20 -W2 10.77.0.2 | awk -F/ '/^rtt/ { print $5 }')
within "a question does not wait for them (mean, ms)" "$rtt" 0 10
sed -i "s/^out = .*/out = ${later}mbit/" "$work/policy.ini"
ok "another rate applies" weir apply "$work/policy.ini"
within "and holds at once" "$(wire_share $later 2)" $low $high
end "$sender"

# Four sockets may have more on the way than may wait: what is too much is dropped.
flood=(iperf3 -c 10.77.0.2 -t 60 -u -l 1400 -P 4 -p)
sends_as=$cg/a
serve "$right" 5202
holds "UDP at twice the rate has the rate" $later "${flood[@]}" 5202 -b $((later / 2))M
within "and what was too much is counted" "$(weir stats --json | field dropped_packets)" 100 1000000

for variant in $(dealt htb takeover container); do
	case $variant in
	htb)
		sed "s/^shaper = .*/shaper = htb/" "$work/policy.ini" >"$work/fails.ini"
		printf '[group q]\nmatch = %s/q\nquota = 1gb/day\nafter = deny\n' "$cg" >>"$work/fails.ini"
		mkdir -p "$WEIR_STATE/quotas" # where what was used would be written
		weir apply "$work/fails.ini" >/dev/null 2>"$work/err"
		like "an apply that would replace fq fails" "$? $(cat "$work/err")" "^1 .*is no file of quotas"
		like "and puts it back" "$(root)" "qdisc fq 7766: root"
		is "as it was" "$(weir apply --dry-run "$work/policy.ini")" "nothing to change"
		rmdir "$WEIR_STATE/quotas"
		sed -i "s/^shaper = .*/shaper = htb/" "$work/policy.ini"
		ok "HTB takes the place of fq" weir apply "$work/policy.ini"
		is "with a whole queue" "$(weir apply --dry-run "$work/policy.ini")" "nothing to change"
		passed=$(weir stats --json | field passed_bytes)
		sed -i "s/^shaper = .*/shaper = edt/" "$work/policy.ini"
		ok "and gives it back" weir apply "$work/policy.ini"
		is "with nothing left to do" "$(weir apply --dry-run "$work/policy.ini")" "nothing to change"
		ok "nor is what passed forgotten" [ "$(weir stats --json | field passed_bytes)" -ge "$passed" ]
		like "nor fq missing" "$(root)" "qdisc fq 7766: root"
		;;
	takeover)
		weir clear
		tc -n "$left" qdisc add dev v0 root handle 5: fq limit 77
		foreign=$(root)
		weir apply "$work/policy.ini" 2>"$work/err"
		is "an fq of somebody else's is not touched" "$? $(root)" "1 $foreign"
		like "but named" "$(cat "$work/err")" "qdisc 'fq'.*takeover = yes"
		sed -i 's/^shaper.*/&\ntakeover = yes/' "$work/policy.ini"
		ok "with takeover = yes it is replaced" weir apply "$work/policy.ini"
		like "by one of weir's" "$(root)" "qdisc fq 7766: root .*nopacing"
		ok "clear puts it back" weir clear
		is "as it was" "$(root)" "$foreign"
		tc -n "$left" qdisc del dev v0 root
		;;
	container)
		# The left end of its veth is on the host.
		policy <<-EOP
			[group box]
			match = $cg/box
			in = ${rate}mbit
			shaper = edt
		EOP
		begin "$cg/box" nsenter --net=/run/netns/"$right" sleep 1000
		ok "a container's limit on what arrives applies" weir apply "$work/policy.ini"
		like "doctor offers it" "$(weir doctor)" "group_in_container +htb, or with shaper = edt"
		like "at its veth" "$(weir status)" "in +${rate}mbit by edt on v0"
		serve "$right" 5203
		holds "what is sent there at twice the rate arrives at the rate" $rate \
			"${flood[@]}" 5203 -b $((rate / 2))M
		;;
	esac
done
ok "clear succeeds" weir clear
is "and leaves the device as it was" "$(root)" "$before"
finish
