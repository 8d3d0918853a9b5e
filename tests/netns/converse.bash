# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the tests of a group's conversations share: sockets in the cgroup a of the left,
# and a peer that is only frames (tests/netns/converse.py).

# shellcheck source=tests/netns/states.bash
. tests/netns/states.bash
make_netns "$left"
make_netns "$right"
make_cgroup "$cg/a"

# Nobody answers at the peer's but this test; and here nothing is sent again within
# its time, but for calls.
ip link add h0 netns "$left" address 02:00:00:00:00:01 type veth peer name p0 \
	address 02:00:00:00:00:02 netns "$right"
in_right sysctl -qw net.ipv6.conf.all.disable_ipv6=1
in_left sysctl -qw net.ipv4.ping_group_range="0 2147483647" net.ipv4.tcp_early_retrans=0 \
	net.ipv4.tcp_invalid_ratelimit=0
ip -n "$right" link set p0 up
ip -n "$left" link set h0 up
ip -n "$left" addr add 10.77.3.1/24 dev h0
ip -n "$left" addr add fd77:3::1/64 dev h0 nodad
for peer in 10.77.3.2 fd77:3::2; do
	ip -n "$left" neigh replace $peer lladdr 02:00:00:00:00:02 dev h0
	ip -n "$left" route add $peer dev h0 rto_min 8s
done

begin_both() {
	rules "$@" input output
	{
		printf '[group a]\nmatch = %s\n' "$cg/a"
		printf 'filter-in = input%s\nfilter-out = output%s\n' $batch $batch
		cat "$work/chains"
	} >"$work/policy.ini"
	apply >/dev/null || return
	in_left nft flush ruleset && in_left nft -f "$work/nft"
}

# skip_unless_both NAME: ends the test where nft cannot ask for states.
skip_unless_both() {
	local why=
	begin_both 4 1 2>"$work/why" || why="no connection tracking of nft's: $(tail -n 1 "$work/why")"
	[ -n "$why" ] || return 0
	command -v nft >/dev/null && "$WEIRCTL" status >/dev/null || why="there is no nft"
	skip "$1" "$why"
	finish
}

# conversation FAMILY NAME: reads lines as tests/netns/converse.py has them; of a
# packet with "= STATE [STATE]" behind, as want has them.
conversation() {
	local family=$1 name="IPv$1: $2" line step=0 packets=0
	: >"$work/lines" && : >"$work/stats" && want_nothing
	while IFS= read -r line; do
		echo "${line% = *}" >>"$work/lines"
		case $line in
		*" tcp "* | *" udp "* | *" icmp "*) continue ;;
		"run "* | *" > "*) ;;
		*) step=$((step + 1)) ;;
		esac
		[[ $line == *" = "* ]] || continue
		packets=$((packets + 1))
		# shellcheck disable=SC2086 # one or two
		case $line in
		*" > "*) want "$step output" ${line##* = } ;;
		*) want "$step input" ${line##* = } ;;
		esac
	done
	if ! begin_both "$family" $step || ! in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" \
		python3 tests/netns/converse.py "$family" "$right" p0 <"$work/lines" 2>"$work/why"; then
		fail "$name" "$(cat "$work/why")"
		return
	fi
	"$WEIRCTL" stats --json >>"$work/stats"
	seen_by_weir <"$work/stats" >"$work/seen.weir"
	in_left nft list table inet t | seen_by_nft >"$work/seen.nft"
	compare "$name" $packets "$(awk '!/ (tcp|udp|icmp) / && !/ > / && !/^run / { n++ } { print n, $0 }' "$work/lines")"
}
