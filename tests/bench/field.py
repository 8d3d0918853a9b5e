# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the benches measure: two network namespaces with a veth between,
a cgroup for the senders, and a meter at the far end that counts wire bytes.
Python 3 and its standard library; iperf3, tc, ip, bpftool and make are run.
"""
import contextlib
import ctypes
import os
import re
import shutil
import signal
import struct
import subprocess
import time

BINS = 16384
BIN_S = 0.01
PORTS = 1024
HOST, HOST6 = "10.98.7.2", "fd98:7::2"
SYS_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280}[os.uname().machine]
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build/plain")
TALK = os.path.join(HERE, "talk")
SINK, SPREAD = 7000, 7168  # ports; from the second on, one for each cgroup
SPREADS = 256
REPLIES = {1: 7001, 10000: 7002, 1000000: 7003}  # to requests of bytes


class Failed(Exception):
    """Something that was run did not work: one limiter's, or one scene's."""


def run(*argv, check=True, timeout=120, **kw):
    try:
        done = subprocess.run(argv, check=False, text=True, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              **kw)
    except subprocess.TimeoutExpired as e:
        raise Failed("%s: no end after %d s" % (
            os.path.basename(argv[0]), timeout)) from e
    except OSError as e:
        raise Failed(str(e)) from e
    if check and done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        said.append("exit status %d" % done.returncode)
        error = next((line for line in said if "rror" in line), said[-2:][0])
        raise Failed("%s: %s" % (
            os.path.basename(argv[2 if argv[0] == "nsenter" else 0]),
            error.strip().rstrip(".")))
    return done


def cgroup_mount():
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        for line in lines:
            if " - cgroup2 " in line:
                return line.split()[4]
    raise SystemExit("no cgroup2 mount")


def bpf_object(name):
    return os.path.join(BUILD, "tests/bench", name + ".bpf.o")


def bpf_call(command, attr):
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(attr, 128)
    result = libc.syscall(SYS_BPF, command, buffer, 128)
    if result < 0:
        number = ctypes.get_errno()
        raise Failed("bpf: " + os.strerror(number))
    return result


def map_open(pin):
    path = ctypes.create_string_buffer(pin.encode())
    return bpf_call(7, struct.pack("=QII", ctypes.addressof(path), 0, 0))


def map_read(fd, key, size):
    k = ctypes.create_string_buffer(key, len(key))
    v = ctypes.create_string_buffer(size)
    bpf_call(1, struct.pack("=IIQQQ", fd, 0, ctypes.addressof(k),
                            ctypes.addressof(v), 0))
    return v.raw


def map_write(fd, key, value):
    k = ctypes.create_string_buffer(key, len(key))
    v = ctypes.create_string_buffer(value, len(value))
    bpf_call(2, struct.pack("=IIQQQ", fd, 0, ctypes.addressof(k),
                            ctypes.addressof(v), 0))


@contextlib.contextmanager
def bpf_stats():
    """While this lasts the kernel takes the time of BPF programs."""
    fd = bpf_call(32, struct.pack("=I", 0))
    try:
        yield
    finally:
        os.close(fd)


def wait(predicate, seconds=10):
    end = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > end:
            raise Failed("waited too long")
        time.sleep(0.02)


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


def inside(ns):
    # not "ip netns exec": that hides bpffs
    return ["nsenter", "--net=/run/netns/" + ns]


def stop(process):
    process.kill()
    process.wait()


class Field:
    """Senders in namespace a are limited on their way out; receivers in b."""
    direction = "out"
    device = ""  # what a policy says of the device, to have such a limit

    def __init__(self, prefix, weirctl, mtu=1500):
        self.prefix = prefix
        self.weirctl = weirctl
        self.a, self.b = prefix + "-a", prefix + "-b"
        mount = cgroup_mount()
        self.top = os.path.join(mount, prefix)
        self.cgroup = os.path.join(self.top, "b")  # what is limited
        self.free = os.path.join(self.top, "free")  # its neighbour, never
        self.far = os.path.join(mount, prefix + "-far")  # who it talks to
        self.senders, self.receivers = self.cgroup, self.far
        self.home = ""  # namespace that weirctl runs in; "": this one
        self.queue = (self.a, "v0")  # where a qdisc would hold the limit
        # The limited one's namespace, and the other end of its veth.
        self.box, self.box_peer = self.a, (self.b, "v0")
        self.pins = "/run/" + prefix + "-bpf"  # a bpffs of our own
        self.folder = "/run/" + prefix + "-files"
        self.mtu = mtu
        self.undo = contextlib.ExitStack()
        self.servers = []
        self.port = 5200

    def __enter__(self):
        self.remove()
        with self.undo:
            self.build()
            self.undo = self.undo.pop_all()
        return self

    def __exit__(self, *_):
        self.undo.close()

    def build(self):
        self.undo.callback(self.remove)
        for path in (self.cgroup, self.free, self.far, self.pins, self.folder):
            os.makedirs(path, exist_ok=True)
        run("mount", "-t", "bpf", "bpf", self.pins)
        for ns in self.namespaces():
            run("ip", "netns", "add", ns)
            # What one limiter taught TCP of the path is not for the next.
            run(*inside(ns), "sysctl", "-qw", "net.ipv4.tcp_no_metrics_save=1")
        self.connect()
        for n, ns in ((1, self.a), (2, self.b)):
            self.ip(ns, "addr", "add", "10.98.7.%d/24" % n, "dev", "v0")
            self.ip(ns, "addr", "add", "fd98:7::%d/64" % n, "dev", "v0",
                    "nodad")
            self.ip(ns, "link", "set", "lo", "up")
            self.up(ns, "v0")
        self.meter_attach()
        # An address of IPv6 needs a moment.
        wait(lambda: run(*inside(self.a), "ping", "-c1", "-W1", HOST6,
                         check=False).returncode == 0)
        self.serve([TALK, "sink", str(SINK), "1"], SINK)
        self.serve([TALK, "sink", str(SPREAD), str(SPREADS)], SPREAD)
        for size, port in REPLIES.items():
            self.serve([TALK, "reply", str(port), str(size)], port)

    def namespaces(self):
        return [self.a, self.b]

    def veth(self, ns, device, peer_ns, peer):
        run("ip", "link", "add", device, "mtu", str(self.mtu), "netns", ns,
            "type", "veth", "peer", "name", peer, "mtu", str(self.mtu),
            "netns", peer_ns)

    def connect(self):
        """The way from v0 of namespace a to that of b."""
        self.veth(self.a, "v0", self.b, "v0")

    def up(self, ns, device):
        self.ip(ns, "link", "set", device, "up")
        self.order(ns, device)

    @contextlib.contextmanager
    def boxes(self, count):
        """A place for each of so many cgroups: what iperf is told of it."""
        yield [{}] * count

    def queue_make(self):
        """Where the queue's device is not there by itself."""

    def queue_remove(self):
        """After queue_make, and where nothing is."""

    @staticmethod
    def order(ns, device="v0"):
        """A wire keeps the order of a flow. A veth does not: what arrives
        waits at the processor that sent it, and a flow sends from several.
        So each flow is received by one processor (RPS)."""
        processors = min(os.cpu_count(), 32)  # a mask is written in 32s
        # "ip netns exec": it shows the namespace's own /sys
        run("ip", "netns", "exec", ns, "sh", "-c",
            "echo %x >/sys/class/net/%s/queues/rx-0/rps_cpus"
            % ((1 << processors) - 1, device))

    def meter_attach(self):
        self.bpf_load("meter")
        self.meter_place()
        self.meter = map_open(self.pins + "/meter/meter")
        self.undo.callback(os.close, self.meter)
        self.mark()
        self.ports = map_open(self.pins + "/meter/ports")
        self.undo.callback(os.close, self.ports)

    def meter_place(self):
        run("bpftool", "cgroup", "attach", self.far, "ingress", "pinned",
            self.pins + "/meter/count")

    def bpf_load(self, name):
        """Programs and maps of a bench's object, pinned under its name."""
        pins = os.path.join(self.pins, name)
        os.mkdir(pins)
        run("bpftool", "prog", "loadall", bpf_object(name), pins,
            "pinmaps", pins)
        return pins

    def bpf_unload(self, name):
        run("rm", "-rf", os.path.join(self.pins, name))

    def remove(self):
        for cgroup in self.cgroups():
            self.empty(cgroup)
        for ns in self.namespaces():
            run("ip", "netns", "del", ns, check=False)
        run("umount", self.pins, check=False)
        with contextlib.suppress(OSError):
            os.rmdir(self.pins)
        shutil.rmtree(self.folder, ignore_errors=True)
        for cgroup in self.cgroups():
            with contextlib.suppress(OSError):
                os.rmdir(cgroup)

    def cgroups(self):
        """All that are there, children before their parents."""
        return [path for top in (self.top, self.far)
                for path, _, _ in os.walk(top, topdown=False)]

    @staticmethod
    def empty(cgroup):
        """Ends what runs in a cgroup of ours, and waits a little for it."""
        for _ in range(50):
            with contextlib.suppress(OSError), \
                    open(cgroup + "/cgroup.procs", encoding="ascii") as procs:
                pids = procs.read().split()
                if not pids:
                    return
                for pid in pids:
                    with contextlib.suppress(OSError):
                        os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.02)

    def ip(self, ns, *argv, check=True):
        return run(*inside(ns), "ip", *argv, check=check)

    def tc(self, ns, *argv, check=True, **kw):
        return run(*inside(ns), "tc", *argv, check=check, **kw)

    def start(self, argv, cgroup=None, ns=None, **kw):
        """Starts a command in the senders' cgroup and namespace, or in
        those given."""
        procs = os.path.join(cgroup or self.senders, "cgroup.procs")

        def enter():
            with open(procs, "w", encoding="ascii") as f:
                f.write("0")
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.DEVNULL)
        return subprocess.Popen(inside(ns or self.a) + list(argv),
                                preexec_fn=enter, text=True, **kw)

    def listens(self, port, ns=None):
        return run(*inside(ns or self.b), "ss", "-Hltn",
                   "sport = :%d" % port).stdout

    def serve(self, argv, port, cgroup=None):
        """A server that lives as long as the field."""
        process = self.start(argv, cgroup or self.receivers, self.b,
                             stdout=subprocess.DEVNULL)
        self.undo.callback(stop, process)
        wait(lambda: self.listens(port))

    def talk(self, *argv, cgroup=None):
        return self.start([TALK] + [str(a) for a in argv], cgroup)

    @staticmethod
    def said(process, timeout=60):
        """The numbers that a command printed when it was done."""
        try:
            words = process.communicate(timeout=timeout)[0].split()
            return [float(word) for word in words]
        except (subprocess.TimeoutExpired, ValueError) as e:
            stop(process)
            raise Failed(str(e)) from e

    def ends(self, cgroup):
        """Cgroups of a client and its server, where the limited one of them
        is to be in another than usual."""
        if self.direction == "out":
            return cgroup, self.receivers
        return self.senders, cgroup or self.receivers

    @contextlib.contextmanager
    def iperf(self, seconds, flows=1, cc=None, v6=False, udp_bps=None,
              more=(), cgroup=None, host=None, ns=None):
        """Traffic of iperf3 as long as the context lasts, at most seconds;
        gives the port.  A server of its own for each run: a client that is
        killed leaves iperf3 busy."""
        client, server = self.ends(cgroup)
        self.port += 1
        port, ns = self.port, ns or (self.a if host else self.b)
        argv = ["iperf3", "-p", str(port), "-t", str(seconds),
                "-c", host or (HOST6 if v6 else HOST), "-P", str(flows)]
        if cc:
            argv += ["-C", cc]
        if udp_bps:
            argv += ["-u", "-b", str(udp_bps), "-l", "1400"]
        with contextlib.ExitStack() as undo:
            undo.callback(stop, self.start(
                ["iperf3", "-s", "-1", "-p", str(port)], server, ns,
                stdout=subprocess.DEVNULL))
            wait(lambda: self.listens(port, ns))
            undo.callback(stop, self.start(argv + list(more), client,
                                           stdout=subprocess.DEVNULL))
            yield port

    def ping(self, count=200, interval=0.01):
        """Round trips in ms: median, 99th of a hundred."""
        p = self.start(["ping", "-n", "-i", str(interval), "-c", str(count),
                        "-W", "1", HOST])
        text = p.communicate(timeout=60)[0]
        times = sorted(float(t) for t in re.findall(r"time=([\d.]+)", text))
        if not times:
            return None, None
        return times[len(times) // 2], times[len(times) * 99 // 100]

    @contextlib.contextmanager
    def link(self, kind):
        """Senders meet another link: an MTU, "no-gso", or "container"."""
        if kind == "container":
            with self.container():
                yield
            return
        if kind == "no-gso":
            on, off = (["ethtool", "-K", "v0", "tso", word, "gso", word]
                       for word in ("on", "off"))
            ways = [(self.a, off, on)]
        else:
            new, old = (["ip", "link", "set", "v0", "mtu", str(mtu)]
                        for mtu in (kind, self.mtu))
            ways = [(ns, new, old) for ns in (self.a, self.b)]
        with contextlib.ExitStack() as undo:
            for ns, there, back in ways:
                undo.callback(run, *inside(ns), *back)
                run(*inside(ns), *there)
            yield

    @contextlib.contextmanager
    def container(self):
        """A namespace behind a bridge of the first, which senders are in."""
        host, self.a = self.a, self.prefix + "-c"
        with contextlib.ExitStack() as undo:
            undo.callback(setattr, self, "a", host)
            undo.callback(run, "ip", "netns", "del", self.a, check=False)
            run("ip", "netns", "add", self.a)
            run(*inside(self.a), "sysctl", "-qw",
                "net.ipv4.tcp_no_metrics_save=1")
            undo.callback(self.ip, host, "link", "del", "br0")
            self.ip(host, "link", "add", "br0", "type", "bridge")
            self.ip(host, "link", "set", "v0", "master", "br0")
            self.ip(host, "link", "set", "br0", "up")
            self.ip(host, "link", "add", "c0", "master", "br0", "type",
                    "veth", "peer", "name", "v0", "netns", self.a)
            undo.callback(self.ip, host, "link", "del", "c0")
            self.ip(host, "link", "set", "c0", "up")
            self.ip(self.a, "addr", "add", "10.98.7.3/24", "dev", "v0")
            self.ip(self.a, "link", "set", "v0", "up")
            self.order(self.a)
            yield

    def totals(self):
        """What each bin has counted in all its rounds."""
        raw = map_read(self.meter, b"\0\0\0\0", BINS * 8)
        return struct.unpack("=%dQ" % BINS, raw)

    def mark(self):
        """From now on bins are counted anew: a trial begins."""
        self.before = self.totals()

    def bins(self, first, last):
        """Wire bytes per 10 ms from monotonic time first up to last (s),
        which are not before the mark and at most 160 s behind it."""
        now = self.totals()
        return [now[stamp % BINS] - self.before[stamp % BINS]
                for stamp in range(int(first / BIN_S), int(last / BIN_S))]

    def port_bytes(self, port):
        """Wire bytes to a port so far, and to those 1024 apart."""
        raw = map_read(self.ports, struct.pack("=I", port % PORTS), 8)
        return struct.unpack("=Q", raw)[0]

    def share(self, bps, first, last):
        return sum(self.bins(first, last)) * 8 / bps / (last - first)

    def cpu_seconds(self):
        """What senders and receivers have used so far."""
        used = 0
        for cgroup in (self.top, self.far):
            with open(cgroup + "/cpu.stat", encoding="ascii") as stat:
                used += int(stat.readline().split()[1])
        return used / 1e6

    def retransmits(self):
        """Segments sent again by anyone in namespace a, so far."""
        return self.segments()[1]

    def segments(self):
        """Segments that anyone in namespace a sent so far, and sent again."""
        text = run(*inside(self.a), "nstat", "-asz", "TcpOutSegs",
                   "TcpRetransSegs").stdout.split()
        return tuple(int(text[text.index(name) + 1])
                     for name in ("TcpOutSegs", "TcpRetransSegs"))

    def device_bytes(self, device):
        """What a device of namespace a has sent so far."""
        text = self.ip(self.a, "-s", "link", "show", "dev", device).stdout
        return int(text.splitlines()[-1].split()[0])


def busy_seconds():
    """CPU time that this machine has spent on anything but idling."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(n) for n in stat.readline().split()[1:]]
    return (sum(ticks[:3]) + sum(ticks[5:7])) / os.sysconf("SC_CLK_TCK")
