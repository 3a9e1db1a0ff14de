"""The firewall plugin where firewalld runs: a pod's addresses join a zone, by ours and by the reference alike."""
import os
import shutil
import subprocess
import unittest

import test_cni
from plugins import REFERENCE, Node
from support import eventually, run

setUpModule = test_cni.setUpModule
FIREWALLD = "/usr/sbin/firewalld"
BUS = "/run/dbus"
ADDRESSES = {"10.9.0.2/32", "fd00:9::2/128"}


@unittest.skipUnless(os.path.exists(FIREWALLD), "firewalld is not installed")
@unittest.skipIf(os.path.exists(f"{BUS}/system_bus_socket"), "the machine has a system bus, whose firewalld would be its own")
class Firewalld(unittest.TestCase):
    def start(self):
        """A system bus and a firewalld that guards the node's network namespace, which the calling thread is in."""
        for directory in (BUS, "/run/firewalld"):
            if not os.path.exists(directory):
                os.mkdir(directory)
                self.addCleanup(shutil.rmtree, directory)
        for command in (["dbus-daemon", "--system", "--nofork", "--nopidfile"], [FIREWALLD, "--nofork"]):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(process.wait, timeout=60)
            self.addCleanup(process.terminate)
            if command[0] == "dbus-daemon":
                eventually(lambda: os.path.exists(f"{BUS}/system_bus_socket"), "the bus")
        eventually(lambda: run("firewall-cmd", "--state").stdout == "running\n", "firewalld")

    @staticmethod
    def sources(zone):
        return set(run("firewall-cmd", f"--zone={zone}", "--list-sources").stdout.split())

    def test_addresses_join_a_zone_and_leave_it_by_either(self):
        with Node() as node:
            self.start()
            attached = node.call(test_cni.OURS, "ADD", node.configuration("bridge"))
            self.assertTrue(attached.ok, attached)
            for first, second, zone, extra in (
                    (test_cni.OURS, REFERENCE, "trusted", {}),
                    (REFERENCE, test_cni.OURS, "internal", {"backend": "firewalld", "firewalldZone": "internal"})):
                with self.subTest(f"added by {first}, removed by {second}, {zone}"):
                    configuration = {"cniVersion": "1.0.0", "name": "net", "type": "firewall", "prevResult": attached.printed, **extra}
                    # A runtime may repeat what it does not know the end of.
                    for command, plugins, expected in (("ADD", first, ADDRESSES), ("ADD", second, ADDRESSES), ("CHECK", second, ADDRESSES),
                                                       ("DEL", second, set()), ("DEL", first, set())):
                        answer = node.call(plugins, command, configuration)
                        self.assertTrue(answer.ok, f"{command}: {answer}")
                        self.assertEqual(self.sources(zone), expected, command)
                    self.assertFalse(node.call(test_cni.OURS, "CHECK", configuration).ok)
            refused = node.call(test_cni.OURS, "ADD", configuration | {"firewalldZone": "no-such-zone"})
            self.assertIn("INVALID_ZONE", refused.message)
            # Nobody deleted the pod, and another network gives its addresses away.
            for zone in ("internal", "trusted"):
                answer = node.call(test_cni.OURS, "ADD", configuration | {"firewalldZone": zone})
                self.assertTrue(answer.ok, answer)
                self.assertEqual(self.sources(zone), ADDRESSES)
            self.assertEqual(self.sources("internal"), set())
            self.assertTrue(node.call(test_cni.OURS, "DEL", configuration | {"firewalldZone": "trusted"}).ok)
            # The rules of iptables are still there for whoever asks for them.
            configuration = configuration | {"backend": "iptables"}
            self.assertTrue(node.call(test_cni.OURS, "ADD", configuration).ok)
            self.assertIn("CNI-FORWARD", run("nft", "list", "ruleset").stdout)
            self.assertEqual(self.sources("trusted"), set())


if __name__ == "__main__":
    unittest.main()
