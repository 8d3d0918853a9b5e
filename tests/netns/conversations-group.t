#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Conversations, packet by packet, of a group's sockets with a peer that is only
# frames: the states are those that nft has from netfilter's connection tracking, or
# they differ as docs/state.md says.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/netns/converse.bash
. tests/netns/converse.bash
skip_unless_both "conversations of a group have the states that netfilter gives them"

for family in $(dealt 4 6); do
	# Linux 5.10 has what IPv6 answers a call with pass no group.
	answer="established"
	[ $family = 4 ] || answer="?established established"

	conversation $family "a call, data, and an end" <<EOC
a tcp 1001 80
a call
a > S = new
a < SA = established
a > A = established
a < SA seq=-1 = established
a > A = established
a send
a > PA = established
a < A = established
a < PA len=10 = established
a > A = established
a < FA = established
a > A = established
a shut
a > FA = established
a < A = established
EOC

	conversation $family "called, data, and an end" <<EOC
l tcp 1002 0
l listen
a tcp 1002 4001
a < S = new
a > SA = $answer
a < S seq=-1 = new established
a > SA = $answer
a < A = established
a accept l
a < PA len=10 = established
a > A = established
a send
a > PA = established
a < A = established
a shut
a > FA = established
a < A = established
a < FA = established
a > A = established
EOC

	conversation $family "closed by the peer first, and its port used again" <<EOC
l tcp 1003 0
l listen
a tcp 1003 4001
a < S = new
a > SA = $answer
a < A = established
a accept l
a < FA = established
a > A = established
a close
a > FA = established
a < A = established
a < S isn=900000 = new
a > SA = $answer
a < A = established
a accept l
a shut
a > FA = established
EOC

	conversation $family "closed here first, and its port used again" <<EOC
l tcp 1004 0
l listen
a tcp 1004 4001
a < S = new
a > SA = $answer
a < A = established
a accept l
a close
a > FA = established
a < A = established
a < FA = - established
a > A
a < FA seq=-1 = - established
a > A
a < S isn=900000 = new
a > SA = $answer
a < A = established
a accept l
EOC

	conversation $family "both close at once" <<EOC
a tcp 1022 80
a call
a > S = new
a < SA = established
a > A = established
a shut
a > FA = established
a < FA ack=-1 = established
a > A = established
a < A = established
a < A = - established
EOC

	conversation $family "sockets of IPv6, whoever is there" <<EOC
l tcp 1023 0
l map
l listen
a tcp 1023 4001
a < S = new
a > SA = $answer
a < A = established
a accept l
a < PA len=10 = established
a > A = established
b tcp 1024 80
b map
b call
b > S = new
b < SA = established
b > A = established
u udp 1024 53
u map
u open
u send
u > data = new
u < data = established
EOC

	conversation $family "calls at once" <<EOC
a tcp 1005 80
a call
a > S = new
a < S = established
a > SA = established
a < SA seq=-1 = established
a > A = established
a < PA len=10 = established
a > A = established
EOC

	conversation $family "half-open" <<EOC
l tcp 1006 0
l listen
a tcp 1006 4001
a < S = new
a > SA = $answer
a < R = established
b tcp 1006 4002
b < S = new
b > SA = $answer
b < FA = established
b > A = established
b accept l
g tcp 1006 4004
g < S = new
g > SA = $answer
g < R seq=90000000 = established invalid
g < A ack=1000 = established invalid
g > R = ?established established
g < A = established
g accept l
c tcp 1007 80
c call
c > S = new
c < A = established
c < FA = invalid
c < A ack=1000 = established
c > R = ?established established
c > S = new
d tcp 1008 80
d call
d > S = new
d < RA = established
d call
d > S = new
d close
d < SA = - established
d > R = - established
f tcp 1008 81
f call
f > S = new
f < RA ack=1000 = established invalid
f < SA ack=1000 = established invalid
f > R = ?established new
f > S = new
f < SA = established
f > A = established
EOC

	# After a second; and what they are is told by the step that they belong to.
	conversation $family "calls and answers sent again" <<EOC
a tcp 1020 80
a call
a > S = new
l tcp 1021 0
l listen
b tcp 1021 4001
b < S = new
b > SA = $answer
a > S
b > SA
a < RA = established
b < A = established
b accept l
EOC

	conversation $family "nobody's" <<EOC
l tcp 1009 0
l listen
a tcp 1009 4001
a < A = new
a > R = ?established established
a < SA = invalid
a > R = ?established invalid
a < FA = invalid
a > R = ?established invalid
a < RA = invalid
a < PA len=10 = new
a > R = ?established established
a < SF = invalid
a < FP = invalid
a < - = invalid
b tcp 1010 4001
b < S = - new
b > RA = - established
b < A = - new
b > R = - established
EOC
	in_left sysctl -qw net.ipv4.tcp_syncookies=2
	conversation $family "SYN cookies" <<EOC
l tcp 1011 0
l listen
a tcp 1011 4001
a < S = new
a > SA = - established
a < A = new established
a accept l
a < PA len=10 = established
a > A = established
b tcp 1011 4002
b < S = new
b > SA = - established
b < A ack=1000 = new invalid
b > R = ?established established
EOC
	in_left sysctl -qw net.ipv4.tcp_syncookies=1

	conversation $family "resets, calls and data from far away" <<EOC
a tcp 1012 80
a call
a > S = new
a < SA = established
a > A = established
a < R seq=90000000 = established invalid
a < R seq=100 = established
a > A = established
a < PA len=10 seq=90000000 = established invalid
a > A = established
a < FA seq=90000000 = established invalid
a > A = established
a < PA len=10 seq=100 = established
a > A = established
a < S seq=100 = established invalid
a > A = established
a < SA seq=100 = established
a > A = established
a send
a > PA = established
a < R = established
a < PA len=10 = - established
a > R = - established
EOC

	conversation $family "reset here" <<EOC
a tcp 1013 80
a call
a > S = new
a < SA = established
a > A = established
a reset
a > RA = established
a < PA len=10 = - established
a > R = - established
EOC

	conversation $family "a raw socket's TCP" <<EOC
r tcp 1014 80
r raw
r send S
r > S = new
r < SA = established
r > R = - established
r send A
r > A = established
r < PA len=10 = established
r > R = - established
r < RA = established
EOC

	conversation $family "datagrams" <<EOC
u udp 1015 53
u open
u send
u > data = new
u send
u > data = new
u < data = established
u send
u > data = established
v udp 1016 53
v connect
v send
v > data = new
v < data = established
w udp 1015 54
w < data = new
x udp 1016 54
x < data = - new
x > error
y udp 1017 53
y < data = - new
y > error
EOC

	conversation $family "echoes and errors" <<EOC
i icmp 9
i raw
p icmp 1018
p < reply = invalid
p ping
p send
p > echo = new
p send
p > echo = new
p < reply = established
p send
p > echo = established
q icmp 1019
q raw
q < echo = new
q > reply = - established
q send echo
q > echo = new
q < reply = established
u udp 1018 53
u connect
u send
u > data = new
u tell i
u > error = related
u < unreachable = related
u < unreachable port=1 = invalid
u < too-big = related
u < expired = related
p < unreachable = related
p < unreachable port=7 = invalid
t tcp 1018 80
t call
t > S = new
t < SA = established
t > A = established
t < too-big = related
t < expired = related
t < unreachable port=1 = invalid
l tcp 1019 80
l listen
l < unreachable = invalid
t < PA len=10 = established
t > A = established
EOC
done
finish
