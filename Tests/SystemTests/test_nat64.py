"""`duet nat64`: a router between IPv6 clients and IPv4 servers, in namespaces, asked with the tools of those who use it."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from support import DUET, eventually, run
from translator import (
    BURSTS, CLIENTS, CUT, CUT_FRAMES, DATAGRAMS, ENDLESS, FLOOD, FORGE, POOL, PREFIX, SERVE, SERVER, SHORT, STREAM, Router)

# The private address of a client that the kernel translates for.
PRIVATE = "100.64.7.1"


# Prints what routers of the link say, one message a line: who, with which hop limit, and the message.
HEAR = """
import signal, socket, struct, sys
signal.alarm(60)
with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as link:
    link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    print("ready", flush=True)
    while True:
        message, ancillary, _, sender = link.recvmsg(1500, 100)
        if message[0] == 134:
            print(sender[0].partition("%")[0], struct.unpack("i", ancillary[0][2])[0], message.hex(), flush=True)
"""
# Asks routers of the link what they have to say.
SOLICIT = """
import socket
with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as link:
    link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    link.sendto(bytes([133]) + bytes(7), ("ff02::2", 0, 0, socket.if_nametoindex("eth0")))
"""


class Standalone(unittest.TestCase):
    def serve(self, router, part="server", address=SERVER, *options):
        server = router.popen(part, "/usr/bin/python3", "-c", SERVE, address, *options, stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.assertEqual(server.stdout.readline(), "ready\n")
        return server

    def test_the_prefix_is_announced_to_hosts(self):
        router = Router(self, "announce: {links: [client], routerLifetime: 600}")
        host = router.popen("client", "/usr/bin/python3", "-c", HEAR, stdout=subprocess.PIPE)
        for end in (host.stdout.close, host.wait, host.kill):
            self.addCleanup(end)
        self.assertEqual(host.stdout.readline(), "ready\n")
        for _ in range(2):
            # What was said before is not waited for.
            router.python("client", SOLICIT)
            sender, hops, message = host.stdout.readline().split()
            self.assertTrue(sender.startswith("fe80:"), sender)
            # A lifetime of 1,800 s in units of eight, the length 96, and the first 96 bits of 2001:db8:64::/96.
            self.assertEqual((hops, message[:4], message[8:]), ("255", "8600", "00000258" + 16 * "0" + "26020708" + "20010db8006400000000" "0000"))
        eventually(lambda: "default via fe80:" in router.ip("client", "-6", "route", "show", "proto", "ra").stdout, "a default route")
        router.stop()
        lines = iter(host.stdout.readline, "")
        last = next(line.split()[2] for line in lines if line.split()[2][8:16] == "00000000")
        self.assertEqual(last[32:], "26020000" "20010db8006400000000" "0000")

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
        with self.subTest("datagrams without checksums and their fragments"):
            router.ip("server", "addr", "add", "192.0.2.3/24", "dev", "eth0")
            self.serve(router, "server", "192.0.2.3", "unsummed")
            out = router.python("client", DATAGRAMS, PREFIX + "192.0.2.3", "1", "1400", "4000", "20000", "60000")
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
            self.assertEqual({(line[1], line[3], line[5]) for line in lines[1:]},
                             {(CLIENTS[0], POOL, server) for server in (SERVER, "192.0.2.3")})
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
        self.check_sizes(Router(self, "", mtu6, mtu4))

    def check_sizes(self, router, client=""):
        """Packets of the usual size, which are too big for a link on the way, and longer ones."""
        self.serve(router)
        self.assertEqual(router.python("client", STREAM, PREFIX + SERVER, client, "2", "2").stdout, "right\n")
        # 1,233 bytes come back in two fragments, of which the last carries one byte.
        out = router.python("client", DATAGRAMS, PREFIX + SERVER, "1", "1200", "1233", "1300", "1452", "4000")
        self.assertEqual(out.stdout, "right\n")

    def test_small_ipv6_link(self):
        self.check_small_link(1280, 1500)

    def test_small_ipv4_link(self):
        self.check_small_link(1500, 1280)

    def check_known_link(self, family):
        """What is too big is refused and counted, its sender told, and sent again."""
        router = Router(self, f"mtu: {{{family}: 1280}}")
        self.check_sizes(router)
        self.assertGreater(router.drops().get("tooBig", 0), 0)

    def test_small_ipv6_link_that_the_translator_knows_of(self):
        self.check_known_link("ipv6")

    def test_small_ipv4_link_that_the_translator_knows_of(self):
        self.check_known_link("ipv4")

    def check_small_link_by_the_kernel(self, **mtus):
        router = self.kernel_router(**mtus)
        self.check_sizes(router, CLIENTS[0])
        self.assertGreater(router.status()["kernel"]["fromPods"]["bytes"], 4 << 20)

    def test_small_ipv6_link_by_the_kernel(self):
        self.check_small_link_by_the_kernel(mtu6=1280)

    def test_small_ipv4_link_by_the_kernel(self):
        self.check_small_link_by_the_kernel(mtu4=1280)

    def test_forwards_and_trace(self):
        client = CLIENTS[1]
        router = Router(self, f"forwards: [{{protocol: tcp, public: '{POOL}:80', client: '[{client}]:7000'}}]")
        server = self.serve(router, "client", client)
        trace = subprocess.Popen(
            [DUET, "nat64", "trace", "--control", router.control], stdout=subprocess.PIPE, text=True)
        self.addCleanup(trace.stdout.close)
        self.addCleanup(trace.wait)
        self.addCleanup(trace.kill)
        eventually(lambda: router.status()["tracing"], "the trace")
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
import socket
links = []
for port in range(6):
    link = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    link.settimeout(30)
    link.setsockopt(socket.IPPROTO_IPV6, 25, 1)  # IPV6_RECVERR
    link.connect(("%s", 9))
    link.send(b"x")
    links.append(link)
for link in links:
    try:
        link.recv(1)
    except OSError as error:
        print(error.strerror)
""" % (PREFIX + SERVER)
        heard = router.python("client", script).stdout.splitlines()
        # Nobody listens at the server, which says so; that there are no more ports the translator says.
        self.assertEqual(heard, 4 * ["Connection refused"] + 2 * ["No route to host"])
        self.assertEqual(router.drops()["portsExhausted"], 2)
        told = router.python("server", """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
    link.settimeout(30)
    link.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
    link.connect(("%s", 4000))
    link.send(b"x")
    try:
        link.recv(1)
    except OSError as error:
        print(error.strerror)
""" % POOL)
        self.assertEqual((told.stdout, router.drops()["noMapping"]), ("No route to host\n", 1))
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
            eventually(lambda: router.drops().get("malformed", 0) >= expected, "short packets")
            self.assertEqual(router.drops()["malformed"], expected)
            expected += int(router.python("router", CUT, "nat64", CLIENTS[0], POOL, PREFIX + SERVER, SERVER).stdout)
            eventually(lambda: router.drops()["malformed"] >= expected, "cut packets")
            self.assertEqual(router.drops()["malformed"], expected)
        with self.subTest("forged errors reach nobody"):
            received = router.popen("client", "tcpdump", "-n", "-i", "eth0", "--immediate-mode", "-l",
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
            eventually(lambda: router.drops().get("unmappedInnerPacket", 0) == 200, "the forgeries")
            # The true one comes through, and is the first that does.
            router.python("server", FORGE, POOL, session[4], SERVER, "7000", "1")
            self.assertIn("unreachable", received.stdout.readline())
        with self.subTest("a flood of fragments"):
            router.python("server", FLOOD, POOL)
            def ends():
                drops = router.drops()
                return drops.get("fragmentLimit", 0), drops.get("fragmentTimeout", 0)
            eventually(lambda: sum(ends()) == 1000, "the end of every fragment")
            # 64 wait at any time, for two seconds; all others are dropped at once.
            self.assertGreaterEqual(ends()[1], 64)
            self.assertGreater(ends()[0], 500)
        with self.subTest("and all goes on"):
            self.assertEqual(router.python("client", DATAGRAMS, PREFIX + SERVER, "10", "4000").stdout, "right\n")
            self.assertEqual(router.python("client", STREAM, PREFIX + SERVER, "", "1", "1").stdout, "right\n")
            self.assertIsNone(server.poll())

    def test_repair_and_end(self):
        router = Router(self)
        self.serve(router)
        router.ip("router", "-6", "route", "del", f"{PREFIX}/96", "dev", "nat64")
        router.ip("router", "link", "set", "nat64", "down")
        eventually(lambda: "nat64" in router.ip("router", "-6", "route", "show", f"{PREFIX}/96").stdout, "the route")
        self.assertEqual(router.python("client", STREAM, PREFIX + SERVER, "", "1", "1").stdout, "right\n")
        second = run("ip", "netns", "exec", router.names["router"], DUET, "nat64", "run", "--config", router.file,
                     check=False)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn("there is a link nat64 already", second.stderr)
        with self.subTest("what another translator, or anything else, has is left alone"):
            for line, problem in (("device: other\nprefix: 2001:db8:65::/96\npool: [198.51.100.65]", "another translator answers at"),
                                  ("device: other", "another link has this route"),
                                  (f"device: other\ncontrol: {router.directory}/precious", "is no socket; take it away"),
                                  ("device: other\nmetrics: 203.0.113.99:9464\nprefix: 2001:db8:65::/96\npool: [198.51.100.65]",
                                   "metrics: cannot listen on 203.0.113.99, port 9464: Cannot assign")):
                with self.subTest(line):
                    with open(f"{router.directory}/other.yaml", "w") as file:
                        file.write("pool: [198.51.100.64]\n" * ("pool" not in line) + f"prefix: {PREFIX}/96\n" * ("prefix" not in line)
                                   + f"control: {router.control}{'2' * ('answers' not in problem)}\n" * ("control" not in line) + line)
                    with open(f"{router.directory}/precious", "w") as file:
                        file.write("precious")
                    other = run("ip", "netns", "exec", router.names["router"], DUET, "nat64", "run", "--config",
                                f"{router.directory}/other.yaml", check=False)
                    self.assertEqual(other.returncode, 1)
                    self.assertIn(problem, other.stderr)
                    self.assertNotIn("other", router.ip("router", "link").stdout)
            self.assertEqual(router.status()["device"], "nat64")
            self.assertTrue(os.path.isfile(f"{router.directory}/precious"))
        router.stop()
        self.assertEqual(router.process.returncode, 0)
        self.assertNotIn(" nat64: ", router.ip("router", "link").stdout)
        self.assertFalse(os.path.exists(router.control))
        # Nothing of it is left in the routes either, also after a hard end.
        router.start()
        router.process.kill()
        router.process.wait()
        self.assertNotIn("nat64", router.ip("router", "route").stdout + router.ip("router", "-6", "route").stdout)

    def test_parameters_that_nobody_may_write(self):
        """As in a container, where /proc/sys is mounted for reading alone."""
        router = Router(self)
        router.stop()
        router.start("unshare", "--mount", "sh", "-c",
                     'mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && ! sysctl -qw net.ipv4.ip_forward=1 && exec "$@"',
                     "sh")
        for parameter, value in (("accept_local", "1"), ("rp_filter", "2")):
            self.assertEqual(router.at("router", "cat", f"/proc/sys/net/ipv4/conf/nat64/{parameter}").stdout, f"{value}\n")
        self.serve(router)
        self.assertEqual(router.python("client", STREAM, PREFIX + SERVER, "", "1", "1").stdout, "right\n")

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
            with open(f"{directory}/file", "w") as file:
                file.write("pool: [192.0.2.1]\ntimeouts: {udp: 30}")
            checked = run(DUET, "nat64", "run", "--check", "--config", f"{directory}/file").stdout
            self.assertIn(f"warning: {directory}/file: timeouts.udp: 30 s are less than the 120", checked)

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

    def kernel_router(self, **mtus):
        """A router with the programs at its link to the client, which it masquerades."""
        router = Router(self, **mtus)
        router.stop()
        with open(router.file, "w") as file:
            file.write(f"prefix: {PREFIX}/96\nmap: [{{ipv4: {PRIVATE}, ipv6: '{CLIENTS[0]}'}}]\nlinks: [client]\n"
                       f"control: {router.control}\naddresses: {{ipv6: '2001:db8:1::64', ipv4: 192.0.2.64}}\n")
        router.at("router", "nft", "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100 ; }; "
                  f"add rule ip nat out ip saddr {PRIVATE} oifname server masquerade")
        router.start()
        self.addCleanup(lambda: router.at("router", "tc", "qdisc", "del", "dev", "client", "clsact", check=False))
        return router

    def test_hostile_packets_for_the_kernel(self):
        router = self.kernel_router()
        self.serve(router)
        self.assertEqual(router.python("client", DATAGRAMS, PREFIX + SERVER, "10").stdout, "right\n")
        with self.subTest("cut short at every byte: the programs leave them to the kernel, which drops them"):
            before = router.status()["kernel"]
            hardware = json.loads(router.ip("router", "-j", "link", "show", "client").stdout)[0]["address"]
            router.python("client", CUT_FRAMES, CLIENTS[0], PREFIX + SERVER, hardware)
            # From the frame on that holds the beginning of a transport; the whole one has 78 bytes.
            expected = before["slowFromPods"]["packets"] + 78 - (14 + 40 + 8)
            eventually(lambda: router.status()["kernel"]["slowFromPods"]["packets"] >= expected, "cut packets")
            after = router.status()["kernel"]
            self.assertEqual((after["slowFromPods"]["packets"], after["fromPods"]), (expected, before["fromPods"]))
        with self.subTest("a source inside the prefix is no client's"):
            router.ip("client", "addr", "add", f"{PREFIX}203.0.113.7/128", "dev", "eth0", "nodad")
            router.at("client", "ping", "-n", "-c", "1", "-W", "1", "-I", f"{PREFIX}203.0.113.7", PREFIX + SERVER, check=False)
            self.assertEqual(router.status()["kernel"]["unknownPods"]["packets"], 1)
            router.ip("client", "addr", "del", f"{PREFIX}203.0.113.7/128", "dev", "eth0")
        with self.subTest("forged errors reach nobody"):
            received = int(router.at("client", "nstat", "-asz", "Icmp6InDestUnreachs").stdout.split()[-2])
            router.python("server", FORGE, "192.0.2.1", "5", "203.0.113.9", "7000")
            self.assertEqual(router.python("client", DATAGRAMS, PREFIX + SERVER, "10").stdout, "right\n")
            self.assertEqual(int(router.at("client", "nstat", "-asz", "Icmp6InDestUnreachs").stdout.split()[-2]), received)

    def test_the_kernel_translates_at_links(self):
        """eBPF at the router's link to the clients; masquerading owns the sessions, and outlives the process."""
        router = self.kernel_router()
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
            self.assertNotIn(PRIVATE, router.ip("router", "route").stdout)
