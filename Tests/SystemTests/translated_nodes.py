"""Nodes that translate for pods with IPv6 alone, a server with IPv4 alone, and what tests of them do and look at."""
import json
import os
import re
import subprocess
import sys
import unittest

from support import DUET, eventually, run
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


class TranslatedNodes(unittest.TestCase):
    """Without tests of its own."""

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

    def check_prohibited(self, pod, address):
        """A call hears that it is prohibited; one that does not is one that a node's kernel has kept an error from, of which it
        sends a host few a second, and counts those that it does not send."""
        def withheld():
            texts = [self.at(node, "nstat", "-asz").stdout for node in self.topology.nodes.values()]
            return sum(map(int, re.findall(r"^Icmp6?OutRateLimit\w+ +(\d+)", "\n".join(texts), re.M)))
        answers, before = [], withheld()

        def heard():
            answers.append(self.failure(pod, address))
            return "PermissionError" in answers[-1]
        eventually(heard, f"{pod.namespace} hears that {address} is prohibited")
        self.assertLessEqual(len(answers) - 1, withheld() - before, answers)

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

    def python(self, namespace, script, *arguments):
        process = subprocess.Popen(["ip", "netns", "exec", namespace, sys.executable, "-c", script, *arguments], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for end in (process.stdin.close, process.stdout.close, process.wait, process.kill):
            self.addCleanup(end)
        return process

    def explain(self, node, pod, target):
        return self.explain_from(node, f"{pod.space}/{pod.name}", target)

    def explain_from(self, node, caller, target):
        text = self.at(node, DUET, "explain", caller, target, "--output", "json", "--node-name", node.name,
                       "--kubeconfig", f"{node.directory}/kubeconfig").stdout
        return json.loads(text)["translation"]
