"""Suite `routing`: pods across nodes beside plain routing and a hand-made VXLAN, and how fast a new node is known."""
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "Tests", "SystemTests"))
for name in ("DUET_IMAGES", "DUET_TOOLS", "DUET_EXAMPLES"):
    os.environ.setdefault(name, "")

from report import Suite, in_turn  # noqa: E402
from underlay import Topology, ip  # noqa: E402
from support import eventually, run  # noqa: E402

ROUNDS, NODES = 15, 500
# One byte there and one back, as often as it goes; prints the median time of a round trip in microseconds.
ROUND_TRIPS = """
import socket, statistics, sys, time
s = socket.create_connection((sys.argv[1], 7000)); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while s.recv(1) != b"\\n": pass
times = []
end = time.monotonic() + 0.5
while time.monotonic() < end:
    start = time.perf_counter_ns(); s.send(b"x"); s.recv(1); times.append(time.perf_counter_ns() - start)
print(statistics.median(times) / 1000)
"""


class Peer:
    """A pod made by hand: a veth pair, forwarding, and the routes or the VXLAN that one would type in."""

    def __init__(self, topology, node, address4, address6):
        self.namespace, self.node = f"{node.namespace}plain", node
        self.addresses = [address4, address6]
        topology.make(self.namespace)
        ip(node.namespace, f"link add plain0 type veth peer name eth0 netns {self.namespace}", "link set plain0 up",
           f"route add {address4}/32 dev plain0", f"route add {address6}/128 dev plain0")
        ip(self.namespace, "link set eth0 up", f"addr add {address4}/32 dev eth0", f"addr add {address6}/128 dev eth0 nodad",
           "route add 169.254.1.1 dev eth0", "route add default via 169.254.1.1 dev eth0")
        topology.exec(node.namespace, "sysctl", "-qw", "net.ipv4.conf.plain0.proxy_arp=1", "net.ipv4.neigh.plain0.proxy_delay=0")
        ip(node.namespace, "addr add fe80::1/64 dev plain0 nodad")
        ip(self.namespace, "route add default via fe80::1 dev eth0")
        topology.echo(self.namespace)

    def route_to(self, other):
        ip(self.node.namespace, *(f"route add {theirs} via {hop}" for theirs, hop in zip(other.addresses, other.node.addresses)))

    def tunnel_to(self, other):
        """A VXLAN as it is made by hand: no learning, one forwarding entry and neighbour for the other end."""
        mac = f"02:00:00:00:01:{other.node.number:02x}"
        ip(self.node.namespace,
           f"link add plainvx address 02:00:00:00:01:{self.node.number:02x} mtu 1450 type vxlan id 99 dstport 4790 "
           f"local {self.node.addresses[0]} nolearning",
           "link set plainvx up", f"neigh add 10.250.0.{other.node.number} lladdr {mac} dev plainvx nud permanent",
           f"neigh add fe80::99:{other.node.number} lladdr {mac} dev plainvx nud permanent",
           f"route add {other.addresses[0]} via 10.250.0.{other.node.number} dev plainvx onlink",
           f"route add {other.addresses[1]} via fe80::99:{other.node.number} dev plainvx")
        run("bridge", "-n", self.node.namespace, "fdb", "append", mac, "dev", "plainvx", "dst", other.node.addresses[0], "self", "permanent")


def throughput(topology, sender, receiver, address):
    """Gigabits of TCP payload a second."""
    server = topology.spawn(receiver, "iperf3", "-s", "-1", "-p", "7100", stdout=subprocess.DEVNULL)
    # Ended connections of the turn before are still at the port: who calls then is refused, and the server waits for ever.
    eventually(lambda: topology.exec(receiver, "ss", "-Hltn", "sport = :7100").stdout, "iperf3 listens")
    result = json.loads(topology.exec(sender, "iperf3", "-c", address, "-p", "7100", "-t", "1", "-J").stdout)
    # It ends with 0 nevertheless.
    if "error" in result:
        raise AssertionError(f"iperf3: {result['error']}")
    server.wait(timeout=20)
    topology.processes.remove(server)
    return result["end"]["sum_received"]["bits_per_second"] / 1e9


