"""A router between namespaces with `duet nat64` on it, and the programs that its clients and servers run."""
import json
import os
import shutil
import subprocess
import tempfile

from support import DUET, eventually, run

PREFIX = "2001:db8:64::"
POOL = "198.51.100.64"
SERVER = "192.0.2.2"
CLIENTS = ["2001:db8:1::2", "2001:db8:1::3"]


class Router:
    """Three namespaces in a row: clients with IPv6 alone, the router, a server with IPv4 alone."""

    def __init__(self, case, configuration="", mtu6=1500, mtu4=1500):
        self.names = {part: f"dt-nat64-{part}" for part in ("client", "router", "server")}
        self.directory = tempfile.mkdtemp(prefix="dt-nat64-")
        case.addCleanup(shutil.rmtree, self.directory)
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
            run("ip", "netns", "add", name)
            case.addCleanup(run, "ip", "netns", "del", name)
        for part, mtu in (("client", mtu6), ("server", mtu4)):
            run("ip", "link", "add", "eth0", "mtu", str(mtu), "netns", self.names[part], "type", "veth",
                "peer", "name", part, "mtu", str(mtu), "netns", self.names["router"])
            self.ip(part, "link", "set", "eth0", "up")
            self.ip(part, "link", "set", "lo", "up")
            self.ip("router", "link", "set", part, "up")
        for part in self.names:
            run("ip", "netns", "exec", self.names[part], "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0",
                "net.ipv6.conf.default.accept_dad=0")
        # Nothing takes the second address on its own.
        for address, life in zip(CLIENTS, ("forever", "0")):
            self.ip("client", "addr", "add", f"{address}/64", "dev", "eth0", "nodad", "preferred_lft", life)
        self.ip("router", "addr", "add", "2001:db8:1::1/64", "dev", "client", "nodad")
        self.ip("router", "addr", "add", "192.0.2.1/24", "dev", "server")
        self.ip("server", "addr", "add", f"{SERVER}/24", "dev", "eth0")
        self.ip("client", "-6", "route", "add", "default", "via", "2001:db8:1::1")
        self.ip("server", "route", "add", "default", "via", "192.0.2.1")
        run("ip", "netns", "exec", self.names["router"], "sysctl", "-qw", "net.ipv4.ip_forward=1",
            "net.ipv6.conf.all.forwarding=1")
        self.file = f"{self.directory}/nat64.yaml"
        self.control = f"{self.directory}/control.sock"
        with open(self.file, "w") as file:
            file.write(f"prefix: {PREFIX}/96\npool: [{POOL}]\ncontrol: {self.control}\n"
                       f"addresses: {{ipv6: '2001:db8:1::64', ipv4: 192.0.2.64}}\n{configuration}\n")
        self.log = open(f"{self.directory}/log", "w+")
        case.addCleanup(self.log.close)
        self.process = None
        case.addCleanup(self.stop)
        self.start()

    def start(self, *wrapper):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.names["router"], *wrapper, DUET, "nat64", "run", "--config", self.file],
            stdout=self.log, stderr=self.log)
        eventually(lambda: self.process.poll() is not None or os.path.exists(self.control), "the socket")
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError(self.log.read())
        eventually(lambda: self.ask("status", check=False).returncode == 0, "the status")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise

    def ip(self, part, *arguments):
        return run("ip", "-n", self.names[part], *arguments)

    def at(self, part, *command, **options):
        return run("ip", "netns", "exec", self.names[part], *command, **options)

    def popen(self, part, *command, **options):
        return subprocess.Popen(["ip", "netns", "exec", self.names[part], *command], text=True, **options)

    def ask(self, question, *arguments, **options):
        return run(DUET, "nat64", question, "--control", self.control, *arguments, **options)

    def status(self):
        return json.loads(self.ask("status").stdout)

    def drops(self):
        return self.status()["dropped"]

    def python(self, part, script, *arguments, **options):
        return self.at(part, "/usr/bin/python3", "-c", script, *arguments, **options)


# A server of TCP and UDP on port 7000: TCP connections get back the digest of what they send, datagrams themselves, with "unsummed"
# without checksums.
SERVE = """
import hashlib, socket, sys, threading
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
listener = socket.create_server((sys.argv[1], 7000), family=family, backlog=64)
datagrams = socket.socket(family, socket.SOCK_DGRAM)
datagrams.bind((sys.argv[1], 7000))
if "unsummed" in sys.argv:
    datagrams.setsockopt(socket.SOL_SOCKET, 11, 1)  # SO_NO_CHECK
def echo():
    while True:
        data, peer = datagrams.recvfrom(65535)
        datagrams.sendto(data, peer)
threading.Thread(target=echo, daemon=True).start()
print("ready", flush=True)
def serve(link):
    digest = hashlib.sha256()
    while part := link.recv(1 << 20):
        digest.update(part)
    link.sendall(bytes(range(256)) * 16384 + digest.digest())
    link.close()
while True:
    link, peer = listener.accept()
    print(peer[0], peer[1], flush=True)
    threading.Thread(target=serve, args=(link,), daemon=True).start()
"""

