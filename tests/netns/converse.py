# SPDX-License-Identifier: GPL-2.0-or-later
"""
Conversations of real sockets with a peer that is only frames.

	converse.py FAMILY NETNS DEVICE

Standard input has a line for each thing that happens, NAME WORD...:

	a tcp 5 80	names ports: of here, and of the peer; also udp, and icmp ID
	a listen, a call, a open, a connect, a ping, a raw
			a socket of it; a call does not wait, open has no peer
	a map		the next is a socket of IPv6 that is called by IPv4
	a accept b	what b has heard of it
	a send [WORD]	data; of raw ones of TCP a segment with these flags
	a tell i	an error about a, by the raw socket i
	a shut, a close, a reset
	a < WORD [len=N] [seq=N] [ack=N] [isn=N] [port=N]
			the peer sends flags of TCP, data, echo, reply, or an error about
			a; seq, ack and port are so far from what they would be
	a > WORD	what has been sent from here, next of all of its packets
	run COMMAND...

All but "run" and ">" are steps: what they send has that number as its DSCP.  A
call, or its answer, that is sent again meanwhile is no matter.
"""
import os
import select
import socket
import struct
import subprocess
import sys
import time

from reject import OFFSETS, pseudo, total

FAMILY, ETHER = int(sys.argv[1]), struct.Struct("!6s6sH")
V4 = FAMILY == 4
AF, KIND = (socket.AF_INET, 0x800) if V4 else (socket.AF_INET6, 0x86DD)
HERE, PEER = ("10.77.3.1", "10.77.3.2") if V4 else ("fd77:3::1", "fd77:3::2")
TCP, UDP, ICMP = 6, 17, 1 if V4 else 58
PROTOCOLS = {"tcp": TCP, "udp": UDP, "icmp": ICMP}
FLAGS = "FSRPAU"
ECHO, REPLY = (8, 0) if V4 else (128, 129)
ERRORS = {"unreachable": (3, 3), "too-big": (3, 4), "expired": (11, 0)} if V4 else {
    "unreachable": (1, 4), "too-big": (2, 0), "expired": (3, 0)}
WAIT = 30 if "WEIR_VM" in os.environ else 3


class Failure(Exception):
    pass


def with_checksum(src, dst, protocol, body):
    at = OFFSETS[protocol]
    check = ~total(body, pseudo(src, dst, protocol, len(body))) & 0xFFFF
    return body[:at] + struct.pack("!H", check) + body[at + 2:]


def ip_packet(src, dst, protocol, body, dscp):
    src, dst = socket.inet_pton(AF, src), socket.inet_pton(AF, dst)
    body = with_checksum(src, dst, protocol, body)
    if not V4:
        return struct.pack("!IHBB", 6 << 28 | dscp << 22, len(body), protocol, 61) + src + dst + body
    head = struct.pack("!BBHHHBBH", 0x45, dscp << 2, 20 + len(body), 99, 0x4000, 61, protocol, 0) + src + dst
    return head[:10] + struct.pack("!H", ~total(head) & 0xFFFF) + head[12:] + body


def echo(kind, number):
    return struct.pack("!BBHHH", kind, 0, 0, number, 1) + b"echo"


def segment(sport, dport, seq, acked, flags, length=0):
    bits = sum(1 << FLAGS.index(flag) for flag in flags if flag != "-")
    return struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, acked & 0xFFFFFFFF, 5 << 4, bits,
                       0xFFFF, 0, 0) + bytes(length)


def datagram(sport, dport):
    return struct.pack("!HHHH", sport, dport, 12, 0) + b"data"


def length_of(flags, data=0):
    return data + ("S" in flags) + ("F" in flags)


class Device:
    """The peer's: frames that have come, and those that are sent."""

    def __init__(self, netns, device):
        # One processor's queue, so that what is sent first arrives first.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.enter(os.open(f"/run/netns/{netns}", os.O_RDONLY))
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(KIND))
        self.socket.bind((device, KIND))
        self.enter(home)
        self.mark = 0xF000
        self.come = []

    @staticmethod
    def enter(netns):
        import ctypes
        if ctypes.CDLL(None, use_errno=True).setns(netns, 0):
            raise OSError(ctypes.get_errno(), "setns")

    def put(self, packet):
        self.socket.send(ETHER.pack(b"\2\0\0\0\0\1", b"\2\0\0\0\0\2", KIND) + packet)

    def take(self, wait):
        if not select.select([self.socket], [], [], wait)[0]:
            return None
        packet = self.socket.recv(4096)[14:]
        if V4:
            return packet[9], packet[20:struct.unpack("!H", packet[2:4])[0]]
        return packet[6], packet[40:40 + struct.unpack("!H", packet[4:6])[0]]

    def is_mark(self, packet):
        return packet[0] == ICMP and packet[1][:1] == bytes([REPLY]) and packet[1][4:6] == struct.pack("!H", self.mark)

    def settle(self):
        """All that was sent has been looked at here: a question behind it is answered."""
        self.mark += 1
        self.put(ip_packet(PEER, HERE, ICMP, echo(ECHO, self.mark), 0))
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            packet = self.take(end - time.monotonic())
            if packet and self.is_mark(packet):
                return
            if packet:
                self.come.append(packet)
        raise Failure("the host does not answer")