def latency(topology, sender, address):
    return float(topology.exec(sender, sys.executable, "-c", ROUND_TRIPS, address).stdout)


class Lab:
    """Nodes with agents, each with a pod of theirs and one that is joined by hand."""

    def __init__(self, topology):
        topology.exec(topology.router, "nft", "delete", "table", "inet", "pods")
        topology.start_server()
        self.topology, self.nodes, self.plain = topology, {}, {}

    def add_nodes(self, links):
        for number, link in links.items():
            self.nodes[number] = self.topology.add_node(number, (4, 6), (4, 6), link)
            self.nodes[number].start_agent()
            self.plain[number] = Peer(self.topology, self.nodes[number], f"10.99.{number}.5", f"fd00:99:{number}::5")
        for node in self.nodes.values():
            eventually(lambda: len(node.routes()) == 2 * (len(self.nodes) - 1) and node.configuration(), "routes")
            # Made now, so that it has the MTU of the present cluster: a node behind a router takes a tunnel's overhead from all.
            node.add_pod()


def mtu(topology, namespace):
    return json.loads(topology.exec(namespace, "ip", "-j", "link", "show", "eth0").stdout)[0]["mtu"]


def compare(suite, lab, label, far, peer):
    own = {number: node.pods[-1] for number, node in lab.nodes.items()}
    topology, plain, width = lab.topology, lab.plain, mtu(lab.topology, own[1].namespace)
    for family in (4, 6):
        target = next(address for address in own[far].addresses if (":" in address) == (family == 6))
        theirs = plain[far].addresses[family == 6]
        speed, [(ratio, low, high)] = in_turn(
            ROUNDS, lambda way: throughput(topology, *way), (plain[1].namespace, plain[far].namespace, theirs),
            (own[1].namespace, own[far].namespace, target))
        turns = f"median of the ratios of {ROUNDS} turns ({{:.3f}} to {{:.3f}} in 19 of 20 cases)"
        suite.add(f"{label} TCP IPv{family}", ratio * speed, "Gbit/s", round(0.97 * speed, 3),
                  f"iperf3, 1 s, one stream, pod to pod on two nodes with agents, MTU {width}, beside pods joined by hand on the same "
                  f"nodes ({peer}); {turns.format(low, high)}", peer=speed, higher_is_better=True)
        duration, [(ratio, low, high)] = in_turn(
            ROUNDS, lambda way: latency(topology, *way), (plain[1].namespace, theirs), (own[1].namespace, target))
        suite.add(f"{label} round trip IPv{family}", ratio * duration, "µs", round(duration / 0.97, 3),
                  f"one byte there and back on a TCP connection, from Python, in the same pods; {turns.format(low, high)}", peer=duration)


def paths(suite):
    with Topology("dt-bench") as topology:
        lab = Lab(topology)
        lab.add_nodes({1: "a", 2: "a"})
        lab.plain[1].route_to(lab.plain[2])
        lab.plain[2].route_to(lab.plain[1])
        compare(suite, lab, "direct", 2, "static routes")
        lab.add_nodes({3: "b"})
        lab.plain[1].tunnel_to(lab.plain[3])
        lab.plain[3].tunnel_to(lab.plain[1])
        compare(suite, lab, "VXLAN", 3, "a VXLAN made with ip link, both across a router")