# Sends megabytes by several connections at once, and compares what comes back.
STREAM = """
import hashlib, os, socket, sys, threading
address, source, megabytes, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
results = []
def transfer():
    data = os.urandom(megabytes << 20)
    link = socket.create_connection((address, 7000), timeout=60, source_address=(source, 0) if source else None)
    link.sendall(data)
    link.shutdown(socket.SHUT_WR)
    back = b""
    while part := link.recv(1 << 20):
        back += part
    results.append(back == bytes(range(256)) * 16384 + hashlib.sha256(data).digest())
threads = [threading.Thread(target=transfer) for _ in range(count)]
for thread in threads: thread.start()
for thread in threads: thread.join(120)
print("right" if results == [True] * count else results)
"""

# Exchanges datagrams of the sizes given.
DATAGRAMS = """
import os, socket, sys
link = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
link.settimeout(1)
link.connect((sys.argv[1], 7000))
def exchange(data):
    # What is lost while the path's MTU is learnt is sent again.
    for _ in range(30):
        try:
            link.send(data)
            while link.recv(65535) != data:
                pass
            return True
        except (TimeoutError, OSError):
            pass
for size in map(int, sys.argv[2:]):
    assert exchange(os.urandom(size)), size
print("right")
"""


# Transports that end too early, in packets that are whole.
SHORT = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
for protocol, length in ((6, 20), (17, 8), (1, 8)):
    if protocol == 1 and family == socket.AF_INET6:
        continue
    link = socket.socket(family, socket.SOCK_RAW, protocol)
    # The kernel sends no ICMP without a type and a code.
    for count in range(2 if protocol == 1 else 1, length):
        link.sendto((b"\\x08\\0" + b"\\1" * 18)[:count], (sys.argv[1], 0))
"""

# The beginning of programs that make headers by themselves.
CHECKSUM = """
import socket, struct, sys
def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xffff)
    return ~total & 0xffff
"""

# A datagram that is cut at every byte, as it stands at the device that its queues are read from: the kernel itself sends no such
# packet on.
CUT = CHECKSUM + """
device, client, public, server6, server4 = sys.argv[1:]
body = struct.pack(">HHHH", 7000, 7000, 24, 1) + bytes(16)
header4 = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 44, 7, 0, 60, 17, 0, socket.inet_aton(server4), socket.inet_aton(public))
packet4 = header4[:10] + struct.pack(">H", checksum(header4)) + header4[12:] + body
packet6 = struct.pack(">IHBB", 6 << 28, 24, 17, 60) + socket.inet_pton(socket.AF_INET6, client) + socket.inet_pton(socket.AF_INET6, server6) + body
link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
for packet, kind in ((packet4, 0x0800), (packet6, 0x86DD)):
    for count in range(1, len(packet)):
        link.sendto(packet[:count], (device, kind))
print(len(packet4) + len(packet6) - 2)
"""

# The same from a host, in frames on its link.
CUT_FRAMES = """
import socket, struct, sys
client, server, hardware = sys.argv[1:]
body = struct.pack(">HHHH", 7000, 7000, 24, 1) + bytes(16)
packet = struct.pack(">IHBB", 6 << 28, 24, 17, 60) + socket.inet_pton(socket.AF_INET6, client) + socket.inet_pton(socket.AF_INET6, server) + body
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0x86DD))
frame = bytes.fromhex(hardware.replace(":", "")) + link.getsockname()[4] + b"\\x86\\xdd" + packet
for count in range(14, len(frame)):
    link.send(frame[:count])
"""

# "Port unreachable" about datagrams from the public address and a port, a hundred times or as often as is said.
FORGE = CHECKSUM + """
public, port, remote, remote_port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
inner = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 38, 7, 0, 60, 17, 0, socket.inet_aton(public), socket.inet_aton(remote))
inner += struct.pack(">HHHH", port, remote_port, 18, 0x1234)
error = struct.pack(">BBHI", 3, 3, 0, 0) + inner
error = error[:2] + struct.pack(">H", checksum(error)) + error[4:]
link = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
for _ in range(int(sys.argv[5]) if len(sys.argv) > 5 else 100):
    link.sendto(error, (public, 0))
"""

# Fragments of a thousand datagrams, of which none ever begins.
FLOOD = """
import socket, struct, sys
link = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for number in range(1, 1001):
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 0, number, 100, 60, 17, 0, socket.inet_aton("192.0.2.2"), socket.inet_aton(sys.argv[1]))
    link.sendto(header + b"x" * 64, (sys.argv[1], 0))
"""

# Datagrams one right behind the other, each of which comes back; the kernel at the other end checks their sums.
BURSTS = """
import os, socket, sys
link = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
link.settimeout(30)
link.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
link.connect((sys.argv[1], 7000))
for _ in range(20):
    sent = [os.urandom(64) for _ in range(100)]
    for data in sent:
        link.send(data)
    assert [link.recv(100) for _ in sent] == sent
print("right")
"""

# One datagram there and back for each line of input, on one socket.
ENDLESS = """
import socket, sys
link = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
link.bind((sys.argv[2], 0))
link.settimeout(30)
link.connect((sys.argv[1], 7000))
while True:
    link.send(b"hello")
    assert link.recv(100) == b"hello"
    print("exchanged", flush=True)
    if not sys.stdin.readline():
        break
"""
