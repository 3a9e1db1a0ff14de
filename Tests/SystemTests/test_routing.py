"""Pods reach each other over every kind of network between the nodes: two links, a router that knows no pods, both families."""
import ipaddress
import json
import os
import time
import unittest

from support import eventually, run
from underlay import Topology, ip

# Tells everybody on link A of a router, which lives so many seconds, and of a prefix to make addresses in.
ADVERTISE = """
import sys
from scapy.all import Ether, IPv6, ICMPv6ND_RA, ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, get_if_hwaddr, sendp
mac = get_if_hwaddr("link-a")
sendp(Ether(src=mac, dst="33:33:00:00:00:01") / IPv6(src="fe80::254", dst="ff02::1", hlim=255) / ICMPv6ND_RA(routerlifetime=int(sys.argv[1]))
      / ICMPv6NDOptPrefixInfo(prefix="fd31:1::", prefixlen=64, A=1, L=1, validlifetime=3600, preferredlifetime=1800)
      / ICMPv6NDOptSrcLLAddr(lladdr=mac), iface="link-a", verbose=False)
"""

KINDS = {"IPv4 only": (4,), "IPv6 only": (6,), "IPv4 primary": (4, 6), "IPv6 primary": (6, 4)}


class RoutingBase(unittest.TestCase):
    maxDiff = None

    def check_all_pairs(self, nodes):
        """Every pod and node speaks TCP to every pod, and pods to nodes; pods are seen as themselves by pods."""
        for node in nodes:
            others = [other for other in nodes if other is not node]
            pod = node.pods[0]
            theirs = [address for other in others for address in other.pods[0].addresses]
            seen = self.topology.call(pod.namespace, [(address, pod.mtu) for address in theirs])
            for address in theirs:
                own = next(own for own in pod.addresses if (":" in own) == (":" in address))
                self.assertEqual(seen[address], [own, True], f"{node.name}'s pod to {address}")
            seen = self.topology.call(node.namespace, [(address, 0) for address in theirs])
            for address in theirs:
                self.assertRegex(seen[address][0], r"^[0-9a-f:.]+$", f"{node.name} itself to {address}")
            reachable = [address for other in others for address in other.addresses
                         if any((":" in own) == (":" in address) for own in pod.addresses)
                         and any((":" in own) == (":" in address) for own in node.addresses)]
            seen = self.topology.call(pod.namespace, [(address, 0) for address in reachable])
            for address in reachable:
                self.assertRegex(seen[address][0], r"^[0-9a-f:.]+$", f"{node.name}'s pod to the node {address}")

    def change_address(self, node, families):
        """Gives a node other addresses on its link, and its Node too."""
        number = node.number + 50
        node.addresses = [self.topology.address(node.link, number, family) for family in families]
        ip(node.namespace, *(f"addr {verb} {self.topology.address(node.link, which, family, length=True)} dev up0 {'nodad' * (verb == 'add' and family == 6)}"
                             for family in families for verb, which in (("del", node.number), ("add", number))),
           *(f"route replace default via {self.topology.address(node.link, 254, family)}" for family in families))
        node.publish()


