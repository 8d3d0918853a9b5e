#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real container, run by podman and runc behind podman's own bridge, by a
# policy that was applied before it was started.
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
for name in sh nc ping; do ln -s busybox "$root/bin/$name"; done
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
run_container() {
	local name=$1
	shift
	"$work/podman" run -d --runtime runc --cgroup-parent "$cg/pods" --pids-limit 0 \
		--ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --ulimit memlock=65536:65536 \
		--name "$name" --rootfs "$root:O" "$@"
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
ok "podman starts a container" run_container first /bin/sh -c \
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
"$work/podman" rm -f -t 0 first >/dev/null 2>&1
ok "an apply after the container is gone works" weir apply "$work/policy.ini"
ok "clear succeeds" weir clear
finish
