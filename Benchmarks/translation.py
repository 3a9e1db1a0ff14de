"""Suite `translation`: the kernel path and the userspace path beside plain routing of each family and Debian's tayga.

All paths lead from one client by one router to one server, in three network namespaces, and are measured in turn (after RFC
9693, whose tester and device under test are namespaces of one machine here); those of the agent from pods of two nodes. What a
TUN device costs by itself shows in the path "pump", by a program in C that does nothing but move packets through one."""
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "Tests", "SystemTests"))
for name in ("DUET_IMAGES", "DUET_TOOLS", "DUET_EXAMPLES"):
    os.environ.setdefault(name, "")

from report import Suite, proportion, turns  # noqa: E402
from support import DUET, eventually, run  # noqa: E402
from underlay import Topology, ip as ip_commands  # noqa: E402

SECONDS, ROUNDS, SESSIONS = 1, 15, 1_000_000
# What sessions of UDP live, in seconds: longer than it takes to come back to one of a million.
LIFETIME = 30
NAMES = {part: f"dt-bench64-{part}" for part in ("client", "router", "server")}
CLIENT6, CLIENT4, PRIVATE = "2001:db8:1::2", "10.64.0.2", "100.64.7.1"
SERVER4, SERVER6 = "192.0.2.2", "2001:db8:2::2"
PREFIXES = {"kernel": "2001:db8:64::", "userspace": "2001:db8:65::", "tayga": "2001:db8:66::"}
# What a client connects to on each path.
# The pump exchanges the third word of both addresses with the fourth one.
PUMPED = ("2001:db8:0:1::2", "2001:db8:0:2::2")
TARGETS = {
    "IPv6": SERVER6, "IPv4": SERVER4, **{path: prefix + SERVER4 for path, prefix in PREFIXES.items()}, "pump": PUMPED[1]}
# The server that pods of agents call, once by the prefix and once by an address of its own for their CLAT.
OUTSIDE = ("9.9.9.10", "9.9.9.11")
PEERS = {"IPv4": "IPv4 with masquerade", "IPv6": "plain IPv6 routing", "tayga": "tayga", "pump": "the device alone",
         "a pod by IPv4": "its IPv4 address, masqueraded by the agent"}

SERVE = """
import socket, threading
def serve(family, address):
    listener = socket.create_server((address, 7000), family=family, backlog=1024)
    while True:
        link, _ = listener.accept()
        threading.Thread(target=echo, args=(link,), daemon=True).start()
def echo(link):
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := link.recv(65536):
        link.sendall(data)
    link.close()
def greet(family, address):
    # Nothing but connections: no thread for each.
    listener = socket.create_server((address, 7002), family=family, backlog=1024)
    while True:
        listener.accept()[0].close()
def count(family, address):
    # Segments come in runs (UDP_GRO); the number of bytes so far answers each datagram of one byte.
    link = socket.socket(family, socket.SOCK_DGRAM)
    link.setsockopt(17, 104, 1)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    link.bind((address, 7001))
    total = 0
    while True:
        data, peer = link.recvfrom(65535)
        if len(data) == 1:
            link.sendto(str(total).encode(), peer)
        else:
            total += len(data)
for family, address in ((socket.AF_INET, "192.0.2.2"), (socket.AF_INET6, "2001:db8:2::2")):
    for body in (serve, greet, count):
        threading.Thread(target=body, args=(family, address)).start()
"""

