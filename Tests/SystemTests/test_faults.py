"""Agents and plugins that are killed at random moments, in the middle of their work, leave nothing and lose nothing."""
import glob
import os
import random
import signal
import subprocess
import time
import unittest

from support import ClusterTest, eventually, get, kubectl, pid_of, run, up
from underlay import Topology, ip

# How many calls are interrupted; thousands for a long run by hand.
FAULTS = int(os.environ.get("DUET_CNI_FAULTS", "100"))


class KilledAgents(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.topology = Topology(f"dt-f{os.getpid() % 10000}")
        self.topology.__enter__()
        self.addCleanup(self.topology.__exit__, None, None, None)
        self.topology.start_server()
        self.node, self.other = (self.topology.add_node(number, (4, 6), (4, 6), link) for number, link in ((1, "a"), (3, "b")))
        for node in (self.node, self.other):
            node.start_agent()
        for node in (self.node, self.other):
            eventually(lambda: len(node.routes()) == 2 and node.configuration(), "the agent works")

    def picture(self):
        """What the node has, without what is random: links, addresses, routes, rules, allocations, locks."""
        namespace, node = self.node.namespace, self.node
        rules = run("ip", "netns", "exec", namespace, "nft", "-s", "list", "ruleset").stdout
        return {
            "links": sorted(line.split(": ")[1].split("@")[0] for line in run("ip", "-n", namespace, "-o", "link").stdout.splitlines()),
            "routes": {family: sorted(run("ip", "-n", namespace, family, "route").stdout.splitlines()) for family in ("-4", "-6")},
            "rules": rules, "allocations": node.allocated(),
        }

    def test_killed_agents_and_plugins_leave_nothing(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        with self.subTest(f"seed {seed}"):
            pods = [f"{self.node.namespace}x{number}" for number in range(4)]
            for pod in pods:
                self.topology.make(pod)
            # The first attachment makes what stays, such as settings of the host.
            self.node.plugin("ADD", pods[0], f"/run/netns/{pods[0]}")
            self.node.plugin("DEL", pods[0], f"/run/netns/{pods[0]}")
            before, given, killed = self.picture(), {}, 0
            for turn in range(FAULTS):
                pod = pods[turn % len(pods)]
                arguments = (pod, f"/run/netns/{pod}")
                call = self.node.start_plugin("DEL" if pod in given else "ADD", *arguments)
                given.pop(pod, None)
                time.sleep(chance.random() * 0.015)
                if chance.random() < 0.5:
                    call.kill()
                if chance.random() < 0.2:
                    self.restart_agent(chance)
                printed = call.communicate(timeout=60)[0]
                killed += call.returncode == -signal.SIGKILL and not printed
                # A runtime deletes what it does not know the end of.
                self.node.plugin("DEL", *arguments)
                if chance.random() < 0.5:
                    given[pod] = [entry["address"] for entry in self.node.plugin("ADD", *arguments)["ips"]]
                held = [address for addresses in given.values() for address in addresses]
                self.assertEqual(len(held), len(set(held)), "an address was given twice")
                self.assertEqual(len(self.node.allocated()), len(held))
            self.assertGreater(killed, FAULTS / 20, "the kills came too late")
            for pod in given:
                self.node.plugin("DEL", pod, f"/run/netns/{pod}")
            eventually(lambda: self.picture() == before, "everything is as before")
            run("flock", "--nonblock", f"{self.node.directory}/state/networks/duet/lock", "true")

    def restart_agent(self, chance):
        """Kills the agent while it works, a route or a tunnel having just gone, and starts it again."""
        for destination in self.node.routes():
            if chance.random() < 0.5:
                # The agent may have taken it away or put it back meanwhile.
                run("ip", "-n", self.node.namespace, "route", "del", destination, check=False)
        time.sleep(chance.random() * 0.3)
        self.node.agent.send_signal(signal.SIGKILL)
        self.node.agent.wait(timeout=60)
        self.topology.processes.remove(self.node.agent)
        self.node.start_agent()


class InACluster(ClusterTest):
    """A node of Duet whose containerd dies while pods come and go: no address stays behind, none is given twice."""

    options = ("--nodes", "1")

    def test_no_address_stays_behind_when_containerd_is_killed(self):
        directory = "/var/lib/duet/nodes/node-1/cni/state/networks/duet"

        def taken():
            return {name for name in os.listdir(directory) if name[0] in "1f"} if os.path.isdir(directory) else set()

        def given():
            return {entry["ip"] for pod in get("pods")["items"] for entry in pod["status"].get("podIPs", [])}

        kubectl("create", "deployment", "many", "--image", "localhost/duet/pause:1", "--replicas=0")
        for replicas in (10, 2, 10):
            before = taken()
            kubectl("scale", "deployment", "many", f"--replicas={replicas}")
            # In the middle of making, or of ending, some of them.
            eventually(lambda: taken() != before, "pods come or go")
            os.kill(pid_of("node-1-containerd"), signal.SIGKILL)
            if replicas > len(before) // 2:
                # As if it had been killed while it noted what the plugin answered: it would never detach that pod.
                noted = glob.glob("/var/lib/duet/nodes/node-1/cni/state/results/*")
                for newest in sorted(noted, key=os.path.getmtime)[-1:]:
                    os.truncate(newest, 0)
            up(*self.options)
            # A call that was under way may hold a pod up for the four minutes that making a sandbox is given.
            rollout = kubectl("rollout", "status", "deployment/many", "--timeout=300s", check=False, timeout=360)
            self.assertEqual(rollout.returncode, 0, kubectl("describe", "pods").stdout + kubectl("get", "events").stdout)
            eventually(lambda: len(get("pods")["items"]) == replicas and taken() == given(), "all addresses are pods'", 120)
            addresses = [entry["ip"] for pod in get("pods")["items"] for entry in pod["status"]["podIPs"]]
            self.assertEqual(len(addresses), len(set(addresses)))
            links = run("ip", "-n", "duet-node-1", "-o", "link", "show", "type", "veth").stdout
            self.assertEqual(links.count(" veth"), replicas, links)
        kubectl("scale", "deployment", "many", "--replicas=0")
        eventually(lambda: not get("pods")["items"] and not taken(), "all addresses are free", 120)


if __name__ == "__main__":
    unittest.main()
