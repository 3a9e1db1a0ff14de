"""Translation between the families, judged by others: scapy recomputes every packet, tayga translates the same ones."""
import os
import random
import shutil
import subprocess
import tempfile
import unittest

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror
from scapy.layers.inet6 import (
    ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6PacketTooBig, ICMPv6ParamProblem,
    ICMPv6TimeExceeded, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop)
from scapy.layers.ipsec import AH, ESP
from scapy.layers.l2 import GRE
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.packet import Raw

from support import run

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
PREFIX = "2001:db8:64::"
NAMESPACE = "dt-translation"
# One pair of hosts: the IPv6 host has an IPv4 address by an explicit mapping, the IPv4 host is embedded in the prefix.
HOST6, HOST6_AS_IPV4 = "2001:db8:1::10", "198.51.100.10"
HOST4, HOST4_AS_IPV6 = "192.0.2.33", PREFIX + "192.0.2.33"
OWN4, OWN6 = "198.51.100.1", "2001:db8:1::1"


def build():
    run("swift", "build", "--package-path", f"{ROOT}/Core", "--product", "translate-packets", timeout=1200)
    path = run("swift", "build", "--package-path", f"{ROOT}/Core", "--show-bin-path").stdout.strip()
    return f"{path}/translate-packets"


def translate(binary, packets, *arguments):
    """Gives packets to Duet's translator; each answer is its words, with packets as bytes."""
    command = [
        binary, f"prefix={PREFIX}/96", f"map={HOST6_AS_IPV4}/32,{HOST6}/128", f"ipv4-address={OWN4}",
        f"ipv6-address={OWN6}", f"router={OWN4}", *arguments]
    text = "".join(bytes(packet).hex() + "\n" for packet in packets)
    lines = run(*command, input=text).stdout.splitlines()
    assert len(lines) == len(packets), (len(lines), len(packets))
    return [line.split() for line in lines]


def v4(payload, **fields):
    return IP(bytes(IP(**{"src": HOST4, "dst": HOST6_AS_IPV4, "ttl": 60, "id": 77, **fields}) / payload))


def v6(payload, **fields):
    return IPv6(bytes(IPv6(**{"src": HOST6, "dst": HOST4_AS_IPV6, "hlim": 60, **fields}) / payload))


def out4(payload, **fields):
    """The IPv4 packet that v6() becomes."""
    return IP(bytes(IP(**{"src": HOST6_AS_IPV4, "dst": HOST4, "ttl": 59, **fields}) / payload))


def out6(payload, **fields):
    """The IPv6 packet that v4() becomes."""
    return IPv6(bytes(IPv6(**{"src": HOST4_AS_IPV6, "dst": HOST6, "hlim": 59, **fields}) / payload))


def transports():
    """Tunnels and other transports whose checksums, if they have any, know nothing of addresses: name, number, bytes."""
    inner4, inner6 = IP(src="10.1.0.1", dst="10.1.0.2") / ICMP(id=5) / b"inside", IPv6(src="fd00::1", dst="fd00::2") / UDP() / b"inside"
    yield "IPv4 in it", 4, bytes(inner4)
    yield "IPv6 in it", 41, bytes(inner6)
    yield "GRE", 47, bytes(GRE(key_present=1, key=7, chksum_present=1) / inner4)
    yield "ESP", 50, bytes(ESP(spi=0x100, seq=3, data=bytes(range(64))))
    yield "AH", 51, bytes(AH(nh=17, spi=0x100, seq=3, icv=bytes(12)) / UDP())
    yield "no next header", 59, b""
    yield "SCTP", 132, bytes(SCTP(sport=9, dport=10, tag=5) / SCTPChunkData(data=b"chunk..."))


