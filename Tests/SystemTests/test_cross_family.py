"""Services whose callers and pods have no family in common, through agents on nodes whose pods have different families."""
import ipaddress
import json
import os
import sys
import unittest

from support import DUET, eventually, run
from underlay import Topology, in_cgroup

NAMESPACE = "/api/v1/namespaces/default"
SERVICES = f"{NAMESPACE}/services"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
CLUSTER = {4: "10.96.0.{}", 6: "fd00:10:96::{}"}
DEVICE = "duet-services"
# Sends a datagram of a size to a target without forbidding fragments, as often as it takes; prints how many bytes came back.
DATAGRAM = """
import socket, sys
target, size = sys.argv[1], int(sys.argv[2])
with socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.settimeout(2)
    for _ in range(5):
        udp.sendto(bytes(size), (target, 7000))
        try:
            print(len(udp.recv(65536)))
            break
        except TimeoutError:
            pass
"""
# Prints what a server at a port says first.
SEEN = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as tcp:
    print(tcp.makefile().readline().strip())
"""
# Keeps a connection, and answers each line on its input with what the other end returns of it.
KEEP = """
import socket, sys
with socket.create_connection((sys.argv[1], 7000), 10) as tcp:
    tcp.settimeout(30)
    stream = tcp.makefile("rb")
    print(stream.readline().decode().strip(), flush=True)
    for line in sys.stdin:
        tcp.sendall(line.encode())
        print(stream.readline().decode().strip(), flush=True)
