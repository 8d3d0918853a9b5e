#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sets that are changed while the policy is in force: at once, whole, by nobody
# halfway, and back to what the files say with the next apply.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
set_() { "$WEIRCTL" set "$@"; }

says "without a policy there is no set" 1 'no policy is in force' "$WEIRCTL" set add banned 10.77.0.2
is "and nothing is made for one" "$(ls -A "$work")" ""
says "set without a verb" 2 'say add, del, list, load or flush.*usage:' "$WEIRCTL" set
says "add without a set" 2 'name a set' "$WEIRCTL" set add
says "add without an element" 2 'then elements' "$WEIRCTL" set add banned
says "a timeout before elements" 2 'behind elements' "$WEIRCTL" set add banned timeout 5s

make_lab
make_cgroup "$cg/a"
policy <<EOP
[group a]
match = $cg/a
filter-out = out

[chain out]
policy = allow
10 = deny to @banned
20 = deny tcp to port @closed
30 = deny to @more, @others, 10.77.0.9
40 = allow tcp to port @free
50 = deny to @both port @both

[set banned]
[set closed]
elements = 81
[set more]
file = more.txt
[set others]
elements = 203.0.113.0/24
[set free]
[set both]
EOP
sed -i 's/^50 = deny/50 = deny tcp/' "$work/policy.ini"
echo '# none' >"$work/more.txt"
ok "the policy applies" apply
[ $failures -eq 0 ] || finish

listen() {
	in_right socat "TCP6-LISTEN:$1,fork,reuseaddr,ipv6only=0" PIPE &
	pids+=($!)
	until_listening "$right" "$1"
}
for port in 80 81 82; do listen $port; done
# reaches ADDRESS PORT
reaches() { in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null; }
# state: open or shut, for port 80 by IPv4 and IPv6
state() {
	local four=open six=open
	reaches 10.77.0.2 80 || four=shut
	reaches fd77::2 80 || six=shut
	echo "$four $six"
}

is "nothing is banned at first" "$(state)" "open open"
ok "an address is added" set_ add banned 10.77.0.2
is "and shut out by the next packet" "$(state)" "shut open"
ok "twice is the same" set_ add banned 10.77.0.2
is "it is listed, once" "$(set_ list banned)" "10.77.0.2"
ok "several of both families" set_ add banned fd77::2 10.0.0.0/8 192.0.2.1-192.0.2.9
is "are shut out" "$(state)" "shut shut"
is "and listed in order" "$(set_ list banned | tr '\n' ' ')" "10.0.0.0/8 10.77.0.2 192.0.2.1-192.0.2.9 fd77::2 "
says "one that another reaches into" 0 'still has 10.0.0.0/8' "$WEIRCTL" set del banned 10.77.0.2
is "stays shut out" "$(state)" "shut shut"
says "what is no element, but reached, is refused" 1 'has no element 10.77.0.2, but 10.0.0.0/8' "$WEIRCTL" set del banned 10.77.0.2
ok "the other is deleted" set_ del banned 10.0.0.0/8 fd77::2
is "and nothing is banned" "$(state)" "open open"
ok "twice is the same" set_ del banned 10.0.0.0/8 fd77::2

ok "with a timeout" set_ add banned fd77::2 timeout 2s
is "it is in at first" "$(state)" "open shut"
like "is listed with it" "$(set_ list banned)" 'fd77::2 timeout [123]s'
ok "and out by itself, with nothing running" until_true 6 reaches fd77::2 80
is "and listed no more" "$(set_ list banned)" "192.0.2.1-192.0.2.9"

