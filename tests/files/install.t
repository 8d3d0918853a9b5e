#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What make puts where, and takes away again; and what it prints.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/../netns/lib.bash"

root=$work/root
# Without what a make that runs this test hands down.
make_in_root() {
	env -u MAKEFLAGS -u MAKELEVEL -u V -u SAN make JOBS=1 DESTDIR="$root" PREFIX=/usr "$@"
}
files() { (cd "$root" && find . ! -type d | sort); }

# -------------------------------------------------------------- install

ok "install succeeds" make_in_root install
is "and puts these files there" "$(files)" "./etc/weir/weir.ini.example
./usr/sbin/weirctl
./usr/share/bash-completion/completions/weirctl
./usr/share/man/man5/weir.conf.5
./usr/share/man/man8/weirctl.8"
ok "with a folder for a policy in parts" test -d "$root/etc/weir/weir.d"
says "weirctl runs from there" 0 "^weirctl [0-9.]+" "$root/usr/sbin/weirctl" version

# complete WORD...: what the completion has for the last one.
complete_words() {
	bash -c '. "$0" && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && _weirctl && echo "${COMPREPLY[@]}"' \
		"$root/usr/share/bash-completion/completions/weirctl" weirctl "$@"
}
is "the completion knows commands" "$(complete_words st)" "status stats"
is "and their options" "$(complete_words watch --)" "--once"
is "and what a packet is made of" "$(complete_words explain in web ic)" "icmp icmp6"
is "and is for weirctl" "$(bash -c '. "$0" && complete -p weirctl' \
	"$root/usr/share/bash-completion/completions/weirctl")" "complete -F _weirctl weirctl"

# ------------------------------------------------------------ uninstall

echo '; mine' >"$root/etc/weir/weir.ini"
is "uninstall has nothing to complain of" "$(make_in_root uninstall 2>&1 >/dev/null)" ""
is "and leaves what a person wrote" "$(files)" "./etc/weir/weir.ini"
is "and no folder of its own beside it" "$(ls "$root/etc/weir")" "weir.ini"
rm "$root/etc/weir/weir.ini"
ok "a second time" make_in_root uninstall
is "nothing is left" "$(files) $(ls "$root/etc")" " "

# ---------------------------------------------------- what make prints

object=$work/build/cgroup/lift.bpf.o
make_in_root B="$work/build" "$object" >"$work/answer" 2>"$work/told"
is "what is being made is told on standard error" "$(<"$work/told")" "  BPF     cgroup/lift.bpf.c"
is "and is no part of the answer" "$(<"$work/answer")" ""
finish
