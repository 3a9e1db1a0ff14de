"""Names go on being answered on a node whose own DNS server is gone, hangs or comes back, and in both families."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import resolvers
from support import eventually, run
from underlay import Topology

ADDRESSES = ("10.96.0.10", "fd00:10:96::a")
NAME = "kubernetes-dns.test.svc.cluster.local"
# Asks each server over a new socket twenty times a second; prints a line for each question: time, server, 1 if answered.
ASK = """
import select, socket, struct, sys, time
servers, seconds = sys.argv[1].split(","), float(sys.argv[2])
question = b"".join(bytes([len(part)]) + part.encode() for part in sys.argv[3].split(".")) + bytes([0, 0, 1, 0, 1])
end, waiting, number = time.monotonic() + seconds, {}, 0
while time.monotonic() < end:
    for server in servers:
        number += 1
        probe = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
        probe.setblocking(False)
        probe.connect((server, 53))
        try:
            probe.send(struct.pack(">HHHHHH", number & 0xffff, 0x100, 1, 0, 0, 0) + question)
            waiting[probe] = (time.monotonic(), server)
        except OSError:
            print(time.monotonic(), server, 0, flush=True)
    turn = time.monotonic() + 0.05
    while (left := turn - time.monotonic()) > 0:
        for probe in select.select(list(waiting), [], [], left)[0]:
            asked, server = waiting.pop(probe)
            try:
                answer = probe.recv(2048)
                print(asked, server, int(answer[3] & 15 == 0 and answer[7] > 0), flush=True)
            except OSError:
                print(asked, server, 0, flush=True)
            probe.close()
    for probe, (asked, server) in list(waiting.items()):
        if time.monotonic() - asked > 3:
            print(asked, server, 0, flush=True)
            del waiting[probe]
            probe.close()