ok "a port is added" set_ add closed 82
is "and closed" "$(reaches 10.77.0.2 82 || echo shut)" shut
says "an address is no port" 1 "set 'closed' holds ports, not networks" "$WEIRCTL" set add closed 10.0.0.1
says "a port is no address" 1 "set 'banned' holds networks, not ports" "$WEIRCTL" set add banned 80
says "an empty set that stands for both takes neither" 1 'nothing fits both' "$WEIRCTL" set add both 80
says "a set that is not there" 1 "there is no set 'baned' in force \(try banned\)" "$WEIRCTL" set add baned 10.0.0.1
says "what is no element" 1 "'10.0.0.1/8' has host bits" "$WEIRCTL" set add banned 10.0.0.1/8
says "what is no timeout" 1 "'soon' is not a timeout" "$WEIRCTL" set add banned 10.0.0.1 timeout soon
ok "a set in a list of several" set_ add others 10.77.0.2
is "counts there, too" "$(state)" "shut open"

# Whole files.
printf '# a list\r\n10.77.0.2 ; note\r\n\r\n198.51.100.0/24\r\n' >"$work/list.txt"
cat >"$work/saved" <<EOP
create b hash:net family inet6 hashsize 1024 maxelem 65536 timeout 0
add b fd77::/64 timeout 0
add b 2001:db8::/32 timeout 500
EOP
ok "flush leaves nothing" set_ flush others
is "in a set" "$(state)$(set_ list others)" "open open"
ok "a list is loaded" set_ load banned "$work/list.txt"
is "in place of what was in" "$(set_ list banned | tr '\n' ' ')$(state)" "10.77.0.2 198.51.100.0/24 shut open"
ok "and one of ipset's" set_ load banned "$work/saved"
is "with its timeout" "$(set_ list banned | sed 's/ \(49.\|50.\)s$/ 500s/' | tr '\n' ' ')$(state)" "2001:db8::/32 timeout 500s fd77::/64 open shut"
set_ list banned >"$work/before"
ok "what is listed is loaded" set_ load banned - <"$work/before"
is "as the same" "$(set_ list banned | cut -d' ' -f1)" "$(cut -d' ' -f1 "$work/before")"
printf '10.0.0.1\n10.0.0.300\n' >"$work/wrong.txt"
says "a line that is wrong is named" 1 'wrong.txt:2: error: .10.0.0.300. is not an address' "$WEIRCTL" set load banned "$work/wrong.txt"
is "and nothing is changed" "$(set_ list banned | cut -d' ' -f1)" "$(cut -d' ' -f1 "$work/before")"
is "JSON has it all" "$(set_ list --json banned | tr -d ' \n' | sed 's/:\(49.\|50.\)}/:500}/')" \
	'{"sets":[{"name":"banned","holds":"networks","elements":[{"element":"2001:db8::/32","timeout_seconds":500},{"element":"fd77::/64"}]}]}'
like "all sets are counted" "$(set_ list | tr '\n' ' ')" 'set banned: 2 networks .*set closed: 2 ports'
like "and by stats" "$("$WEIRCTL" stats banned | tr '\n' ' ')" 'set banned: 2 elements'

# The next apply.
like "what files say is put back" "$(apply)" '~ set closed:'
is "for the set that they fill" "$(set_ list closed)" "81"
is "and that they leave alone stays" "$(set_ list banned | wc -l)" 2
is "again there is nothing to change" "$(apply --dry-run)" "nothing to change"
sed -i.full '/^elements = 81/d' "$work/policy.ini"
ok "an apply whose files fill it no more" apply
is "leaves it empty" "$(set_ list closed)" ""
mv "$work/policy.ini.full" "$work/policy.ini"
ok "and one whose files do" apply
is "fills it" "$(set_ list closed)" "81"
set_ add closed 82
"$WEIRCTL" limit "$cg/a" out=1gbit >/dev/null
is "another command changes no set" "$(set_ list closed | tr '\n' ' ')$(set_ list banned | wc -l)" "81 82 2"
apply >/dev/null

# More changes than there is room for: the set is made anew meanwhile.
set_ load banned - <<<"10.77.0.2"
times=150
[ -z "$short" ] || times=40
bad=0
for ((i = 1; i <= times; i++)); do
	set_ add banned 198.51.100.$i || bad=$((bad + 1))
	((i % 2)) || set_ del banned 198.51.100.$((i / 2)) || bad=$((bad + 1))
