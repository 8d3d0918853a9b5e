# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets of several cgroups and network namespaces in one process, so that a
policy can be changed while they are open.  Prints a fact a line: name, what was
found, what is expected, with tabs between.

	known.py WEIRCTL CGROUP-FOLDER CGROUP LEFT RIGHT FOLDER
"""
import ctypes
import errno
import json
import os
import platform
import select
import socket
import struct
import subprocess
import sys

weirctl, cgdir, cg, left, right, folder = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
home = os.open("/proc/self/ns/net", os.O_RDONLY)
UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM
HERE = {4: "10.77.0.1", 6: "fd77:0::1"}
THERE = {4: "10.77.0.2", 6: "fd77:0::2"}
NET = {4: "10.77.0.0/24", 6: "fd77::/64"}
HEADERS = {4: 28, 6: 48}  # of a datagram


def fact(name, got, want):
    print(name, got, want, sep="\t", flush=True)


def enter(group):
    with open(f"{cgdir}/{group}/cgroup.procs", "w") as procs:
        procs.write("0")


def inside(netns, group, family, kind):
    """A socket that belongs there, whoever uses it."""
    place = os.open(f"/run/netns/{netns}", os.O_RDONLY)
    enter(group)
    if libc.setns(place, 0):
        raise OSError(ctypes.get_errno(), "setns")
    made = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6,
                         kind)
    libc.setns(home, 0)
    os.close(place)
    enter("others")
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == UDP:
        made.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
    return made


def datagrams(netns, group, family, port=0, peer=None):
    made = inside(netns, group, family, UDP)
    made.bind((HERE[family] if netns == left else THERE[family], port))
    if peer:
        made.connect(peer)
    return made


def receive(sock, expected, wait=0.3):
    """How many datagrams come, until all do or none for a while."""
    count = 0
    while count < expected and select.select([sock], [], [], wait)[0]:
        sock.recv(65535)
        count += 1
    return count


def outcome(call, *arguments):
    try:
        call(*arguments)
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return errno.errorcode[error.errno]
    return "sent"


def apply(text):
    with open(f"{folder}/known.ini", "w") as policy:
        policy.write(text)
    subprocess.run([weirctl, "apply", f"{folder}/known.ini"], check=True,
                   stdout=subprocess.DEVNULL)


def counts(chain, number):
    """Packets and bytes of a rule, or of the chain's policy: 0."""
    stats = json.loads(subprocess.run([weirctl, "stats", "--json"], check=True,
                                      stdout=subprocess.PIPE).stdout)
    found = next(c for c in stats["chains"] if c["name"] == chain)
    if not number:
        return found["policy_packets"], found["policy_bytes"]
    rule = next(r for r in found["rules"] if r["number"] == number)
    return rule["packets"], rule["bytes"]


