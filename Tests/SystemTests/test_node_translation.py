"""`duet agent --nat64`: pods with IPv6 alone and a server with IPv4 alone, in namespaces; the kernel's way and that of userspace."""
import sys
import unittest

import translated_nodes
from support import DUET, eventually, run
from translated_nodes import EGRESS, SERVER, SYNTHESIZED
from translator import DATAGRAMS
from underlay import ip

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


# Sends a datagram from an address that is not the pod's.
FORGED = """
import socket, sys
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as link:
    link.setsockopt(socket.IPPROTO_IPV6, 78, 1)  # IPV6_TRANSPARENT
    link.bind((sys.argv[1], 0))
    link.sendto(b"forged", (sys.argv[2], 7000))
"""


class NodeTranslation(translated_nodes.TranslatedNodes):
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
        with self.subTest("forged sources: inside the prefix, where they would be anyone's, and outside of it"):
            for source, reason in (("64:ff9b::9.9.9.9", "loop"), ("2001:db8:bad::1", "unmappedSource")):
                counter = f'duet_nat64_drops_total{{reason="{reason}"}}'
                before = self.metrics(node).get(counter, 0)
                self.topology.exec(pod.namespace, sys.executable, "-c", FORGED, source, SYNTHESIZED)
                eventually(lambda: self.metrics(node).get(counter, 0) > before, f"{reason} is counted")
        self.check_explanations(node, pod, seen, programs)
        self.check_switches(node, seen, programs)
        self.check_clat(node, seen)
        self.check_repair(node, pod, seen, programs)
        self.check_restart(node, pod, programs)
        self.check_ranges(node, pod, seen)
        with self.subTest("pods that go leave nothing"):
            self.delete(pod.name, pod.space)
            eventually(lambda: self.private(node, pod) is None, "no private address")
            eventually(lambda: not self.private_routes(node) and self.programs(node) == 0, "no routes and programs")
            self.assertEqual(self.metrics(node)["duet_nat64_pods"], 0)
        with self.subTest("cleanup"):
            pod = self.add(node, "last", clat="enabled")
            self.check_reached(pod, SERVER, seen)
            node.stop_agent()
            if programs:
                self.assertIn("Removed what translated", self.at(node, DUET, "cleanup").stdout)
                self.assertEqual(run("ip", "-n", pod.namespace, "-4", "route").stdout, "")
            else:
                # Where pods' namespaces are out of sight everything else goes nevertheless.
                hidden = self.at(node, "sh", "-c", 'mount -t tmpfs none /run/netns && exec "$0" cleanup', DUET, check=False)
                self.assertEqual((hidden.returncode, "192.0.0.2 stays in pods" in hidden.stderr), (1, True), hidden.stderr)
                self.assertNotIn("duet", self.at(node, "nft", "list", "tables").stdout.replace("duet-masquerade", ""))
            self.assertEqual((self.rules(node), self.private_routes(node), self.programs(node)), ("", [], 0))
            self.assertNotIn("100.127.", run("ip", "-n", pod.namespace, "addr").stdout)

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
        with self.subTest("a pod that comes while the table is gone"):
            self.at(node, "nft", "delete", "table", "ip", "duet-nat64")
            late = self.add(node, "late")
            self.check_reached(late, SYNTHESIZED, seen)
            self.topology.exec(late.namespace, sys.executable, "-c", DATAGRAMS, SYNTHESIZED, "4000")
            self.delete(late.name, late.space)
            eventually(lambda: self.programs(node) == programs, "programs at the first pod's link alone")

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

    def check_ranges(self, node, pod, seen):
        with self.subTest("another range of private addresses"):
            for former, options in (("100.127.", ("--nat64-pod-range", "100.120.0.0/16")), ("100.120.", ())):
                node.stop_agent()
                node.start_agent(*node.options, *options)
                pods = "nft", "list", "map", "ip", "duet-nat64", "translated"
                eventually(lambda: former not in self.at(node, *pods).stdout, "the table with the new range")
                self.check_reached(pod, SYNTHESIZED, seen)
                eventually(lambda: former not in run("ip", "-n", node.namespace, "-4", "route").stdout, f"no routes to {former}")

    def test_options_that_contradict_each_other_are_refused(self):
        for options, problem in (
                (("--nat64", "auto", "--nat64-prefix", "fd64::/96", "--dns64-prefix", "64:ff9b::/96"), "answered with another prefix"),
                (("--nat64", "auto", "--nat64-pod-range", "fd00::/64"), "no IPv4 range"),
                (("--nat64", "auto", "--nat64-allow", "10.0.0.0/33"), "no IPv4 network"),
                (("--nat64", "auto", "--nat64-prefix", "64:ff9b::/97"), "RFC 6052"),
                (("--nat64", "kernel", "--nat64-prefix", "fd64::/64"), "a prefix of length 96"),
                (("--dns-ipv4-only-pods", "synthesize"), "give pass or filter"),
                (("--dns-dual-stack-pods", "filter"), "give pass or synthesize")):
            result = run(DUET, "agent", "--kubeconfig", "/none", "--node-name", "n", *options, check=False)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(problem, result.stderr)


if __name__ == "__main__":
    unittest.main()
