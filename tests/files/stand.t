#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A FILE may be anything: a clear error or a correct result, in bounded time
# and memory.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/../netns/lib.bash"

w=$WEIRCTL
cd "$work" || exit 1
printf '[chain c]\n10 = allow tcp\npolicy = deny\n' >good
one="^good: 0 groups, 0 devices, 1 chains with 1 rules, 0 sets$"
none="^good: 0 groups, 0 devices, 0 chains with 0 rules, 0 sets$"

# It takes five seconds to give up, so it goes on beside the others.
mkfifo lonely
(
	timeout 20 "$w" check lonely >lonely.out 2>&1
	echo $? >>lonely.out
) &
lonely=$!
pids+=("$lonely")

# ------------------------------------------------------- what can be read

says "a missing file" 2 "^gone: error: open: No such file or directory$" "$w" check gone
says "a file below a file" 2 "^good/x: error: open: Not a directory$" "$w" check good/x
ln -s gone dangling
says "a link to nothing" 2 "^dangling: error: open: No such file" "$w" check dangling
ln -s loop loop
says "a link to itself" 2 "^loop: error: open: Too many levels" "$w" check loop
says "a folder" 2 "^\.: error: read: Is a directory$" "$w" check .
install -m 0 good secret && chmod 711 .
says "a file of somebody else" 2 "^secret: error: open: Permission denied$" \
	setpriv --reuid=65534 --clear-groups "$w" check secret
says "no name at all" 2 "^: error: open: No such file" "$w" check ""
says "all files that are missing are named, good ones or not" 2 \
	$'^gone: error: [^\n]*\nlost: error: [^\n]*$' "$w" check gone good lost

: >empty
says "an empty file is a policy of nothing" 0 "$none" "$w" check empty
says "standard input" 0 "$one" "$w" check - <good
says "an empty standard input" 0 "$none" "$w" check - </dev/null
says "an endless standard input" 2 "^<stdin>: error: read: more than 16 MiB" \
	"$w" check - < <(yes)
says "a closed one" 2 "^<stdin>: error: read: Bad file descriptor$" bash -c '"$0" check - <&-' "$w"
says "a device without end" 2 "^/dev/zero: error: read: more than 16 MiB" \
	"$w" check /dev/zero
says "a pipe of the shell" 0 "$one" "$w" check <(cat good)
says "an empty pipe" 0 "$none" "$w" check <(true)
mkfifo fifo
cat good >fifo &
pids+=($!)
says "a FIFO with a writer" 0 "$one" "$w" check fifo
(sleep 1 && cat good >fifo) &
pids+=($!)
says "a FIFO whose writer comes late" 0 "$one" "$w" check fifo
"$w" check good >/dev/full 2>err
is "an answer that cannot be written is a failure" "$? $(<err)" \
	"1 weirctl: write to standard output: No space left on device"

# ------------------------------------------------------------- what is in it

sed 's/$/\r/' good >crlf
says "CRLF" 0 "$one" "$w" check crlf
(printf '\xef\xbb\xbf' && cat good) >bom
says "a byte order mark" 0 "$one" "$w" check bom
says "one that is not at the beginning" 2 "^<stdin>:4: error: .*U\+FEFF" \
	"$w" check - < <(cat good bom)
printf '[chain c]\n10 = allow\0 tcp\n' >nul
says "a NUL byte" 2 "^nul:2: error: the line has a NUL byte" "$w" check nul
x5000=$(printf 'x%.0s' {1..5000})
(cat good && echo "20 = allow $x5000") >long
says "a line of 5,000 characters" 2 \
	"^long:4: error: the line is 5011 bytes long, 1000 at most" "$w" check long
(cat good && echo "# $x5000") >long
says "but a comment may be long" 0 "$one" "$w" check long

# ------------------------------------------------------------------ how much

mb10=$((10 << 20))
# sections FORMAT: so much of it, with its number for each %d.
sections() {
	python3 -c 'import sys
format, size, n = sys.argv[1] + "\n", 0, 0
while size < int(sys.argv[2]):
	n += 1
	size += sys.stdout.write(format.replace("%d", str(n)))' "$1" $mb10
}

yes '# of no importance' | head -c $mb10 >big
says "10 MB of comments" 0 "$none" "$w" check big
sections "[group g%d]
match = $cg/%d
out = 1mbit
filter-out = c%d
[chain c%d]
10 = allow tcp
policy = deny" >big
says "10 MB of groups and chains" 0 "^good: [0-9]{4,5} groups" "$w" check big
sections "[set s%d]
elements = $(printf '10.0.0.%d, ' {1..80})10.0.1.0/24" >big
says "10 MB of sets" 0 "^good: .* [0-9]{4,5} sets$" "$w" check big
sections "[set s%d]
elements = 10.0.0.1" >big
says "10 MB of more sets than there can be" 2 "more than 16383 sets.*more errors are not shown$" "$w" check big
head -c $mb10 /dev/urandom >big
says "10 MB of garbage" 2 "big:1: error: .*more errors are not shown$" "$w" check big
head -c $((17 << 20)) /dev/zero >big
says "more than 16 MB" 2 "^big: error: read: more than 16 MiB" "$w" check big

# -------------------------------------------------------------- a set's file

set_file() { printf '[set s]\nfile = %s\n' "$1" >set.ini && "$w" check set.ini; }
export -f set_file
export w
says "a set's file that is missing" 2 \
	"^set.ini:2: error: file: 'gone': open: No such file" bash -c 'set_file gone'
says "is below a file" 2 "'good/x': open: Not a directory$" bash -c 'set_file good/x'
says "is a folder" 2 "'\.': open: Is a directory$" bash -c 'set_file .'
says "is a FIFO" 2 "'lonely': open: not a plain file$" bash -c 'set_file lonely'
says "is a device" 2 "'/dev/zero': open: not a plain file$" bash -c 'set_file /dev/zero'
says "is called -" 2 "'-': open: No such file" bash -c 'set_file -'
says "is empty" 0 " 1 sets$" bash -c 'set_file empty'
printf '\xef\xbb\xbf10.0.0.1\r\n10.0.0.2\r\n' >elements
says "has a byte order mark and CRLF" 0 " 1 sets$" bash -c 'set_file elements'
printf '10.0.0.1\n10.0.\0.2\n%s\n' "$x5000" >elements
says "has NUL bytes and long lines" 2 "^elements:2: .*NUL byte.*elements:3: error: '?x" \
	bash -c 'set_file elements'
awk 'BEGIN { for (; n < 700000; n++)
	printf "10.%d.%d.%d\n", n / 65536, n / 256 % 256, n % 256 }' >elements
says "has 10 MB of addresses" 0 " 1 sets$" bash -c 'set_file elements'
head -c $mb10 /dev/urandom >elements
says "has 10 MB of garbage" 2 "more errors are not shown$" bash -c 'set_file elements'
truncate -s 65M elements
says "has more than 64 MB" 2 "'elements': read: more than 64 MiB" bash -c 'set_file elements'

wait $lonely
is "a FIFO that nobody writes to is given up" "$(<lonely.out)" \
	$'lonely: error: open: nothing writes to this FIFO (waited 5 seconds)\n2'
finish