def corpus4():
    """IPv4 packets by name, with the IPv6 packet that scapy makes of the translated fields."""
    data = bytes(range(97))
    tcp = dict(sport=443, dport=50000, seq=9, ack=8, flags="PA", window=500, options=[("NOP", None), ("NOP", None), ("Timestamp", (5, 6))])
    inner4 = IP(src=HOST6_AS_IPV4, dst=HOST4, ttl=3, id=5, tos=8)
    inner6 = IPv6(src=HOST6, dst=HOST4_AS_IPV6, hlim=3, tc=8)
    yield "UDP", v4(UDP(sport=53, dport=4000) / data), out6(UDP(sport=53, dport=4000) / data)
    yield "UDP with an odd length and type of service", v4(UDP(sport=53, dport=4000) / b"abc", tos=0xB8), out6(UDP(sport=53, dport=4000) / b"abc", tc=0xB8)
    yield "UDP without checksum", v4(UDP(sport=53, dport=4000, chksum=0) / data), out6(UDP(sport=53, dport=4000) / data)
    yield "TCP", v4(TCP(**tcp) / data), out6(TCP(**tcp) / data)
    yield "TCP with don't fragment", v4(TCP(**tcp), flags="DF"), out6(TCP(**tcp))
    yield "options", v4(TCP(**tcp), options=[b"\x01\x01\x01\x01"]), out6(TCP(**tcp))
    yield "echo request", v4(ICMP(type=8, id=7, seq=1) / data), out6(ICMPv6EchoRequest(id=7, seq=1, data=data))
    yield "echo reply", v4(ICMP(type=0, id=7, seq=2) / data), out6(ICMPv6EchoReply(id=7, seq=2, data=data))
    whole4 = bytes(v4(UDP(sport=1, dport=2) / (b"x" * 992)))[20:]
    whole6 = bytes(out6(UDP(sport=1, dport=2) / (b"x" * 992)))[40:]
    yield "first fragment", v4(whole4[:496], proto=17, flags="MF"), out6(IPv6ExtHdrFragment(nh=17, id=77, offset=0, m=1) / whole6[:496], nh=44)
    yield "last fragment", v4(whole4[496:], proto=17, frag=62), out6(IPv6ExtHdrFragment(nh=17, id=77, offset=62, m=0) / whole6[496:], nh=44)
    for name, number, payload in transports():
        yield name, v4(payload, proto=number), out6(payload, nh=number)
    for name, inner_transport in [("UDP", UDP(sport=9, dport=10) / data), ("TCP", TCP(**tcp) / data)]:
        about4, about6 = inner4 / inner_transport, inner6 / inner_transport
        for label, error4, error6 in [
            ("net unreachable", ICMP(type=3, code=0), ICMPv6DestUnreach(code=0)),
            ("port unreachable", ICMP(type=3, code=3), ICMPv6DestUnreach(code=4)),
            ("protocol unreachable", ICMP(type=3, code=2), ICMPv6ParamProblem(code=1, ptr=6)),
            ("prohibited", ICMP(type=3, code=13), ICMPv6DestUnreach(code=1)),
            ("fragmentation needed", ICMP(type=3, code=4, nexthopmtu=1400), ICMPv6PacketTooBig(mtu=1420)),
            ("a small MTU", ICMP(type=3, code=4, nexthopmtu=576), ICMPv6PacketTooBig(mtu=1280)),
            ("time exceeded", ICMP(type=11, code=0), ICMPv6TimeExceeded(code=0)),
            ("parameter problem", ICMP(type=12, code=0, ptr=8), ICMPv6ParamProblem(code=0, ptr=7)),
        ]:
            yield f"{label} about {name}", v4(error4 / bytes(about4)), out6(error6 / bytes(about6))
    yield "time exceeded about an echo request", \
        v4(ICMP(type=11) / bytes(inner4 / ICMP(type=8, id=3, seq=4) / data)), \
        out6(ICMPv6TimeExceeded() / bytes(inner6 / ICMPv6EchoRequest(id=3, seq=4, data=data)))
    yield "an error about eight bytes of TCP", \
        v4(ICMP(type=3, code=1) / bytes(inner4 / TCP(**tcp))[:28]), \
        out6(ICMPv6DestUnreach(code=0) / bytes(inner6 / TCP(**tcp))[:48])


