#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real containers, run by podman and runc behind podman's own bridges, without a
# network and in the host's, by a policy that was applied before they were started.
# shellcheck source=tests/netns/lib.bash
. "$(dirname "$0")/lib.bash"

for tool in podman runc; do
	command -v $tool >/dev/null && continue
	skip "a container is limited and filtered" "$tool is not installed"
	finish
done

host=$lab-h
make_netns "$host"
make_netns "$right"
mkdir -p "$cgdir"
make_cgroup "$cg/pods"
make_link "$host" up0 "$right" v0 0
ip -n "$right" route add 10.88.0.0/16 via 10.77.0.1
weir() { nsenter --net=/run/netns/"$host" "$WEIRCTL" "$@"; }

# The container's root: busybox and iperf3 with its libraries.
root=$work/root
mkdir -p "$root"/{bin,tmp,proc,sys,dev,etc}
cp "$(command -v busybox)" "$root/bin/busybox"
for name in sh nc ping sleep; do ln -s busybox "$root/bin/$name"; done
iperf3=$(command -v iperf3)
cp "$iperf3" "$root/bin/"
while read -r lib; do
	mkdir -p "$root${lib%/*}"
	cp -L "$lib" "$root$lib"
done < <(ldd "$iperf3" | grep -o '/[^ ]*')

# podman in the host's namespace, with cgroup2 where runc looks for it.  The
# mounts that it makes live in a namespace that all its calls share.
nsenter --net=/run/netns/"$host" unshare -m bash -c '
	umount -R /sys/fs/cgroup
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	touch "$1/ready"
	exec sleep 300' mounts "$work" &
pids+=($!)
until_true 5 test -e "$work/ready"
mounts=$(ip netns pids "$host" | head -1)
cat >"$work/podman" <<EOP
#!/bin/bash
exec nsenter --mount=/proc/$mounts/ns/mnt --net=/run/netns/$host \\
	podman --root $work/store --runroot $work/runroot --tmpdir $work/tmp \\
	--cgroup-manager=cgroupfs --storage-driver vfs \\
	--network-config-dir $work/networks "\$@"
EOP
chmod +x "$work/podman"
at_exit 'while read -r m; do umount -l "$m"; done < <(awk -v w="$work/" "index(\$2, w) == 1 { print \$2 }" /proc/self/mounts | sort -r)'
# run_container NAME [OPTION...] -- COMMAND...
run_container() {
	local name=$1 options=()
	shift
	until [ "$1" = -- ]; do options+=("$1") && shift; done
	shift
	"$work/podman" run -d --runtime runc --cgroup-parent "$cg/pods" --pids-limit 0 \
		--ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --ulimit memlock=65536:65536 \
		--name "$name" "${options[@]}" --rootfs "$root:O" "$@"
}

policy <<EOP
[group pods]
match = $cg/pods/libpod-*
in = 20mbit
out = 10mbit
filter-in = in
filter-out = out

[chain in]
policy = allow
10 = deny tcp to port 82

[chain out]
policy = allow
10 = deny icmp echo-request
EOP
ok "the policy applies before there is a container" weir apply "$work/policy.ini"
weir watch >"$work/watch" 2>&1 &
pids+=($!)

at_exit '"$work/podman" rm -f -t 0 first >/dev/null 2>&1'
# Its very first packet is a ping, which its rules deny.
ok "podman starts a container" run_container first -- /bin/sh -c \
	'ping -c1 -W1 10.77.0.2 >/tmp/ping 2>&1; echo $? >/tmp/status; nc -lk -p 82 -e true & exec iperf3 -s -p 5201'
