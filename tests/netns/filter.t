#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rules of groups decide real connections, and denied ones fail at once.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/a"
make_cgroup "$cg/b"
make_cgroup "$cg/c"

policy <<EOP
[group a]
match = $cg/a
filter-out = out
filter-in = in

[group c]
match = $cg/c
filter-out = seldom

[chain out]
policy = allow
5 = deny tcp mark 7
10 = deny tcp to port 81
20 = reject tcp to port 82
30 = deny udp to port 83
40 = reject udp to port 84
50 = deny icmp echo-request
60 = deny tcp to @far port 85

[set far]
elements = 10.77.0.0/30, fd77::/64

[chain seldom]
policy = deny
10 = allow established
20 = allow tcp limit 1/s burst 1

[chain in]
policy = deny
10 = allow established
20 = allow tcp to port 90
30 = allow icmp6
EOP
ok "the policy applies" apply

# connect ADDRESS KIND/PORT...: for each the errno's name, or ok, and milliseconds
cat >"$work/connect.py" <<'EOP'
import errno, os, socket, sys, time
address = sys.argv[1]
for target in sys.argv[2:]:
	kind, port = target.split("/")
	s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
			  socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
	s.settimeout(3)
	begin = time.monotonic()
	try:
		if kind == "udp":
			s.sendto(b"x", (address, int(port)))
		else:
			s.connect((address, int(port)))
		what = "ok"
	except socket.timeout:
		what = "timeout"
	except OSError as e:
		what = errno.errorcode[e.errno]
	took = (time.monotonic() - begin) * 1000
	# An emulated processor takes its time.
	print(what, "at-once" if took < (1000 if "WEIR_VM" in os.environ else 50) else "%d ms" % took)
EOP
# In one process, as Python takes its time to begin there, too.
attempt() {
	in_cgroup "$cg/${from:-a}" nsenter --net=/run/netns/"$left" python3 "$work/connect.py" "$@"
}
listen() {
	nsenter --net=/run/netns/"$1" socat "TCP6-LISTEN:$2,fork,reuseaddr,ipv6only=0" PIPE &
	pids+=($!)
	until_listening "$1" "$2"
}
for port in 80 81 82 85; do listen "$right" $port; done
listen "$left" 89

retval=$("$WEIRCTL" doctor --json | field set_retval)
if [ "$retval" = true ]; then refused=ECONNREFUSED; else refused=EPERM; fi
for family in 4 6; do
	[ $family = 4 ] && there=10.77.0.2 || there=fd77:0::2
	mapfile -t got < <(attempt $there tcp/80 tcp/81 tcp/82 udp/83 udp/84 tcp/85)
	is "IPv$family: an allowed connection is made" "${got[0]}" "ok at-once"
	is "IPv$family: a denied one fails at once with EPERM" "${got[1]}" "EPERM at-once"
	is "IPv$family: a rejected one fails at once with $refused" "${got[2]}" "$refused at-once"
	is "IPv$family: a denied datagram fails with EPERM" "${got[3]}" "EPERM at-once"
	is "IPv$family: a rejected datagram fails with $refused" "${got[4]}" "$refused at-once"
	is "IPv$family: an address in a set is found" "${got[5]}" "EPERM at-once"
	is "IPv$family: another group is not concerned" "$(from=b attempt $there tcp/81)" "ok at-once"
done
[ "$retval" = true ] || skip "a rejected connection fails with ECONNREFUSED" "this kernel has no bpf_set_retval in connect hooks"

ping_left() { in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" ping -q -c1 -W1 "$1"; }
if ping_left 10.77.0.2 >/dev/null 2>&1; then fail "a denied ping gets no answer"; else pass "a denied ping gets no answer"; fi
ok "an allowed ping6 gets its answer" ping_left fd77:0::2

# What only the packet shows, connect() is told by TCP's first timer.
cat >"$work/marked.py" <<'EOP'
import ctypes, errno, socket, time
SO_MARK, TCP_USER_TIMEOUT = 36, 18
s = socket.socket()
s.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 7000)
for mark in 7, 0:
	s.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
	begin = time.monotonic()
	try:
		s.connect(("10.77.0.2", 80))
		what = "ok"
	except OSError as e:
		what = errno.errorcode[e.errno]
	took = time.monotonic() - begin
	print(what, "soon" if took < 2 else "%.1f s" % took, s.getsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT))
# Nobody answers there; the attempt before it, denied and given up, is no matter.
s = socket.socket()
s.setblocking(False)
s.setsockopt(socket.SOL_SOCKET, SO_MARK, 7)
s.connect_ex(("10.77.0.2", 80))
ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16)  # AF_UNSPEC
s.setsockopt(socket.SOL_SOCKET, SO_MARK, 0)
s.connect_ex(("10.77.0.99", 80))
time.sleep(1.5)
print(errno.errorcode.get(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "goes on"))
EOP
is "a connection that is denied by its packet fails soon, and its socket is as it was" \
	"$(in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" python3 "$work/marked.py")" $'ETIMEDOUT soon 7000\nok soon 7000\ngoes on'
is "one that has a token is made" "$(from=c attempt 10.77.0.2 tcp/80)" "ok at-once"
like "one that finds none waits for it" "$(from=c attempt 10.77.0.2 tcp/80)" "^ok "

serve_in() {
	in_cgroup "$cg/a" nsenter --net=/run/netns/"$left" socat "TCP4-LISTEN:$1,fork,reuseaddr" PIPE &
	pids+=($!)
	until_listening "$left" "$1"
}
serve_in 90
serve_in 91
knock() { in_right timeout 1 bash -c "exec 3<>/dev/tcp/10.77.0.1/$1"; }
ok "what arrives for an allowed port gets in" knock 90
if knock 91 2>/dev/null; then fail "what arrives for another port does not"; else pass "what arrives for another port does not"; fi
if knock 89 2>/dev/null; then pass "a listener of no group is not concerned"; else fail "a listener of no group is not concerned"; fi

count() { "$WEIRCTL" stats --json | jq ".chains[] | select(.name == \"$1\") | .rules[] | select(.number == $2) | .packets"; }
is "the denied connections are counted by their rule" "$(count out 10)" 2
within "so is what arrived for the allowed port" "$(count in 20)" 1 3
finish
