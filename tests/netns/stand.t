#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What weirctl finds around it: cgroups and devices that go, mounts that are
# missing, capabilities taken away, folders that cannot be written.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
w=$WEIRCTL
p=$work/policy.ini
group() { printf '[group %s]\nmatch = %s\nout = 10mbit\n' "$1" "$2"; }
group web "$cg/web" >"$p"
touch "$work/file"
mkdir "$work/readonly"
mount -t tmpfs -o ro,mode=700 none "$work/readonly"
at_exit "umount $work/readonly"
untouched() { ! grep -q " $WEIR_BPFFS " /proc/self/mounts && [ ! -e "$WEIR_RUN" ] && [ ! -e "$WEIR_STATE" ]; }

# --------------------------------------------------------- may not do it

no="^weirctl: the kernel refuses BPF to this process: it needs CAP_SYS_ADMIN, outside of any user namespace$"
for command in "apply $p" "apply --dry-run $p" status stats "watch --once" clear doctor; do
	# shellcheck disable=SC2086
	says "without CAP_SYS_ADMIN and CAP_BPF, ${command%% *}" 1 "$no" \
		setpriv --bounding-set=-sys_admin,-bpf "$w" $command
	# shellcheck disable=SC2086
	says "as an ordinary user, ${command%% *}" 1 "^weirctl: ${command%% *}: only root may do this" \
		setpriv --reuid=65534 --clear-groups "$w" $command
done
says "as root of a user namespace" 1 "$no" unshare -Urm "$w" apply "$p"
says "an ordinary user may check" 0 "^good: 1 groups" \
	setpriv --reuid=65534 --clear-groups "$w" check - <"$p"
ok "all that leaves nothing behind" untouched

# ------------------------------------------------------------- mounts

only_v1() { unshare -m sh -c 'umount -a -t cgroup2 && exec "$@"' - "$@"; }
export -f only_v1
if grep -q ' cgroup ' /proc/self/mounts; then
	v1="^weirctl: only cgroup v1 is mounted here, and weir needs cgroup2: boot with .* or mount it"
else
	v1="^weirctl: cgroup2 is not mounted: mount -t cgroup2 "
fi
for command in "apply $p" status clear; do
	says "without cgroup2, ${command%% *}" 1 "$v1" bash -c "only_v1 $w $command"
done
says "and doctor" 1 "no  cgroup2 +nothing works without it.*${v1#^}" bash -c "only_v1 $w doctor"
ok "that leaves nothing behind either" untouched

# ------------------------------------------------- folders of its own

says "no folder for the state" 1 "^weirctl: make folder '$work/file': Not a directory$" \
	env WEIR_STATE="$work/file" "$w" apply "$p"
says "no room for one" 1 "^weirctl: make folder '$work/readonly/x': Read-only file system$" \
	env WEIR_STATE="$work/readonly/x" "$w" apply "$p"
says "no folder for the lock" 1 "^weirctl: make folder '$work/file': Not a directory$" \
	env WEIR_RUN="$work/file" "$w" apply "$p"
says "none that it can be made in" 1 "^weirctl: open '$work/readonly/lock': Read-only file system$" \
	env WEIR_RUN="$work/readonly" "$w" apply "$p"
says "no folder for the pins" 1 "^weirctl: open pin '$work/file/maps/[a-z]+': Not a directory$" \
	env WEIR_BPFFS="$work/file" "$w" apply "$p"
says "no place to mount a bpffs" 1 "^weirctl: make folder '$work/readonly/x': Read-only file system$" \
	env WEIR_BPFFS="$work/readonly/x" "$w" apply "$p"
says "no folder above it" 1 "^weirctl: make folder '$work/no/such': No such file or directory$" \
	env WEIR_BPFFS="$work/no/such" "$w" apply "$p"
for place in BPFFS STATE RUN; do
	says "a place that is another from each folder, WEIR_$place" 2 \
		"^weirctl: WEIR_$place is 'x/y': it must begin with /$" env "WEIR_$place=x/y" "$w" apply "$p"
