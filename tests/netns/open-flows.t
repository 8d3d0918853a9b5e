#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A group's connections and flows that are open when its policy changes: TCP's sockets
# know their state, however old they are, and what the table of flows knows goes over
# from one policy that asks for states to the next.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/netns/converse.bash
. tests/netns/converse.bash
skip_unless_both "open flows have their states when the policy changes"

# switch POLICY: states is what counts them, larger the same with another table; closed
# has the number of the step that it is for.
make_cgroup "$cg/b"
cat >"$work/switch" <<EOS
#!/bin/bash
"$WEIRCTL" stats --json >>"$work/stats"
case \$1 in
none) printf '[group b]\nmatch = %s\nout = 1gbit\n' "$cg/b" ;;
plain) printf '[group a]\nmatch = %s\nfilter-in = c\nfilter-out = c\n[chain c]\npolicy = allow\n' "$cg/a" ;;
states) cat "$work/policy.ini" ;;
larger) sed 's/^match.*/&\nflows = 20000\ntimeouts = udp 60s/' "$work/policy.ini" ;;
closed) printf '[group a]\nmatch = %s\nfilter-in = input\n[chain input]\npolicy = deny\n171 = deny ip4 established\n172 = deny ip6 established\n' "$cg/a" ;;
esac >"$work/next.ini"
exec "$WEIRCTL" apply "$work/next.ini"
EOS
chmod +x "$work/switch"

for family in $(dealt 4 6); do
	conversation $family "older than the policy" <<EOC
run $work/switch none
a tcp 2001 80
a call
a > S = - new
a < SA = - established
a > A = - established
l tcp 2002 0
l listen
b tcp 2002 4001
b < S = - new
b > SA = - established
u udp 2001 53
u connect
u send
u > data = - new
u < data = - established
p icmp 2001
p ping
p send
p > echo = - new
run $work/switch states
a < PA len=10 = established
a > A = established
b < A = established
b accept l
b send
b > PA = established
b < A = established
u < data = new established
u send
u > data = established
p < reply = invalid established
p send
p > echo = new established
p < reply = established
EOC

	conversation $family "of one policy and the next" <<EOC
run $work/switch none
run $work/switch states
a tcp 2003 80
a call
a > S = new
u udp 2003 53
u connect
u send
u > data = new
v udp 2004 53
v open
v send
v > data = new
v < data = established
p icmp 2003
p ping
p send
p > echo = new
run $work/switch larger
a < SA = established
a > A = established
u < data = established
v send
v > data = established
p < reply = established
run $work/switch states
a < PA len=10 = established
a > A = established
u send
u > data = established
v < data = established
p send
p > echo = established
run $work/switch closed
v < data = established
run $work/switch states
v < data = established
a < PA len=10 = established
a > A = established
EOC

	conversation $family "with a policy between that asks for no states" <<EOC
a tcp 2005 80
a call
a > S = new
a < SA = established
a > A = established
u udp 2005 53
u connect
u send
u > data = new
u < data = established
run $work/switch plain
a send
a > PA = - established
u send
u > data = - established
run $work/switch states
a < PA len=10 = established
a > A = established
u < data = new established
u send
u > data = established
EOC
done
finish