done
is "so many changes" "$bad $(set_ list banned | wc -l) $(state)" "0 $((1 + times / 2)) shut open"

# Services: an address with a port.
cat >"$work/services.ini" <<EOP
[group a]
match = $cg/a
filter-out = out
[chain out]
policy = deny
10 = allow tcp to @services
20 = deny udp to not @services
30 = allow udp
[set services]
holds = services
EOP
both() {
	local port two=
	for port in 80 81; do
		reaches "$1" $port && two+="open " || two+="shut "
	done
	echo "$two"
}
cp "$work/policy.ini" "$work/policy.ini.full"
cp "$work/services.ini" "$work/policy.ini"
ok "a policy with services applies" apply
is "where none is in, none is reached" "$(both 10.77.0.2)$(both fd77::2)" "shut shut shut shut "
ok "two are added" set_ add services 10.77.0.2:80 '[fd77::2]:81'
is "and just these reached" "$(both 10.77.0.2)$(both fd77::2)" "open shut shut open "
is "and listed" "$(set_ list services | tr '\n' ' ')$(set_ list)" "10.77.0.2:80 [fd77::2]:81 set services: 2 services"
like "explain says so" "$("$WEIRCTL" explain out "$cg/a" tcp 10.77.0.2:80)" 'allow tcp to @services.*allowed'
like "and of the other port" "$("$WEIRCTL" explain out "$cg/a" tcp 10.77.0.2:81)" 'to @services.*denied'
ok "a network, and a range of ports" set_ add services 10.77.0.0/24:81-90 '[fd77::/64]:80-80' timeout 1h
is "come beside them" "$(both 10.77.0.2)$(both fd77::2)" "open open open open "
ok "what was added first is deleted" set_ del services 10.77.0.2:80 '[fd77::2]:81'
is "and the others stay" "$(both 10.77.0.2)$(both fd77::2)" "shut open open shut "
says "one that reaches in is named" 1 'no element 10.77.0.2:81, but 10.77.0.0/24:81-90' "$WEIRCTL" set del services 10.77.0.2:81
says "an address alone is none" 1 "set 'services' holds services, not networks" "$WEIRCTL" set add services 10.77.0.2
set_ list services | sed 's/ timeout.*//' >"$work/list.txt"
ok "flush leaves none" set_ flush services
is "and none is reached" "$(both 10.77.0.2)$(both fd77::2)" "shut shut shut shut "
ok "what was listed is loaded" set_ load services "$work/list.txt"
is "as the same" "$(both 10.77.0.2)$(both fd77::2)" "shut open open shut "
is "another apply leaves it" "$(apply --dry-run)$(set_ list services | wc -l)" "nothing to change2"
echo 'elements = 10.77.0.2:80' >>"$work/policy.ini"
ok "one that fills it" apply
is "does so" "$(both 10.77.0.2)$(both fd77::2)" "open shut shut shut "
mv "$work/policy.ini.full" "$work/policy.ini"
ok "the policy before applies again" apply
set_ load banned - <<<"10.77.0.2"

# A list is of one policy, also where two more come into force while it is made: the
# first set and the last are filled alike by each, and one between is long.
for i in {0..255}; do seq -f "198.18.$i.%g" 0 255; done >"$work/long.txt"
for i in 1 2 3; do
	cat "$work/policy.ini" - >"$work/policy$i.ini" <<EOP