done
says "… but where no place is needed" 0 "^weirctl " env WEIR_STATE=x/y "$w" version
mkdir -m 777 "$work/open"
mkdir -m 1777 "$work/sticky"
mkdir "$work/others"
chown 65534 "$work/others"
for folder in open sticky others; do
	no="^weirctl: folder '$work/$folder' is not root's alone: name one that is, such as mkdir -m 700 makes$"
	says "a state that others could write, $folder" 1 "$no" env WEIR_STATE="$work/$folder" "$w" apply "$p"
	says "which clear does not believe" 1 "$no" env WEIR_STATE="$work/$folder" "$w" clear
	says "a lock that others could take away, $folder" 1 "$no" env WEIR_RUN="$work/$folder" "$w" apply "$p"
	says "pins that others could, $folder" 1 "$no" env WEIR_BPFFS="$work/$folder" "$w" apply "$p"
done
ok "none of which leaves a mount or a folder" untouched
mkdir "$work/mine" "$work/mine/maps" "$work/mine/programs-mine"
touch "$work/mine/maps/file" "$work/mine/programs-mine/file"
ln -s maps "$work/mine/links"
mine() { find "$work/mine" | wc -l; }
had=$(mine)
env WEIR_BPFFS="$work/mine" "$w" clear
is "a clear leaves a folder alone that is no bpffs" "$(mine)" "$had"
chmod 777 "$work/mine"
env WEIR_BPFFS="$work/mine" "$w" apply "$p" >/dev/null 2>&1
is "… so does an apply that is refused" "$? $(mine)" "1 $had"
rm -r "$work/mine"

# --------------------------------------------------------- a mount of its own

# In a shell of its own, whose word about the kill goes nowhere.
killed_at() { (WEIR_CRASH_AT=$1 "$w" "${@:2}" || exit) >/dev/null 2>&1; }
mounts() { grep -c " $WEIR_BPFFS bpf " /proc/self/mounts; }
killed_at 1 apply "$p"
is "an apply is killed when it has mounted a bpffs" "$? $(mounts)" "137 1"
killed_at 1 clear
is "a clear, when all else is done" "$? $(mounts)" "137 1"
ok "the next clear" "$w" clear
ok "unmounts it" untouched
"$w" apply "$p" >/dev/null
says "a clear that cannot unmount says so" 1 \
	"^weirctl: nothing is in force any more, but a mount stays: unmount '$WEIR_BPFFS': Device or resource busy$" \
	bash -c 'cd "$WEIR_BPFFS" && "$0" clear' "$w"
mkdir "$WEIR_BPFFS/other"
says "in a mount of weir's, too, what others have stays" 0 "" "$w" clear
ok "with the mount" rmdir "$WEIR_BPFFS/other"
ok "and the next clear" "$w" clear
ok "unmounts that" untouched

# ------------------------------------------------------------ cgroups

{
	group absent "$cg/not/there/at/all"
	group file "$cg/cgroup.procs"
	group below "$cg/cgroup.procs/below"
	group pattern "$cg/cgroup.procs/*/x"
} >"$work/absent.ini"
says "cgroups that are not there, or are files, wait" 0 "cgroup $cg: attach the programs" \
	"$w" apply "$work/absent.ini"
is "and match nothing" "$("$w" status --json | jq -c '[.groups[].cgroups[]]')" "[]"
is "status says so" "$("$w" status | grep -c "^    waits for a cgroup$")" 4
is "bpffs is mounted where there was none" \
	"$(grep -c " $WEIR_BPFFS bpf .*mode=2700" /proc/self/mounts)" 1

# A cgroup's name may have any bytes but '/' and a newline.
mkdir -p "$cgdir/n/a"$'\e[31m' "$cgdir/n/b"$'\xc2\x9b1m' "$cgdir/n/c"$'\xff' "$cgdir/n/dé"
printable=$(printf '%s\n' "$cg/n/"{'a\x1b[31m','b\xc2\x9b1m','c\xff',dé})
group n "$cg/n/*" >"$work/names.ini"
"$w" apply "$work/names.ini" >"$work/plan"
for command in status stats; do
	is "$command shows cgroups of any name, and moves no cursor" \
		"$("$w" $command | sed -n "s|^ *\($cg/n/\)|\1|p")" "$printable"
	is "so does $command --json" \
		"$("$w" $command --json | jq -r '.groups[].cgroups[].path')" "$printable"