def bpf(command, attributes):
    result = libc.syscall(280 if platform.machine() == "aarch64" else 321,
                          command, attributes, len(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf")
    return result


def open_map(name):
    path = ctypes.create_string_buffer(
        f"{os.environ['WEIR_BPFFS']}/maps/{name}".encode())
    return bpf(7, struct.pack("QII", ctypes.addressof(path), 0, 0))


def element(fd, index, size, new=None):
    """An element of an array, which is set to new if there is such."""
    key = ctypes.create_string_buffer(struct.pack("I", index), 4)
    value = ctypes.create_string_buffer(new or bytes(size), size)
    bpf(1 if new is None else 2,
        struct.pack("IIQQQ", fd, 0, ctypes.addressof(key),
                    ctypes.addressof(value), 0))
    return value.raw


def count_known(stamp):
    """Cells of the table of known flows with this stamp."""
    fd, count, index = open_map("known_flows"), 0, 0
    try:
        while True:
            cell = element(fd, index, 128)
            count += struct.unpack_from("Q", cell, 8)[0] == stamp
            index += 1
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
    os.close(fd)
    return count


def stamp_now(count_up=False):
    generation, changes = open_map("generation"), open_map("changes")
    # An odd number says that a change is not at its end: nothing is kept then.
    changed = struct.unpack("I", element(changes, 0, 4))[0] + 2 * count_up
    if count_up:
        element(changes, 0, 4, struct.pack("I", changed))
    now = struct.unpack("I", element(generation, 0, 4))[0]
    os.close(generation)
    os.close(changes)
    return changed << 32 | now


def policy_of(rule_out, rule_in="allow udp to port 6000"):
    return f"""
[group a]
match = {cg}/a
filter-out = out
filter-in = in
[group upper]
match = {cg}/n
filter-out = upper
[group lower]
match = {cg}/n/x
filter-out = lower
[group slow]
match = {cg}/slow
filter-out = slow
out = 1mbit
shaper = police
[chain out]
policy = allow
10 = {rule_out}
20 = allow udp from port 6000
30 = deny udp from {NET[4]} to port 5001
40 = deny udp from {NET[6]} to port 5001
[chain in]
policy = deny
5 = deny udp from port 5999 to port 6000
10 = {rule_in}
20 = allow udp from port 5000
30 = allow icmp6
[chain upper]
policy = allow
10 = allow udp to port 5000
[chain lower]
policy = allow
10 = allow udp from {NET[4]}
20 = allow udp from {NET[6]}
[chain slow]
policy = deny
10 = allow udp
"""


OPEN = policy_of("allow udp to port 5000")


def a_connected_socket(family):
    apply(OPEN)
    server = datagrams(right, "others", family, 5000)
    other = datagrams(right, "others", family, 5001)
    client = datagrams(left, "a", family, 0, (THERE[family], 5000))
    before = counts("out", 10)
    for _ in range(200):
        client.send(bytes(10))
    fact(f"IPv{family}: what is allowed arrives", receive(server, 200), 200)
    packets, size = (now - was for now, was
                     in zip(counts("out", 10), before))
    fact(f"IPv{family}: each packet is counted", packets, 200)
    fact(f"IPv{family}: with its bytes", size, 200 * (HEADERS[family] + 10))
    fact(f"IPv{family}: another destination is decided by itself",
         outcome(client.sendto, b"x", (THERE[family], 5001)), "EPERM")
    fact(f"IPv{family}: and gets nothing", receive(other, 1, 0.1), 0)
    before = counts("in", 20)[0]
    for _ in range(200):
        server.sendto(bytes(10), client.getsockname())
    fact(f"IPv{family}: the answers arrive", receive(client, 200), 200)
    fact(f"IPv{family}: and are counted", counts("in", 20)[0] - before, 200)
    apply(policy_of(f"deny udp from {NET[family]} to port 5000"))
    fact(f"IPv{family}: a changed policy is in force at once",
         outcome(client.send, b"x"), "EPERM")
    fact(f"IPv{family}: for all of it", receive(server, 1, 0.1), 0)
    apply(OPEN)
    fact(f"IPv{family}: and so is the next", outcome(client.send, b"x"), "sent")


def many_peers(family):
    apply(OPEN)
    server = datagrams(left, "a", family, 6000)
    peers = [datagrams(right, "others", family, 5936 + i,
                       (HERE[family], 6000)) for i in range(63)]
    before = counts("in", 10), counts("out", 20)
    got = answered = 0

    def converse(rounds):
        nonlocal got, answered
        for _ in range(rounds):
            for peer in peers:
                peer.send(bytes(20))
            for _ in peers:
                if select.select([server], [], [], 0.3)[0]:
                    server.sendto(*server.recvfrom(100))
                    got += 1
            answered += sum(receive(peer, 1) for peer in peers)

    converse(50)
    fact(f"IPv{family}: most of the flows are known then",
         count_known(stamp_now()) > 63, True)
    stamp = stamp_now(count_up=True)
    fact(f"IPv{family}: none when something changed", count_known(stamp), 0)
    converse(50)
    fact(f"IPv{family}: and most again", count_known(stamp) > 63, True)
    fact(f"IPv{family}: a server of 63 peers hears them all", got, 63 * 100)
    fact(f"IPv{family}: and is heard", answered, 63 * 100)
    after = counts("in", 10), counts("out", 20)
    for way, was, now in zip(("arrives", "leaves"), before, after):
        fact(f"IPv{family}: what {way} is counted", now[0] - was[0], 63 * 100)
        fact(f"IPv{family}: what {way} is counted with its bytes",
             now[1] - was[1], 63 * 100 * (HEADERS[family] + 20))
    last = datagrams(right, "others", family, 5999, (HERE[family], 6000))
    for _ in range(20):
        last.send(b"x")
    fact(f"IPv{family}: who is denied is not heard", receive(server, 1), 0)
    apply(policy_of("allow udp to port 5000",
                    "allow udp from port 5937-5998 to port 6000"))
    for peer in peers:
        peer.send(b"x")
    fact(f"IPv{family}: who is denied from now on is not heard",
         receive(server, 63), 62)


def whose_socket(family):
    apply(OPEN)
    server = datagrams(right, "others", family, 5000)
    theirs = datagrams(left, "a", family, 0, (THERE[family], 5000))
    ours = datagrams(left, "others", family, 0, (THERE[family], 5000))
    apply(policy_of(f"deny udp from {NET[family]} to port 5000"))
    enter("others")
    fact(f"IPv{family}: a socket that was handed on keeps its rules",
         outcome(theirs.send, b"x"), "EPERM")
    enter("a")
    results = {outcome(ours.send, b"x") for _ in range(20)}
    fact(f"IPv{family}: and gets none of who uses it", results, {"sent"})
    fact(f"IPv{family}: which arrives", receive(server, 20), 20)
    enter("others")


def nested(family):
    apply(OPEN)
    server = datagrams(right, "others", family, 5000)
    client = datagrams(left, "n/x", family, 0, (THERE[family], 5000))
    rule = {4: 10, 6: 20}[family]
    before = counts("upper", 10)[0], counts("lower", rule)[0]
    for _ in range(100):
        client.send(b"x")
    fact(f"IPv{family}: nested groups pass it", receive(server, 100), 100)
    fact(f"IPv{family}: and count it",
         (counts("upper", 10)[0] - before[0],
          counts("lower", rule)[0] - before[1]), (100, 100))


def limited(family):
    apply(OPEN)
    server = datagrams(right, "others", family, 5000)
    client = datagrams(left, "slow", family, 0, (THERE[family], 5000))
    before = counts("slow", 10)[0]
    for _ in range(500):
        outcome(client.send, bytes(1000))
    fact(f"IPv{family}: a limit holds beside the rules",
         receive(server, 500, 0.1) < 250, True)
    fact(f"IPv{family}: what the rules allowed is counted",
         counts("slow", 10)[0] - before, 500)


def stateful(family):
    def policy(*rules):
        lines = "\n".join(f"{i} = {rule}" for i, rule in rules)
        return f"""
[group a]
match = {cg}/a
filter-in = in
filter-out = out
[chain in]
policy = deny
{lines}
[chain out]
policy = deny
10 = allow established
20 = allow icmp6
"""

    keeps, opens = (10, "allow established"), (20, "allow tcp to port 7000")
    icmp = (30, "allow icmp6")

    def talk(rounds):
        """How many of as many questions are answered."""
        done = 0
        for _ in range(rounds):
            client.send(b"x")
            if not select.select([server], [], [], 0.3)[0]:
                break
            server.send(server.recv(100))
            if not select.select([client], [], [], 0.3)[0]:
                break
            client.recv(100)
            done += 1
        return done

    apply(policy(keeps, opens, icmp))
    listener = inside(left, "a", family, TCP)
    listener.bind((HERE[family], 7000))
    listener.listen(5)
    client = inside(right, "others", family, TCP)
    client.settimeout(5)
    client.connect((HERE[family], 7000))
    server = listener.accept()[0]
    for each in client, server:
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    fact(f"IPv{family}: a connection is answered", talk(200), 200)
    fact(f"IPv{family}: it is counted as established",
         min(counts("in", 10)[0], counts("out", 10)[0]) >= 200, True)
    apply(policy(keeps, icmp))
    fact(f"IPv{family}: one that is open goes on where established is allowed",
         talk(200), 200)
    apply(policy(icmp))
    fact(f"IPv{family}: and stops where it is not", talk(1), 0)


def at_a_device(family):
    def policy(allowed):
        return f"""
[device v0]
netns = {left}
filter-in = dev
filter-out = back
[chain dev]
policy = deny
10 = {allowed}
20 = allow icmp6
[chain back]
policy = allow
10 = allow udp from port 6001
30 = deny udp to port 5990
"""

    apply(policy("allow udp to port 6001"))
    server = datagrams(left, "others", family, 6001)
    peers = [datagrams(right, "others", family, 5900 + i,
                       (HERE[family], 6001)) for i in range(32)]
    before = counts("dev", 10), counts("back", 10)
    got = 0
    for _ in range(50):
        for peer in peers:
            peer.send(bytes(20))
        for _ in peers:
            if select.select([server], [], [], 0.3)[0]:
                server.sendto(*server.recvfrom(100))
                got += 1
        for peer in peers:
            receive(peer, 1)
    fact(f"IPv{family}: a device lets in what its chain allows", got, 32 * 50)
    after = counts("dev", 10), counts("back", 10)
    for way, was, now in zip(("in", "out"), before, after):
        fact(f"IPv{family}: it counts what goes {way}", now[0] - was[0],
             32 * 50)
        fact(f"IPv{family}: it counts what goes {way} with its bytes",
             now[1] - was[1], 32 * 50 * (HEADERS[family] + 20))
    for peer in peers[:5]:
        for _ in range(20):
            peer.send(bytes(3000))
    fact(f"IPv{family}: fragments of known flows pass", receive(server, 100),
         100)
    fact(f"IPv{family}: each counted",
         counts("dev", 10)[0] - after[0][0], 300)
    apply(policy("allow udp from port 5901-5999 to port 6001"))
    for peer in peers:
        peer.send(b"x")
        peer.send(bytes(3000))
    fact(f"IPv{family}: a device's changed chain is in force at once",
         receive(server, 64), 62)


def change(*words, **settings):
    return subprocess.run([weirctl, "set", *words], check=False,
                          env=os.environ | settings,
                          stderr=subprocess.DEVNULL).returncode


def get_known(client, server):
    """So many that the verdict is kept, wherever it is; how many come."""
    for _ in range(100):
        client.send(b"x")
    return receive(server, 100)


def sets_that_change(family):
    """At a socket with a peer, and one without, and at a device."""
    apply(f"""
[group a]
match = {cg}/a
filter-out = out
[device v0]
netns = {left}
filter-in = dev
[chain out]
policy = allow
10 = deny udp to @banned
[chain dev]
policy = allow
10 = deny udp from @banned to port @shut
[set banned]
[set shut]
elements = 6002
""")
    server = datagrams(right, "others", family, 5000)
    client = datagrams(left, "a", family, 0, (THERE[family], 5000))
    below = datagrams(left, "others", family, 6002)
    remote = datagrams(right, "others", family, 0, (HERE[family], 6002))
    there = THERE[family]
    with open(f"{folder}/known.txt", "w") as lines:
        lines.write(there + "\n")

    def state():
        remote.send(b"x")
        return outcome(client.send, b"x"), receive(below, 1)

    for name, begin, end in (
            ("one that is added", ("add", "banned", there),
             ("del", "banned", there)),
            ("a file that is loaded", ("load", "banned",
                                       f"{folder}/known.txt"),
             ("flush", "banned"))):
        get_known(client, server), get_known(remote, below)
        change(*begin)
        fact(f"IPv{family}: {name} is in for known flows", state(),
             ("EPERM", 0))
        change(*end)
        fact(f"IPv{family}: {name} and taken out again", state(), ("sent", 1))
        receive(server, 1)
    for point in range(1, 7):
        get_known(client, server), get_known(remote, below)
        change("add", "banned", there, WEIR_CRASH_AT=str(point))
        listed = subprocess.run([weirctl, "set", "list", "banned"], check=True,
                                stdout=subprocess.PIPE).stdout.split()
        fact(f"IPv{family}: killed at {point}, known flows see what is in",
             state(), ("EPERM", 0) if listed else ("sent", 1))
        change("del", "banned", there)
        receive(server, 1)


def timeouts(family):
    apply(OPEN)
    server = datagrams(right, "others", family, 5000)
    client = datagrams(left, "a", family, 0, (THERE[family], 5000))
    apply(f"""
[group a]
match = {cg}/a
filter-out = out
[chain out]
policy = deny
10 = allow udp to @guests port 5000
20 = allow udp to port @doors
30 = allow icmp6
[set guests]
[set doors]
""")
    for name, element in (("guests", THERE[family]), ("doors", "5000")):
        change("add", name, element, "timeout", "2s")
        fact(f"IPv{family}: what is in {name} for a while passes",
             get_known(client, server), 100)
        for left_over in range(100, -1, -1):
            if outcome(client.send, b"x") == "EPERM":
                break
            receive(server, 1, 0.05)
            select.select([], [], [], 0.05)
        fact(f"IPv{family}: and not when that is over, known or not",
             left_over > 0, True)


def short_connections(family):
    """What listens knows a connection by its call; the device's chain, which
    looks at lengths, decides about each packet."""
    def policy(lowest):
        return f"""
[group a]
match = {cg}/a
filter-in = in
[device v0]
netns = {left}
filter-in = dev
[chain in]
policy = deny
10 = allow tcp from port {lowest}-5899 to port 7100
20 = allow icmp6
[chain dev]
policy = allow
10 = allow tcp to port 7100 length 1-65535
"""

    def call(port):
        client = inside(right, "others", family, TCP)
        client.bind((THERE[family], port))
        client.settimeout(0.5)
        outcome(client.connect, (HERE[family], 7100))
        return client

    apply(policy(5800))
    listener = inside(left, "a", family, TCP)
    listener.bind((HERE[family], 7100))
    listener.listen(50)
    listener.settimeout(5)
    before = counts("in", 10), counts("dev", 10)
    answered = 0
    for port in range(5800, 5840):
        with call(port) as client, listener.accept()[0] as server:
            client.send(b"x")
            server.send(server.recv(1))
            answered += client.recv(1) == b"x"
    fact(f"IPv{family}: calls are answered", answered, 40)
    fact(f"IPv{family}: most of them are known by their first packet",
         count_known(stamp_now()) >= 35, True)
    listener.settimeout(0.3)
    fact(f"IPv{family}: another that is not allowed is not",
         (call(5900).close(), outcome(listener.accept))[1], "timeout")
    group, device = ([now - was for now, was in zip(counts(chain, 10), start)]
                     for chain, start in zip(("in", "dev"), before))
    refused = counts("in", 0)
    fact(f"IPv{family}: each packet of known calls is counted, and its bytes",
         group, [device[0] - refused[0], device[1] - refused[1]])
    fact(f"IPv{family}: there were some", group[0] >= 40 * 4, True)
    with call(5841) as client:
        apply(policy(5842))
        fact(f"IPv{family}: what was heard of a call ends with its policy",
             (client.send(b"x"),
              receive(listener.accept()[0], 1)), (1, 0))


def bystanders(family):
    """Cgroups that a policy says nothing of, and the next does."""
    def policy(group):
        return f"""
[group upper]
match = {cg}/{group}
filter-out = none
filter-in = none
[chain none]
policy = deny
"""

    server = datagrams(right, "others", family, 5000)
    client = datagrams(left, "others", family, 0, (THERE[family], 5000))
    loose = datagrams(left, "others", family)
    stranger = datagrams(right, "slow", family)

    def sends():
        return {outcome(client.send, b"x"),
                outcome(loose.sendto, b"x", (THERE[family], 5000))}

    for turn in range(2):
        apply(policy("n"))
        for _ in range(3):
            fact(f"IPv{family}: who is in no group sends", sends(), {"sent"})
        fact(f"IPv{family}: and is heard", receive(server, 6), 6)
        stranger.sendto(b"x", loose.getsockname())
        fact(f"IPv{family}: and hears", receive(loose, 1), 1)
        apply(policy("others"))
        fact(f"IPv{family}: who is in one from now on does not", sends(),
             {"EPERM"})
        stranger.sendto(b"x", loose.getsockname())
        fact(f"IPv{family}: nor hears", receive(loose, 1), 0)
        apply(policy("n"))
        fact(f"IPv{family}: and out of it again sends", sends(), {"sent"})
        receive(server, 2)


for group in "others", "a", "n", "n/x", "slow":
    os.makedirs(f"{cgdir}/{group}", exist_ok=True)
for version in 4, 6:
    a_connected_socket(version)
    many_peers(version)
    whose_socket(version)
    nested(version)
    limited(version)
    stateful(version)
    at_a_device(version)
    sets_that_change(version)
    timeouts(version)
    short_connections(version)
    bystanders(version)
