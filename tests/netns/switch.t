#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A policy is switched under traffic, again and again, between one that lets
# only A in and one that lets only B in: nothing else ever gets in, neither what
# no policy allows nor what would fit half of one and half of the other; and
# when an apply has returned, what it took away does not get in any more.
# WEIR_SWITCHES makes it longer.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"
switches=${WEIR_SWITCHES:-${short:+20}}
switches=${switches:-60}
ip -n "$left" addr add 10.77.0.3/24 dev v0
ip -n "$left" addr add 10.77.0.4/24 dev v0

# policy_of FILE SOURCE PORT OTHER-PORT: on the device, and at the cgroup again.
policy_of() {
	local i
	{
		cat <<EOP
[device v0]
filter-in = device
[group a]
match = $cg/a
filter-in = group
[set source]
elements = $2
[set port]
elements = $3
EOP
		for chain in device group; do
			printf '[chain %s]\npolicy = deny\n' $chain
			# Enough of them that they are not tried one by one.
			for ((i = 1; i <= 100; i++)); do
				echo "$i = allow udp from 192.0.2.$i to port $i"
			done
			echo "200 = deny udp to port $4"
			if [ $chain = device ]; then
				echo "300 = allow udp from @source to port $3"
			else
				echo "300 = allow udp from $2 to port @port"
			fi
			for ((i = 400; i <= 500; i++)); do
				echo "$i = allow udp from 198.51.100.$((i - 300)) to port $i"
			done
		done
	} >"$1"
}
policy_of "$work/a.ini" 10.77.0.1 7001 7002
policy_of "$work/b.ini" 10.77.0.3 7002 7001

# All sources to all ports as fast as it goes; "SOURCE>PORT COUNT" when it ends.
cat >"$work/send.py" <<'EOF'
import itertools, signal, socket
going = [True]
signal.signal(signal.SIGTERM, lambda *_: going.clear())
ways = []
for source, port in itertools.product(("10.77.0.1", "10.77.0.3", "10.77.0.4"), (7001, 7002, 7003)):
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.bind((source, 0))
	s.connect(("10.77.0.2", port))
	ways.append(s)
while going:
	for s in ways:
		try:
			s.send(b"x")
		except OSError:
			pass
EOF
cat >"$work/receive.py" <<'EOF'
import collections, os, selectors, signal, socket, sys
counts = collections.Counter()
ready = selectors.DefaultSelector()
def show(*_):
	with open(sys.argv[1] + ".new", "w") as out:
		for (source, port), n in sorted(counts.items()):
			out.write("%s>%d %d\n" % (source, port, n))
	os.rename(sys.argv[1] + ".new", sys.argv[1])
signal.signal(signal.SIGUSR1, show)
for port in 7001, 7002, 7003:
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.bind(("", port))
	s.setblocking(False)
	ready.register(s, selectors.EVENT_READ, port)
open(sys.argv[1] + ".up", "w").close()
while True:
	for key, _ in ready.select(1):
		for _ in range(64):
			try:
				counts[key.fileobj.recvfrom(16)[1][0], key.data] += 1
			except BlockingIOError:
				break
EOF
counts=$work/counts
begin "$cg/a" nsenter --net=/run/netns/"$right" python3 "$work/receive.py" "$counts"
receiver=$begun
until_true 10 test -e "$counts.up"

apply_of() { in_right "$WEIRCTL" apply "$work/$1.ini" >/dev/null; }
# got [WAY]: how many came that way; or all that came, a way in each line.
got() {
	rm -f "$counts"
	kill -USR1 "$receiver"
	until_true 5 test -e "$counts"
	if [ $# -gt 0 ]; then
		awk -v way="$1" '$1 == way { n = $2 } END { print n + 0 }' "$counts"
	else
		cat "$counts"
	fi
}
came() { [ "$(got "$1")" -gt 0 ]; }
a='10.77.0.1>7001' b='10.77.0.3>7002'
ok "only A is let in" apply_of a
nsenter --net=/run/netns/"$left" python3 "$work/send.py" &
sender=$!
pids+=("$sender")
ok "A comes" until_true 10 came "$a"

failed=0 late=0
for ((i = 0; i < switches; i++)); do
	if ((i % 2)); then new=a old=$b; else new=b old=$a; fi
	apply_of $new || failed=$((failed + 1))
	# Now and then it is looked closely at: what was on its way may come.
	((i % 20 < 18)) && continue
	sleep 0.05
	before=$(got "$old")
	sleep 0.02
	late=$((late + $(got "$old") - before))
done
is "each of $switches switches is made" $failed 0
is "what an apply took away does not come any more" $late 0
ok "B comes" came "$b"
kill -TERM "$sender"
is "nothing else ever came" "$(got | grep -vE "^($a|$b) ")" ""
n_a=$(got "$a") n_b=$(got "$b")
within "A and B came about as often (A: $n_a, B: $n_b)" "$(awk -v a="$n_a" -v b="$n_b" 'BEGIN { print a / (a + b) }')" 0.1 0.9

# The same packets do come where they are let in: what never came could have.
sed 's/^elements = 10.77.0.*/elements = 10.77.0.1, 10.77.0.3, 10.77.0.4/; s/^\(elements = 700.\)$/elements = 7001-7003/
	s/^200 .*//; s/^300 = allow udp from .*/300 = allow udp/' "$work/a.ini" >"$work/all.ini"
ok "all is let in" apply_of all
nsenter --net=/run/netns/"$left" python3 "$work/send.py" &
pids+=($!)
ok "what no policy allows can come" until_true 10 came "10.77.0.4>7003"
ok "so can what fits half of each" until_true 10 came "10.77.0.1>7002"
finish