address=$("$work/podman" inspect -f '{{.NetworkSettings.IPAddress}}' first)
nsenter --net=/run/netns/"$host" sysctl -qw net.ipv4.ip_forward=1
reaches() { nsenter --net=/run/netns/"$1" timeout 1 bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null; }
ok "its server answers" until_true 15 reaches "$host" "$address" 5201
is "its first packet was denied" "$("$work/podman" exec first /bin/busybox cat /tmp/status)" 1
if reaches "$host" "$address" 82; then fail "a denied port is not reached"; else pass "a denied port is not reached"; fi
ok "its limit on what arrives has a queue" until_true 10 eval \
	'weir stats --json | jq -e ".groups[0].cgroups[] | select(.path | test(\"libpod-[0-9a-f]{64}\$\")) | .in.shaper == \"htb\""'

rate() { nsenter --net=/run/netns/"$right" iperf3 -J -c "$address" -p 5201 -t 3 -O 1 "$@" >"$work/iperf" 2>&1; rate_of "$work/iperf"; }
veth=$(tc -n "$host" qdisc show | awk '$2 == "htb" { print $5; exit }')
queue_holds "what arrives" 20 "$host" "$veth" rate
nsenter --net=/run/netns/"$host" ethtool -K up0 tso off
make_cgroup "$cg/client"
sends_as=$cg/client sends_from=$right holds "what leaves gets 10 Mbit/s on the wire" 10 \
	iperf3 -c "$address" -p 5201 -t 60 -R

# ------------------------------------------------ others, another network

others() {
	for name in second none hosted; do at_exit "\"$work/podman\" rm -f -t 0 $name >/dev/null 2>&1"; done
	run_container second -p 8201:5201 -- /bin/iperf3 -s -p 5201 >"$work/second"
	run_container none --network none -- /bin/sleep 1000 >"$work/none"
	run_container hosted --network host -- /bin/sleep 1000 >"$work/hosted"
	"$work/podman" inspect -f '{{.Id}}' first >"$work/first"
	# box NAME QUERY: of what status says of this container's cgroup.
	box() {
		weir status --json | jq -c --arg path "libpod-$(cat "$work/$1")" \
			"[.groups[].cgroups[] | select(.path | endswith(\$path))][0] | $2"
	}
	waits() { [[ $(box "$1" .device) == \"* ]]; }
	ok "a second container has a queue, too" until_true 10 waits second
	is "the veths of both are named, and whose they are" \
		"$(for name in first second; do
			[ "$(box $name '.veths[].netns_inode')" = "$(stat -Lc %i "/proc/$("$work/podman" inspect -f '{{.State.Pid}}' $name)/ns/net")" ]
			echo "$? $(box $name '[.device == .veths[0].name, .veths[].inner_name]')"
		done)" '0 [true,"eth0"]
0 [true,"eth0"]'
	is "without a network, or with the host's, there is none" \
		"$(box none '[.device, .veths, .in.shaper]') $(box hosted '[.device, .veths, .in.shaper]')" \
		'[null,[],"police"] [null,[],"police"]'
	port() { nsenter --net=/run/netns/"$right" iperf3 -J -c 10.77.0.1 -p 8201 "$@" >"$work/iperf" 2>&1; rate_of "$work/iperf"; }
	ok "its published port answers" until_true 10 reaches "$right" 10.77.0.1 8201
	nsenter --net=/run/netns/"$right" iperf3 -c "$address" -p 5201 -t 60 >/dev/null 2>&1 &
	pids+=($!)
	queue_holds "while the first one is busy, what arrives by the published port" 20 "$host" "$(box second .device | tr -d '"')" port

	"$work/podman" network create --disable-dns --subnet 10.89.7.0/24 more >/dev/null
	"$work/podman" network connect more first
	like "with one more network the first one has two veths" "$(until_true 10 eval '[ "$(box first ".veths | length")" = 2 ]'
		box first '[.veths[].inner_name]')" 'eth0.*eth1'
	pooled() { [[ $(box first .device) == \"weirp* ]]; }
	ok "and a queue for both" until_true 10 pooled
}
[ -n "${WEIR_VM:-}" ] || others # what no kernel makes a difference to
for name in first second none hosted; do "$work/podman" rm -f -t 0 $name >/dev/null 2>&1; done
ok "an apply after the containers are gone works" weir apply "$work/policy.ini"
ok "clear succeeds" weir clear
finish