def corpus6():
    """IPv6 packets by name, with the IPv4 packet that scapy makes of the translated fields."""
    data = bytes(range(97))
    tcp = dict(sport=50000, dport=443, seq=9, ack=8, flags="PA", window=500)
    inner6 = IPv6(src=HOST4_AS_IPV6, dst=HOST6, hlim=3, tc=8)
    inner4 = IP(src=HOST4, dst=HOST6_AS_IPV4, ttl=3, id=0, tos=8)
    yield "UDP", v6(UDP(sport=4000, dport=53) / data), out4(UDP(sport=4000, dport=53) / data)
    yield "traffic class and flow label", v6(UDP(sport=4000, dport=53) / b"abc", tc=0xB8, fl=0x12345), out4(UDP(sport=4000, dport=53) / b"abc", tos=0xB8)
    yield "TCP", v6(TCP(**tcp) / data), out4(TCP(**tcp) / data)
    yield "a long packet", v6(TCP(**tcp) / (b"x" * 1400)), out4(TCP(**tcp) / (b"x" * 1400), flags="DF")
    yield "echo request", v6(ICMPv6EchoRequest(id=7, seq=1, data=data)), out4(ICMP(type=8, id=7, seq=1) / data)
    yield "echo reply", v6(ICMPv6EchoReply(id=7, seq=2, data=data)), out4(ICMP(type=0, id=7, seq=2) / data)
    yield "extension headers", v6(IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / UDP(sport=4000, dport=53) / data), out4(UDP(sport=4000, dport=53) / data)
    yield "an atomic fragment", v6(IPv6ExtHdrFragment(id=0x10009) / UDP(sport=4000, dport=53) / data), out4(UDP(sport=4000, dport=53) / data, id=9)
    whole6 = bytes(v6(UDP(sport=1, dport=2) / (b"x" * 992)))[40:]
    whole4 = bytes(out4(UDP(sport=1, dport=2) / (b"x" * 992)))[20:]
    yield "first fragment", v6(IPv6ExtHdrFragment(nh=17, id=0xAB0009, m=1) / whole6[:496], nh=44), out4(whole4[:496], proto=17, id=9, flags="MF")
    yield "last fragment", v6(IPv6ExtHdrFragment(nh=17, id=0xAB0009, offset=62) / whole6[496:], nh=44), out4(whole4[496:], proto=17, id=9, frag=62)
    for name, number, payload in transports():
        yield name, v6(payload, nh=number), out4(payload, proto=number)
    for name, inner_transport in [("UDP", UDP(sport=9, dport=10) / data), ("TCP", TCP(**tcp) / data)]:
        about4, about6 = inner4 / inner_transport, inner6 / inner_transport
        for label, error6, error4 in [
            ("no route", ICMPv6DestUnreach(code=0), ICMP(type=3, code=1)),
            ("prohibited", ICMPv6DestUnreach(code=1), ICMP(type=3, code=10)),
            ("address unreachable", ICMPv6DestUnreach(code=3), ICMP(type=3, code=1)),
            ("port unreachable", ICMPv6DestUnreach(code=4), ICMP(type=3, code=3)),
            ("packet too big", ICMPv6PacketTooBig(mtu=1400), ICMP(type=3, code=4, nexthopmtu=1380)),
            ("time exceeded", ICMPv6TimeExceeded(code=0), ICMP(type=11, code=0)),
            ("parameter problem", ICMPv6ParamProblem(code=0, ptr=7), ICMP(type=12, code=0, ptr=8)),
            ("unknown header", ICMPv6ParamProblem(code=1, ptr=6), ICMP(type=3, code=2)),
        ]:
            yield f"{label} about {name}", v6(error6 / bytes(about6)), out4(error4 / bytes(about4))
    yield "time exceeded about an echo request", \
        v6(ICMPv6TimeExceeded() / bytes(inner6 / ICMPv6EchoRequest(id=3, seq=4, data=data))), \
        out4(ICMP(type=11) / bytes(inner4 / ICMP(type=8, id=3, seq=4) / data))


def comparable(packet):
    """A packet without what RFC 7915 leaves to the translator (IPv4 identifications), and tayga's "don't fragment" in and
    around every ICMP error; the checksums over them are left out too."""
    octets = bytearray(bytes(packet))
    if octets[0] >> 4 == 4:
        octets[4:6] = octets[10:12] = b"\0\0"
        if octets[9] == 1 and octets[20] not in (0, 8):
            octets[6] &= ~0x40
            octets[22:24] = octets[32:34] = octets[38:40] = b"\0\0"
            octets[34] &= ~0x40
    return bytes(octets)


def recomputed(packet):
    """The packet with every checksum made anew by scapy; equal to the packet if all of them were right."""
    octets = bytes(packet)
    parsed = (IP if octets[0] >> 4 == 4 else IPv6)(octets)
    layer = parsed
    while layer is not None and not isinstance(layer, (IPerror, Raw)):
        for field in ("chksum", "cksum"):
            if field in layer.fields:
                del layer.fields[field]
        # Inside an error the checksum belongs to another packet, which may be cut short.
        if isinstance(layer, (ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded, ICMPv6ParamProblem)):
            break
        layer = layer.payload or None
    return bytes(parsed)