class RoutingTest(RoutingBase):
    @classmethod
    def setUpClass(cls):
        cls.topology = Topology(f"dt-rt{os.getpid() % 10000}")
        cls.topology.__enter__()
        cls.addClassCleanup(cls.topology.__exit__, None, None, None)
        cls.topology.start_server()

    def tearDown(self):
        self.topology.remove_nodes()

    def cluster(self, underlay, pods, *options):
        """Three nodes with agents whose routes stand, a pod on each, and something that answers everywhere."""
        nodes = [self.topology.add_node(number, underlay, pods, "a" if number < 3 else "b")
                 for number in (1, 2, 3)]
        for node in nodes:
            node.start_agent(*options)
            self.topology.echo(node.namespace)
        for node in nodes:
            blocks = {block for other in nodes if other is not node for block in other.blocks}
            eventually(lambda: set(node.routes()) == blocks and node.configuration(), f"{node.name} has its routes", 30)
            node.add_pod()
        return nodes

    def check(self, underlay, *options):
        for kind, pods in KINDS.items():
            with self.subTest(underlay=underlay, pods=kind, options=options):
                try:
                    self.check_all_pairs(self.cluster(underlay, pods, *options))
                finally:
                    self.topology.remove_nodes()

    def test_an_ipv4_underlay_carries_pods_of_every_kind(self):
        self.check((4,))

    def test_an_ipv6_underlay_carries_pods_of_every_kind(self):
        self.check((6,))

    def test_an_underlay_of_both_families_carries_pods_of_every_kind(self):
        self.check((4, 6))

    def test_everything_goes_through_tunnels_when_that_is_asked_for(self):
        self.check((6, 4), "--route-mode", "vxlan")

    def test_a_link_of_1280_bytes_takes_ipv4_through_a_tunnel_and_refuses_ipv6_with_the_reason(self):
        nodes = [self.topology.add_node(number, (4,), (4, 6), link, mtu) for number, link, mtu in ((1, "a", 1500), (3, "b", 1280))]
        for node in nodes:
            node.start_agent()
            self.topology.echo(node.namespace)
        for node in nodes:
            eventually(lambda: "10.244." in str(node.routes()) and node.configuration(), f"{node.name} has its route", 30)
            node.add_pod()
        self.assertEqual(set(nodes[1].routes()), {"10.244.1.0/24"})
        with open(nodes[1].log) as file:
            self.assertRegex(file.read(), "fd00:10:244:1::/64: packets to node node-1 hold at most 1280 bytes, 1230 inside VXLAN "
                             "over IPv4, and IPv6 needs 1280: raise the MTU of the link to at least 1330")
        # The narrow link is behind a router for one side, and its own for the other: both learn of it on the way.
        for node, other in (nodes, reversed(nodes)):
            target = next(address for address in other.pods[0].addresses if ":" not in address)
            self.assertEqual(self.topology.call(node.pods[0].namespace, [(target, 0)])[target][0],
                             next(address for address in node.pods[0].addresses if ":" not in address))

    def test_a_node_whose_address_changes_is_reached_again(self):
        nodes = self.cluster((4, 6), (4, 6))
        for node in (nodes[0], nodes[2]):
            self.change_address(node, (4, 6))

        def works():
            self.check_all_pairs(nodes)
            return True
        # The agents' connections to the API server hang on the address that is gone: they are made anew.
        eventually(works, "pods reach each other", 60)

    def test_agents_that_end_leave_the_network_as_it_is_and_adopt_it_when_they_start(self):
        nodes = self.cluster((4, 6), (4, 6))
        for node in nodes:
            node.stop_agent()
        self.check_all_pairs(nodes)
        before = [(node.routes(), run("ip", "-n", node.namespace, "-o", "link").stdout) for node in nodes]
        for node in nodes:
            node.start_agent()
        time.sleep(2)
        self.check_all_pairs(nodes)
        self.assertEqual(before, [(node.routes(), run("ip", "-n", node.namespace, "-o", "link").stdout) for node in nodes])

    def test_what_a_router_advertises_stays_and_temporary_addresses_are_no_source(self):
        node, other = (self.topology.add_node(number, (4, 6), (4, 6)) for number in (1, 2))
        # The node listens to routers, and makes itself temporary addresses out of what they say.
        ip(node.namespace, f"route del default via {self.topology.address('a', 254, 6)}")
        self.topology.exec(node.namespace, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=0", "net.ipv6.conf.up0.accept_ra=1",
                           "net.ipv6.conf.up0.autoconf=1", "net.ipv6.conf.up0.use_tempaddr=2")

        def advertise(lifetime):
            self.topology.exec(self.topology.router, "/usr/bin/python3", "-c", ADVERTISE, str(lifetime))

        def default():
            return run("ip", "-n", node.namespace, "-6", "route", "show", "default", "proto", "ra").stdout

        def learned():
            advertise(600)
            return default()
        eventually(learned, "the node has a default route of the router's")
        temporary = eventually(lambda: [entry["local"] for link in json.loads(run("ip", "-n", node.namespace, "-6", "-j", "addr").stdout)
                                        for entry in link["addr_info"] if entry.get("temporary")], "a temporary address")
        for each in (node, other):
            each.start_agent()
        for each in (node, other):
            eventually(lambda: len(each.routes()) == 2 and each.configuration(), "routes")
        self.assertEqual(self.topology.exec(node.namespace, "sysctl", "-n", "net.ipv6.conf.all.forwarding").stdout, "1\n")
        self.assertTrue(default(), "it is still there")
        routes = "".join(node.routes().values())
        self.assertIn("src fd31:1::1 ", routes)
        self.assertFalse([address for address in temporary if address in routes])
        # And the router is still listened to.
        advertise(5000)
        eventually(lambda: int(default().split("expires ")[1].split("sec")[0]) > 4000, "a new advertisement counts")

    def test_an_agent_without_network_ends_at_once(self):
        node = self.topology.add_node(1, (4, 6), (4, 6))
        node.start_agent()
        eventually(node.configuration, "the agent works")
        ip(self.topology.router, f"link del {self.topology.name[-6:]}-1")
        # It is at work on a connection that nobody answers any more when it is told to end.
        node.agent.terminate()
        start = time.monotonic()
        node.agent.wait(timeout=60)
        self.assertLess(time.monotonic() - start, 10, "the limit is 2 s on a machine that is not busy")


