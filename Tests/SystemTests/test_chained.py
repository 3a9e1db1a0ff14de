"""Published ports of containers: a dual-stack network with the chained plugins, as podman calls them."""
import json
import os
import subprocess
import unittest

import test_cni
from plugins import REFERENCE, Node, ip
from support import run

setUpModule = test_cni.setUpModule
NETWORK = "dt-chained"


class PublishedPorts(test_cni.PodmanHost):
    def use(self, plugins):
        """Writes podman's configuration: all plugins come from one directory."""
        with open(f"{self.directory}/containers.conf", "w") as file:
            file.write(test_cni.PODMAN.format(plugins=plugins, reference=plugins, directory=self.directory))

    def write_network(self):
        chain = [
            {"type": "bridge", "bridge": "cni-dual", "isGateway": True, "hairpinMode": True, "ipam": {
                "type": "host-local", "dataDir": f"{self.directory}/ipam", "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
                "ranges": [[{"subnet": "10.244.1.0/24"}], [{"subnet": "fd00:10:244:1::/64"}]]}},
            {"type": "portmap", "capabilities": {"portMappings": True}},
            {"type": "firewall"},
            {"type": "tuning", "sysctl": {"net.core.somaxconn": "1234"}, "mtu": 1400, "dataDir": f"{self.directory}/tuning"},
            {"type": "bandwidth", "ingressRate": 800000000, "ingressBurst": 80000000, "egressRate": 800000000, "egressBurst": 80000000},
        ]
        os.makedirs(f"{self.directory}/networks", exist_ok=True)
        with open(f"{self.directory}/networks/{NETWORK}.conflist", "w") as file:
            json.dump({"cniVersion": "0.4.0", "name": NETWORK, "plugins": chain}, file)

    @staticmethod
    def connect(node):
        """A machine beside the host; its namespace."""
        other = node.pod("beside")
        ip("link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", other)
        for namespace, link, last in ((None, "up0", 1), (other, "eth0", 2)):
            ip("addr", "add", f"192.0.2.{last}/24", "dev", link, namespace=namespace)
            ip("addr", "add", f"2001:db8::{last}/64", "dev", link, "nodad", namespace=namespace)
            ip("link", "set", link, "up", namespace=namespace)
        return other

    def answers(self, url, namespace=None):
        prefix = ["ip", "netns", "exec", namespace] if namespace else []
        command = prefix + ["curl", "--silent", "--globoff", "--retry", "3", "--retry-connrefused", "--max-time", "10", url]
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout == "served\n"

    def test_ports_lead_to_the_container_and_leave_with_it(self):
        for starting, removing in ((test_cni.OURS, test_cni.OURS), (REFERENCE, test_cni.OURS)):
            with self.subTest(f"started by {starting}"), Node() as node:
                self.write_network()
                self.use(starting)
                beside = self.connect(node)
                self.podman("run", "--detach", "--name", "web", "--network", NETWORK, "--publish", "8080:80", "--publish", "5353:53/udp",
                            self.image, "sh", "-c", "echo served > /tmp/index.html; exec httpd -f -p 80 -h /tmp")
                for url, namespace in (
                        ("http://192.0.2.1:8080/", beside), ("http://[2001:db8::1]:8080/", beside), ("http://127.0.0.1:8080/", None),
                        ("http://192.0.2.1:8080/", None), ("http://[2001:db8::1]:8080/", None)):
                    self.assertTrue(self.answers(url, namespace), url)
                inside = self.podman("exec", "web", "sh", "-c", "ip link show eth0; cat /proc/sys/net/core/somaxconn; wget -qO - http://10.244.1.1:8080/")
                self.assertIn("mtu 1400", inside.stdout)
                self.assertIn("1234", inside.stdout)
                self.assertIn("served", inside.stdout)
                self.assertEqual(run("tc", "qdisc", "show").stdout.count("qdisc tbf 1: "), 2)
                self.use(removing)
                self.podman("rm", "--force", "--time", "0", "web")
                rules = run("nft", "list", "ruleset").stdout
                for trace in ("10.244.1.2", "fd00:10:244:1::2", "8080", "CNI-DN-"):
                    self.assertNotIn(trace, rules)
                self.assertEqual([link for link in node.links() if link.startswith(("veth", "bwp"))], [])
                self.assertFalse(os.path.exists(f"{self.directory}/tuning") and os.listdir(f"{self.directory}/tuning"))


VERSIONS = ("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
# Plugin, its configuration, the versions that the reference of this machine speaks.
CHAIN = [
    ("portmap", {"runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}}, VERSIONS[:-1]),
    ("firewall", {}, VERSIONS[4:-1]),
    ("tuning", {"mtu": 1400}, VERSIONS[:-1]),
    ("bandwidth", {"ingressRate": 8000000, "ingressBurst": 800000, "egressRate": 8000000, "egressBurst": 800000}, VERSIONS[2:-1]),
]


class EveryVersion(unittest.TestCase):
    """Chains in each version of the protocol, beside the reference where it speaks it."""

    maxDiff = None

    def attach(self, node, plugins, version):
        """Calls a chain from its beginning to its end and back; what each plugin printed."""
        first = node.configuration("bridge", version=version, isGateway=True)
        result = node.call(plugins, "ADD", first)
        self.assertTrue(result.ok, result)
        printed, called = [], []
        for kind, extra, spoken in CHAIN:
            if plugins == REFERENCE and version not in spoken:
                continue
            configuration = {"cniVersion": version, "name": "net", "type": kind, "prevResult": result.printed, **extra}
            configuration["dataDir"] = f"{node.directory}/tuning"
            answer = node.call(plugins, "ADD", configuration)
            if kind == "bandwidth" and version in VERSIONS[:2]:
                # Results of these versions do not tell of interfaces.
                self.assertEqual(answer.message, "no interfaces provided")
                continue
            self.assertTrue(answer.ok, f"{kind}: {answer}")
            printed.append((kind, version in spoken, test_cni.normalised(answer.text)))
            called.append(configuration)
            result = answer
        for command in ("CHECK",) * (version >= "0.4.0") + ("DEL", "DEL"):
            for configuration in called[::-1] + [first]:
                if (plugins, command, configuration["type"]) == (REFERENCE, "CHECK", "portmap"):
                    continue  # It looks for IPv4 rules in the IPv6 table, also where it has made them itself.
                answer = node.call(plugins, command, configuration | {"prevResult": result.printed})
                self.assertTrue(answer.ok, f"{command} {configuration['type']}: {answer}")
        self.assertEqual(node.allocated(), {})
        self.assertEqual([link for link in node.links() if link.startswith(("veth", "bwp"))], [])
        return printed

    def test_chains_work_in_every_version(self):
        for version in VERSIONS:
            with self.subTest(version):
                with Node() as node:
                    ours = self.attach(node, test_cni.OURS, version)
                self.assertEqual([entry[2][0] for entry in ours], [("cniVersion", version)] * len(ours))
                if version == VERSIONS[-1]:
                    continue
                with Node() as node:
                    theirs = self.attach(node, REFERENCE, version)
                # The name of the link of bandwidth follows from network and container, which are the same.
                self.assertEqual([entry for entry in ours if entry[1]], theirs)


if __name__ == "__main__":
    unittest.main()