"""


def embedded(node, address):
    """An IPv4 address as the pods see it of whom a node translates."""
    block = next(ipaddress.ip_network(block) for block in node.blocks if ":" in block)
    return str(block.network_address + (0xFFFFFF << 32) + int(ipaddress.ip_address(address)))


def family(address):
    return ipaddress.ip_address(address).version


class CrossFamily(unittest.TestCase):
    # What the agent of the node with pods of both families is told.
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.topology = cls.make_topology()
        cls.addClassCleanup(cls.topology.__exit__)
        cls.topology.__enter__()
        cls.topology.start_server()
        # Node 1 is behind the router, so the others' pods are behind a tunnel for it.
        nodes = [cls.topology.add_node(number, (4, 6), pods, link)
                 for number, pods, link in ((1, (4, 6), "b"), (2, (6,), "a"), (3, (4,), "a"))]
        cls.both, cls.v6, cls.v4 = nodes
        for node in nodes:
            node.start_agent(*(cls.options if node is cls.both else ()))
        for node in nodes:
            eventually(node.configuration, f"{node.name} has a CNI configuration")
        cls.pods = {node.number: node.add_pod() for node in nodes}
        for node in nodes:
            cls.topology.echo(node.namespace)
        cls.numbers = 10
        cls.topology.make("xfam-out")
        router = cls.topology.router
        run("ip", "-n", router, "link", "add", "out", "type", "veth", "peer", "name", "eth0", "netns", "xfam-out")
        run("ip", "-n", router, "addr", "add", "198.51.100.1/24", "dev", "out")
        run("ip", "-n", router, "link", "set", "out", "up")
        run("ip", "-n", "xfam-out", "addr", "add", "198.51.100.7/24", "dev", "eth0")
        run("ip", "-n", "xfam-out", "link", "set", "eth0", "up")
        run("ip", "-n", "xfam-out", "route", "add", "default", "via", "198.51.100.1")

    @classmethod
    def make_topology(cls):
        return Topology("xfam")

    def tearDown(self):
        for node in self.topology.nodes.values():
            if node.agent.poll() is not None:
                with open(node.log) as file:
                    self.fail(f"{node.name}: {file.read()[-2000:]}")

    def service(self, families, pod, node, annotation="enabled", status=None, **spec):
        """Makes a Service of the families whose only endpoint is a pod, known by its first address; its addresses."""
        number = type(self).numbers = self.numbers + 1
        name = f"s{number}"
        addresses = {version: CLUSTER[version].format(number) for version in families}
        self.topology.api("POST", SERVICES, {
            "metadata": {"name": name, "annotations": {"network.duet.dev/cross-family": annotation} if annotation else {}},
            "spec": {"ipFamilies": [f"IPv{version}" for version in families], "clusterIPs": list(addresses.values()),
                     "clusterIP": next(iter(addresses.values())),
                     "ports": [{"name": protocol.lower(), "port": 7000, "protocol": protocol} for protocol in ("TCP", "UDP")], **spec}})
        if status:
            self.topology.api("PATCH", f"{SERVICES}/{name}/status", {"status": {"loadBalancer": {"ingress": [{"ip": status}]}}}, patch=True)
        address = pod.addresses[0]
        own = family(address) in families
        self.topology.api("POST", SLICES, {
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name" if own else "network.duet.dev/service-name": name}},
            "addressType": f"IPv{family(address)}", "endpoints": [{"addresses": [address], "nodeName": node.name}],
            "ports": [{"name": protocol.lower(), "port": 7000, "protocol": protocol} for protocol in ("TCP", "UDP")]})
        return name, addresses

    def remove(self, *names):
        for name in names:
            self.topology.api("DELETE", f"{SLICES}/{name}", missing_ok=True)
            self.topology.api("DELETE", f"{SERVICES}/{name}")

    def reach(self, namespace, targets):
        """Calls targets until all answer; the source that each saw."""
        def answers():
            results = self.topology.call(namespace, [(target, 0) for target in targets])
            failed = {target: result for target, result in results.items() if result[1] is False}
            self.assertEqual(failed, {}, f"calls from {namespace}")
            return {target: result[0] for target, result in results.items()}
        return eventually(answers, f"{namespace} reaches {targets}")

    def links(self):
        return {node.name for node in self.topology.nodes.values()
                if run("ip", "-n", node.namespace, "link", "show", DEVICE, check=False).returncode == 0}

    def translations(self, node):
        """What stands for what on a node, as its kernel has it."""
        pairs = {}
        for table in ("ip", "ip6"):
            text = self.topology.exec(node.namespace, "nft", "-j", "list", "map", table, "duet-proxy", "stand-ins").stdout
            for entry in json.loads(text)["nftables"]:
                pairs |= {key: value for key, value in entry.get("map", {}).get("elem", [])}
        return pairs

    def test_every_pair_of_families(self):
        names, targets = [], {}
        for version in (4, 6):
            for pod, node in ((self.pods[2], self.v6), (self.pods[3], self.v4)):
                name, addresses = self.service((version,), pod, node)
                names.append(name)
                targets[version, family(pod.addresses[0])] = addresses[version]
        dual = self.pods[1]
        own = {family(address): address for address in dual.addresses}
        with self.subTest("a pod of both families"):
            seen = self.reach(dual.namespace, targets.values())
            self.assertEqual(seen[targets[4, 4]], own[4])
            self.assertEqual(seen[targets[6, 6]], own[6])
            self.assertEqual(seen[targets[4, 6]], embedded(self.both, own[4]), "an IPv4 caller is known by its address")
            self.assertEqual(family(seen[targets[6, 4]]), 4)
        # Behind a node without a block of IPv6 pods callers are seen as the node; the other way they are in any case.
        with self.subTest("a pod of IPv6 alone"):
            self.reach(self.pods[2].namespace, [targets[6, 4], targets[6, 6]])
        with self.subTest("a pod of IPv4 alone"):
            self.reach(self.pods[3].namespace, [targets[4, 6], targets[4, 4]])
        with self.subTest("a node itself"):
            self.reach(self.both.namespace, targets.values())
        with self.subTest("a large datagram"):
            for target in (targets[4, 6], targets[6, 4]):
                size = self.topology.exec(dual.namespace, sys.executable, "-c", DATAGRAM, target, "8000").stdout.strip()
                self.assertEqual(size, "8000", target)
        with self.subTest("nobody gets elsewhere by the translator"):
            anywhere = embedded(self.both, self.both.addresses[0])
            result = self.topology.call(self.pods[2].namespace, [(anywhere, 0)])[anywhere]
            self.assertIs(result[1], False, result)
        with self.subTest("duet explain"):
            text = self.explain(self.both, own[4], f"{targets[4, 6]}:7000")
            self.assertIn(f"for [{self.pods[2].addresses[0]}]:7000", text)
            self.assertIn(f"translated to IPv6, sees {embedded(self.both, own[4])}", text)
        with self.subTest("metrics"):
            text = self.topology.exec(self.both.namespace, "curl", "-s", "http://127.0.0.1:10256/metrics").stdout
            counts = dict(line.split() for line in text.splitlines() if line.startswith("duet_proxy_translation_packets_total"))
            self.assertEqual(len(counts), 2, text)
            self.assertTrue(all(int(count) > 0 for count in counts.values()), counts)
        # An endpoint that goes is refused at once, as in any Service.
        self.topology.api("DELETE", f"{SLICES}/{names[0]}")
        eventually(lambda: self.assertIn("Refused", self.topology.call(dual.namespace, [(targets[4, 6], 0)])[targets[4, 6]][0]) or True,
                   "a Service without endpoints refuses")
        self.remove(*names)
        eventually(lambda: not self.links(), "the link goes with the last Service that needs it")
        self.assertEqual({node.name: self.translations(node) for node in self.topology.nodes.values()},
                         {node.name: {} for node in self.topology.nodes.values()})

    def explain(self, node, caller, target):
        return self.topology.exec(
            node.namespace, DUET, "explain", caller, target, "--kubeconfig", f"{node.directory}/kubeconfig", "--node-name", node.name).stdout

    def test_ipv4_callers_outside_reach_services_of_ipv6_alone(self):
        address = "203.0.113.80"
        outside = "198.51.100.7"
        results = {}
        for policy, node in (("Local", self.v6), ("Cluster", self.both)):
            name, _ = self.service((6,), self.pods[2], self.v6, status=address, type="LoadBalancer", externalTrafficPolicy=policy)
            run("ip", "-n", self.topology.router, "route", "replace", address, "via", node.addresses[0])
            results[policy] = self.reach("xfam-out", [address])[address]
            service = json.loads(self.topology.api("GET", f"{SERVICES}/{name}"))
            self.assertEqual((service["spec"]["ipFamilies"], service["spec"]["ipFamilyPolicy"]), (["IPv6"], "SingleStack"))
            port = service["spec"]["ports"][0]["nodePort"]
            connected = self.topology.exec("xfam-out", sys.executable, "-c", SEEN, node.addresses[0], str(port)).stdout
            self.assertEqual(connected.strip(), embedded(node, outside), f"the node port with {policy}")
            self.remove(name)
        self.assertEqual(results, {"Local": embedded(self.v6, outside), "Cluster": embedded(self.both, outside)})

    def test_connections_outlast_the_agent(self):
        # IPv4 pods are behind a node that hides its callers, IPv6 pods are not: both ways keep state in the kernel alone.
        dual = self.pods[1]
        names, targets = [], []
        for version, pod, node in ((4, self.pods[2], self.v6), (6, self.pods[3], self.v4)):
            name, addresses = self.service((version,), pod, node)
            names.append(name)
            targets.append(addresses[version])
        self.reach(dual.namespace, targets)
        before = self.translations(self.both)
        clients = []
        for target in targets:
            client = self.topology.spawn(dual.namespace, sys.executable, "-c", KEEP, target, text=True,
                                         stdin=-1, stdout=-1, bufsize=1)
            clients.append(client)
            self.assertTrue(client.stdout.readline())
        self.both.agent.kill()
        self.both.agent.wait(timeout=20)
        self.assertIn(self.both.name, self.links(), "the link stays with its addresses")
        for client in clients:
            client.stdin.write("while it is away\n")
            client.stdin.flush()
        self.both.start_agent(*self.options)
        for client in clients:
            self.assertEqual(client.stdout.readline(), "while it is away\n")
            client.stdin.close()
            client.wait(timeout=20)
            client.stdout.close()
        self.assertEqual(self.translations(self.both), before, "stand-ins are the same")
        self.remove(*names)

    def test_endpoints_are_published_beside_another_control_plane(self):
        publisher = self.topology.spawn(self.both.namespace, DUET, "translated-endpoints", "--kubeconfig", f"{self.both.directory}/kubeconfig")
        name, address = "beside", CLUSTER[4].format(9)
        self.topology.api("POST", SERVICES, {
            "metadata": {"name": name, "annotations": {"network.duet.dev/cross-family": "enabled"}},
            "spec": {"ipFamilies": ["IPv4"], "clusterIP": address, "selector": {"app": "six"}, "ports": [{"port": 7000}]}})
        pods = "/api/v1/namespaces/default/pods"
        self.topology.api("POST", pods, {
            "metadata": {"name": "six", "labels": {"app": "six"}},
            "spec": {"nodeName": self.v6.name, "containers": [{"name": "main", "image": "none"}]}})
        own = self.pods[2].addresses[0]
        self.topology.api("PATCH", f"{pods}/six/status", {"status": {
            "phase": "Running", "podIP": own, "podIPs": [{"ip": own}], "conditions": [{"type": "Ready", "status": "True"}]}}, patch=True)
        self.reach(self.pods[1].namespace, [address])

        def published():
            return [entry for entry in json.loads(self.topology.api("GET", SLICES))["items"]
                    if entry["metadata"].get("labels", {}).get("network.duet.dev/service-name") == name]
        slices = published()
        self.assertEqual([(entry["addressType"], entry["endpoints"][0]["addresses"]) for entry in slices], [("IPv6", [own])])
        self.assertNotIn("kubernetes.io/service-name", slices[0]["metadata"]["labels"])
        self.ask(f"{SERVICES}/{name}", None)
        eventually(lambda: self.assertEqual(published(), []) or True, "nobody asks any more")
        self.ask(NAMESPACE, "enabled")
        self.reach(self.pods[1].namespace, [address])
        self.ask(NAMESPACE, None)
        eventually(lambda: self.assertEqual(published(), []) or True, "the namespace does not ask any more")
        self.ask(f"{SERVICES}/{name}", "enabled")
        self.reach(self.pods[1].namespace, [address])
        self.topology.api("DELETE", f"{pods}/six?gracePeriodSeconds=0")
        eventually(lambda: "Refused" in self.topology.call(self.pods[1].namespace, [(address, 0)])[address][0], "no endpoint any more")
        publisher.terminate()
        self.assertEqual(publisher.wait(timeout=20), 0)
        self.topology.api("DELETE", f"{SERVICES}/{name}")
        for entry in published():
            self.topology.api("DELETE", f"{SLICES}/{entry['metadata']['name']}")

    def ask(self, path, text):
        """Lets a Service, or a namespace, say something about translation; None takes that back."""
        self.topology.api("PATCH", path, {"metadata": {"annotations": {"network.duet.dev/cross-family": text}}}, patch=True)

    def test_a_namespace_asks_for_its_services(self):
        # Two that say nothing, of which one is called at an address of the other family alone, and one that refuses.
        outside = "192.0.2.77"
        silent, cluster = self.service((4,), self.pods[2], self.v6, annotation=None)
        foreign, _ = self.service((6,), self.pods[2], self.v6, annotation=None, status=outside, type="LoadBalancer")
        denying, denied = self.service((4,), self.pods[2], self.v6, annotation="disabled")

        def refused(*addresses):
            results = self.topology.call(self.pods[1].namespace, [(address, 0) for address in addresses])
            for address in addresses:
                self.assertIn("Refused", results[address][0])
            return True
        eventually(lambda: refused(cluster[4], denied[4]), "nobody asks")
        self.ask(NAMESPACE, "enabled")
        self.reach(self.pods[1].namespace, [cluster[4], outside])
        refused(denied[4])
        own = next(address for address in self.pods[1].addresses if family(address) == 4)
        self.assertIn(self.pods[2].addresses[0], self.explain(self.both, own, f"{cluster[4]}:7000"))
        self.ask(NAMESPACE, "disabled")
        eventually(lambda: refused(cluster[4]), "the namespace refuses")
        self.ask(NAMESPACE, None)
        self.remove(silent, foreign, denying)

    def test_what_is_spoilt_is_repaired_and_cleanup_leaves_nothing(self):
        name, addresses = self.service((4,), self.pods[2], self.v6)
        self.reach(self.pods[1].namespace, [addresses[4]])
        run("ip", "-n", self.both.namespace, "link", "del", DEVICE)
        self.reach(self.pods[1].namespace, [addresses[4]])
        # Another annotation takes it back.
        self.ask(f"{SERVICES}/{name}", "disabled")
        eventually(lambda: not self.links(), "a Service that does not ask any more needs no link")
        self.ask(f"{SERVICES}/{name}", "enabled")
        self.reach(self.pods[1].namespace, [addresses[4]])
        self.both.stop_agent()
        self.topology.exec(self.both.namespace, DUET, "cleanup")
        self.assertNotIn(self.both.name, self.links())
        self.both.start_agent(*self.options)
        self.reach(self.pods[1].namespace, [addresses[4]])
        self.remove(name)


class LedTopology(Topology):
    """Programs of some namespaces run in a cgroup."""

    def __init__(self, name, cgroup, namespaces):
        super().__init__(name)
        self.cgroup, self.led = cgroup, namespaces

    def joining(self, namespace, command):
        return in_cgroup(self.cgroup, *command) if namespace in self.led else command

    def exec(self, namespace, *command, cgroups=False, **options):
        return super().exec(namespace, *self.joining(namespace, command), cgroups=cgroups or namespace in self.led, **options)

    def spawn(self, namespace, *command, cgroups=False, **options):
        # Agents are no callers: what they do is led by nobody.
        if DUET in command:
            return super().spawn(namespace, *command, cgroups=cgroups, **options)
        return super().spawn(namespace, *self.joining(namespace, command), cgroups=cgroups or namespace in self.led, **options)


class CrossFamilyAtConnectTime(CrossFamily):
    """The same where programs of a cgroup lead the calls of the node with pods of both families, and of its pod."""

    @classmethod
    def setUpClass(cls):
        name = f"dt-x{os.getpid() % 10000}"
        mount = run("findmnt", "-rn", "-t", "cgroup2", "-o", "TARGET").stdout.split()[0]
        cls.cgroup = f"{mount}/{name}"
        cls.options = ("--connect-time-balancing", "--connect-time-cgroup", name)
        os.mkdir(cls.cgroup)
        cls.addClassCleanup(eventually, cls.is_removed, "the cgroup goes")
        super().setUpClass()
        cls.addClassCleanup(cls.clean)

    @classmethod
    def make_topology(cls):
        return LedTopology("xfam", cls.cgroup, ("xfam-n1", "xfam-n1p1"))

    @classmethod
    def clean(cls):
        cls.both.stop_agent()
        cls.topology.exec(cls.both.namespace, DUET, "cleanup")

    @classmethod
    def is_removed(cls):
        try:
            os.rmdir(cls.cgroup)
        except OSError as error:
            raise AssertionError(error) from error
        return True

    def test_calls_are_led(self):
        names, targets = [], []
        for version, pod, node in ((4, self.pods[2], self.v6), (6, self.pods[3], self.v4)):
            name, addresses = self.service((version,), pod, node)
            names.append(name)
            targets.append(addresses[version])
        self.reach(self.pods[1].namespace, targets)
        run("ip", "netns", "exec", self.both.namespace, "conntrack", "-F")
        self.reach(self.pods[1].namespace, targets)
        for target in targets:
            listing = run("ip", "netns", "exec", self.both.namespace, "conntrack", "-L", "-f", f"ipv{family(target)}", "-d", target)
            self.assertEqual(listing.stdout, "", "the kernel tracks calls of the Service's address")
        self.remove(*names)