# Prints round trips of one byte, or new connections, or bytes of segmented datagrams, a second; or the longest round trip in
# milliseconds.
CLIENT = """
import socket, sys, time
what, address, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
end, count = time.monotonic() + seconds, 0
if what == "round-trips":
    link = socket.create_connection((address, 7000))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while time.monotonic() < end:
        link.send(b"x"); link.recv(1); count += 1
elif what == "longest":
    link = socket.create_connection((address, 7000))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while (begun := time.monotonic()) < end:
        link.send(b"x"); link.recv(1)
        count = max(count, (time.monotonic() - begun) * 1000 * seconds)
        time.sleep(0.0005)
elif what == "connections":
    while time.monotonic() < end:
        link = socket.create_connection((address, 7002))
        # A reset leaves no port in TIME_WAIT, of which there would soon be none left.
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
        link.close(); count += 1
else:
    link = socket.socket(family, socket.SOCK_DGRAM)
    link.connect((address, 7001))
    link.settimeout(5)
    link.send(b"x"); before = int(link.recv(100))
    link.setsockopt(17, 103, 1200)
    data = b"d" * (1200 * 45)
    while time.monotonic() < end:
        try:
            link.send(data)
        except BlockingIOError:
            pass
    link.setsockopt(17, 103, 0)
    time.sleep(0.3)
    link.send(b"x"); count = int(link.recv(100)) - before
print(count / seconds)
"""


def ip(part, *commands):
    for command in commands:
        run("ip", "-n", NAMES[part], *command.split())


def at(namespace, *command, **options):
    return run("ip", "netns", "exec", namespace, *command, **options)


def inside(part, *command, **options):
    return at(NAMES[part], *command, **options)


