# SPDX-License-Identifier: GPL-2.0-or-later
"""Two tun devices t0 in network namespaces, with a process for a wire; sends
bytes by TCP from the first to the second, and prints how many have come.

	relay.py FROM TO ADDRESS BYTES
"""
import ctypes
import fcntl
import os
import select
import socket
import struct
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000


def enter(netns):
    place = os.open(f"/run/netns/{netns}", os.O_RDONLY)
    if libc.setns(place, 0):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(place)


def tun(netns):
    enter(netns)
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"t0", IFF_TUN | IFF_NO_PI))
    return fd


def relay(ends):
    while True:
        for ready in select.select(ends, [], [])[0]:
            os.write(ends[ready == ends[0]], os.read(ready, 65536))


def serve(listener, size):
    got = 0
    with listener.accept()[0] as peer:
        peer.settimeout(3)
        try:
            while got < size:
                got += len(peer.recv(65536)) or size
        except TimeoutError:
            pass
    print(got, flush=True)


left, right, address, size = *sys.argv[1:4], int(sys.argv[4])
threading.Thread(target=relay, args=([tun(left), tun(right)],),
                 daemon=True).start()
listener = socket.create_server((address, 7000))
listener.settimeout(5)
server = threading.Thread(target=serve, args=(listener, size))
server.start()
enter(left)
client = socket.create_connection((address, 7000), timeout=5)
client.settimeout(3)
sent = 0
end = time.monotonic() + 5
while sent < size and time.monotonic() < end:
    sent += client.send(bytes(min(size - sent, 10000)))
server.join()
