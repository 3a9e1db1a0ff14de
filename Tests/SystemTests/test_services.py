"""What the server makes of Services, request by request: the cases recorded on Kubernetes, and what a cluster's own defaults change."""
import copy
import gzip
import ipaddress
import json
import os
import re
import unittest

from server import SERVICES, Server

RECORDED = os.path.join(os.path.dirname(__file__), "..", "Recorded")
RANGES = {4: "10.96.0.0/16", 6: "fd00:10:96::/112"}
REQUESTED = {ipaddress.ip_address(text) for text in ("10.96.0.50", "10.96.0.51", "fd00:10:96::50", "fd00:10:96::51")}
ADDRESS = re.compile(r"(?<![\w.:])(?:\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]*:[0-9a-fA-F:]+)(?![\w.:])")
PORT = re.compile(r"\b(TCP|UDP|SCTP) \d{5}\b")


def cluster(*families, options=()):
    """A server whose Service ranges are of these families, the primary one first."""
    advertised = {4: "192.0.2.10", 6: "2001:db8::10"}
    return Server(
        None, "--api-only", "--service-cluster-ip-range", ",".join(RANGES[f] for f in families),
        "--advertise-address", ",".join(advertised[f] for f in families), *options)


def masked(value):
    """A text without the addresses and ports that the server chose."""
    if not isinstance(value, str):
        return value

    def mask(match):
        try:
            address = ipaddress.ip_address(match.group())
        except ValueError:
            return match.group()
        return match.group() if address in REQUESTED else f"<v{address.version}>"

    return ADDRESS.sub(mask, PORT.sub(r"\1 <port>", value))


def outcome(status, answer):
    """An answer in the form of the recording."""
    if answer.get("kind") == "Status":
        causes = (answer.get("details") or {}).get("causes") or []
        shown = [[c.get("reason"), c.get("field"), masked(c.get("message", ""))] for c in causes]
        return {"code": status, "reason": answer.get("reason"), "causes": sorted(shown, key=str),
                "message": None if causes else masked(answer.get("message", ""))}
    spec = copy.deepcopy(answer["spec"])
    for holder, key in [(port, "nodePort") for port in spec.get("ports", [])] + [(spec, "healthCheckNodePort")]:
        if key in holder:
            holder[key] = "<port>"
    spec["clusterIP"] = masked(spec.get("clusterIP"))
    spec["clusterIPs"] = [masked(ip) for ip in spec["clusterIPs"]] if "clusterIPs" in spec else None
    return {"code": status, "spec": spec}


class Player:
    """Plays the steps of a case as a client's requests."""

    def __init__(self, server):
        self.server, self.client = server, server.client()

    def call(self, method, path, body=None, **options):
        return self.server.call(method, path, body, client=self.client, **options)

    def play(self, steps):
        self.call("DELETE", f"{SERVICES}/t")
        return [self.step(verb, body) for verb, body in steps]

    def step(self, verb, body):
        if verb == "create":
            return outcome(*self.call("POST", SERVICES, body))
        status, current = self.call("GET", f"{SERVICES}/t")
        if status != 200:
            return {"skipped": True}
        if verb == "oldput":
            # A client that does not know these fields loses them.
            body = {"clusterIPs": None, "ipFamilies": None, "ipFamilyPolicy": None}
        elif isinstance(body.get("clusterIPs"), str):
            held = current["spec"].get("clusterIPs") or []
            chosen = {"FIRST": held[:1], "LAST": held[-1:]}[body["clusterIPs"]]
            body = {**body, "clusterIPs": chosen, "clusterIP": chosen[0] if chosen else None}
        if verb == "merge":
            return outcome(*self.call("PATCH", f"{SERVICES}/t", {"spec": body}, content="application/merge-patch+json"))
        spec = {**current["spec"], **body}
        current["spec"] = {key: value for key, value in spec.items() if value is not None}
        return outcome(*self.call("PUT", f"{SERVICES}/t", current))


class RecordedCases(unittest.TestCase):
    maxDiff = None

    def check(self, kind, *families):
        server = cluster(*families)
        self.addCleanup(server.remove)
        server.start()
        player = Player(server)
        self.addCleanup(player.client.close)
        with gzip.open(f"{RECORDED}/service-{kind}.json.gz", "rt") as file:
            cases = json.load(file)
        self.assertGreater(len(cases), 600)
        before = self.names(player, "/apis/networking.k8s.io/v1/ipaddresses")
        for case in cases:
            with self.subTest(case["name"]):
                self.assertEqual(player.play(case["steps"]), case["expect"])
        # What the cases took is free again.
        player.call("DELETE", f"{SERVICES}/t")
        self.assertEqual(self.names(player, "/apis/networking.k8s.io/v1/ipaddresses"), before)

    def names(self, player, path):
        return [item["metadata"]["name"] for item in player.call("GET", path)[1]["items"]]

    def test_ipv4(self):
        self.check("v4", 4)

    def test_ipv6(self):
        self.check("v6", 6)

    def test_ipv4_first(self):
        self.check("v4v6", 4, 6)

    def test_ipv6_first(self):
        self.check("v6v4", 6, 4)


class DefaultPolicy(unittest.TestCase):
    """A cluster whose operator wants both families for everyone who does not say otherwise."""

    def made(self, families, policy, spec):
        server = cluster(*families, options=("--default-ip-family-policy", policy))
        self.addCleanup(server.remove)
        server.start()
        body = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}, **spec}}
        status, service = server.call("POST", SERVICES, body)
        self.assertEqual(status, 201, service)
        return service["spec"]["ipFamilyPolicy"], service["spec"]["ipFamilies"]

    def test_services_that_say_nothing_get_both_families(self):
        self.assertEqual(self.made((4, 6), "PreferDualStack", {}), ("PreferDualStack", ["IPv4", "IPv6"]))
        self.assertEqual(self.made((6, 4), "RequireDualStack", {}), ("RequireDualStack", ["IPv6", "IPv4"]))

    def test_what_a_client_says_counts(self):
        spec = {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv6"]}
        self.assertEqual(self.made((4, 6), "PreferDualStack", spec), ("SingleStack", ["IPv6"]))

    def test_a_cluster_of_one_family_keeps_to_it(self):
        self.assertEqual(self.made((6,), "RequireDualStack", {}), ("SingleStack", ["IPv6"]))

    def test_an_unknown_policy_is_refused(self):
        server = cluster(4, options=("--default-ip-family-policy", "Both"))
        self.addCleanup(server.remove)
        code, messages = server.start(wait=False)
        self.assertNotEqual(code, 0)
        self.assertIn('--default-ip-family-policy: "Both" is none of SingleStack, PreferDualStack, RequireDualStack', messages)
