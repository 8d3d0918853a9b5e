# SPDX-License-Identifier: GPL-2.0-or-later
"""
Frames and what they are answered with, for reject.t.

	reject.py frames DEVICE LINK-ADDRESS	sends frames to 10.77.0.2 and
		fd77::2, bare; prints what each is answered with, without the
		identification of IPv4, and with checksums that are yet to come
	reject.py tagged DEVICE LINK-ADDRESS	two of them in VLAN 5
	reject.py attempt ADDRESS KIND/PORT...	what programs are told, and how soon
	reject.py watch DEVICE COMMAND...	how many answers came meanwhile, and
		how many of them had a wrong checksum or none yet
	reject.py tun WEIRCTL POLICY	what a tun device answers to a segment
"""
import errno
import os
import select
import socket
import struct
import subprocess
import sys
import time

SLOW = "WEIR_VM" in os.environ
TCP, UDP, SCTP, ICMP, ICMP6 = 6, 17, 132, 1, 58
SOL_PACKET, PACKET_AUXDATA, NOT_READY = 263, 8, 8  # TP_STATUS_CSUMNOTREADY


def total(data, start=0):
    data += b"\0" * (len(data) % 2)
    start += sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while start >> 16:
        start = (start & 0xFFFF) + (start >> 16)
    return start


def pseudo(src, dst, protocol, length):
    return 0 if protocol == ICMP else total(src + dst, protocol + length)


OFFSETS = {TCP: 16, UDP: 6, ICMP: 2, ICMP6: 2}


def packet(family, protocol, body, tos=0, extension=b""):
    ends = ("10.77.0.1", "10.77.0.2") if family == 4 else ("fd77::1", "fd77::2")
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    src, dst = (socket.inet_pton(kind, end) for end in ends)
    if protocol in OFFSETS:
        at = OFFSETS[protocol]
        check = ~total(body, pseudo(src, dst, protocol, len(body))) & 0xFFFF
        body = body[:at] + struct.pack("!H", check) + body[at + 2 :]
    if family == 6:
        if extension:
            extension, protocol = bytes([protocol]) + extension[1:], extension[0]
        return struct.pack("!IHBB", 6 << 28 | tos << 20, len(extension + body), protocol, 61) + src + dst + extension + body
    head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(body), 99, 0x4000, 61, protocol, 0) + src + dst
    return head[:10] + struct.pack("!H", ~total(head) & 0xFFFF) + head[12:] + body


def segment(flags, data=b""):
    return struct.pack("!HHIIBBHHH", 50000, 4001, 0xFFFFFFF0, 0x12345678, 5 << 4, flags, 1000, 0, 0) + data


def datagram(size):
    return struct.pack("!HHHH", 50000, 4001, 8 + size, 0) + bytes(i * 7 & 255 for i in range(size))


def frames():
    for family in 4, 6:
        for flags, data in (2, b""), (2, b"early"), (0x18, b"odd"), (0x11, b""), (1, b"x"), (0, b""):
            yield packet(family, TCP, segment(flags, data))
        for size, tos in (0, 0), (1, 0), (100, 0x28), (511, 0), (520, 0), (521, 0xB8), (1100, 0), (1184, 0), (1300, 0):
            yield packet(family, UDP, datagram(size), tos)
        echo = struct.pack("!BBHHH", 8 if family == 4 else 128, 0, 0, 7, 1) + b"e" * 57
        yield packet(family, ICMP if family == 4 else ICMP6, echo)
        yield packet(family, SCTP, bytes(40))
    yield packet(6, UDP, datagram(30), extension=bytes([60, 0]) + bytes([1, 4, 0, 0, 0, 0]))


def parts(ip):
    """Its protocol, and whether all of its checksums are right."""
    if ip[0] >> 4 == 4:
        ip = ip[: struct.unpack("!H", ip[2:4])[0]]
        protocol, body, src, dst = ip[9], ip[20:], ip[12:16], ip[16:20]
        good = total(ip[:20]) == 0xFFFF
    else:
        ip = ip[: 40 + struct.unpack("!H", ip[4:6])[0]]
        protocol, body, src, dst = ip[6], ip[40:], ip[8:24], ip[24:40]
        good = True
    return ip, protocol, good and total(body, pseudo(src, dst, protocol, len(body))) == 0xFFFF, body