done
odd="$cg/n/c"$'\xff'
says "and a plan" 0 "^\+ group $cg/n/c.xff: $cg/n/c.xff, out 1mbit" "$w" limit --dry-run "$odd" out=1mbit
says "as JSON, too" 0 "\"name\": \"$cg/n/c..xff\"" "$w" limit --dry-run --json "$odd" out=1mbit
group m "$cg/n/a*" >>"$work/names.ini"
says "and an error" 1 "^weirctl: .*$cg/n/a.x1b.31m" "$w" apply "$work/names.ini"

# come_and_go SECONDS COMMAND...: until then, again and again.
come_and_go() {
	local end=$((SECONDS + $1))
	shift
	while [ $SECONDS -lt $end ]; do "$@"; done 2>/dev/null
}
flip_cgroups() {
	mkdir -p "$cgdir/v/x" "$cgdir/w/y"
	rmdir "$cgdir/v/x" "$cgdir/v" "$cgdir/w/y" "$cgdir/w"
}
# while_busy COMMAND...: what went wrong while the last job goes on.  Where the
# kernel cannot lift the pacing of open sockets, or a device is not there just
# then, weirctl says so and goes on.
while_busy() {
	while kill -0 $! 2>/dev/null; do
		for command in "apply $work/one.ini" "apply $work/two.ini" "watch --once" status stats; do
			# shellcheck disable=SC2086
			"$@" "$w" $command 2>&1 >/dev/null || echo "$command gave $?"
		done
	done | grep -vE "^weirctl: (this kernel cannot lift |device d[01] waits until it is there$)" | sort -u
}
{
	group v "$cg/v/x"
	group w "$cg/w/*"
} >"$work/one.ini"
group v "$cg/w/*" >"$work/two.ini"
come_and_go 3 flip_cgroups &
pids+=($!)
is "a cgroup may go away at any point of an apply" "$(while_busy)" ""

# ------------------------------------------------------------ devices

flip_device() {
	ip -n "$left" link add d0 type veth peer d1
	ip -n "$left" link set d0 up
	ip -n "$left" link del d0
}
printf '[device d0]\nout = 10mbit\nin = 20mbit\nfilter-in = c\n[device d1]\nin = 1mbit\n[chain c]\npolicy = allow\n' >"$work/one.ini"
printf '[device d0]\nout = 30mbit\nin = 40mbit\n[device d1]\nout = 1mbit\n' >"$work/two.ini"
ok "a device that is not there is no error" in_left "$w" apply "$work/one.ini"
like "it waits" "$(in_left "$w" status)" "d0: .*waits until it is there"
come_and_go 3 flip_device &
pids+=($!)
is "a device may go away at any point of an apply" "$(while_busy in_left)" ""
ip -n "$left" link add d0 type veth peer d1
says "without CAP_NET_ADMIN a device is refused" 1 "^weirctl: device 'd0': [^:]*: Operation not permitted$" \
	nsenter --net="/run/netns/$left" setpriv --bounding-set=-net_admin "$w" apply "$work/one.ini"
in_left "$w" clear

# --------------------------------------------------------------- lock

mkdir -p "$WEIR_RUN"
(flock -x 9 && echo >"$work/locked" && exec sleep 60) 9>"$WEIR_RUN/lock" &
holder=$!
pids+=("$holder")
until_true 5 test -e "$work/locked"
timeout 0.5 "$w" apply "$p"
is "an apply waits for the lock" $? 124
says "a status does not" 0 "^no policy is in force$" "$w" status
"$w" apply "$p" >"$work/first" 2>&1 &
first=$!
"$w" apply "$p" >"$work/second" 2>&1 &
second=$!
end $holder
wait $first && wait $second
is "two applies at once both succeed" $? 0
is "and only one of them has something to do" \
	"$(cat "$work/first" "$work/second" | grep -c '^+ group')" 1
ok "clear" "$w" clear
ok "leaves nothing behind" untouched
finish