[set a]
elements = 192.0.2.$i
[set a-long]
file = long.txt
[set zz]
elements = 192.0.2.$i
EOP
done
apply_() { "$WEIRCTL" apply "$work/policy$1.ini" >/dev/null; }
# has_grown PID KIB: or it is done, whether or not the shell has noticed that.
has_grown() { ! [ -e "/proc/$1" ] || awk -v n="$2" '/^VmRSS:/ { k = $2 } END { exit !(k == "" || k > n) }' "/proc/$1/status"; }
apply_ 2
bad=0
for kib in 1000 4000 6000 10000 16000; do
	"$WEIRCTL" set list --json >"$work/listed" &
	victim=$!
	until has_grown $victim $kib; do :; done
	kill -STOP $victim
	{ apply_ 1 && apply_ 3; } || bad=$((bad + 1))
	kill -CONT $victim
	wait $victim || bad=$((bad + 1))
	[ "$(grep -o '"192\.0\.2\.[123]"' "$work/listed" | sort | uniq -c | awk '{ print $1 }')" = 2 ] || bad=$((bad + 1))
	apply_ 2
done
is "lists while policies change are each of one of them" $bad 0
ok "and the first policy applies again" apply

# Two at once, and many.
set_ flush banned
victims=()
for i in {1..20}; do
	set_ add banned 192.0.2."$i" &
	victims+=($!)
done
wait "${victims[@]}"
is "twenty at once lose nothing" "$(set_ list banned | wc -l)" 20

# Killed on its way.
crash_at() { (WEIR_CRASH_AT=$1 "$WEIRCTL" set "${@:2}") >/dev/null 2>&1; } 2>/dev/null
set_ load banned - <<<"192.0.2.1"
kills=0 bad=0
for point in 1 2 3 4; do
	for verb in add del; do
		crash_at $point $verb banned 10.77.0.2
		[ $? -ne 137 ] || kills=$((kills + 1))
		[[ $(state) == "open open" || $(state) == "shut open" ]] || bad=$((bad + 1))
		set_ $verb banned 10.77.0.2 || bad=$((bad + 1))
		[[ $verb == add && $(state) == "shut open" || $verb == del && $(state) == "open open" ]] || bad=$((bad + 1))
		crash_at $point load banned "$work/list.txt"
		[ $? -ne 137 ] || kills=$((kills + 1))
		[[ $(set_ list banned | wc -l) == [12] ]] || bad=$((bad + 1))
		set_ load banned - <<<"192.0.2.1"
	done
done
within "killed on its way" "$kills" 4 16
is "it has done all or nothing, and the next one works" "$bad" 0

# Loads under traffic: what is in both lists is never let through.
cat >"$work/count.py" <<'EOP'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.77.0.2", 99))
got = 0
while s.recv(100) != b"end":
	got += 1
print(got)
EOP
cat >"$work/send.py" <<'EOP'
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
denied = 0
while True:
	try:
		s.sendto(b"x", ("10.77.0.2", 99))
	except PermissionError:
		denied += 1
	if denied % 1000 == 1:
		open(sys.argv[1], "w").write(str(denied))
EOP
seq -f '203.0.113.%g' 0 255 >"$work/one.txt"
seq -f '198.51.100.%g' 0 255 >"$work/two.txt"
echo 10.77.0.2 | tee -a "$work/one.txt" >>"$work/two.txt"
set_ load banned "$work/one.txt"
in_right python3 "$work/count.py" >"$work/got" &
counter=$!
pids+=("$counter")
until_true 10 eval "ss -N $right -lunH 'sport = :99' | grep -q ."
begin "$cg/a" nsenter --net=/run/netns/"$left" python3 "$work/send.py" "$work/denied"
sender=$begun
ok "packets are sent" until_true 10 test -s "$work/denied"
bad=0
for ((i = 0; i < times / 4; i++)); do
	set_ load banned "$work/two.txt" && set_ add banned 192.0.2.7 &&
		set_ load banned "$work/one.txt" || bad=$((bad + 1))
done
end "$sender"
in_right python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"end", ("10.77.0.2", 99))'
until_true 10 test -s "$work/got"
is "the loads work under traffic" "$bad" 0
is "and what both lists have was never let through" "$(cat "$work/got")" 0
finish