class Talk:
    def __init__(self, protocol, ports):
        self.protocol = PROTOCOLS[protocol]
        self.here, self.peer = (int(ports[0]), int(ports[-1]))
        self.mine, self.theirs = 100000, 1  # sequence numbers: of the peer, of here
        self.socket = self.is_raw = self.is_mapped = None
        self.calls = set()  # numbers and flags

    def set_dscp(self, dscp):
        if not self.socket or self.socket.fileno() < 0:
            return
        if V4:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
        else:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)

    def name(self, address):
        return "::ffff:" + address if self.is_mapped and V4 else address

    def sent_from_here(self):
        """How a packet of this end begins, for who quotes it."""
        if self.protocol == ICMP:
            return echo(ECHO, self.here)
        if self.protocol == UDP:
            return datagram(self.here, self.peer)
        return segment(self.here, self.peer, self.theirs - 1, self.mine, "A")

    def is_of(self, protocol, body):
        if protocol == ICMP and body[0] not in (ECHO, REPLY):
            # An error: what it quotes has been sent by the peer.
            quoted = body[8:]
            return (quoted[9 if V4 else 6] == self.protocol and
                    struct.unpack("!HH", quoted[20 if V4 else 40:][:4]) == (self.peer, self.here))
        if protocol != self.protocol:
            return False
        if protocol == ICMP:
            return struct.unpack("!H", body[4:6])[0] == self.here
        return struct.unpack("!HH", body[:4]) == (self.here, self.peer)

    def is_again(self, protocol, body):
        """Whether a call, or its answer, has been heard before."""
        return protocol == TCP and body[4:14] in self.calls

    def hear(self, protocol, body):
        """What a packet of this end is called; its numbers are learnt."""
        if protocol == ICMP:
            return {ECHO: "echo", REPLY: "reply"}.get(body[0], "error")
        if protocol == UDP:
            return "data"
        flags = "".join(flag for i, flag in enumerate(FLAGS) if body[13] >> i & 1)
        if "S" in flags:
            self.calls.add(body[4:14])
        if "R" not in flags:
            seq, = struct.unpack("!I", body[4:8])
            self.theirs = seq + length_of(flags, len(body) - (body[12] >> 4) * 4)
        return "".join(sorted(flags, key="SFRPAU".index))