class Lab:
    """The namespaces, and what runs in them."""

    def __enter__(self):
        self.processes, self.directory = [], tempfile.mkdtemp(prefix="dt-bench64-")
        for name in NAMES.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
            run("ip", "netns", "add", name)
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def build(self):
        for part in ("client", "server"):
            run("ip", "link", "add", "eth0", "netns", NAMES[part], "type", "veth", "peer", "name", part, "netns", NAMES["router"])
            ip(part, "link set eth0 up", "link set lo up")
            ip("router", f"link set {part} up")
        ip("client", f"addr add {CLIENT6}/64 dev eth0 nodad", f"addr add {CLIENT4}/24 dev eth0",
           "-6 route add default via 2001:db8:1::1", "route add default via 10.64.0.1")
        ip("router", "link set lo up", "addr add 2001:db8:1::1/64 dev client nodad", "addr add 10.64.0.1/24 dev client",
           "addr add 192.0.2.1/24 dev server", "addr add 2001:db8:2::1/64 dev server nodad",
           f"-6 route add 2001:db8:9::/64 via {CLIENT6}", "route add blackhole 203.0.112.0/22")
        ip("server", f"addr add {SERVER4}/24 dev eth0", f"addr add {SERVER6}/64 dev eth0 nodad", "route add default via 192.0.2.1",
           "-6 route add default via 2001:db8:2::1")
        inside("router", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        inside("router", "nft", "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100 ; }; "
               f"add rule ip nat out ip saddr {{ {PRIVATE}, {CLIENT4} }} oifname server masquerade; "
               # A translator with sessions needs no connection tracking, whose own misses of the cache are not its.
               "add chain ip nat untracked { type filter hook prerouting priority -300 ; }; "
               "add rule ip nat untracked ip daddr 203.0.112.0/22 notrack")
        self.translator("kernel", f"map: [{{ipv4: {PRIVATE}, ipv6: '{CLIENT6}'}}]\nlinks: [client]")
        self.userspace = self.translator(
            "userspace", f"pool: [198.51.100.64/28]\nlimits: {{sessions: {2 * SESSIONS}, sessionsPerClient: {SESSIONS}, portsPerClient: 65535}}\n"
            f"timeouts: {{udp: {LIFETIME}}}")
        with open(f"{self.directory}/tayga.conf", "w") as file:
            file.write(f"tun-device tayga\nipv4-addr 198.51.100.1\nipv6-addr 2001:db8:1::99\nprefix {PREFIXES['tayga']}/96\n"
                       f"map 198.51.100.10 {CLIENT6}\ndata-dir {self.directory}\n")
        tayga = ["tayga", "-c", f"{self.directory}/tayga.conf"]
        inside("router", *tayga, "--mktun")
        ip("router", "link set tayga up mtu 1500", f"-6 route add {PREFIXES['tayga']}/96 dev tayga", "route add 198.51.100.10/32 dev tayga")
        self.spawn("router", *tayga, "--nodetach")
        self.pump()
        self.spawn("server", "/usr/bin/python3", "-c", SERVE)
        self.spawn("server", "iperf3", "-s")
        for path, target in TARGETS.items():
            eventually(lambda: inside("client", "ping", "-n", "-c", "1", "-W", "1", target, check=False).returncode == 0, f"path {path}")
        for port in (7000, 7002, 5201):
            eventually(lambda: f":{port:04X}" in inside("server", "cat", "/proc/net/tcp", "/proc/net/tcp6").stdout, f"port {port}")

    def translator(self, path, configuration):
        file, control = f"{self.directory}/{path}.yaml", f"{self.directory}/{path}.sock"
        with open(file, "w") as text:
            text.write(f"prefix: {PREFIXES[path]}/96\ncontrol: {control}\ndevice: {path}\n{configuration}\n")
        process = self.spawn("router", DUET, "nat64", "run", "--config", file)
        eventually(lambda: os.path.exists(control), f"translator {path}")
        return process

    def pump(self):
        program = f"{self.directory}/tun-pump"
        run("clang", "-O2", "-Wall", "-Werror", "-pthread", "-o", program, os.path.join(HERE, "tun-pump.c"))
        self.spawn("router", program, "pump", str(os.cpu_count()))
        eventually(lambda: inside("router", "ip", "link", "show", "pump", check=False).returncode == 0, "the pump")
        ip("router", "link set pump up mtu 1500", *(f"-6 route add {address}/128 dev pump" for address in PUMPED))

    def spawn(self, part, *command, stdout=subprocess.DEVNULL, **options):
        process = subprocess.Popen(
            ["ip", "netns", "exec", NAMES[part], *command], stdout=stdout, stderr=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for name in NAMES.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        subprocess.run(["rm", "-r", self.directory], check=False)


def stream(place, count):
    namespace, target = place
    text = at(namespace, "iperf3", "-c", target, "-t", str(SECONDS), "-P", str(count), "-J").stdout
    return json.loads(text)["end"]["sum_received"]["bits_per_second"] / 1e9


def small(place):
    """Datagrams of 64 bytes that arrive in a second, in thousands."""
    namespace, target = place
    for _ in range(3):
        text = at(namespace, "iperf3", "-c", target, "-t", str(SECONDS), "-u", "-b", "0", "-l", "64", "-J").stdout
        # Now and then the flood drowns what the two ends have to say to each other about it.
        if end := json.loads(text)["end"].get("sum"):
            return (end["packets"] - end["lost_packets"]) / end["seconds"] / 1000
    raise AssertionError(f"iperf3 tells nothing of its datagrams:\n{text}")


def client(what, place, seconds=SECONDS):
    namespace, target = place
    return float(at(namespace, "/usr/bin/python3", "-c", CLIENT, what, target, str(seconds), timeout=seconds + 30).stdout)


def compare(suite, figure, unit, measure, method, paths, goals):
    """Measures every path in turn. A goal is a path, what it is measured beside, and the least part or multiple of that."""
    rows = turns(ROUNDS, measure, *paths.values())
    places = {path: index for index, path in enumerate(paths)}
    for path, peer, part in goals:
        ratio, low, high = proportion(rows, places[path], places[peer])
        theirs = statistics.median(row[places[peer]] for row in rows)
        suite.add(f"{figure}, {path} beside {peer}", ratio * theirs, unit, round(part * theirs, 3),
                  f"{method}, {SECONDS} s each; median of the ratios of {ROUNDS} turns ({low:.3f} to {high:.3f} in 19 of 20 cases); "
                  f"peer: {PEERS[peer]}", peer=theirs, higher_is_better=True)


def compare_all(suite, paths, goals):
    """Every figure; `goals` is given what the kernel's path and that of userspace have to reach of IPv4, and userspace of tayga."""
    for count in (1, 4):
        compare(suite, f"TCP, {count} stream{'s' if count > 1 else ''}", "Gbit/s", lambda place: stream(place, count), "iperf3",
                paths, goals(0.95, 0.75, 1))
    compare(suite, "UDP in segments", "Gbit/s", lambda place: client("segments", place) * 8 / 1e9,
            "45 datagrams of 1,200 bytes a call (UDP_SEGMENT), those that arrive", paths, goals(0.95, 0.75, 1))
    compare(suite, "UDP of 64 bytes", "kpps", small, "iperf3, those that arrive", paths, goals(0.85, None, 1.5))
    compare(suite, "round trips", "1/s", lambda place: client("round-trips", place), "one byte on a TCP connection", paths,
            goals(0.95, None, 1))
    compare(suite, "new connections", "1/s", lambda place: client("connections", place), "TCP, one after the other, reset at once",
            paths, goals(0.85, None, 1))


def router_goals(kernel, userspace, tayga):
    goals = [("kernel", "IPv4", kernel), ("kernel", "IPv6", 0.8), ("userspace", "tayga", tayga)]
    if userspace:
        goals += [("userspace", "IPv4", userspace), ("pump", "IPv4", userspace), ("userspace", "pump", 0.9)]
    return goals


def agent_goals(kernel, userspace, _):
    goals = [(f"a pod by {way}", "a pod by IPv4", kernel) for way in ("the kernel", "its CLAT")]
    return goals + ([("a pod by userspace", "a pod by IPv4", userspace)] if userspace else [])


def agent(suite):
    """Pods of two nodes, whose agents translate in the kernel and in userspace, and a server outside."""
    with Topology("dt-bnt") as topology:
        topology.start_server()
        ip_commands(topology.router, *(f"addr add {address}/32 dev lo" for address in OUTSIDE))
        serve = SERVE.replace('"192.0.2.2"', f'"{OUTSIDE[0]}"').replace('(socket.AF_INET6, "2001:db8:2::2")', f'(socket.AF_INET, "{OUTSIDE[1]}")')
        topology.spawn(topology.router, "/usr/bin/python3", "-c", serve)
        for address in OUTSIDE:
            # Its datagrams come from the address that it is bound to.
            topology.spawn(topology.router, "iperf3", "-s", "-B", address, stdout=subprocess.DEVNULL)
        paths = {}
        for number, way in ((1, "kernel"), (2, "userspace")):
            # The API knows the pod's IPv6 address alone, so that it is translated for; it has an IPv4 address beside, to compare with.
            node = topology.add_node(number, (4, 6), (4, 6))
            node.start_agent("--nat64", way)
            eventually(node.configuration, "the CNI configuration")
            pod = node.add_pod()
            own = next(address for address in pod.addresses if ":" in address)
            topology.api("POST", "/api/v1/namespaces/default/pods", {
                "metadata": {"name": f"pod-{number}", "annotations": {"network.duet.dev/clat": "enabled"}},
                "spec": {"nodeName": node.name, "containers": [{"name": "main", "image": "none"}]}})
            topology.api("PATCH", f"/api/v1/namespaces/default/pods/pod-{number}/status", {"status": {
                "phase": "Running", "podIP": own, "podIPs": [{"ip": own}]}}, patch=True)
            eventually(lambda: "192.0.0.2" in at(pod.namespace, "ip", "-4", "addr").stdout, "the CLAT")
            gateway = at(pod.namespace, "ip", "-6", "route", "show", "default").stdout.split()[2]
            ip_commands(pod.namespace, f"route add {OUTSIDE[1]} via inet6 {gateway} dev eth0 src 192.0.0.2 onlink")
            paths[f"a pod by {'the kernel' if way == 'kernel' else way}"] = (pod.namespace, f"64:ff9b::{OUTSIDE[0]}")
            if way == "kernel":
                paths |= {"a pod by IPv4": (pod.namespace, OUTSIDE[0]), "a pod by its CLAT": (pod.namespace, OUTSIDE[1])}
        for path, (namespace, target) in paths.items():
            eventually(lambda: at(namespace, "ping", "-n", "-c", "1", "-W", "1", target, check=False).returncode == 0, path)
        compare_all(suite, paths, agent_goals)


def processor_time(process):
    """What all threads of a process have had so far, in nanoseconds."""
    total = 0
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    return total


def resident(process):
    with open(f"/proc/{process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def capacity(suite, lab):
    """A million sessions: their memory, what a packet costs to make one and beside a thousand of them, and that it need not wait
    for them to end (after RFC 9693: connection establishment, session capacity, connection tear-down)."""
    program = f"{lab.directory}/udp-sessions"
    run("clang", "-O2", "-Wall", "-Werror", "-o", program, os.path.join(HERE, "udp-sessions.c"))
    # Not before: each new connection of a host chooses among all its addresses.
    ip("client", *(f"addr add 2001:db8:9::{number:x}/128 dev lo nodad" for number in range(1, 65)))
    sender = lab.spawn("client", program, PREFIXES["userspace"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def packets():
        return int(inside("router", "cat", "/sys/class/net/userspace/statistics/tx_packets").stdout)

    def cost(first, sources, hosts, rounds):
        """The processor time of a datagram, when so many are sent at once."""
        before = processor_time(lab.userspace), packets()
        sender.stdin.write(f"{first} {sources} {hosts} {rounds}\n")
        sender.stdin.flush()
        if sender.stdout.readline() != "done\n":
            raise AssertionError("udp-sessions has ended")
        # Until nothing stands in the device's queue.
        taken = packets()
        while taken != (taken := packets()):
            pass
        return (processor_time(lab.userspace) - before[0]) / (taken - before[1])

    def sessions():
        return json.loads(run(DUET, "nat64", "status", "--control", f"{lab.directory}/userspace.sock").stdout)["sessions"]["count"]

    def many():
        nonlocal place
        place = (place + 50) % 1000
        return cost(place, 50, 1000, 1)

    def few():
        return cost(0, 100, 10, 50)

    few()
    empty, held, place = resident(lab.userspace), sessions(), 0
    known = [few() for _ in range(20)]
    new = [many() for _ in range(20)]
    for _ in range(40):
        # What was lost on the way is sent again.
        many()
    suite.add("memory of a session", (resident(lab.userspace) - empty) / max(sessions() - held, 1), "byte", 200,
              f"growth of the process's resident memory by {sessions() - held:,} sessions of UDP")
    method = "64-byte datagrams, 50,000 at once, without connection tracking, time of all threads of the process"
    theirs = statistics.median(known)
    suite.add("processor time of a packet that makes a session", statistics.median(new), "ns", round(1.25 * theirs, 3),
              f"{method}; median of 20 times; peer: the same through sessions that are there, right before", peer=theirs)
    rows = turns(60, lambda way: way(), few, many)
    ratio, low, high = proportion(rows, 1, 0)
    theirs = statistics.median(row[0] for row in rows)
    suite.add("processor time of a packet, a million sessions", ratio * theirs, "ns", round(1.1 * theirs, 3),
              f"{method}, through as many of {sessions():,} sessions, other ones each time, in turn beside as many through a thousand; "
              f"median of the ratios of {len(rows)} turns ({low:.3f} to {high:.3f})", peer=theirs)
    count, place = sessions(), (NAMES["client"], TARGETS["userspace"])
    ending = client("longest", place, LIFETIME + 5)
    count -= sessions()
    suite.add("longest round trip while a million sessions end", ending, "ms", 5,
              f"one byte on a TCP connection, twice a millisecond, for {LIFETIME + 5} s in which {count:,} sessions end; peer: as long, "
              "when none ends", peer=client("longest", place, LIFETIME + 5))


def main():
    suite = Suite("translation")
    with Lab() as lab:
        compare_all(suite, {path: (NAMES["client"], target) for path, target in TARGETS.items()}, router_goals)
        capacity(suite, lab)
    agent(suite)
    print(suite.table())


if __name__ == "__main__":
    main()
