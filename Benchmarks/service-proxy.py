"""Suite `service-proxy`: how fast Services get into the kernel, what a change costs, and what a connection pays for it.

The peer is the nftables rule set that has a chain for each Service and each endpoint, as kube-proxy's is laid out, with the
same Services, loaded by `nft` on the same node.
"""
import http.client
import json
import os
import queue
import re
import ssl
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "Tests", "SystemTests"))
for name in ("DUET_IMAGES", "DUET_TOOLS", "DUET_EXAMPLES"):
    os.environ.setdefault(name, "")

from report import Suite, compared  # noqa: E402
from underlay import PORT, Topology, in_cgroup, inside  # noqa: E402
from support import DUET, eventually, run  # noqa: E402

WRITERS, CHANGES, BATCH, TURNS, PEERS = 8, 200, 1000, 300, 1000
WORDS = {4: "ip", 6: "ip6"}
# Each way to the server pod ends at ports of its own there. If two shared one, a client's port that comes round within a
# minute would meet what the other way left: the server's TIME_WAIT, which takes half of the SYNs for old ones because a
# client's time stamps depend on the address that it called (RFC 7323, 5.3), and the flow that conntrack still has of the
# same two ends. SYNs sent again a second later are then all that is measured, and any DNAT shows it. Each way has several, turn
# about: in the kernel's hash tables some keys have company and others have not, which makes half a hundredth of a call.
DIRECT, PACKETS, LED, CHAINS, SPREAD = 8080, 8180, 8280, 8380, 8
# The Service's ports that lead to the first of them, as packets and at connect time.
PACKETS_PORT, LED_PORT = 80, 180
WEB = """
defaults
  mode http
  timeout client 10s
  timeout connect 10s
  timeout server 10s
frontend web
  http-request return status 200 content-type text/plain string ok
""" + "".join(f"  bind :{first}-{first + SPREAD - 1}\n  bind :::{first}-{first + SPREAD - 1} v6only\n" for first in (DIRECT, PACKETS, LED, CHAINS))
# Measures ways in turn, a few milliseconds each, so that what else changes on the machine changes for all of them; prints for each
# turn what each way had. A socket belongs to the cgroup and the network namespace that its maker is in.
TURNED = """
import ctypes, json, os, socket, statistics, struct, sys, time
figure, turns, spread, ways, place = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), [way.split(",") for way in sys.argv[4:]], None
def new(way):
    global place
    if place != way[2:]:
        place = way[2:]
        with open(place[0] + "/cgroup.procs", "w") as file: file.write(str(os.getpid()))
        with open("/run/netns/" + place[1]) as file:
            if ctypes.CDLL(None).setns(file.fileno(), 0x40000000): raise OSError("setns")
    return socket.socket(socket.AF_INET6 if ":" in way[0] else socket.AF_INET)
def web(way):
    return way[0], int(way[1]) + turn % spread
def connected(way):
    s = new(way)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.connect((way[0], {"throughput": 7100, "round trip": 7000}[figure]))
    while figure == "round trip" and s.recv(1) != b"\\n": pass
    return s
def first_packet(index):
    times = []
    for _ in range(100):
        with new(ways[index]) as s:
            # No port is left behind.
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            target = web(ways[index])
            start = time.perf_counter_ns()
            s.connect(target)
            times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1e3
def connections(index):
    # To move to another cgroup or namespace takes a while.
    new(ways[index]).close()
    start = time.perf_counter_ns()
    for _ in range(30):
        with new(ways[index]) as s:
            s.connect(web(ways[index]))
            s.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
            while s.recv(4096): pass
    return 30e9 / (time.perf_counter_ns() - start)
def round_trip(index):
    s, times = sockets[index], []
    for _ in range(200):
        start = time.perf_counter_ns()
        s.send(b"x"); s.recv(1)
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1e3
def throughput(index):
    start = time.perf_counter_ns()
    sockets[index].sendall(block)
    sockets[index].recv(1)
    return len(block) * 8 / (time.perf_counter_ns() - start)
block = bytes(1 << 25)
measure = {"first packet": first_packet, "new connections": connections, "round trip": round_trip, "throughput": throughput}[figure]
sockets = [connected(way) for way in ways] if figure in ("round trip", "throughput") else []
for turn in range(turns + 3):
    order = range(len(ways))[::(-1) ** turn]
    values = [measure(index) for index in order][::(-1) ** turn]
    # At first everything grows: windows, caches, buffers.
    if turn >= 3: print(json.dumps(values))
for s in sockets: s.close()
"""
# Takes blocks on any number of connections, and answers each.
SINK = """
import socket, threading
def take(connection):
    buffer, left = bytearray(1 << 20), 1 << 25
    while (count := connection.recv_into(buffer, min(left, len(buffer)))):
        left -= count
        if left == 0:
            connection.sendall(b"x")
            left = 1 << 25
with socket.create_server(("::", 7100), family=socket.AF_INET6, dualstack_ipv6=True) as s:
    print("ready", flush=True)
    while True: threading.Thread(target=take, args=(s.accept()[0],), daemon=True).start()
"""


