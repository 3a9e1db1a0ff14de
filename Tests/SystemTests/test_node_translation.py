"""`duet agent --nat64`: pods with IPv6 alone and a server with IPv4 alone, in namespaces; the kernel's way and that of userspace."""
import json
import os
import re
import subprocess
import sys
import unittest

from support import DUET, eventually, run
from translator import DATAGRAMS
from underlay import ECHO, Topology, ip

SERVER = "9.9.9.10"
SYNTHESIZED = "64:ff9b::909:90a"
EGRESS = "172.31.1.101"
# Speaks to the echo once for each line of input, on one connection.
STREAM = """
import socket, sys
with socket.create_connection((sys.argv[1], 7000), 10) as link:
    stream = link.makefile("rb")
    print("seen as", stream.readline().decode().strip(), flush=True)
    link.settimeout(60)
    for line in sys.stdin:
        link.sendall(line.encode())
        assert stream.readline() == line.encode()
        print("exchanged", flush=True)
"""
# What software that knows IPv4 alone does, on a port of its own: TCP, datagrams in fragments, and errors that quote a packet.
LITERALS = """
import socket, sys
def bound(kind):
    link = socket.socket(socket.AF_INET, kind)
    link.bind(("0.0.0.0", 45000))
    link.settimeout(10)
    return link
with bound(socket.SOCK_STREAM) as link:
    print("inside", link.connect((sys.argv[1], 7000)) or link.getsockname()[0])
    print("seen as", link.makefile("rb").readline().decode().strip())
    with bound(socket.SOCK_DGRAM) as datagrams:
        datagrams.connect((sys.argv[1], 7000))
        for size in (100, 4000, 20000):
            datagrams.send(bytes(size))
            print("datagram", len(datagrams.recv(65536)))
    print("ready", flush=True)
    sys.stdin.readline()
with bound(socket.SOCK_DGRAM) as datagrams:
    datagrams.connect((sys.argv[1], 9))
    datagrams.send(b"nobody listens")
    try:
        datagrams.recv(1)
    except ConnectionRefusedError:
        print("refused")
"""
# Lets a pod answer that nobody listens any more, and waits to hear it.
CLOSED = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
    link.bind((sys.argv[1], 7002))
    print("bound", flush=True)
    peer = link.recvfrom(100)[1]
    print("heard", flush=True)
    sys.stdin.readline()
    link.connect(peer)
    link.settimeout(10)
    link.send(b"too late")
    try:
        link.recv(1)
    except ConnectionRefusedError:
        print("refused", flush=True)
"""
UNBOUND = """
server:
  directory: "{directory}"
  pidfile: ""
  username: ""
  chroot: ""
  use-syslog: no
  do-daemonize: no
  interface: {address}
  port: 5300
  access-control: ::/0 allow
  local-zone: "example." static
  local-data: "only4.example. 60 IN A {server}"
