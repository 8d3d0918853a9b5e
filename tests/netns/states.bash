# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the tests of conversations share: weir and nft count the packets of each step,
# which their DSCP tells, by state.

batch=0 # of rules: a chain of another name counts from zero

# rules FAMILY STEPS HOOK...: for each of nft's hooks a chain of its own, in
# $work/nft, and one of weir's, HOOK$batch, in $work/chains.
rules() {
	local family=$1 steps=$2 ip=ip hook step state i
	shift 2
	batch=$((batch + 1))
	[ "$family" = 4 ] || ip=ip6
	: >"$work/chains" && echo "table inet t {" >"$work/nft"
	for hook; do
		printf '[chain %s%s]\npolicy = allow\n' "$hook" $batch >>"$work/chains"
		echo "chain $hook { type filter hook $hook priority 0;" >>"$work/nft"
		for ((step = 1; step <= steps; step++)); do
			i=0
			for state in new established related invalid; do
				echo "$ip dscp $step ct state $state counter comment \"$step $hook $state\"" >>"$work/nft"
				echo "$((step * 10 + ++i)) = allow ip$family $state dscp $step" >>"$work/chains"
			done
		done
		echo "}" >>"$work/nft"
	done
	echo "}" >>"$work/nft"
}

# What both have seen, of their counters: STEP HOOK STATE.
seen_by_weir() {
	jq -r '.chains[] | .name as $chain | .rules[] | select(.packets > 0) |
		"\(.number / 10 | floor) \($chain | gsub("[0-9]"; "")) \(.text | split(" ")[2])"'
}
seen_by_nft() { sed -n 's/.*counter packets [1-9][0-9]* .*comment "\(.*\)".*/\1/p'; }

# want "STEP HOOK" WEIR [NFT]: notes the states of a packet, netfilter's if they are
# others; - where weir has no packet, ?STATE where it depends on the kernel.
want() {
	case $2 in
	-) ;;
	\?*) echo "$1 ${2#\?}" >>"$work/may.weir" ;;
	*) echo "$1 $2" >>"$work/want.weir" ;;
	esac
	echo "$1 ${3:-$2}" >>"$work/want.nft"
}
want_nothing() { : >"$work/want.weir" && : >"$work/may.weir" && : >"$work/want.nft"; }

# compare NAME PACKETS TEXT: what was wanted with $work/seen.weir and seen.nft.
compare() {
	local weir nft
	weir=$(grep -vxFf "$work/may.weir" "$work/seen.weir" | sort -u | diff <(sort -u "$work/want.weir") -)
	nft=$(sort -u "$work/seen.nft" | diff <(sort -u "$work/want.nft") -)
	if [ -z "$weir$nft" ]; then
		pass "$1: $2 packets"
	else
		fail "$1" "weir (< wanted):" "$weir" "nft (< wanted):" "$nft" "$3"
	fi
}
