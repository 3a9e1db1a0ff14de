"""The CNI plugins in the hands of a bare containerd: beside the reference ones, swapped while pods run, and after its sudden death."""
import contextlib
import os
import random
import signal
import subprocess
import threading
import time
import unittest

import test_cni
from cri import Containerd, Refused
from plugins import REFERENCE, Node, ip
from support import eventually, run

setUpModule = test_cni.setUpModule
# How often containerd is killed; more for a long run by hand.
KILLS = max(3, test_cni.FAULTS // 50)


def network(directory, name, kind, families, *chained, **extra):
    """A list as an operator writes it, for CNI 1.0.0, the newest version that this containerd knows."""
    subnets = [("10.9.0.0/24", "0.0.0.0/0"), ("fd00:9::/64", "::/0")]
    ipam = {"type": "host-local", "dataDir": directory, "ranges": [[{"subnet": subnets[family == 6][0]}] for family in families],
            "routes": [{"dst": subnets[family == 6][1]} for family in families]}
    return {"cniVersion": "1.0.0", "name": name, "plugins": [{"type": kind, "ipam": ipam, **extra}, *chained]}


PORTMAP = {"type": "portmap", "capabilities": {"portMappings": True}}
BANDWIDTH = {"type": "bandwidth", "capabilities": {"bandwidth": True}}
# Remark, arguments of the network, families.
NETWORKS = [
    ("ptp", (4, 6), (PORTMAP, {"type": "firewall"}, BANDWIDTH), {"ipMasq": True}),
    ("bridge", (6,), (PORTMAP, {"type": "tuning", "mtu": 1400}), {"isGateway": True, "hairpinMode": True, "ipMasq": True}),
    ("bridge", (4,), (PORTMAP,), {"isGateway": True}),
]


class InContainerd(unittest.TestCase):
    maxDiff = None

    def prepare(self, node):
        """A containerd on the node whose plugins are those that `self.use` names."""
        self.plugins = f"{node.directory}/bin"
        self.use(test_cni.OURS)
        containerd = Containerd(self.plugins)
        self.addCleanup(self.report, containerd)
        containerd.start()
        containerd.load()
        return containerd

    def report(self, containerd):
        containerd.remove()

    def use(self, plugins):
        """Swaps the binaries in one step."""
        os.symlink(plugins, f"{self.plugins}.new")
        os.replace(f"{self.plugins}.new", self.plugins)

    def picture(self, node, containerd, identifier):
        """The addresses that the runtime tells, and what the kernel has of the pod; checks that it answers."""
        pod = containerd.pod(identifier)
        name = f"{node.name}-picture"
        run("ip", "netns", "attach", name, str(pod.pid))
        try:
            state = test_cni.state(node, name)
        finally:
            run("ip", "netns", "del", name)
        for address in pod.addresses:
            # The first packet may be lost on a bridge that the reference has just made.
            eventually(lambda: run("ping", "-c", "1", "-W", "2", address), f"{address} answers")
        return pod.addresses, state

    def assert_nothing_is_left(self, node, name):
        self.assertEqual(node.allocated(name), {})
        self.assertEqual([link for link in node.links() if link.startswith(("veth", "bwp"))], [])
        rules = run("nft", "list", "ruleset").stdout
        for trace in ("10.9.0.", "fd00:9::", "8080", "CNI-DN-"):
            self.assertNotIn(trace, rules)

    def test_pods_are_the_same_with_either_and_survive_a_swap_in_both_directions(self):
        with Node(detects_duplicates=False) as node:
            containerd = self.prepare(node)
            for number, (kind, families, chained, extra) in enumerate(NETWORKS):
                pictures = {}
                for first, second in ((test_cni.OURS, REFERENCE), (REFERENCE, test_cni.OURS)):
                    with self.subTest(f"{kind} {families}, first {first}"):
                        name = f"net-{number}-{os.path.basename(first)}"
                        listed = network(node.directory, name, kind, families, *chained, **extra)
                        containerd.use(listed)
                        ports = [(8080, 80)] if PORTMAP in chained else []
                        limits = [(f"kubernetes.io/{way}-bandwidth", "10M") for way in ("ingress", "egress")] * (BANDWIDTH in chained)
                        self.use(first)
                        pods = [containerd.run_pod(f"{name}-{count}", ports if count == 0 else (), limits) for count in range(2)]
                        test_cni.settled(node, [])
                        pictures[first] = self.picture(node, containerd, pods[0])
                        # This runtime tells IPv4 first, whatever the network's order.
                        self.assertEqual([4 if "." in address else 6 for address in pictures[first][0]], sorted(families))
                        self.assertEqual("8080" in run("nft", "list", "ruleset").stdout, bool(ports))
                        self.assertEqual(run("tc", "qdisc", "show").stdout.count("qdisc tbf 1: "), 4 if limits else 0)
                        self.use(second)
                        # The other goes on where the first stopped, and takes away what the first made.
                        pods.append(containerd.run_pod(f"{name}-2", (), limits))
                        self.assertEqual(len(node.allocated(name)), 3 * len(families))
                        for pod in pods:
                            self.assertTrue(self.picture(node, containerd, pod))
                        for pod in pods:
                            containerd.remove_pod(pod)
                        if second == REFERENCE:
                            # Its portmap and its masquerading of before 1.6 know nothing of ours: our next GC removes that.
                            for plugin in listed["plugins"]:
                                collected = plugin | {"cniVersion": "1.1.0", "name": name, "cni.dev/valid-attachments": []}
                                self.assertTrue(node.call(test_cni.OURS, "GC", collected).ok)
                        self.assert_nothing_is_left(node, name)
                        for link in node.links():
                            if link == "cni0":
                                ip("link", "del", link)
                self.assertEqual(*pictures.values())

    def test_pods_of_a_killed_containerd_and_killed_plugins_are_collected(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        with Node() as node, self.subTest(f"seed {seed}"):
            containerd = self.prepare(node)
            listed = network(node.directory, "net", "ptp", (4, 6), PORTMAP, BANDWIDTH, ipMasq=True)
            containerd.use(listed)
            limits = [("kubernetes.io/ingress-bandwidth", "10M"), ("kubernetes.io/egress-bandwidth", "10M")]
            interrupted = 0
            for turn in range(KILLS):
                made = []

                def make(number, turn=turn, made=made):
                    try:
                        made.append(containerd.run_pod(f"p{turn}-{number}", [(8000 + number, 80)], limits))
                    except (Refused, subprocess.TimeoutExpired):
                        pass

                makers = [threading.Thread(target=make, args=(number,)) for number in range(3)]
                for maker in makers:
                    maker.start()
                end = time.monotonic() + chance.random() * 0.8
                while time.monotonic() < end:
                    # Some plugins die before the runtime, which then has to undo what they began.
                    for pid in self.running_plugins(containerd):
                        if chance.random() < 0.2:
                            with contextlib.suppress(ProcessLookupError):
                                os.kill(pid, signal.SIGKILL)
                    time.sleep(0.02)
                containerd.kill()
                for maker in makers:
                    maker.join()
                interrupted += len(made) < 3
                # Plugins that run outlive the runtime that called them.
                self.wait_for_plugins(containerd)
                containerd.start()
                known = containerd.pods()
                for plugin in listed["plugins"]:
                    valid = [{"containerID": identifier, "ifname": "eth0"} for identifier in known]
                    collected = plugin | {"cniVersion": "1.1.0", "name": "net", "cni.dev/valid-attachments": valid}
                    self.assertTrue(node.call(test_cni.OURS, "GC", collected).ok)
                owners = {text.split()[0] for text in node.allocated().values()}
                self.assertLessEqual(owners, set(known))
                # A pod that the runtime knows may have lost its plugin between address and link.
                self.assertLessEqual(len([link for link in node.links() if link.startswith("veth")]), len(owners))
                for identifier in known:
                    if chance.random() < 0.7:
                        containerd.remove_pod(identifier)
            self.assertGreater(interrupted, 0, "the kills came too late")
            for identifier in containerd.pods():
                containerd.remove_pod(identifier)
            self.assert_nothing_is_left(node, "net")
            run("flock", "--nonblock", f"{node.directory}/net/lock", "true")

    @staticmethod
    def running_plugins(containerd):
        """The processes of plugins."""
        names = {"duet-cni", "bridge", "ptp", "portmap", "bandwidth", "host-local"}
        for pid in containerd.remaining():
            with contextlib.suppress(OSError):
                if os.path.basename(os.readlink(f"/proc/{pid}/exe")) in names:
                    yield pid

    def wait_for_plugins(self, containerd):
        """Waits for the processes of plugins to end."""
        deadline = time.monotonic() + 30
        while list(self.running_plugins(containerd)):
            self.assertLess(time.monotonic(), deadline, "a plugin does not end")
            time.sleep(0.02)


if __name__ == "__main__":
    unittest.main()