def endpoint(family, number):
    """The address of a pod that nobody has."""
    return f"10.244.{2 + number // 250}.{1 + number % 250}" if family == 4 else f"fd00:10:244:{2 + number // 250:x}::{1 + number % 250:x}"


def slice_of(service, family, addresses, ports=None):
    return {"metadata": {"name": f"{service}-{family}", "labels": {"kubernetes.io/service-name": service}},
            "addressType": f"IPv{family}", "ports": ports or [{"name": "", "port": 8080, "protocol": "TCP"}],
            "endpoints": [{"addresses": [address]} for address in addresses]}


class Cluster:
    """A server and a node whose agent is started when it is measured, with Services that nobody's pods serve."""

    def __init__(self, topology):
        self.topology, self.count = topology, 0
        topology.start_server()
        self.node = topology.add_node(1, (4, 6), (4, 6))

    def connect(self):
        data = self.topology.data
        context = ssl.create_default_context(cafile=f"{data}/pki/ca.crt")
        context.load_cert_chain(f"{data}/pki/admin.crt", f"{data}/pki/admin.key")
        with inside(self.topology.router):
            client = http.client.HTTPSConnection("127.0.0.1", PORT, context=context, timeout=60)
            client.connect()
        return client

    @staticmethod
    def send(client, method, path, body):
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        client.request(method, path, json.dumps(body), {"Content-Type": kind})
        answer = client.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status} {text}")
        return text

    def in_parallel(self, numbers, work):
        """Calls work(client, number) for each, from several connections."""
        failures = []

        def write(share):
            try:
                client = self.connect()
                for number in share:
                    work(client, number)
                client.close()
            except Exception as error:  # noqa: BLE001
                failures.append(error)
        threads = [threading.Thread(target=write, args=(numbers[index::WRITERS],)) for index in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def grow(self, count, endpoints):
        """Has so many dual-stack Services, each with so many endpoints a family."""
        def make(client, number):
            self.send(client, "POST", "/api/v1/namespaces/default/services", {
                "metadata": {"name": f"s{number}"}, "spec": {"ipFamilyPolicy": "RequireDualStack", "ports": [{"port": 80, "targetPort": 8080}]}})
            for family in (4, 6):
                self.send(client, "POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
                          slice_of(f"s{number}", family, [endpoint(family, number + i) for i in range(endpoints)]))
        self.in_parallel(range(self.count, count), make)
        self.count = count

    def change(self, client, number, family, addresses):
        self.send(client, "PATCH", f"/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/s{number}-{family}",
                  {"endpoints": [{"addresses": [address]} for address in addresses]})

    def addresses(self, name):
        text = self.topology.api("GET", f"/api/v1/namespaces/default/services/{name}")
        return dict(zip((4, 6), json.loads(text)["spec"]["clusterIPs"]))

    def is_programmed(self, name="s0"):
        """Whether the kernel has a Service in both families; each family's table comes whole."""
        return all(
            self.topology.exec(self.node.namespace, "nft", "get", "element", WORDS[family], "duet-proxy", "services",
                               f"{{ {address} . tcp . 80 }}", check=False).returncode == 0
            for family, address in self.addresses(name).items())

    def start(self):
        """Starts an agent on a kernel without rules; how long programming took, by its own clock, in milliseconds."""
        for family in WORDS.values():
            self.topology.exec(self.node.namespace, "nft", "delete", "table", family, "duet-proxy", check=False)
        open(self.node.log, "w").close()
        self.node.start_agent("--health-port", "0")

        def programmed():
            with open(self.node.log) as file:
                return re.search(r"milliseconds=(\d+).*the Services are in the kernel", file.read())
        took = float(eventually(programmed, "the Services in the kernel", seconds=120)[1])
        assert self.is_programmed()
        return took

    def stop(self):
        self.node.stop_agent()
        self.topology.processes.remove(self.node.agent)


def memory(process):
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024


class Monitor:
    """Sees elements come into the kernel, by the backends that they lead to."""

    def __init__(self, cluster):
        self.topology, self.lines = cluster.topology, queue.SimpleQueue()
        self.process = self.topology.spawn(
            cluster.node.namespace, "stdbuf", "-oL", "nft", "monitor", "new", "elements", stdout=subprocess.PIPE, text=True)
        threading.Thread(target=lambda: [self.lines.put(line) for line in self.process.stdout], daemon=True).start()
        # It reads all that is there before it tells of changes, and begins anew when something changes meanwhile.
        eventually(self.waits, "nft monitor waits for changes", seconds=120)

    def usage(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            words = file.read().rpartition(")")[2].split()
        return words[0], int(words[11]) + int(words[12])

    def waits(self):
        before = self.usage()
        time.sleep(0.5)
        return before[0] == "S" and before[1] > 0 and self.usage() == before

    def see(self, addresses):
        """Returns when elements have come that lead to port 8080 of each address."""
        missing = set(addresses)
        while missing:
            missing.difference_update(re.findall(r"(\S+) \. 8080", self.lines.get(timeout=30)))

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.topology.processes.remove(self.process)


def change_times(cluster, change):
    """Milliseconds from the PATCH of a slice to the endpoint in the kernel, for each of many; `change` adds one and returns it."""
    client, monitor, times = cluster.connect(), Monitor(cluster), []
    for turn in range(CHANGES):
        start = time.monotonic()
        monitor.see([change(client, turn)])
        times.append((time.monotonic() - start) * 1000)
    client.close()
    monitor.close()
    return sorted(times)


def one_each(cluster):
    """Changes that add an endpoint to one Service after another."""
    def change(client, turn):
        family, number = (4, 6)[turn % 2], turn * 31 % cluster.count
        added = f"10.245.{cluster.count // 1000}.{turn + 1}" if family == 4 else f"fd00:10:245:{cluster.count:x}::{turn + 1:x}"
        cluster.change(client, number, family, [endpoint(family, number), endpoint(family, number + 1), added])
        return added
    return change


def all_to_one(cluster):
    """Changes that add all endpoints to one Service, which has more than any other after a few."""
    added = {4: [], 6: []}

    def change(client, turn):
        family = (4, 6)[turn % 2]
        address = f"10.246.{cluster.count // 1000}.{turn + 1}" if family == 4 else f"fd00:10:246:{cluster.count:x}::{turn + 1:x}"
        added[family].append(address)
        cluster.change(client, 0, family, added[family])
        return address
    return change


def batch_time(cluster):
    """Milliseconds from the first of many PATCHes to the last of what they change in the kernel."""
    monitor, added = Monitor(cluster), [f"10.247.{number // 250}.{1 + number % 250}" for number in range(BATCH)]
    start = time.monotonic()
    cluster.in_parallel(range(BATCH), lambda client, number: cluster.change(client, number, 4, [added[number]]))
    monitor.see(added)
    took = (time.monotonic() - start) * 1000
    monitor.close()
    return took


def chains(family, services):
    """A rule set with a chain for each Service and endpoint; `services` are addresses, ports and endpoints.

    It does with a new connection what kube-proxy's does (masquerade, refuse, keep off whom a load balancer does not admit), and
    asks in the same places."""
    word, kind = WORDS[family], f"ipv{family}_addr"
    frontend, pods, loopback = f"{kind} . inet_proto . inet_service", *(
        ("10.244.0.0/16", "127.0.0.0/8") if family == 4 else ("fd00:10:244::/48", "::1"))
    lines = [f"table {word} peer {{", f"set addresses {{ type {kind}; }}",
             *(f"map {name} {{ type {frontend} : verdict; }}" for name in ("services", "unserved", "guarded")),
             *(f"map {name} {{ type inet_proto . inet_service : verdict; }}" for name in ("node-ports", "unserved-node-ports")),
             "chain marking { meta mark set meta mark or 0x4000; }"]
    elements = []
    for number, (address, own, endpoints) in enumerate(services):
        names = [f"endpoint-{number}-{index}" for index in range(len(endpoints))]
        for name, (place, port) in zip(names, endpoints):
            target = f"{place}:{port}" if family == 4 else f"[{place}]:{port}"
            lines.append(f"chain {name} {{ {word} saddr {place} jump marking; meta l4proto tcp dnat to {target}; }}")
        verdicts = ", ".join(f"{index} : goto {name}" for index, name in enumerate(names))
        lines.append(f"chain service-{number} {{ {word} daddr {address} tcp dport {own} {word} saddr != {pods} jump marking; "
                     f"numgen random mod {len(names)} vmap {{ {verdicts} }}; }}")
        elements.append(f"{address} . tcp . {own} : goto service-{number}")
    key, port = f"{word} daddr . meta l4proto . th dport vmap", "meta l4proto . th dport vmap"
    to_node = f"fib daddr type local {word} daddr != {loopback}"
    lines += [f"chain dispatch {{ {key} @services; {to_node} {port} @node-ports; }}",
              f"chain check-endpoints {{ {key} @unserved; }}", f"chain check-node-ports {{ {to_node} {port} @unserved-node-ports; }}",
              f"chain check-sources {{ {key} @guarded; }}", f"chain check-addresses {{ {word} daddr @addresses reject; }}",
              "chain masquerading { meta mark and 0x4000 == 0 return; meta mark set meta mark xor 0x4000; masquerade fully-random; }"]
    checks = (("prerouting", -110, ("sources",)), ("input", -110, ("node-ports", "endpoints")), ("forward", -110, ("endpoints", "addresses")),
              ("output", -110, ("endpoints", "sources")), ("output", -90, ("addresses",)))
    for hook, priority, names in checks:
        jumps = " ".join(f"ct state new jump check-{name};" for name in names)
        lines.append(f"chain filter-{hook}{priority} {{ type filter hook {hook} priority {priority}; {jumps} }}")
    lines += [f"chain {hook} {{ type nat hook {hook} priority -100; jump dispatch; }}" for hook in ("prerouting", "output")]
    lines += ["chain postrouting { type nat hook postrouting priority 100; jump masquerading; }", "}",
              f"add element {word} peer services {{ {', '.join(elements)} }}",
              f"add element {word} peer addresses {{ {', '.join({address for address, _, _ in services})} }}"]
    return "\n".join(lines)


def virtual(family, number):
    return f"10.200.{number // 250}.{1 + number % 250}" if family == 4 else f"fd00:200::{1 + number:x}"


def cold(suite):
    with Topology("dt-bench") as topology:
        cluster = Cluster(topology)
        for count, goal in ((1000, 150), (10_000, 1000), (30_000, 4000)):
            cluster.grow(count, 2)
            took, peer = cluster.start(), None
            if count == PEERS:
                text = "\n".join(
                    chains(family, [(virtual(family, n), 80, [(endpoint(family, n + i), 8080) for i in range(2)]) for n in range(PEERS)])
                    for family in WORDS)
                start = time.monotonic()
                topology.exec(cluster.node.namespace, "nft", "-f", "-", input=text)
                peer = (time.monotonic() - start) * 1000
                for family in WORDS.values():
                    topology.exec(cluster.node.namespace, "nft", "delete", "table", family, "peer")
            suite.add(f"{count} Services, cold", took, "ms", goal,
                      "an agent's time from the complete lists to both tables in the kernel, dual-stack Services with 2 endpoints; peer: a "
                      "chain for each of the same Services and endpoints, by nft -f", peer=peer)
            if count == 10_000:
                # What is free again goes back to the system at the next turn of the agent's.
                time.sleep(12)
                suite.add("memory, 10000 Services", memory(cluster.node.agent), "MiB", 150, "resident memory of the agent 12 s after programming them")
            if count >= 10_000:
                for figure, changes in (("one endpoint more", one_each), ("one endpoint more of the largest", all_to_one)):
                    times = change_times(cluster, changes(cluster))
                    method = f"PATCH of a slice to the element in nft monitor, {CHANGES} changes, families in turn"
                    if changes is all_to_one:
                        method += f", to one Service, which grows to {CHANGES // 2} endpoints a family"
                    suite.add(f"{figure}, {count} Services, p99", times[int(0.99 * len(times)) - 1], "ms", 5, method)
                    suite.add(f"{figure}, {count} Services, median", statistics.median(times), "ms", 5, method)
            if count == 10_000:
                suite.add(f"batch of {BATCH} changes", batch_time(cluster), "ms", 2000,
                          f"first of {BATCH} PATCHes, from {WRITERS} connections, to the last element in nft monitor")
            cluster.stop()


def crowded(suite):
    with Topology("dt-bench") as topology:
        cluster = Cluster(topology)
        cluster.grow(5000, 50)
        suite.add("5000 Services of 50 endpoints, cold", cluster.start(), "ms", 4000,
                  "an agent's time from the complete lists to both tables in the kernel, dual-stack Services with 50 endpoints a family")
        cluster.stop()


class Host:
    """Two pods of a node, one of which calls the other."""

    def __init__(self, topology, node):
        self.topology, self.node = topology, node
        eventually(node.configuration, "the CNI configuration")
        self.client, self.server = node.add_pod(), node.add_pod()
        self.own = {6 if ":" in address else 4: address for address in self.server.addresses}
        with open(f"{node.directory}/web.cfg", "w") as file:
            file.write(WEB)
        topology.spawn(self.server.namespace, "haproxy", "-f", file.name, stdout=subprocess.DEVNULL)
        topology.spawn(self.server.namespace, sys.executable, "-c", SINK, stdout=subprocess.PIPE).stdout.readline()
        # Pods may use what a cluster's would: the rows open more connections than there are ports at first.
        topology.exec(self.client.namespace, "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_tw_reuse=1")
        # Nor does the tracking of connections fill up with those that were reset.
        topology.exec(node.namespace, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_timeout_close=1")


class Way:
    """One of the ways to a server pod: an address, the first port that leads to a web server there, and the cgroup of the callers.

    Each has a cgroup of its own, of the same depth, one of them with programs: a process in a cgroup costs a little more to run, and
    for a while after it has moved into it a few hundredths more."""

    def __init__(self, host, address, web, cgroup):
        self.host, self.address, self.web, self.cgroup = host, address, web, cgroup

    def turned(self, figure, turns, *ways):
        """What the program prints that measures ways in turn."""
        command = in_cgroup(self.cgroup, sys.executable, "-c", TURNED, figure, str(turns), str(SPREAD), *map(str, ways))
        return self.host.topology.exec(self.host.client.namespace, *command, cgroups=True).stdout

    def repeated(self):
        """How many SYNs the client has sent again so far."""
        shown = self.host.topology.exec(self.host.client.namespace, "nstat", "-asz").stdout
        return int(re.search(r"TcpExtTCPSynRetrans\s+(\d+)", shown)[1])

    def __str__(self):
        """As the programs that measure ways in turn take it."""
        return f"{self.address},{self.web},{self.cgroup},{self.host.client.namespace}"


class Paths:
    """A pod calls another of its node: directly, by a Service, and at connect time; and on a node of the peer's by its chains.

    Each rule set is alone on its node: of two on one node the packets that the second leads would meet the first one's rules as well."""

    # The figure, its unit, whether more is better, the share of the direct way that a Service may cost, as packets and at connect time,
    # and how it is measured.
    FIGURES = (
        ("new connections", "1/s", True, 0.85, 0.98, f"HTTP requests that each have a connection, one after another, 30 a turn, from Python; {TURNS} turns"),
        ("throughput", "Gbit/s", True, 0.97, 0.98, f"one stream, 32 MiB a turn, sent and received by Python; {TURNS} turns"),
        ("first packet", "µs", False, 0.85, 0.98, f"connect(2) alone, median of 100 a turn, from Python; {4 * TURNS} turns"),
        ("round trip", "µs", False, 0.97, 0.98, f"one byte there and back on an established connection, median of 200 a turn, from Python; {TURNS} turns"),
    )

    def __init__(self, topology, cgroup, plain):
        self.topology, self.cgroup, (self.plain, self.other) = topology, cgroup, plain
        self.cluster = Cluster(topology)
        self.node = node = self.cluster.node
        self.cluster.grow(PEERS, 2)
        node.start_agent("--health-port", "0", "--connect-time-balancing", "--connect-time-cgroup", os.path.basename(cgroup))
        other = topology.add_node(2, (4, 6), (4, 6))
        other.start_agent("--health-port", "0", "--no-service-proxy")
        self.host, self.peer = Host(topology, node), Host(topology, other)
        ports = [(f"{name}-{n}", port + n, to + n) for n in range(SPREAD)
                 for name, port, to in (("web", PACKETS_PORT, PACKETS), ("led", LED_PORT, LED))]
        ports += [("echo", 7000, 7000), ("sink", 7100, 7100)]
        topology.api("POST", "/api/v1/namespaces/default/services", {"metadata": {"name": "own"}, "spec": {
            "ipFamilyPolicy": "RequireDualStack", "ports": [{"name": name, "port": port, "targetPort": to} for name, port, to in ports]}})
        for family in (4, 6):
            topology.api("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice_of(
                "own", family, [self.host.own[family]], [{"name": name, "port": to, "protocol": "TCP"} for name, _, to in ports]))
        eventually(lambda: self.cluster.is_programmed("own"), "the Service")
        self.service = self.cluster.addresses("own")

    def compare(self, figure, *ways):
        """What the first way has, and what each other has in proportion, with bounds."""
        before = sum(way.repeated() for way in ways)
        # A hundredth of a call is less than what else differs from turn to turn, and turns of calls alone are short.
        turns = 4 * TURNS if figure == "first packet" else TURNS
        text = ways[0].turned(figure, turns, *ways)
        if (repeated := sum(way.repeated() for way in ways) - before) > 2 * len(ways):
            raise AssertionError(f"{repeated} SYNs went unanswered: this measured waiting, not connecting")
        return compared([json.loads(line) for line in text.splitlines()])

    def measure(self, suite, family):
        direct = Way(self.host, self.host.own[family], DIRECT, self.plain)
        packets = Way(self.host, self.service[family], PACKETS_PORT, self.other)
        led = Way(self.host, self.service[family], LED_PORT, self.cgroup)
        for figure, unit, is_rate, as_packets, at_connect, how in self.FIGURES:
            peer, ours = self.compare(figure, direct, packets, led)
            for way, (ratio, low, high), share in zip(("", ", at connect time"), ours, (as_packets, at_connect)):
                goal = round(share * peer if is_rate else peer / share, 3)
                suite.add(f"{figure} IPv{family}{way}", ratio * peer, unit, goal,
                          f"{how}; from pod to pod of one node, each way to {SPREAD} ports of its own; median of the ratios "
                          f"({low:.3f} to {high:.3f} in 19 of 20 cases); peer: direct, through the same node, which tracks these connections too",
                          peer=peer, higher_is_better=is_rate)
            if figure == "first packet":
                self.add_programs(suite, family, led, peer)
        self.add_connected(suite, family, led)
        chosen, own = virtual(family, PEERS), self.peer.own[family]
        services = [(virtual(family, n), 80, [(own, CHAINS)]) for n in range(PEERS)]
        services += [(chosen, 80 + n, [(own, CHAINS + n)]) for n in range(SPREAD)] + [(chosen, 7100, [(own, 7100)])]
        self.topology.exec(self.peer.node.namespace, "nft", "-f", "-", input=chains(family, services))
        for figure, unit, is_rate, _, _, how in self.FIGURES[:3]:
            peer, [(ratio, low, high)] = self.compare(figure, Way(self.peer, chosen, 80, self.plain), packets)
            suite.add(f"{figure} IPv{family}, chains", ratio * peer, unit, round(peer, 3),
                      f"{how}; median of the ratios ({low:.3f} to {high:.3f} in 19 of 20 cases); peer: {PEERS} Services with a "
                      "chain for each and for its endpoint and base chains as kube-proxy's, between two pods of another node, without Duet's", peer=peer, higher_is_better=is_rate)
        self.topology.exec(self.peer.node.namespace, "nft", "delete", "table", WORDS[family], "peer")

    def add_programs(self, suite, family, led, direct):
        """What the kernel's own clock says of the programs: their time for each call, and none for a packet of a connection."""
        def spent(figure, turns):
            """The runs of the programs and the nanoseconds that they took, by their hooks."""
            before = self.programs()
            led.turned(figure, turns, led)
            return {name: [after - start for start, after in zip(before.get(name, (0, 0)), counts)] for name, counts in self.programs().items()}

        def count_runs(value):
            with open("/proc/sys/kernel/bpf_stats_enabled", "w") as file:
                file.write(value)
        count_runs("1")
        try:
            counts = spent("first packet", 100)
            calls, nanoseconds = counts[f"duet_connect{family}"]
            suite.add(f"program of a call IPv{family}", nanoseconds / calls / 1e3, "µs", round(0.02 * direct, 3),
                      f"the kernel's count of the program's time (bpf_stats_enabled) for {calls} calls; goal: 0.02 of a direct connect(2)")
            released, nanoseconds = counts["duet_sock_release"[:15]]
            suite.add(f"program of a close IPv{family}", nanoseconds / released / 1e3, "µs", round(0.01 * direct, 3),
                      f"the same for the {released} sockets that were closed; goal: 0.01 of a direct connect(2)")
            runs = sum(count for count, _ in spent("round trip", 20).values())
            suite.add(f"program runs in 4600 round trips IPv{family}", runs, "runs", 2,
                      "the kernel's count of the programs' runs: the call, and the end of its socket")
        finally:
            count_runs("0")

    @staticmethod
    def programs():
        """How often each program ran so far, and for how many nanoseconds."""
        programs = json.loads(run("bpftool", "-j", "prog", "show").stdout)
        return {program["name"]: (program.get("run_cnt", 0), program.get("run_time_ns", 0))
                for program in programs if program.get("name", "").startswith("duet_")}

    def add_connected(self, suite, family, led):
        """Shows that calls of the cgroup are led: the kernel tracks none of them under the Service's address."""
        command = ("conntrack", "-L", "-f", f"ipv{family}", "-d", led.address)
        self.topology.exec(self.node.namespace, "conntrack", "-F")
        led.turned("first packet", 10, led)
        tracked = self.topology.exec(self.node.namespace, *command).stdout.count("\n")
        suite.add(f"tracked IPv{family}, at connect time", tracked, "flows", 0, "flows to the Service's address in conntrack after 1300 calls")


def paths(suite):
    mount = run("findmnt", "-rn", "-t", "cgroup2", "-o", "TARGET").stdout.split()[0]
    cgroup, *plain = (f"{mount}/dt-bench{suffix}" for suffix in ("", "-plain", "-other"))
    for path in (cgroup, *plain):
        os.makedirs(path, exist_ok=True)
    try:
        with Topology("dt-bench") as topology:
            lab = Paths(topology, cgroup, plain)
            try:
                for family in (4, 6):
                    lab.measure(suite, family)
            finally:
                lab.cluster.stop()
                # The kernel leads calls after the agent's end too.
                topology.exec(lab.host.node.namespace, DUET, "cleanup", cgroups=True)
    finally:
        for path in (cgroup, *plain):
            eventually(lambda path=path: not os.path.exists(path) or remove(path), "the callers have ended")


def remove(cgroup):
    try:
        os.rmdir(cgroup)
    except OSError as error:
        raise AssertionError(error) from error
    return True


def main():
    suite = Suite("service-proxy")
    cold(suite)
    crowded(suite)
    paths(suite)
    print(suite.table())


main()