def processor_seconds(process):
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def joins(suite):
    """One agent; the others are Node objects. A node behind the router takes a route of each family and a tunnel's end."""
    with Topology("dt-bench") as topology:
        topology.start_server()
        node = topology.add_node(1, (4, 6), (4, 6))
        node.start_agent()
        eventually(node.configuration, "the agent works")
        monitor = topology.spawn(node.namespace, "stdbuf", "-oL", "ip", "monitor", "route", stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        elapsed, busy = [], []
        for number in range(2, NODES + 2):
            name, blocks = f"node-{number}", [f"10.{100 + number // 250}.{number % 250}.0/24", f"fd00:10:245:{number:x}::/64"]
            body = {"metadata": {"name": name}, "spec": {"podCIDR": blocks[0], "podCIDRs": blocks}, "status": {"addresses": [
                {"type": "InternalIP", "address": f"172.30.{number // 250}.{number % 250}"},
                {"type": "InternalIP", "address": f"fd30::{number:x}"}]}}
            topology.api("POST", "/api/v1/nodes", {key: body[key] for key in ("metadata", "spec")})
            before = processor_seconds(node.agent)
            start = time.monotonic()
            topology.api("PATCH", f"/api/v1/nodes/{name}/status", {"status": body["status"]}, patch=True)
            missing = set(blocks)
            while missing:
                words = monitor.stdout.readline().split()
                missing -= set(words[:1])
            elapsed.append((time.monotonic() - start) * 1000)
            busy.append((processor_seconds(node.agent) - before) * 1000)
        few, many = statistics.median(elapsed[5:55]), statistics.median(elapsed[-50:])
        suite.add(f"join, {NODES} nodes", many, "ms", round(2 * few, 3),
                  "PATCH of a new Node's addresses to both of its routes and its tunnel end in the kernel of another node, with one agent and "
                  f"simulated nodes; median of the last 50 of {NODES}, beside the median with 5 to 55 nodes", peer=few)
        few, many = statistics.mean(busy[5:105]), statistics.mean(busy[-100:])
        suite.add(f"join, {NODES} nodes, processor", many, "ms", round(2 * max(few, 0.5), 3),
                  "processor time of the agent for one join, mean of the last 100, beside that with 5 to 105 nodes", peer=max(few, 0.001))


def blocks(suite):
    """Blocks out of left-over prefixes: for nodes that come, and for a node whose block fills up."""
    with Topology("dt-bench") as topology:
        topology.start_server("--cluster-cidr", "", "--service-cluster-ip-range", "10.96.0.0/16,fd00:10:96::/112")
        topology.api("POST", "/apis/network.duet.dev/v1alpha1/addresspools", {"metadata": {"name": "left"}, "spec": {
            "purpose": "Pods", "blockSize": {"ipv4": 26, "ipv6": 64}, "prefixes": [{"cidr": cidr} for cidr in (
                "10.244.0.0/18", "10.100.0.0/19", "10.101.32.0/19", "192.168.200.0/24", "fd00:10:244::/48")]}})
        node = topology.add_node(1, (4, 6), ())
        node.start_agent()
        eventually(node.configuration, "the agent works")
        elapsed = []
        for number in range(2, NODES + 2):
            name = f"node-{number}"
            start = time.monotonic()
            topology.api("POST", "/api/v1/nodes", {"metadata": {"name": name}})
            while "podCIDRs" not in json.loads(topology.api("GET", f"/api/v1/nodes/{name}")).get("spec", {}):
                pass
            elapsed.append((time.monotonic() - start) * 1000)
        few, many = statistics.median(elapsed[5:55]), statistics.median(elapsed[-50:])
        suite.add(f"blocks, {NODES} nodes", many, "ms", round(2 * few, 3), "POST of a Node to the block of each family in its podCIDRs, out "
                  f"of four left-over IPv4 prefixes; median of the last 50 of {NODES}, beside the median with 5 to 55 nodes", peer=few)
        taken = 0
        while taken < 40:
            node.plugin("ADD", f"filler-{taken}", "/proc/1/ns/net", "host-local")
            taken += 1

        def ranges():
            return len(node.configuration()["plugins"][0]["ipam"]["ranges"][0])
        eventually(lambda: ranges() == 1, "one block")
        start = time.monotonic()
        while ranges() == 1 and time.monotonic() - start < 60:
            if taken < 60:
                node.plugin("ADD", f"filler-{taken}", "/proc/1/ns/net", "host-local")
                taken += 1
            time.sleep(0.05)
        suite.add("further block", time.monotonic() - start, "s", 3, "a pod every 50 ms from a block of 61 that is two thirds full, while there is room, to "
                  "the further block in the CNI configuration; one run")


def main():
    suite = Suite("routing")
    paths(suite)
    joins(suite)
    blocks(suite)
    print(suite.table())


main()
