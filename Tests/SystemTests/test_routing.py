"""Pods reach each other over every kind of network between the nodes: two links, a router that knows no pods, both families."""
import os
import time
import unittest

from support import eventually, run
from underlay import Topology, ip

KINDS = {"IPv4 only": (4,), "IPv6 only": (6,), "IPv4 primary": (4, 6), "IPv6 primary": (6, 4)}


class RoutingTest(unittest.TestCase):
    maxDiff = None

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
            number = node.number + 50
            node.addresses = [self.topology.address(node.link, number, family) for family in (4, 6)]
            ip(node.namespace, *(f"addr {verb} {self.topology.address(node.link, which, family, length=True)} dev up0 {'nodad' * (verb == 'add' and family == 6)}"
                                 for family in (4, 6) for verb, which in (("del", node.number), ("add", number))),
               *(f"route replace default via {self.topology.address(node.link, 254, family)}" for family in (4, 6)))
            node.publish()
            # Its connection to the API server hangs on the address that is gone.
            node.stop_agent()
            node.start_agent()
        start = time.monotonic()

        def works():
            self.check_all_pairs(nodes)
            return True
        eventually(works, "pods reach each other", 20)
        self.assertLess(time.monotonic() - start, 15)

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