"""


class NodeTranslation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.topology = topology = Topology(f"dt-nt{os.getpid() % 10000}")
        topology.__enter__()
        cls.addClassCleanup(topology.__exit__, None, None, None)
        topology.start_server()
        ip(topology.router, f"addr add {SERVER}/32 dev lo")
        # Answers come from the address that was asked.
        echo = topology.spawn(topology.router, sys.executable, "-c", ECHO.replace('"0.0.0.0"', f'"{SERVER}"'), stdout=subprocess.PIPE)
        echo.stdout.readline()
        echo.stdout.close()
        cls.upstream = topology.address("a", 254, 6)
        with open(f"{topology.directory.name}/unbound.conf", "w") as file:
            file.write(UNBOUND.format(directory=topology.directory.name, address=cls.upstream, server=SERVER))
        topology.spawn(topology.router, "unbound", "-d", "-c", f"{topology.directory.name}/unbound.conf",
                       log=f"{topology.directory.name}/unbound.log")
        topology.api("POST", "/api/v1/namespaces", {"metadata": {"name": "quiet", "annotations": {"network.duet.dev/nat64": "disabled"}}})
        topology.api("POST", "/api/v1/namespaces/quiet/serviceaccounts", {"metadata": {"name": "default"}})

    def tearDown(self):
        for node in self.topology.nodes.values():
            for pod in json.loads(self.topology.api("GET", "/api/v1/pods"))["items"]:
                if pod["spec"].get("nodeName") == node.name:
                    self.delete(pod["metadata"]["name"], pod["metadata"]["namespace"])
        self.topology.remove_nodes()

    # Nodes and pods

    def start(self, number, *options, wrapper=()):
        node = self.topology.add_node(number, (4, 6), (6,))
        if "--nat64-egress" in options:
            ip(node.namespace, f"addr add {EGRESS}/24 dev up0")
        node.options = [*options, "--dns-upstream", f"[{self.upstream}]:5300", "--dns-local-address", node.addresses[1]]
        node.start_agent(*node.options, wrapper=wrapper)
        eventually(node.configuration, "the CNI configuration")
        eventually(lambda: self.rules(node), "the table")
        return node

    def add(self, node, name, namespace="default", **annotations):
        pod = node.add_pod()
        pod.name, pod.space = name, namespace
        self.topology.api("POST", f"/api/v1/namespaces/{namespace}/pods", {
            "metadata": {"name": name, "annotations": {f"network.duet.dev/{key}": value for key, value in annotations.items()}},
            "spec": {"nodeName": node.name, "containers": [{"name": "main", "image": "none"}]}})
        self.topology.api("PATCH", f"/api/v1/namespaces/{namespace}/pods/{name}/status", {"status": {
            "phase": "Running", "podIP": pod.addresses[0], "podIPs": [{"ip": address} for address in pod.addresses]}}, patch=True)
        self.assertEqual(len(pod.addresses), 1)
        return pod

    def annotate(self, pod, **annotations):
        self.topology.api("PATCH", f"/api/v1/namespaces/{pod.space}/pods/{pod.name}", {"metadata": {"annotations": {
            f"network.duet.dev/{key}": value for key, value in annotations.items()}}}, patch=True)

    def delete(self, name, namespace):
        self.topology.api("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}?gracePeriodSeconds=0", missing_ok=True)

    # What a node has and tells

    def at(self, node, *command, **options):
        return self.topology.exec(node.namespace, *command, **options)

    def rules(self, node):
        return self.at(node, "nft", "list", "table", "ip", "duet-nat64", check=False).stdout

    def private(self, node, pod, kind="translated"):
        """The private address of a pod, as the table has it."""
        text = self.at(node, "nft", "list", "map", "ip", "duet-nat64", kind).stdout
        found = re.search(r"(100\.127\.\d+\.\d+) : " + re.escape(pod.addresses[0]) + r"\b", text)
        return found and found[1]

    def private_routes(self, node):
        return re.findall(r"^100\.127\.\d+\.\d+ .*", run("ip", "-n", node.namespace, "-4", "route", "show", "proto", "69").stdout, re.M)

    def programs(self, node):
        """How many links have the programs."""
        links = re.findall(r"^\d+: (veth\w+)", run("ip", "-n", node.namespace, "-o", "link").stdout, re.M)
        return sum("duet-nat64" in self.at(node, "tc", "filter", "show", "dev", link, "ingress").stdout for link in links)

    def metrics(self, node, place="127.0.0.1:10256"):
        text = self.at(node, "curl", "-sf", f"http://{place}/metrics").stdout
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))}

    def refused(self, node, reason):
        return self.metrics(node)[f'duet_nat64_refused_total{{reason="{reason}"}}']

    def ping(self, namespace, target, check=True):
        return self.topology.exec(namespace, "busybox", "ping", "-c", "1", "-W", "2", target, check=check)

    def failure(self, pod, address):
        """Why a pod does not reach an address."""
        answer = self.topology.call(pod.namespace, [(address, 0)])[address]
        self.assertEqual(answer[1], False, answer)
        return answer[0]

    def check_reached(self, pod, address, seen, size=1500):
        def reached():
            answer = self.topology.call(pod.namespace, [(address, size)])[address]
            self.assertEqual(answer, [seen, True])
            return True
        eventually(reached, f"{pod.namespace} reaches {address}")

    def stream(self, pod, target):
        process = subprocess.Popen(["ip", "netns", "exec", pod.namespace, sys.executable, "-c", STREAM, target], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn("seen as", process.stdout.readline())
        return process

    def exchange(self, process):
        for _ in range(5):
            process.stdin.write("more\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), "exchanged\n")

    # Both ways

    def test_by_the_kernel(self):
        node = self.start(1, "--nat64", "kernel", "--nat64-egress", "172.31.1.96/27,203.0.113.5")
        self.check(node, EGRESS, programs=1)

    def test_in_userspace(self):
        node = self.start(2, "--nat64", "userspace")
        self.check(node, node.addresses[0], programs=0)

    def test_auto_takes_userspace_where_eBPF_may_not_run(self):
        node = self.start(3, "--nat64", "auto", "--no-service-proxy", "--health-port", "10999",
                          wrapper=("setpriv", "--bounding-set", "-cap_39,-sys_admin"))  # CAP_BPF
        self.check_reached(self.add(node, "client"), SYNTHESIZED, node.addresses[0])
        self.assertEqual(self.programs(node), 0)
        for place in ("127.0.0.1:10999", "[::1]:10999"):
            figures = self.metrics(node, place)
            self.assertEqual((figures["duet_nat64_kernel_active"], figures["duet_nat64_pods"]), (0, 1))
            self.assertGreater(figures['duet_nat64_packets_total{to="ipv4"}'], 0, figures)
        with open(node.log) as file:
            log = file.read()
        self.assertRegex(log, r"reason=.*not permitted.* the kernel cannot translate: userspace does all")
        self.assertIn("path=userspace", log)

    def check(self, node, seen, programs):
        pod = self.add(node, "client")
        with self.subTest("by the name that DNS64 answers"):
            def answered():
                return self.topology.exec(pod.namespace, "dig", "+short", "+tries=1", "+time=2", "AAAA", "only4.example",
                                          f"@{node.addresses[1]}", check=False).stdout.strip() == SYNTHESIZED
            eventually(answered, "an AAAA record")
            self.check_reached(pod, SYNTHESIZED, seen)
            self.ping(pod.namespace, SYNTHESIZED)
            self.assertEqual(self.programs(node), programs)
            figures = self.metrics(node)
            self.assertEqual((figures["duet_nat64_kernel_active"], figures["duet_nat64_pods"]), (programs, 1))
            self.assertGreater(figures['duet_nat64_forwarded_bytes_total{direction="from-pods"}'], 100_000)
            self.assertGreater(figures['duet_nat64_forwarded_bytes_total{direction="to-pods"}'], 100_000)
        with self.subTest("fragments"):
            out = self.topology.exec(pod.namespace, sys.executable, "-c", DATAGRAMS, SYNTHESIZED, "4000", "20000").stdout
            self.assertEqual(out, "right\n")
        with self.subTest("refused, counted and told"):
            for target, reason in (("172.31.1.254", "special"), (node.addresses[0], "nodes"), (self.private(node, pod), "pods")):
                before = self.refused(node, reason)
                self.assertIn("PermissionError", self.failure(pod, f"64:ff9b::{target}"))
                self.assertEqual(self.refused(node, reason), before + 1, target)
        with self.subTest("nobody begins from outside"):
            ip(self.topology.router, f"route add {self.private(node, pod)} via {node.addresses[0]}")
            self.ping(self.topology.router, self.private(node, pod), check=False)
            self.assertEqual(self.refused(node, "unasked"), 1)
            ip(self.topology.router, f"route del {self.private(node, pod)}")
        self.check_explanations(node, pod, seen, programs)
        self.check_switches(node, seen, programs)
        self.check_clat(node, seen)
        self.check_repair(node, pod, seen, programs)
        self.check_restart(node, pod, programs)
        with self.subTest("pods that go leave nothing"):
            self.delete(pod.name, pod.space)
            eventually(lambda: self.private(node, pod) is None, "no private address")
            eventually(lambda: not self.private_routes(node) and self.programs(node) == 0, "no routes and programs")
            self.assertEqual(self.metrics(node)["duet_nat64_pods"], 0)
        with self.subTest("cleanup"):
            pod = self.add(node, "last", clat="enabled")
            self.check_reached(pod, SERVER, seen)
            node.stop_agent()
            self.assertIn("Removed what translated", self.at(node, DUET, "cleanup").stdout)
            self.assertEqual((self.rules(node), self.private_routes(node), self.programs(node)), ("", [], 0))
            self.assertNotIn("100.127.", run("ip", "-n", pod.namespace, "addr").stdout)
            self.assertEqual(run("ip", "-n", pod.namespace, "-4", "route").stdout, "")

    def explain(self, node, pod, target):
        text = self.at(node, DUET, "explain", f"{pod.space}/{pod.name}", target, "--output", "json", "--node-name", node.name,
                       "--kubeconfig", f"{node.directory}/kubeconfig").stdout
        return json.loads(text)["translation"]

    def check_explanations(self, node, pod, seen, programs):
        with self.subTest("duet explain"):
            answer = self.explain(node, pod, f"[{SYNTHESIZED}]:7000")
            self.assertEqual(
                [answer[key] for key in ("destination", "engine", "privateAddress", "outcome", "sourceSeen", "isEgressAddress")],
                [SERVER, "kernel" if programs else "userspace", self.private(node, pod), "sent", seen, seen == EGRESS])
            for target, reason in (("172.31.1.254", "special"), (node.addresses[0], "nodes"), (self.private(node, pod), "pods")):
                answer = self.explain(node, pod, f"[64:ff9b::{target}]:7000")
                self.assertEqual((answer["outcome"], answer.get("reason")), ("refused", reason), target)
            answer = self.explain(node, pod, f"{SERVER}:7000")
            self.assertEqual((answer["outcome"], answer["embedded"]), ("untranslated", SYNTHESIZED))

    def check_switches(self, node, seen, programs):
        with self.subTest("annotations of pods and namespaces"):
            off = self.add(node, "off", nat64="disabled")
            quiet = self.add(node, "quiet", "quiet")
            loud = self.add(node, "loud", "quiet", nat64="enabled")
            self.check_reached(loud, SYNTHESIZED, seen)
            for pod in (off, quiet):
                self.assertIsNone(self.private(node, pod))
                self.failure(pod, SYNTHESIZED)
            self.assertGreater(self.metrics(node)['duet_nat64_drops_total{reason="unmappedSource"}'], 0)
            self.annotate(off, nat64="enabled")
            self.check_reached(off, SYNTHESIZED, seen)
            self.annotate(off, nat64="disabled")
            eventually(lambda: self.private(node, off) is None, "no private address")
            self.failure(off, SYNTHESIZED)
            for pod in (off, quiet, loud):
                self.delete(pod.name, pod.space)
            eventually(lambda: self.programs(node) == programs, "programs at the first pod's link alone")

    def python(self, namespace, script, *arguments):
        process = subprocess.Popen(["ip", "netns", "exec", namespace, sys.executable, "-c", script, *arguments], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for end in (process.stdin.close, process.stdout.close, process.wait, process.kill):
            self.addCleanup(end)
        return process

    def check_clat(self, node, seen):
        with self.subTest("464XLAT: software that knows IPv4 alone, in two pods with the same address and port"):
            pods = [self.add(node, name, clat="enabled") for name in ("old", "older")]
            for pod in pods:
                self.check_reached(pod, SERVER, seen)
                self.assertIn("inet 192.0.0.2/32", run("ip", "-n", pod.namespace, "-4", "addr").stdout)
                self.assertNotIn("100.127.", run("ip", "-n", pod.namespace, "addr").stdout)
            processes = [self.python(pod.namespace, LITERALS, SERVER) for pod in pods]
            for process in processes:
                lines = [process.stdout.readline().strip() for _ in range(6)]
                self.assertEqual(lines, ["inside 192.0.0.2", f"seen as {seen}", *(f"datagram {size}" for size in (100, 4000, 20000)), "ready"])
            for process in processes:
                process.stdin.write("go\n")
                process.stdin.flush()
                self.assertEqual(process.stdout.readline(), "refused\n")
            pod = pods[0]
            answer = self.explain(node, pod, f"{SERVER}:7000")
            self.assertEqual([answer[key] for key in ("engine", "privateAddress", "outcome", "sourceSeen")],
                             ["clat", self.private(node, pod, "clat"), "sent", seen])
            self.check_reached(pod, SYNTHESIZED, seen)
            self.ping(pod.namespace, SERVER)
            before = self.refused(node, "special")
            self.assertIn("No route to host", self.failure(pod, "172.31.1.254"))
            self.assertEqual(self.refused(node, "special"), before + 1)
            self.assertEqual(self.metrics(node)["duet_nat64_clat_pods"], 2)
        with self.subTest("464XLAT: an error of a pod finds whom it is for"):
            server = self.python(self.topology.router, CLOSED, SERVER)
            self.assertEqual(server.stdout.readline(), "bound\n")
            self.topology.exec(pod.namespace, sys.executable, "-c", "import socket, sys\n"
                               "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'one', (sys.argv[1], 7002))", SERVER)
            self.assertEqual(server.stdout.readline(), "heard\n")
            server.stdin.write("go\n")
            server.stdin.flush()
            self.assertEqual(server.stdout.readline(), "refused\n")
        with self.subTest("464XLAT: on and off"):
            self.assertEqual(run("ip", "-n", pod.namespace, "addr", "del", "192.0.0.2/32", "dev", "eth0").returncode, 0)
            self.check_reached(pod, SERVER, seen)
            self.annotate(pod, clat="disabled")
            eventually(lambda: self.private(node, pod, "clat") is None, "no address")
            eventually(lambda: "192.0.0.2" not in run("ip", "-n", pod.namespace, "addr").stdout, "no address in the pod")
            self.assertEqual(run("ip", "-n", pod.namespace, "-4", "route").stdout, "")
            for pod in pods:
                self.delete(pod.name, pod.space)

    def check_repair(self, node, pod, seen, programs):
        with self.subTest("what others take away comes back"):
            address = self.private(node, pod)
            self.at(node, "nft", "flush", "chain", "ip", "duet-nat64", "postrouting")
            eventually(lambda: "masquerade" in self.rules(node), "the rules")
            self.at(node, "nft", "delete", "table", "ip", "duet-nat64")
            eventually(lambda: "masquerade" in self.rules(node), "the table")
            self.at(node, "ip", "-6", "route", "del", "64:ff9b::/96", "dev", "duet-nat64")
            if programs:
                self.at(node, "ip", "route", "del", address)
            eventually(lambda: self.private(node, pod) == address and "masquerade" in self.rules(node), "the table")
            eventually(lambda: "duet-nat64" in self.at(node, "ip", "-6", "route", "show", "64:ff9b::/96").stdout, "the route")
            if programs:
                eventually(lambda: self.private_routes(node), "the pod's route")
                link = self.private_routes(node)[0].split(" dev ")[1].split()[0]
                self.at(node, "tc", "qdisc", "del", "dev", link, "clsact")
                eventually(lambda: self.programs(node) == programs, "the programs")
            self.check_reached(pod, SYNTHESIZED, seen)

    def check_restart(self, node, pod, programs):
        with self.subTest("an agent that is killed, and one that takes over"):
            address = self.private(node, pod)
            flow = self.stream(pod, SYNTHESIZED)
            self.exchange(flow)
            node.agent.kill()
            node.agent.wait()
            if programs:
                # What the kernel translates needs no agent, not even for a new connection.
                self.exchange(flow)
                self.exchange(self.stream(pod, SYNTHESIZED))
            node.start_agent(*node.options)
            self.exchange(flow)
            eventually(lambda: self.at(node, "curl", "-sf", "http://127.0.0.1:10256/metrics", check=False).returncode == 0, "metrics")
            self.exchange(flow)
            flow.stdin.close()
            self.assertEqual(self.private(node, pod), address)

    def test_options_that_contradict_each_other_are_refused(self):
        for options, problem in (
                (("--nat64", "auto", "--nat64-prefix", "fd64::/96", "--dns64-prefix", "64:ff9b::/96"), "answered with another prefix"),
                (("--nat64", "auto", "--nat64-pod-range", "fd00::/64"), "no IPv4 range"),
                (("--nat64", "auto", "--nat64-allow", "10.0.0.0/33"), "no IPv4 network"),
                (("--nat64", "auto", "--nat64-prefix", "64:ff9b::/97"), "RFC 6052")):
            result = run(DUET, "agent", "--kubeconfig", "/none", "--node-name", "n", *options, check=False)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(problem, result.stderr)


if __name__ == "__main__":
    unittest.main()