class Scapy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.binary = build()

    def check(self, corpus):
        cases = list(corpus)
        answers = translate(self.binary, [packet for _, packet, _ in cases])
        for (name, _, expected), answer in zip(cases, answers):
            with self.subTest(name):
                self.assertEqual(answer[0], "forward", answer)
                got = bytes.fromhex(answer[1])
                self.assertEqual(comparable(got).hex(), comparable(expected).hex())
                self.assertEqual(recomputed(got).hex(), got.hex(), "a checksum is wrong")

    def test_ipv4_becomes_ipv6(self):
        self.check(corpus4())

    def test_ipv6_becomes_ipv4(self):
        self.check(corpus6())

    def test_errors_are_sent_back(self):
        cases = [
            ("the time to live runs out", v4(UDP() / b"x", ttl=1), IP(src=OWN4, dst=HOST4, id=0) / ICMP(type=11, code=0)),
            ("the hop limit runs out", v6(UDP() / b"x", hlim=1), IPv6(src=OWN6, dst=HOST6) / ICMPv6TimeExceeded()),
            ("a source route is open", v4(UDP() / b"x", options=[b"\x83\x07\x04\x01\x02\x03\x04\x00"]), IP(src=OWN4, dst=HOST4, id=0) / ICMP(type=3, code=5)),
            ("the IPv6 link is too small", v4(UDP() / (b"x" * 1460), flags="DF"), IP(src=OWN4, dst=HOST4, id=0) / ICMP(type=3, code=4, nexthopmtu=1380)),
            ("the IPv4 link is too small", v6(UDP() / (b"x" * 1372)), IPv6(src=OWN6, dst=HOST6) / ICMPv6PacketTooBig(mtu=1320)),
            ("nobody has the destination", v6(UDP() / b"x", dst="2001:db8:7::1"), IPv6(src=OWN6, dst=HOST6) / ICMPv6DestUnreach(code=0)),
        ]
        answers = translate(self.binary, [packet for _, packet, _ in cases], "ipv6-mtu=1400", "ipv4-mtu=1300")
        for (name, packet, error), answer in zip(cases, answers):
            with self.subTest(name):
                self.assertEqual(answer[0], "reply", answer)
                got = bytes.fromhex(answer[1])
                whole = 576 if got[0] >> 4 == 4 else 1280
                header = len(bytes(error))
                quoted = bytes(packet)[:whole - header]
                self.assertEqual(got.hex(), bytes(error / quoted).hex())

    def test_long_packets_are_cut_and_arrive_whole(self):
        data = random.Random(6).randbytes(1460)
        [answer] = translate(self.binary, [v4(UDP(sport=1, dport=2) / data)])
        self.assertEqual(answer[0], "fragments")
        pieces = [IPv6(bytes.fromhex(text)) for text in answer[1:]]
        self.assertTrue(all(len(bytes(piece)) <= 1280 for piece in pieces))
        self.assertEqual([(piece[IPv6ExtHdrFragment].offset, piece[IPv6ExtHdrFragment].m) for piece in pieces], [(0, 1), (154, 0)])
        whole = b"".join(bytes(piece)[48:] for piece in pieces)
        self.assertEqual(whole.hex(), bytes(out6(UDP(sport=1, dport=2) / data))[40:].hex())
        [answer] = translate(self.binary, [v6(UDP(sport=1, dport=2) / data[:1200])], "ipv4-mtu=576")
        self.assertEqual(answer[0], "fragments")
        pieces = [IP(bytes.fromhex(text)) for text in answer[1:]]
        self.assertTrue(all(piece.len <= 576 and recomputed(bytes(piece)) == bytes(piece) or piece.frag for piece in pieces))
        whole = b"".join(bytes(piece)[20:] for piece in sorted(pieces, key=lambda piece: piece.frag))
        self.assertEqual(whole.hex(), bytes(out4(UDP(sport=1, dport=2) / data[:1200]))[20:].hex())


class Sessions(unittest.TestCase):
    """NAT64: scapy makes what has to come out from the public port that Duet has chosen."""

    POOL = "198.51.100.64"

    def test_random_traffic_goes_there_and_comes_back(self):
        binary = build()
        generator = random.Random(64)
        outbound, shapes = [], []
        for number in range(300):
            client, server = f"2001:db8:1::{number % 50 + 1:x}", f"192.0.2.{generator.randrange(1, 255)}"
            port, data = generator.randrange(1, 65536), generator.randbytes(generator.randrange(0, 900))
            kind = generator.choice(["udp", "tcp", "ping"])
            layer = {
                "udp": UDP(sport=port, dport=53) / data, "tcp": TCP(sport=port, dport=443, flags="S", seq=5),
                "ping": ICMPv6EchoRequest(id=port, seq=3, data=data)}[kind]
            outbound.append(v6(layer, src=client, dst=PREFIX + server))
            shapes.append((kind, client, server, port, data))
        there = translate(binary, outbound, f"pool={self.POOL}")
        inbound, expected, taken = [], [], {}
        for (kind, client, server, port, data), answer in zip(shapes, there):
            self.assertEqual(answer[0], "forward", answer)
            got = IP(bytes.fromhex(answer[1]))
            public = got[ICMP].id if kind == "ping" else got.sport
            self.assertEqual(taken.setdefault((kind, public), (client, port)), (client, port), "two clients share a port")
            fields = dict(src=self.POOL, dst=server, ttl=59)
            layer, back, back6 = {
                "udp": (UDP(sport=public, dport=53) / data, UDP(sport=53, dport=public) / data, UDP(sport=53, dport=port) / data),
                "tcp": (TCP(sport=public, dport=443, flags="S", seq=5), TCP(sport=443, dport=public, flags="SA"), TCP(sport=443, dport=port, flags="SA")),
                "ping": (ICMP(type=8, id=public, seq=3) / data, ICMP(type=0, id=public, seq=3) / data, ICMPv6EchoReply(id=port, seq=3, data=data)),
            }[kind]
            self.assertEqual(comparable(got).hex(), comparable(IP(bytes(IP(**fields) / layer))).hex())
            inbound.append(v4(back, src=server, dst=self.POOL))
            expected.append(IPv6(src=PREFIX + server, dst=client, hlim=59) / back6)
        answers = translate(binary, outbound + inbound, f"pool={self.POOL}")
        self.assertEqual(answers[:len(there)], there, "the same packets got other ports")
        for packet, answer in zip(expected, answers[len(there):]):
            self.assertEqual(answer, ["forward", bytes(packet).hex()])


