"""`duet nat64`: a router between IPv6 clients and IPv4 servers, in namespaces, asked with the tools of those who use it."""
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from support import DUET, run

PREFIX = "2001:db8:64::"
POOL = "198.51.100.64"
SERVER = "192.0.2.2"
CLIENTS = ["2001:db8:1::2", "2001:db8:1::3"]


def wait(what, condition, seconds=30):
    """Waits until a condition holds, and returns what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come in {seconds} s")
        time.sleep(0.05)


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

    def start(self):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.names["router"], DUET, "nat64", "run", "--config", self.file],
            stdout=self.log, stderr=self.log)
        wait("the socket", lambda: self.process.poll() is not None or os.path.exists(self.control))
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError(self.log.read())
        wait("the status", lambda: self.ask("status", check=False).returncode == 0)

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


# A server of TCP and UDP on port 7000: TCP connections get back the digest of what they send, datagrams themselves.
SERVE = """
import hashlib, socket, sys, threading
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
listener = socket.create_server((sys.argv[1], 7000), family=family, backlog=64)
datagrams = socket.socket(family, socket.SOCK_DGRAM)
datagrams.bind((sys.argv[1], 7000))
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

# "Port unreachable" about datagrams from the public address and a port, a hundred times or as often as is said.
FORGE = """
import socket, struct, sys
def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xffff)
    return ~total & 0xffff
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


class Standalone(unittest.TestCase):
    def serve(self, router, part="server", address=SERVER):
        server = router.popen(part, "/usr/bin/python3", "-c", SERVE, address, stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.assertEqual(server.stdout.readline(), "ready\n")
        return server

    def test_clients_reach_servers(self):
        router = Router(self, "metrics: 192.0.2.1:9464")
        server = self.serve(router)
        with self.subTest("ping"):
            router.at("client", "ping", "-n", "-c", "3", "-i", "0.2", "-W", "30", "-s", "1400", PREFIX + SERVER)
        with self.subTest("streams"):
            out = router.python("client", STREAM, PREFIX + SERVER, "", "8", "4")
            self.assertEqual(out.stdout, "right\n")
            for _ in range(4):
                self.assertEqual(server.stdout.readline().split()[0], POOL)
        with self.subTest("segments stay whole"):
            traffic = router.status()["translated"]
            self.assertGreater(traffic["ipv4"]["bytes"], 32 << 20)
            self.assertGreater(traffic["ipv4"]["bytes"] / traffic["ipv4"]["packets"], 1500)
        with self.subTest("datagrams and their fragments"):
            out = router.python("client", DATAGRAMS, PREFIX + SERVER, "0", "1", "512", "1400", "1452", "4000", "20000")
            self.assertEqual(out.stdout, "right\n")
        with self.subTest("what the kernel cuts and sums itself is right"):
            for link in ("client", "server"):
                router.at("router", "ethtool", "-K", link, "tx", "off", "tso", "off", "gso", "off", "tx-udp-segmentation", "off")
            self.assertEqual(router.python("client", STREAM, PREFIX + SERVER, "", "4", "2").stdout, "right\n")
            out = router.python("client", BURSTS, PREFIX + SERVER)
            self.assertEqual(out.stdout, "right\n")
        with self.subTest("traceroute sees the routers on the way"):
            errors = router.at("client", "ping", "-n", "-c", "1", "-t", "1", "-W", "5", PREFIX + SERVER, check=False)
            self.assertIn("Time exceeded", errors.stdout)
            errors = router.at("client", "ping", "-n", "-c", "1", "-t", "2", "-W", "5", PREFIX + SERVER, check=False)
            self.assertIn("2001:db8:1::64", errors.stdout, "the translator is a hop")
        with self.subTest("sessions"):
            lines = [line.split() for line in router.ask("sessions", "--address", CLIENTS[0]).stdout.splitlines()]
            self.assertEqual(lines[0][:4], ["PROTOCOL", "CLIENT", "CLIENTPORT", "PUBLICADDRESS"])
            self.assertEqual({line[0] for line in lines[1:]}, {"tcp", "udp", "icmp"})
            self.assertEqual({(line[1], line[3], line[5]) for line in lines[1:]}, {(CLIENTS[0], POOL, SERVER)})
            lines = router.ask("clients").stdout.splitlines()
            self.assertEqual(lines[1].split()[:2], [CLIENTS[0], POOL])
        with self.subTest("metrics"):
            text = router.at("server", "curl", "-sf", "http://192.0.2.1:9464/metrics").stdout
            values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
            self.assertGreater(int(values['duet_nat64_bytes_total{to="ipv4"}']), 32 << 20)
            self.assertGreater(int(values["duet_nat64_sessions"]), 4)
            self.assertGreater(int(values[f'duet_nat64_client_ports{{client="{CLIENTS[0]}"}}']), 4)
            self.assertEqual(int(values['duet_nat64_drops_total{reason="hopLimit"}']), 1)

    def check_small_link(self, mtu6, mtu4):
        """Path MTU discovery goes through the translator, which knows nothing of the small link."""
        router = Router(self, "", mtu6, mtu4)
        self.serve(router)
        self.assertEqual(router.python("client", STREAM, PREFIX + SERVER, "", "2", "2").stdout, "right\n")
        out = router.python("client", DATAGRAMS, PREFIX + SERVER, "1", "1200", "1300", "1452", "4000")
        self.assertEqual(out.stdout, "right\n")

    def test_small_ipv6_link(self):
        self.check_small_link(1280, 1500)

    def test_small_ipv4_link(self):
        self.check_small_link(1500, 1280)

    def test_forwards_and_trace(self):
        client = CLIENTS[1]
        router = Router(self, f"forwards: [{{protocol: tcp, public: '{POOL}:80', client: '[{client}]:7000'}}]")
        server = self.serve(router, "client", client)
        trace = subprocess.Popen(
            [DUET, "nat64", "trace", "--control", router.control], stdout=subprocess.PIPE, text=True)
        self.addCleanup(trace.stdout.close)
        self.addCleanup(trace.wait)
        self.addCleanup(trace.kill)
        wait("the trace", lambda: router.status()["tracing"])
        second = router.ask("trace", check=False)
        self.assertIn("another trace is running", second.stderr)
        answer = router.python("server", """
