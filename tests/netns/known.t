#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets of known flows do not meet the rules, and nobody can tell but by the
# time that they take.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab

while IFS=$'\t' read -r name got want; do
	[ "$name" != "all done" ] || { ended=1; continue; }
	is "$name" "$got" "$want"
done < <(python3 tests/netns/known.py "$WEIRCTL" "$cgdir" "$cg" "$left" "$right" "$work" && printf "all done\n")
is "all of it was tried" "${ended:-0}" 1
finish