class Tayga(unittest.TestCase):
    """The same packets through Debian's tayga, on a TUN device in a namespace of its own."""

    @classmethod
    def setUpClass(cls):
        cls.binary = build()
        cls.directory = tempfile.mkdtemp(prefix="dt-translation-")
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        with open(f"{cls.directory}/tayga.conf", "w") as file:
            file.write(
                f"tun-device nat64\nipv4-addr {OWN4}\nipv6-addr {OWN6}\nprefix {PREFIX}/96\n"
                f"map {HOST6_AS_IPV4} {HOST6}\ndata-dir {cls.directory}\n")
        subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True, check=False)
        run("ip", "netns", "add", NAMESPACE)
        cls.addClassCleanup(run, "ip", "netns", "del", NAMESPACE)
        inside = ["ip", "netns", "exec", NAMESPACE]
        run(*inside, "tayga", "-c", f"{cls.directory}/tayga.conf", "--mktun")
        run(*inside, "ip", "link", "set", "nat64", "up", "mtu", "1500")
        cls.process = subprocess.Popen(
            [*inside, "tayga", "-c", f"{cls.directory}/tayga.conf", "--nodetach"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.process.wait)
        cls.addClassCleanup(cls.process.kill)

    def through_tayga(self, packets):
        """Sends each packet to tayga, and returns what it makes of it; None for nothing."""
        script = os.path.join(self.directory, "exchange.py")
        with open(script, "w") as file:
            file.write(EXCHANGE)
        text = "".join(bytes(packet).hex() + "\n" for packet in packets)
        lines = run("ip", "netns", "exec", NAMESPACE, "/usr/bin/python3", script, input=text).stdout.splitlines()
        return [None if line == "-" else bytes.fromhex(line) for line in lines]

    def test_the_same_packets_come_out(self):
        cases = [(name, packet) for name, packet, _ in [*corpus4(), *corpus6()]]
        theirs = self.through_tayga([packet for _, packet in cases])
        ours = translate(self.binary, [packet for _, packet in cases])
        compared = 0
        for (name, _), their, our in zip(cases, theirs, ours):
            if their is None:
                continue
            compared += 1
            with self.subTest(name):
                self.assertEqual(our[0], "forward", our)
                self.assertEqual(comparable(bytes.fromhex(our[1])).hex(), comparable(their).hex())
        self.assertGreater(compared, len(cases) * 3 // 4, "tayga answered too few packets to be a judge")


# Runs inside the namespace: writes each packet to the device, and waits for the one that comes back.
EXCHANGE = """
import socket, sys, time
ETH_IP, ETH_IPV6, ETH_ALL = 0x0800, 0x86DD, 0x0003
link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_ALL))
link.bind(("nat64", ETH_ALL))
def read(seconds):
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        link.settimeout(left)
        try:
            data, address = link.recvfrom(65536)
        except TimeoutError:
            return None
        if address[2] != socket.PACKET_OUTGOING:
            return data
    return None
for line in sys.stdin:
    packet = bytes.fromhex(line.strip())
    kind = ETH_IP if packet[0] >> 4 == 4 else ETH_IPV6
    for attempt in range(3):
        link.sendto(packet, ("nat64", kind))
        answer = read(0.3)
        if answer is not None and answer[0] >> 4 != packet[0] >> 4:
            break
    print(answer.hex() if answer is not None else "-")
"""