class Conversation:
    def __init__(self, device):
        self.device, self.talks, self.step = device, {}, 0

    def mark(self, talk):
        """What a talk, or the listener of its port, sends from now on is this step's."""
        for other in self.talks.values():
            if (other.protocol, other.here) == (talk.protocol, talk.here):
                other.set_dscp(self.step)

    def run(self, line, is_answered):
        name, word, *rest = line.split()
        if name == "run":
            subprocess.run([word, *rest], check=True, stdout=subprocess.DEVNULL)
            return
        if word in PROTOCOLS:
            self.talks[name] = Talk(word, rest)
            return
        talk = self.talks[name]
        if word == ">":
            self.expect(talk, rest[0])
            return
        self.check_heard()
        self.step += 1
        if word == "<":
            # Else what is sent again, of what waits, stays its own step's.
            if is_answered:
                self.mark(talk)
            self.device.put(self.from_peer(talk, rest[0], dict(part.split("=") for part in rest[1:])))
            self.device.settle()
            return
        getattr(self, "do_" + word)(talk, *rest)

    def check_heard(self):
        for packet in self.device.come:
            for name, talk in self.talks.items():
                if talk.is_of(*packet) and not talk.is_again(*packet):
                    raise Failure(f"{name} has sent {talk.hear(*packet)} before")
        self.device.come.clear()

    def expect(self, talk, what):
        end = time.monotonic() + WAIT
        come = self.device.come
        while time.monotonic() < end:
            packet = come.pop(0) if come else self.device.take(end - time.monotonic())
            if not packet or not talk.is_of(*packet):
                continue
            is_again = talk.is_again(*packet)
            got = talk.hear(*packet)
            if got == what:
                return
            if not is_again:
                raise Failure("sent " + got)
        raise Failure("not sent")

    def from_peer(self, talk, what, words):
        number = {word: int(value) for word, value in words.items()}
        if what in ERRORS:
            return self.error(talk, what, number.get("port", 0))
        if talk.protocol == UDP:
            body = datagram(talk.peer, talk.here)
        elif talk.protocol == ICMP:
            body = echo(ECHO if what == "echo" else REPLY, talk.here)
        else:
            talk.mine = number.get("isn", talk.mine)
            data = number.get("len", 0)
            body = segment(talk.peer, talk.here, talk.mine + number.get("seq", 0),
                           (talk.theirs if "A" in what else 0) + number.get("ack", 0), what, data)
            if "seq" not in number and "R" not in what:
                talk.mine += length_of(what, data)
        return ip_packet(PEER, HERE, talk.protocol, body, self.step)

    def error(self, talk, what, port):
        quoted = talk.sent_from_here()
        if port:
            at = 4 if talk.protocol == ICMP else 2
            other = struct.unpack("!H", quoted[at:at + 2])[0] + port
            quoted = quoted[:at] + struct.pack("!H", other) + quoted[at + 2:]
        quoted = ip_packet(HERE, PEER, talk.protocol, quoted, 0)
        mtu = 1400 if what == "too-big" else 0
        return ip_packet(PEER, HERE, ICMP, struct.pack("!BBHI", *ERRORS[what], 0, mtu) + quoted, self.step)

    # Sockets.

    def open(self, talk, kind, protocol=0):
        talk.socket = socket.socket(socket.AF_INET6 if talk.is_mapped else AF, kind, protocol)
        talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        talk.socket.setblocking(False)
        if kind != socket.SOCK_RAW:
            talk.socket.bind((talk.name(HERE), talk.here))
        self.mark(talk)

    def do_map(self, talk):
        talk.is_mapped = True

    def do_listen(self, talk):
        self.open(talk, socket.SOCK_STREAM)
        talk.socket.listen(8)

    def do_call(self, talk):
        self.open(talk, socket.SOCK_STREAM)
        talk.socket.connect_ex((talk.name(PEER), talk.peer))

    def do_open(self, talk):
        self.open(talk, socket.SOCK_DGRAM)

    def do_connect(self, talk):
        self.do_open(talk)
        talk.socket.connect((talk.name(PEER), talk.peer))

    def do_ping(self, talk):
        self.open(talk, socket.SOCK_DGRAM, ICMP)

    def do_raw(self, talk):
        self.open(talk, socket.SOCK_RAW, talk.protocol)
        talk.is_raw = True

    def do_accept(self, talk, listener):
        talk.socket = self.talks[listener].socket.accept()[0]

    def do_send(self, talk, what="echo"):
        self.mark(talk)
        if talk.protocol == TCP and not talk.is_raw:
            talk.socket.send(b"data")
            return
        if talk.protocol == UDP:
            data = b"data"
        elif talk.protocol == TCP:
            data = segment(talk.here, talk.peer, talk.theirs, talk.mine if "A" in what else 0, what)
        else:
            data = echo(ECHO if what == "echo" else REPLY, talk.here)
        if talk.is_raw:
            data = with_checksum(socket.inet_pton(AF, HERE), socket.inet_pton(AF, PEER), talk.protocol, data)
        try:
            talk.socket.sendto(data, (talk.name(PEER), 0 if talk.is_raw else talk.peer))
        except ConnectionError:  # an error that has come before: it says so once
            talk.socket.send(data)

    def do_tell(self, talk, teller):
        self.mark(self.talks[teller])
        quoted = ip_packet(PEER, HERE, talk.protocol, datagram(talk.peer, talk.here), 0)
        message = struct.pack("!BBHI", *ERRORS["unreachable"], 0, 0) + quoted
        self.talks[teller].socket.sendto(with_checksum(b"", b"", 1, message) if V4 else message, (PEER, 0))

    def do_shut(self, talk):
        self.mark(talk)
        talk.socket.shutdown(socket.SHUT_WR)

    def do_close(self, talk):
        self.mark(talk)
        talk.socket.close()

    def do_reset(self, talk):
        talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.do_close(talk)


def run_all(conversation, lines):
    for line, following in zip(lines, lines[1:] + [""]):
        try:
            conversation.run(line, " > " in following)
        except (Failure, OSError, KeyError, subprocess.CalledProcessError) as failure:
            return f"{conversation.step} {line.strip()}: {failure!r}"
    return None


def main():
    conversation = Conversation(Device(*sys.argv[2:]))
    failure = run_all(conversation, list(sys.stdin))
    # What is sent at the end, as sockets are closed, is no step's.
    for talk in conversation.talks.values():
        talk.set_dscp(0)
    sys.exit(failure)


main()
