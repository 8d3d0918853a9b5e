#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whoever applies a policy through SSH is warned where it would cut him off,
# and that is so if and only if he is warned.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"
make_lab
make_cgroup "$cg/ssh"

# A connection that answers, as a shell does.
cat >"$work/shell.py" <<'EOP'
import select, socket
listener = socket.socket(socket.AF_INET6)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("::", 2222))
listener.listen()
s, _ = listener.accept()
# It speaks from time to time without being asked, as one does that runs apply.
while True:
	if not select.select([s], [], [], 0.2)[0]:
		s.sendall(b"tick\n")
		continue
	data = s.recv(1000)
	if not data:
		break
	s.sendall(data)
EOP
begin "$cg/ssh" nsenter --net=/run/netns/"$left" python3 "$work/shell.py"
until_listening "$left" 2222 10
coproc client { exec nsenter --net=/run/netns/"$right" socat - TCP:10.77.0.1:2222; }
pids+=("$client_PID")
until_true 5 eval "ss -N $left -tnH state established 'sport = :2222' | grep -q ."
port=$(ss -N "$right" -tnH state established 'dport = :2222' | awk '{ sub(".*:", "", $3); print $3 }')
export SSH_CONNECTION="10.77.0.2 $port 10.77.0.1 2222"

weirctl_there() { nsenter --net=/run/netns/"$left" "$WEIRCTL" "$@" 2>&1; }
echoed() {
	local line end=$((SECONDS + ${2:-10}))
	echo "$1" >&"${client[1]}"
	while [ $SECONDS -lt $end ]; do
		IFS= read -r -t 1 line <&"${client[0]}" && [ "$line" = "$1" ] && return
	done
	return 1
}
ok "the connection answers" echoed hello

# judged NAME WARNING: that, and what comes of it, for the policy on stdin.
# WARNING empty: none.
judged() {
	local said
	policy
	said=$(weirctl_there check "$work/policy.ini" | grep warning:)
	like "$1: check" "$said" "${2:-^\$}"
	said=$(weirctl_there apply "$work/policy.ini" | grep warning:)
	like "$1: apply" "$said" "${2:-^\$}"
	if [ -z "$2" ]; then
		ok "$1: the connection goes on" echoed "$1"
	else
		# What was sent is sent again later, once it may pass.
		if echoed "$1" 2; then fail "$1: it is cut off"; else pass "$1: it is cut off"; fi
		weirctl_there clear >/dev/null
		ok "$1: and goes on when that is cleared" echoed "again $1" 60
	fi
	weirctl_there clear >/dev/null
}
cut="warning: the SSH connection that this is run through would be cut off"

judged "a device that lets nobody in" "policy.ini:3: $cut: the policy of chain in, of device v0, denies what arrives" <<EOP
[device v0]
filter-in = in
[chain in]
policy = deny
10 = allow tcp to port 80
EOP

judged "a device with the port" "" <<EOP
[device v0]
filter-in = in
[chain in]
policy = deny
10 = allow tcp to port 2222
EOP

judged "answers alone, to what leaves freely" "" <<EOP
[device v0]
filter-in = in
[chain in]
policy = deny
10 = allow established
EOP

judged "answers alone, in both directions" "policy.ini:4: $cut: the policy of chain in, of device v0, denies what arrives" <<EOP
[device v0]
filter-in = in
filter-out = out
[chain in]
policy = deny
10 = allow established
[chain out]
policy = deny
10 = allow established
EOP

judged "a group that takes no answers" "policy.ini:6: $cut: rule 10 of chain out, of group ssh at $cg/ssh, denies what leaves" <<EOP
[group ssh]
match = $cg/ssh
filter-out = out
[chain out]
policy = allow
10 = deny tcp from 10.77.0.1 port 2222
EOP

judged "a group that goes on with what it has" "" <<EOP
[group ssh]
match = $cg/ssh
filter-in = in
filter-out = in
[chain in]
policy = deny
10 = allow established
EOP

judged "a group of others" "" <<EOP
[group other]
match = $cg/other
filter-in = in
[chain in]
policy = deny
EOP

policy <<EOP
[group ssh]
match = $cg/ssh
filter-in = in
[chain in]
policy = deny
EOP
like "a rule that names the interface of the connection counts" "$(printf '%s\n' "[device v0]" "filter-in = in" \
	"[chain in]" "policy = allow" "10 = deny iface v0" | weirctl_there check -)" "rule 10 of chain in"
like "sudo hides the variable, but not from us" \
	"$(env bash -c 'unset SSH_CONNECTION; nsenter --net="$0" "$@" 2>&1; :' /run/netns/"$left" "$WEIRCTL" check "$work/policy.ini")" "$cut"
like "set to nothing it is none" "$(SSH_CONNECTION='' weirctl_there check "$work/policy.ini")" "^good: [^"$'\n'"]*\$"
like "a connection that is not here is said" \
	"$(SSH_CONNECTION="10.77.0.2 9 10.77.0.1 2222" weirctl_there check "$work/policy.ini")" "what SSH_CONNECTION names is not here"
like "what is no connection is said" "$(SSH_CONNECTION="here" weirctl_there check "$work/policy.ini")" "SSH_CONNECTION is 'here'"
says "the exit status does not tell of it" 0 "$cut" nsenter --net=/run/netns/"$left" "$WEIRCTL" check "$work/policy.ini"
like "who is not root is told" "$(setpriv --reuid 65534 --regid 65534 --clear-groups "$WEIRCTL" check - <"$work/policy.ini" 2>&1)" \
	"was not looked at: only root can"
like "a dry run warns, too" "$(weirctl_there apply --dry-run "$work/policy.ini")" "$cut"

finish