# Left-over prefixes of each family, and the length of a node's block.
FRAGMENTS = {4: (["10.244.12.0/27", "10.244.77.0/28", "10.244.200.0/27"], 28), 6: (["fd00:10:244:8::/63", "fd00:10:244:f0::/62"], 64)}
SERVICES = {4: "10.96.0.0/24", 6: "fd00:10:96::/112"}


class EveryKindOfCluster(RoutingBase):
    """Addresses, plugins, routes, tunnels, masquerading and repair together: three nodes, two links, blocks of left-over prefixes."""

    def test_ipv4_only(self):
        self.check_kind((4,))

    def test_ipv6_only(self):
        self.check_kind((6,))

    def test_ipv4_primary(self):
        self.check_kind((4, 6))

    def test_ipv6_primary(self):
        self.check_kind((6, 4))

    def prepare(self, families):
        name = f"dt-k{''.join(map(str, families))}{os.getpid() % 10000}"
        self.topology = Topology(name)
        self.topology.__enter__()
        self.addCleanup(self.topology.__exit__, None, None, None)
        self.topology.start_server("--cluster-cidr", "", "--service-cluster-ip-range", ",".join(SERVICES[family] for family in families),
                                   families=families)
        self.topology.api("POST", "/apis/network.duet.dev/v1alpha1/addresspools", {"metadata": {"name": "left"}, "spec": {
            "purpose": "Pods", "prefixes": [{"cidr": cidr} for family in families for cidr in FRAGMENTS[family][0]],
            "blockSize": {f"ipv{family}": FRAGMENTS[family][1] for family in families}}})
        nodes = [self.topology.add_node(number, families, (), "a" if number < 3 else "b") for number in (1, 2, 3)]
        for node in nodes:
            node.start_agent()
            self.topology.echo(node.namespace)
        self.topology.echo(self.topology.router)
        return nodes

    def blocks(self, node):
        text = self.topology.api("GET", f"/apis/network.duet.dev/v1alpha1/nodenetworks/{node.name}")
        return [block["cidr"] for block in json.loads(text)["spec"]["blocks"]]

    def wait_for_routes(self, nodes):
        blocks = {node.name: set(self.blocks(node)) for node in nodes}
        for node in nodes:
            wanted = set().union(*(blocks[other.name] for other in nodes if other is not node))
            eventually(lambda: set(node.routes()) == wanted, f"{node.name} has its routes")

    def check_kind(self, families):
        nodes = self.prepare(families)
        first, second, third = nodes
        for node in nodes:
            self.assertEqual([4 if "." in block else 6 for block in node.blocks], list(families))
            eventually(node.configuration, "the CNI configuration")
            node.add_pod()
            self.assertEqual([4 if "." in address else 6 for address in node.pods[0].addresses], list(families))
        self.wait_for_routes(nodes)
        self.check_all_pairs(nodes)
        # Nodes of the other link are reached through a tunnel, the router sees no pod.
        for node, tunnels in ((first, True), (third, True)):
            self.assertEqual("duet-vxlan" in run("ip", "-n", node.namespace, "-o", "link").stdout, tunnels)
        # What leaves the cluster has the node's address: the router knows no other.
        for node in nodes:
            outside = [self.topology.address(node.link, 254, family) for family in families]
            seen = self.topology.call(node.pods[0].namespace, [(address, 0) for address in outside])
            self.assertEqual([seen[address][0] for address in outside], node.addresses)
        if 4 in families:
            self.check_further_block(nodes)
        self.check_repair(nodes)
        # The node's address changes under the agent, which goes on by itself.
        self.change_address(third, families)
        eventually(lambda: self.check_all_pairs(nodes) or True, "pods reach each other under the new address")
        before = [node.routes() for node in nodes]
        first.stop_agent()
        self.check_all_pairs(nodes)
        first.start_agent()
        self.check_all_pairs(nodes)
        self.assertEqual([node.routes() for node in nodes], before)

    def check_further_block(self, nodes):
        """A node whose block fills up gets another one, of another prefix if need be, and its pods are reached there."""
        node = nodes[0]
        before = self.blocks(node)
        for number in range(10):
            node.plugin("ADD", f"filler-{number}", "/proc/1/ns/net", "host-local")
        eventually(lambda: len(self.blocks(node)) > len(before), "a further block")
        further = next(ipaddress.ip_network(block) for block in self.blocks(node) if block not in before)
        eventually(lambda: str(further) in json.dumps(node.configuration()), "the runtime is told of it")
        for number in range(10, 14):
            node.plugin("ADD", f"filler-{number}", "/proc/1/ns/net", "host-local")
        pod = node.add_pod()
        self.assertTrue(any(ipaddress.ip_address(address) in further for address in pod.addresses))
        self.wait_for_routes(nodes)
        for other in nodes[1:]:
            seen = self.topology.call(other.pods[0].namespace, [(address, 0) for address in pod.addresses])
            for address, own in zip(pod.addresses, other.pods[0].addresses):
                self.assertEqual(seen[address][0], own)

    def check_repair(self, nodes):
        node = nodes[0]
        wanted = node.routes()
        for destination in wanted:
            ip(node.namespace, f"route del {destination}")
        eventually(lambda: set(node.routes()) == set(wanted), "deleted routes are back")
        for destination in wanted:
            router = self.topology.address(node.link, 254, 6 if ":" in destination else 4)
            ip(node.namespace, f"route replace {destination} via {router} metric 1024")
        eventually(lambda: set(node.routes()) == set(wanted), "replaced routes are back")

        def links():
            names = [line.split(": ")[1].split("@")[0] for line in run("ip", "-n", node.namespace, "-o", "link").stdout.splitlines()]
            return {name for name in names if name.startswith("duet-vxlan") or name == "stolen"}
        tunnels = links()
        for damage in ("del {}", "set {} name stolen"):
            for tunnel in tunnels:
                ip(node.namespace, f"link {damage.format(tunnel)}")
            eventually(lambda: links() == tunnels and set(node.routes()) == set(wanted), f"a tunnel is back after: {damage}")
        self.topology.exec(node.namespace, "sysctl", "-qw", "net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0")
        self.topology.exec(node.namespace, "nft", "delete", "table", "inet", "duet-masquerade")
        eventually(lambda: "duet-masquerade" in self.topology.exec(node.namespace, "nft", "list", "tables").stdout, "masquerading is back", 20)
        eventually(lambda: self.check_all_pairs(nodes) or True, "pods reach each other again")