"""


class Absence(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.topology = Topology(f"dt-df{os.getpid() % 10000}")
        cls.topology.__enter__()
        cls.addClassCleanup(cls.topology.__exit__, None, None, None)
        cls.topology.start_server("--api-only", "--service-cluster-ip-range", "10.96.0.0/16,fd00:10:96::/112")
        present = {item["metadata"]["name"] for item in json.loads(cls.topology.api("GET", "/api/v1/namespaces"))["items"]}
        for name in {"kube-system", "test"} - present:
            cls.topology.api("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        cls.topology.api("POST", "/api/v1/namespaces/kube-system/services", {
            "metadata": {"name": "kube-dns", "labels": {"service.kubernetes.io/service-proxy-name": "cluster-dns"}},
            "spec": {"clusterIP": ADDRESSES[0], "clusterIPs": list(ADDRESSES), "ipFamilyPolicy": "RequireDualStack",
                     "ports": [{"name": "dns", "protocol": "UDP", "port": 53}, {"name": "dns-tcp", "protocol": "TCP", "port": 53}]}})
        cls.topology.api("POST", "/api/v1/namespaces/test/services", {
            "metadata": {"name": "kubernetes-dns"}, "spec": {"ports": [{"port": 80}]}})
        cls.node, cls.other = (cls.topology.add_node(number, (4, 6), (4, 6)) for number in (1, 2))
        for node in (cls.node, cls.other):
            cls.start(node)
            eventually(node.configuration, f"{node.name} has a CNI configuration")
            node.add_pod()
        cls.pod = cls.node.pods[0].namespace
        for node in (cls.node, cls.other):
            eventually(lambda: cls.is_own(node), f"{node.name} answers itself")
            # Both know each other: the addresses at which others ask are answered on.
            for address in node.addresses:
                eventually(lambda: cls.dig(node.namespace, address, "-p", "10053"), f"{node.name} answers at {address}")

    @classmethod
    def start(cls, node):
        metrics = 9300 + node.number
        node.start_agent("--dns-metrics-port", str(metrics), "--dns-upstream", "192.0.2.53", "--dns-lameduck", "4")
        node.metrics = metrics

    @classmethod
    def dig(cls, namespace, server, *options):
        return "10.96." in run("ip", "netns", "exec", namespace, "dig", f"@{server}", "+short", "+time=1", "+tries=1", *options,
                               NAME, "A", check=False).stdout

    def ask(self, seconds):
        """Starts to ask both families' addresses from the pod."""
        return subprocess.Popen(["ip", "netns", "exec", self.pod, sys.executable, "-c", ASK, ",".join(ADDRESSES), str(seconds), NAME],
                                stdout=subprocess.PIPE, text=True)

    @classmethod
    def alive(cls, node):
        """The families in which the kernel counts the server of a node as alive."""
        text = run("ip", "netns", "exec", node.namespace, "nft", "list", "table", "inet", "duet-dns", check=False).stdout
        return {address for address in ADDRESSES if re.search(rf"{address}( timeout \S+)? expires", text)}

    @classmethod
    def is_own(cls, node):
        return cls.alive(node) == set(ADDRESSES) and all(cls.dig(node.namespace, address) for address in ADDRESSES)

    def count(self, node):
        text = run("ip", "netns", "exec", node.namespace, "curl", "-sf", f"http://127.0.0.1:{node.metrics}/metrics").stdout
        return sum(int(line.split()[-1]) for line in text.splitlines() if line.startswith("duet_dns_answers_total"))

    def failed(self, asking):
        """For each family, the time from the first to the last question without an answer, and how many were answered."""
        result = {address: [] for address in ADDRESSES}
        for line in asking.communicate(timeout=120)[0].splitlines():
            moment, server, answered = line.split()
            result[server].append((float(moment), answered == "1"))
        gaps = {}
        for server, entries in result.items():
            lost = [moment for moment, answered in entries if not answered]
            gaps[server] = (max(lost) - min(lost) if lost else 0, sum(answered for _, answered in entries), len(lost))
        return gaps

    def check_gap(self, asking, seconds):
        for server, (gap, answered, lost) in self.failed(asking).items():
            self.assertGreater(answered, 20, server)
            # The kernel needs no time for it; the machine may be slow.
            self.assertLess(gap, seconds, f"{server}: {lost} questions without an answer")

    def restart(self):
        self.start(self.node)
        eventually(lambda: self.is_own(self.node), "the node answers itself again")
        # A machine so busy that heartbeats come late changes over once more.
        eventually(self.answers_its_pods, "the node's own server answers its pods, and the other node's does not any more")

    def answers_its_pods(self):
        before, others = self.count(self.node), self.count(self.other)
        return (all(self.dig(self.pod, address) for address in ADDRESSES) and self.count(self.node) >= before + 2
                and self.count(self.other) == others)

    def test_a_killed_server_is_missed_for_no_question(self):
        others = self.count(self.other)
        asking = self.ask(5)
        time.sleep(1)
        self.node.agent.kill()
        self.node.agent.wait(timeout=60)
        self.check_gap(asking, 2.5)
        self.assertGreater(self.count(self.other), others + 20, "the other node's server stands in")
        # Connections, and what the node itself asks.
        eventually(lambda: not self.alive(self.node), "the server counts as gone")
        for address in ADDRESSES:
            self.assertTrue(self.dig(self.pod, address, "+tcp"), address)
            self.assertTrue(self.dig(self.node.namespace, address), address)
            self.assertTrue(self.dig(self.node.namespace, address, "+tcp"), address)
        self.restart()

    def test_a_server_that_hangs_is_passed_over(self):
        asking = self.ask(8)
        time.sleep(1)
        self.node.agent.send_signal(signal.SIGSTOP)
        try:
            eventually(lambda: not self.alive(self.node), "the server counts as gone")
            eventually(lambda: all(self.dig(self.pod, address) for address in ADDRESSES), "the other node's server stands in")
        finally:
            self.node.agent.send_signal(signal.SIGCONT)
        eventually(lambda: self.is_own(self.node), "the node answers itself again")
        self.check_gap(asking, 7)

    def test_a_server_that_is_told_to_end_lets_others_take_its_place_first(self):
        asking = self.ask(8)
        time.sleep(1)
        self.node.agent.terminate()
        self.node.agent.wait(timeout=60)
        for server, (_, answered, lost) in self.failed(asking).items():
            self.assertGreater(answered, 20, server)
            self.assertEqual(lost, 0, f"{server}: questions without an answer")
        self.restart()

    def test_resolvers_of_musl_and_glibc_find_names_in_a_pod(self):
        files = self.directory()
        # What `ip netns exec` lays over /etc in the pod's namespace.
        etc = f"/etc/netns/{self.pod}"
        os.makedirs(etc)
        self.addCleanup(shutil.rmtree, etc)
        short = ["kubernetes-dns", "kubernetes-dns.test", NAME, f"{NAME}.", "nope", "kubernetes-dns.nowhere"]
        addresses = json.loads(self.topology.api("GET", "/api/v1/namespaces/test/services/kubernetes-dns"))["spec"]["clusterIPs"]
        for server in ADDRESSES:
            with open(f"{etc}/resolv.conf", "w") as file:
                file.write(f"nameserver {server}\nsearch test.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n")
            for program in resolvers.lookup_programs(files):
                answer = run("ip", "netns", "exec", self.pod, program, *short).stdout
                found = [sorted(line.split()) for line in answer.strip().split("\n")]
                self.assertEqual(found, [sorted(addresses)] * 4 + [["none"]] * 2, f"{program} with {server}")

    def test_another_server_behind_the_service_stands_in(self):
        files, server = self.directory(), self.other.pods[0]
        # An address that tells this server from those of nodes.
        with open(f"{files}/zone", "w") as file:
            file.write("$ORIGIN cluster.local.\n$TTL 30\n@ SOA ns hostmaster 1 3600 600 86400 30\n@ NS ns\nns A 10.96.77.1\n"
                       "kubernetes-dns.test.svc A 10.96.77.2\n")
        listen = [f"{address}@5300" for address in server.addresses]
        process = subprocess.Popen(
            ["ip", "netns", "exec", server.namespace, "knotd", "-c", resolvers.knot(files, "other", listen, {"cluster.local": "zone"})],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, timeout=60)
        self.addCleanup(process.terminate)
        for address in server.addresses:
            eventually(lambda: self.dig(self.pod, address, "-p", "5300"), f"the other server answers at {address}")
        slices = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
        for family, address in zip(("IPv4", "IPv6"), sorted(server.addresses, key=lambda address: ":" in address)):
            name = f"kube-dns-{family.lower()}"
            self.topology.api("POST", slices, {
                "metadata": {"name": name, "labels": {"kubernetes.io/service-name": "kube-dns"}}, "addressType": family,
                "ports": [{"name": "dns", "protocol": "UDP", "port": 5300}, {"name": "dns-tcp", "protocol": "TCP", "port": 5300}],
                "endpoints": [{"addresses": [address], "conditions": {"ready": True}}]})
            self.addCleanup(self.topology.api, "DELETE", f"{slices}/{name}")

        def rules():
            return run("ip", "netns", "exec", self.node.namespace, "nft", "list", "table", "inet", "duet-dns").stdout

        eventually(lambda: all(f"{address} . 5300" in rules() for address in server.addresses), "the endpoints stand in")
        self.assertTrue(self.answers_its_pods(), "while the node's own server lives it answers")
        self.node.agent.kill()
        self.node.agent.wait(timeout=60)
        eventually(lambda: not self.alive(self.node), "the server counts as gone")
        for address in ADDRESSES:
            for namespace in (self.pod, self.node.namespace):
                for options in ([], ["+tcp"]):
                    answer = run("ip", "netns", "exec", namespace, "dig", f"@{address}", "+short", *options, NAME, "A").stdout
                    self.assertEqual(answer.strip(), "10.96.77.2", f"{namespace} {address} {options}")
        self.restart()

    def directory(self):
        path = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, path)
        return path
