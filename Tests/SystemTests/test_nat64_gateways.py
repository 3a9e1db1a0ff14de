"""Gateway nodes: two nodes without IPv4 send what their pods have for IPv4 to nodes that have it, with real packets on the way."""
import json
import unittest

import translated_nodes
from support import eventually, run
from translated_nodes import EGRESS, SERVER, SYNTHESIZED
from underlay import ip

ANNOTATION = "network.duet.dev/nat64-gateway"
# Passes every tunnel as it is.
SIZE = 1280


class Gateways(translated_nodes.TranslatedNodes):
    def start_all(self, *options, far_link="a"):
        """Nodes 1 and 2 have no IPv4; 8 and 9 have it, and are the gateways."""
        nodes = [self.topology.add_node(number, (6,), (6,), link=far_link if number == 2 else "a") for number in (1, 2)]
        nodes += [self.topology.add_node(number, (4, 6), (6,)) for number in (8, 9)]
        ip(nodes[3].namespace, f"addr add {EGRESS}/24 dev up0")
        self.mark(nodes[2], "enabled")
        self.mark(nodes[3], EGRESS)
        for node in nodes:
            node.options = [*options, "--dns-upstream", f"[{self.upstream}]:5300", "--dns-local-address", "fd00:53::53"]
            node.start_agent(*node.options)
        for node in nodes:
            eventually(node.configuration, "the CNI configuration")
            eventually(lambda: self.rules(node), "the table")
        return nodes

    def mark(self, node, value):
        self.topology.api("PATCH", f"/api/v1/nodes/{node.name}", {"metadata": {"annotations": {ANNOTATION: value}}}, patch=True)

    def ready(self, node, status):
        self.topology.api("PATCH", f"/api/v1/nodes/{node.name}/status", {"status": {"conditions": [
            {"type": "Ready", "status": status, "reason": "Test", "message": ""}]}}, patch=True)

    def gateway(self, node):
        """By which node a node's packets leave, as its kernel has it."""
        text = run("ip", "-n", node.namespace, "-4", "route", "show", "table", "69").stdout
        found = [other for other in self.topology.nodes.values() if f"via inet6 {other.addresses[-1]} dev" in text or f"via {self.standing(other)} dev" in text]
        self.assertLessEqual(len(found), 1, text)
        return found[0] if found else None

    @staticmethod
    def standing(node):
        """The address that stands for a node at gateways: the number of its block says it."""
        return f"100.126.0.{int(str(node.number), 16)}"

    def seen(self, gateway):
        return EGRESS if gateway.number == 9 else gateway.addresses[0]

    def check(self, *options, far_link="a"):
        nodes = self.start_all(*options, far_link=far_link)
        senders, gateways = nodes[:2], nodes[2:]
        pods = [self.add(node, f"client-{node.number}") for node in senders]
        eventually(lambda: all(self.gateway(node) for node in senders), "gateways of both")
        with self.subTest("what the server sees is the gateway's address, whatever node the pod is on"):
            for node, pod in zip(senders, pods):
                self.assertNotIn("inet ", run("ip", "-n", node.namespace, "-4", "addr", "show", "dev", "up0").stdout)
                self.check_reached(pod, SYNTHESIZED, self.seen(self.gateway(node)), SIZE)
                self.ping(pod.namespace, SYNTHESIZED)
        first, pod = senders[0], pods[0]
        with self.subTest("counted and told on both"):
            gateway = self.gateway(first)
            answer = self.explain(first, pod, f"[{SYNTHESIZED}]:7000")
            self.assertEqual([answer[key] for key in ("outcome", "gateway", "addressAtGateway", "sourceSeen")],
                             ["sent", gateway.name, self.standing(first), EGRESS if gateway.number == 9 else None])
            self.assertEqual(self.metrics(first)['duet_nat64_gateway_active{role="sender"}'], 1)
            figures = self.metrics(gateway)
            self.assertEqual(figures['duet_nat64_gateway_active{role="gateway"}'], 1)
            self.assertGreater(figures['duet_nat64_forwarded_bytes_total{direction="from-nodes"}'], 100_000)
            self.assertGreater(figures['duet_nat64_forwarded_bytes_total{direction="to-nodes"}'], 100_000)
        with self.subTest("refused before it gets there, and at the gateway what only that knows"):
            before = self.refused(first, "special")
            self.check_prohibited(pod, "64:ff9b::172.31.1.254")
            self.assertGreater(self.refused(first, "special"), before)
            ip(gateway.namespace, "addr add 9.9.9.77/32 dev lo")
            before = self.refused(gateway, "nodes")
            self.check_prohibited(pod, "64:ff9b::9.9.9.77")
            self.assertGreater(self.refused(gateway, "nodes"), before)
        with self.subTest("nobody begins from outside"):
            before = self.refused(gateway, "unasked")
            ip(self.topology.router, f"route add {self.standing(first)} via {gateway.addresses[0]}")
            self.ping(self.topology.router, self.standing(first), check=False)
            self.assertEqual(self.refused(gateway, "unasked"), before + 1)
            ip(self.topology.router, f"route del {self.standing(first)}")
        with self.subTest("a node's own processes"):
            self.check_reached(first, SYNTHESIZED, self.seen(gateway), SIZE)
            answer = self.explain_from(first, first.addresses[0], f"[{SYNTHESIZED}]:7000")
            self.assertEqual([answer[key] for key in ("engine", "outcome", "gateway")], ["userspace", "sent", gateway.name])
            self.check_reached(gateway, SYNTHESIZED, self.seen(gateway), SIZE)
            self.assertEqual(self.metrics(first)["duet_nat64_pods"], 1)
        with self.subTest("464XLAT by a gateway"):
            old = self.add(first, "old", clat="enabled")
            self.check_reached(old, SERVER, self.seen(gateway), SIZE)
        spare = self.check_failover(senders, gateways, pods)
        self.check_end(first, pod, spare)

    def check_failover(self, senders, gateways, pods):
        with self.subTest("a gateway that is not ready"):
            chosen = self.gateway(senders[0])
            spare = next(gateway for gateway in gateways if gateway is not chosen)
            flows = {node.name: self.stream(pod, SYNTHESIZED) for node, pod in zip(senders, pods) if self.gateway(node) is spare}
            self.ready(chosen, "Unknown")
            eventually(lambda: all(self.gateway(node) is spare for node in senders), "the other gateway")
            for pod in pods:
                self.check_reached(pod, SYNTHESIZED, self.seen(spare), SIZE)
            self.ready(chosen, "True")
            eventually(lambda: self.gateway(senders[0]) is chosen, "the gateway that is ready again")
            self.check_reached(pods[0], SYNTHESIZED, self.seen(chosen), SIZE)
            for flow in flows.values():
                self.exchange(flow)
        with self.subTest("the agents of all are killed: established connections and new ones go on"):
            flow = self.stream(pods[0], SYNTHESIZED)
            agents = [chosen] + ([senders[0]] if self.programs(senders[0]) else [])
            for node in agents:
                node.agent.kill()
                node.agent.wait()
            self.exchange(flow)
            self.exchange(self.stream(pods[0], SYNTHESIZED))
            for node in agents:
                node.start_agent(*node.options)
            self.exchange(flow)
        with self.subTest("a gateway whose Node vanishes, and the last that is not ready either"):
            self.topology.api("DELETE", f"/api/v1/nodes/{chosen.name}")
            eventually(lambda: all(self.gateway(node) is spare for node in senders), "the other gateway")
            self.ready(spare, "False")
            for pod in pods:
                self.check_reached(pod, SYNTHESIZED, self.seen(spare), SIZE)
        return spare

    def check_end(self, node, pod, spare):
        with self.subTest("without gateways nothing is left of them"):
            self.mark(spare, None)
            eventually(lambda: self.gateway(node) is None, "no gateway")
            eventually(lambda: "lookup 69" not in run("ip", "-n", node.namespace, "rule").stdout, "no rule")
            self.assertNotIn("100.126.", run("ip", "-n", node.namespace, "-4", "route").stdout)
            self.failure(pod, SYNTHESIZED)

    def test_on_one_link_by_the_kernel(self):
        self.check("--nat64", "kernel", "--nat64-node")

    def test_behind_a_router_in_userspace(self):
        self.check("--nat64", "userspace", "--nat64-node", far_link="b")


if __name__ == "__main__":
    unittest.main()