import socket
link = socket.create_connection(("%s", 80), timeout=30)
link.sendall(b"hello")
link.shutdown(socket.SHUT_WR)
count = 0
while part := link.recv(1 << 20):
    count += len(part)
print(count)
""" % POOL)
        self.assertEqual(int(answer.stdout), 256 * 16384 + 32)
        self.assertEqual(server.stdout.readline().split()[0], PREFIX.replace("::", ":") + ":c000:202")
        first = json.loads(trace.stdout.readline())
        while first["packet"].get("destinationPort") != 80:
            first = json.loads(trace.stdout.readline())
        self.assertEqual((first["action"], first["packet"]["source"]), ("forwarded", SERVER))
        self.assertEqual((first["sent"]["destination"], first["sent"]["destinationPort"]), (client, 7000))

    def test_refusals_are_counted(self):
        router = Router(self, "ports: 2000-2003\nqueues: 1\ndeny: [192.0.2.128/25]")
        script = """
import socket, sys
refused = 0
links = []
for port in range(6):
    link = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    link.connect(("%s", 9))
    link.send(b"x")
    links.append(link)
""" % (PREFIX + SERVER)
        router.python("client", script)
        self.assertEqual(wait("exhausted ports", lambda: router.drops().get("portsExhausted")), 2)
        denied = router.at("client", "ping", "-n", "-c", "1", "-W", "5", PREFIX + "192.0.2.200", check=False)
        self.assertIn("prohibited", denied.stdout)
        self.assertEqual(router.drops()["forbiddenDestination"], 1)
        # A source inside the prefix has been translated already.
        router.ip("client", "addr", "add", f"{PREFIX}203.0.113.7/128", "dev", "eth0", "nodad")
        router.ip("router", "-6", "route", "add", f"{PREFIX}203.0.113.7/128", "via", CLIENTS[0], "dev", "client")
        router.at("client", "ping", "-n", "-c", "1", "-W", "1", "-I", f"{PREFIX}203.0.113.7", PREFIX + SERVER, check=False)
        self.assertEqual(router.drops()["loop"], 1)

    def test_hostile_packets(self):
        router = Router(self, "queues: 2\nlimits: {heldFragments: 64}")
        server = self.serve(router)
        self.assertEqual(router.python("client", DATAGRAMS, PREFIX + SERVER, "10").stdout, "right\n")
        with self.subTest("cut short at every byte"):
            router.python("server", SHORT, POOL)
            router.python("client", SHORT, PREFIX + SERVER)
            # TCP has 20 bytes and more, UDP and ICMP 8; the client's kernel would not cut ICMPv6.
            expected = (19 + 7 + 6) + (19 + 7)
            wait("short packets", lambda: router.drops().get("malformed", 0) >= expected)
            self.assertEqual(router.drops()["malformed"], expected)
        with self.subTest("forged errors reach nobody"):
            received = router.popen("client", "timeout", "60", "tcpdump", "-n", "-i", "eth0", "--immediate-mode", "-l",
                                    "icmp6 and ip6[40] < 128", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(received.stdout.close)
            self.addCleanup(received.stderr.close)
            self.addCleanup(received.wait)
            self.addCleanup(received.kill)
            while "listening" not in received.stderr.readline():
                pass
            # About a packet to a host, and from a port, that the client has no session with.
            session = router.ask("sessions", "--address", CLIENTS[0]).stdout.splitlines()[1].split()
            router.python("server", FORGE, POOL, session[4], "203.0.113.9", "7000")
            router.python("server", FORGE, POOL, str(int(session[4]) ^ 1), SERVER, "7000")
            wait("the forgeries", lambda: router.drops().get("unmappedInnerPacket", 0) == 200)
            # The true one comes through, and is the first that does.
            router.python("server", FORGE, POOL, session[4], SERVER, "7000", "1")
            self.assertIn("unreachable", received.stdout.readline())
        with self.subTest("a flood of fragments"):
            router.python("server", FLOOD, POOL)
            dropped = wait("the flood", lambda: router.drops().get("fragmentLimit"))
            self.assertEqual(dropped, 1000 - 64)
            self.assertEqual(wait("the end of those that wait", lambda: router.drops().get("fragmentTimeout")), 64)
        with self.subTest("and all goes on"):
            self.assertEqual(router.python("client", DATAGRAMS, PREFIX + SERVER, "10", "4000").stdout, "right\n")
            self.assertEqual(router.python("client", STREAM, PREFIX + SERVER, "", "1", "1").stdout, "right\n")
            self.assertIsNone(server.poll())

    def test_repair_and_end(self):
        router = Router(self)
        self.serve(router)
        router.ip("router", "-6", "route", "del", f"{PREFIX}/96", "dev", "nat64")
        router.ip("router", "link", "set", "nat64", "down")
        wait("the route", lambda: "nat64" in router.ip("router", "-6", "route", "show", f"{PREFIX}/96").stdout)
        self.assertEqual(router.python("client", STREAM, PREFIX + SERVER, "", "1", "1").stdout, "right\n")
        second = run("ip", "netns", "exec", router.names["router"], DUET, "nat64", "run", "--config", router.file,
                     check=False)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn("there is a link nat64 already", second.stderr)
        router.stop()
        self.assertEqual(router.process.returncode, 0)
        self.assertNotIn(" nat64: ", router.ip("router", "link").stdout)
        self.assertFalse(os.path.exists(router.control))
        # Nothing of it is left in the routes either, also after a hard end.
        router.start()
        router.process.kill()
        router.process.wait()
        self.assertNotIn("nat64", router.ip("router", "route").stdout + router.ip("router", "-6", "route").stdout)

    def test_wrong_files_say_what_to_do(self):
        cases = [
            ("pool: []", "pool: name at least one IPv4 address"),
            ("pool: [192.0.2.1]\nprefix: 64:ff9b::/97", "prefix: 64:ff9b::/97 is no IPv6 network of length 32, 40"),
            ("pool: [192.0.2.1]\nfoo: 1", "foo: there is no such key"),
            ("pool: [192.0.2.1]\ntimeouts: {udp: 0}", "timeouts.udp: 0 is not from 1 to 8000"),
            ("pool: [192.0.2.1]\nqueues: many", "queues: "),
            ("map: [{ipv4: 192.0.2.0/24, ipv6: '2001:db8::/125'}]", "map[0]: 192.0.2.0/24 and 2001:db8::/125 are no pair"),
            ("pool: [192.0.2.1]\nforwards: [{protocol: tcp, public: '192.0.2.2:80', client: '[2001:db8::1]:80'}]",
             "forwards[0].public: 192.0.2.2 is not in the pool"),
            ("pool: [192.0.2.1", "the file is no YAML"),
        ]
        with tempfile.TemporaryDirectory(prefix="dt-nat64-") as directory:
            for text, problem in cases:
                with self.subTest(text):
                    with open(f"{directory}/file", "w") as file:
                        file.write(text)
                    result = run(DUET, "nat64", "run", "--check", "--config", f"{directory}/file", check=False)
                    self.assertNotEqual(result.returncode, 0)
                    self.assertIn(problem, result.stderr)
            shutil.copy(os.path.join(os.environ["DUET_EXAMPLES"], "nat64.yaml"), f"{directory}/file")
            self.assertIn("is right", run(DUET, "nat64", "run", "--check", "--config", f"{directory}/file").stdout)

    def test_explicit_pairs(self):
        """Without sessions: an IPv6 host has an IPv4 address of its own, and is reached by it."""
        router = Router(self)
        router.stop()
        with open(router.file, "w") as file:
            file.write(f"prefix: {PREFIX}/96\nmap: [{{ipv4: 198.51.100.10, ipv6: '{CLIENTS[0]}'}}]\n"
                       f"control: {router.control}\n")
        router.start()
        self.serve(router, "client", CLIENTS[0])
        router.at("server", "ping", "-n", "-c", "2", "-i", "0.2", "-W", "30", "198.51.100.10")
        router.at("client", "ping", "-n", "-c", "2", "-i", "0.2", "-W", "30", PREFIX + SERVER)
        self.assertEqual(router.python("server", STREAM, "198.51.100.10", "", "4", "2").stdout, "right\n")

    def test_the_kernel_translates_at_links(self):
        """eBPF at the router's link to the clients; masquerading owns the sessions, and outlives the process."""
        private = "100.64.7.1"
        router = Router(self)
        router.stop()
        with open(router.file, "w") as file:
            file.write(f"prefix: {PREFIX}/96\nmap: [{{ipv4: {private}, ipv6: '{CLIENTS[0]}'}}]\nlinks: [client]\n"
                       f"control: {router.control}\naddresses: {{ipv6: '2001:db8:1::64', ipv4: 192.0.2.64}}\n")
        router.at("router", "nft", "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100 ; }; "
                  f"add rule ip nat out ip saddr {private} oifname server masquerade")
        router.start()
        self.addCleanup(lambda: router.at("router", "tc", "qdisc", "del", "dev", "client", "clsact", check=False))
        server = self.serve(router)
        with self.subTest("ping"):
            router.at("client", "ping", "-n", "-c", "3", "-i", "0.2", "-W", "30", "-s", "1400", PREFIX + SERVER)
        with self.subTest("streams, masqueraded, by the kernel alone"):
            before = router.status()
            out = router.python("client", STREAM, PREFIX + SERVER, CLIENTS[0], "8", "4")
            self.assertEqual(out.stdout, "right\n")
            self.assertEqual({server.stdout.readline().split()[0] for _ in range(4)}, {"192.0.2.1"})
            after = router.status()
            self.assertEqual(after["translated"], before["translated"], "packets went through userspace")
            self.assertGreater(after["kernel"]["fromPods"]["bytes"], 32 << 20)
            self.assertGreater(after["kernel"]["fromPods"]["bytes"] / after["kernel"]["fromPods"]["packets"], 1500)
        with self.subTest("fragments and errors, by way of userspace"):
            out = router.python("client", DATAGRAMS, PREFIX + SERVER, "1", "512", "1452", "4000", "20000")
            self.assertEqual(out.stdout, "right\n")
            self.assertGreater(router.status()["kernel"]["slowToPods"]["packets"], 0)
            refused = router.at("client", "ping", "-n", "-c", "1", "-t", "1", "-W", "5", PREFIX + SERVER, check=False)
            self.assertIn("Time exceeded", refused.stdout)
        with self.subTest("a flow goes on when the process is killed, and when another takes over"):
            flow = router.popen(
                "client", "/usr/bin/python3", "-c", ENDLESS, PREFIX + SERVER, CLIENTS[0], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE)
            self.addCleanup(flow.stdout.close)
            self.addCleanup(flow.wait)
            self.addCleanup(flow.kill)
            self.assertEqual(flow.stdout.readline(), "exchanged\n")
            for killed in (True, False):
                if killed:
                    router.process.kill()
                    router.process.wait()
                else:
                    os.unlink(router.control)
                    router.start()
                for _ in range(20):
                    flow.stdin.write("more\n")
                    flow.stdin.flush()
                    self.assertEqual(flow.stdout.readline(), "exchanged\n")
            flow.stdin.close()
        with self.subTest("nothing is left after an end in order"):
            router.stop()
            self.assertEqual(router.process.returncode, 0)
            filters = router.at("router", "tc", "filter", "show", "dev", "client", "ingress").stdout
            self.assertNotIn("duet", filters)
            self.assertNotIn(private, router.ip("router", "route").stdout)