def is_answer(protocol, body):
    if protocol == TCP:
        return body[13] & 4
    return protocol == ICMP and body[0] == 3 or protocol == ICMP6 and body[0] == 1


def listen_at(device):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.bind((device, 3))
    return s


def arrived(s, seconds):
    """The next answer as (frame, status and tag by PACKET_AUXDATA), or None."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not select.select([s], [], [], max(0, end - time.monotonic()))[0]:
            return None
        data, notes, _, where = s.recvmsg(2048, 256)
        if where[2] == socket.PACKET_OUTGOING or where[1] not in (0x800, 0x86DD):
            continue
        _, protocol, _, body = parts(data[14:])
        if is_answer(protocol, body):
            return data, *struct.unpack("=I12xH", notes[0][2][:18])
    return None


def do_frames(device, there):
    s = listen_at(device)
    here = s.getsockname()[4]
    there = bytes.fromhex(there.replace(":", ""))
    for ip in frames():
        s.send(there + here + (b"\x08\0" if ip[0] >> 4 == 4 else b"\x86\xdd") + ip)
        got = arrived(s, 3 if SLOW else 0.5)
        if not got:
            print("none")
            continue
        answer, protocol, good, body = parts(got[0][14:])
        if got[1] & NOT_READY:
            at, head = OFFSETS[protocol], len(answer) - len(body)
            ends = answer[12:20] if head == 20 else answer[8:40]
            body = body[:at] + b"\0\0" + body[at + 2 :]
            check = ~total(body, pseudo(ends, b"", protocol, len(body))) & 0xFFFF
            answer = answer[:head] + body[:at] + struct.pack("!H", check) + body[at + 2 :]
            good = True
        if answer[0] >> 4 == 4:
            answer = answer[:4] + b"\0\0" + answer[6:10] + b"\0\0" + answer[12:]
        print("%s %s %s" % ("right" if good else "WRONG", got[0][:14].hex(), answer.hex()))


def do_tagged(device, there):
    s = listen_at(device)
    here = s.getsockname()[4]
    for ip in packet(4, TCP, segment(2)), packet(6, UDP, datagram(10)):
        kind = b"\x08\0" if ip[0] >> 4 == 4 else b"\x86\xdd"
        s.send(bytes.fromhex(there.replace(":", "")) + here + b"\x81\0\0\5" + kind + ip)
        got = arrived(s, 3 if SLOW else 0.5)
        print("tag %d, %s" % (got[2], "right" if parts(got[0][14:])[2] else "WRONG") if got else "none")


def attempt(address, kind, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    s.settimeout(5 if SLOW else 0.5)
    begin = time.monotonic()
    try:
        s.connect((address, int(port)))
        if kind == "udp":
            begin = time.monotonic()
            s.send(b"x")
            s.recv(1)
        what = "ok"
    except socket.timeout:
        what = "timeout"
    except OSError as e:
        what = errno.errorcode[e.errno]
    took = (time.monotonic() - begin) * 1000
    return what + (" at-once" if took < (900 if SLOW else 200) else " after %d ms" % took)


def do_attempt(address, *targets):
    print(", ".join(attempt(address, *target.split("/")) for target in targets))


def do_watch(device, *command):
    s = listen_at(device)
    subprocess.run(command, check=True, stdout=sys.stderr)
    n = bad = 0
    while True:
        got = arrived(s, 0.2)
        if not got:
            break
        n += 1
        bad += bool(got[1] & NOT_READY) or not parts(got[0][14:])[2]
    print(n, bad)


def do_tun(weirctl, policy):
    import fcntl

    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))
    subprocess.run(["ip", "link", "set", "tun0", "up"], check=True)
    subprocess.run([weirctl, "apply", policy], check=True, stdout=subprocess.DEVNULL)
    for ip in packet(4, TCP, segment(2)), packet(6, UDP, datagram(10)):
        os.write(tun, ip)
        end = time.monotonic() + 2
        said = "none"
        while said == "none" and select.select([tun], [], [], max(0, end - time.monotonic()))[0]:
            _, protocol, good, body = parts(os.read(tun, 2048))
            if is_answer(protocol, body):
                said = "answer" if good else "WRONG"
        print(said)


if __name__ == "__main__":
    {"frames": do_frames, "tagged": do_tagged, "attempt": do_attempt, "watch": do_watch, "tun": do_tun}[sys.argv[1]](*sys.argv[2:])
