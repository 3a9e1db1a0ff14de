"""A cluster on left-over prefixes: agents of two nodes, and the address plugin as a container runtime calls it."""
import ipaddress
import json
import os
import signal
import subprocess
import tempfile
import unittest

import server as servers
from support import DUET, ClusterTest, eventually, get, kubectl, run, up

FRAGMENTS = ["10.12.0.0/22", "10.77.16.0/23", "192.168.200.0/24", "2001:db8:7::/48"]
UNDERLAY = "10.251.9"


class Machine:
    """A node without containers: a network namespace, an agent in it, and directories of its own."""

    def __init__(self, test, number):
        self.number, self.name, self.space = number, f"dt-pools-{number}", f"dt-pools-{number}"
        self.test, self.address, self.pods = test, f"{UNDERLAY}.{number + 1}", {}
        self.directory = tempfile.mkdtemp(prefix="dt-pools-")
        test.addClassCleanup(self.remove)
        run("ip", "netns", "add", self.space)
        run("ip", "link", "add", f"dt-p{number}", "type", "veth", "peer", "eth0", "netns", self.space)
        run("ip", "link", "set", f"dt-p{number}", "master", "dt-pools", "up")
        for words in (["link", "set", "lo", "up"], ["link", "set", "eth0", "up"],
                      ["address", "add", f"{self.address}/24", "dev", "eth0"]):
            run("ip", "-n", self.space, *words)

    def register(self):
        kubectl("create", "-f", "-", kubeconfig=self.test.admin, input=json.dumps({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name}}))
        status = {"status": {"addresses": [{"type": "InternalIP", "address": self.address}]}}
        kubectl("patch", "node", self.name, "--subresource=status", "--patch", json.dumps(status), kubeconfig=self.test.admin)

    def start(self):
        """Starts the agent; allocations are in directories that nobody else sees."""
        self.log = open(f"{self.directory}/log", "w")
        script = 'mount -t tmpfs none /var/lib/cni 2>/dev/null || { mkdir -p /var/lib/cni; mount -t tmpfs none /var/lib/cni; }; exec "$@"'
        self.agent = subprocess.Popen(
            ["ip", "netns", "exec", self.space, "sh", "-c", script, "agent", DUET, "agent", "--kubeconfig", self.test.admin,
             "--node-name", self.name, "--cni-conf-dir", self.directory, "--cni-bin-dir", os.path.dirname(self.test.plugins)],
            stderr=self.log)

    def configuration(self):
        try:
            with open(f"{self.directory}/10-duet.conflist") as file:
                return json.load(file)
        except FileNotFoundError:
            return None

    def subnets(self):
        """The blocks that the runtime is told, as sets of alternatives."""
        configuration = self.configuration()
        if configuration is None:
            return []
        return [[range["subnet"] for range in ranges] for ranges in configuration["plugins"][0]["ipam"]["ranges"]]

    def plugin(self, command, pod):
        configuration = self.configuration()
        network = {"cniVersion": "1.0.0", "name": configuration["name"], **configuration["plugins"][0]}
        environment = {
            "PATH": os.environ["PATH"], "CNI_COMMAND": command, "CNI_CONTAINERID": pod, "CNI_IFNAME": "eth0",
            "CNI_NETNS": "/proc/1/ns/net", "CNI_PATH": os.path.dirname(self.test.plugins)}
        result = run("nsenter", "-t", str(self.agent.pid), "-m", "-n", "--", self.test.plugins,
                     input=json.dumps(network), env=environment)
        return json.loads(result.stdout) if result.stdout.strip() else None

    def add(self, pod):
        """The addresses of a pod, whose namespace the address plugin does not look at."""
        self.pods[pod] = [ipaddress.ip_interface(ip["address"]).ip for ip in self.plugin("ADD", pod)["ips"]]
        return self.pods[pod]

    def delete(self, pod):
        self.plugin("DEL", pod)
        del self.pods[pod]

    def blocks(self):
        network = json.loads(kubectl("get", "nodenetwork", self.name, "-o", "json", kubeconfig=self.test.admin).stdout)
        return {block["cidr"]: block["state"] for block in network["spec"]["blocks"]}

    def remove(self):
        if getattr(self, "agent", None):
            self.agent.send_signal(signal.SIGTERM)
            self.agent.wait(timeout=30)
            self.log.close()
        # With its namespace alone the link would go some time later, in the midst of another test.
        run("ip", "link", "delete", f"dt-p{self.number}", check=False)
        run("ip", "netns", "delete", self.space, check=False)
        run("rm", "-rf", self.directory)


class Fragments(unittest.TestCase):
    """Blocks come, go and move between leftovers, while pods keep their addresses."""

    @classmethod
    def setUpClass(cls):
        cls.plugins = f"{os.path.dirname(DUET)}/host-local"
        if not os.path.exists(cls.plugins):
            cls.links = tempfile.TemporaryDirectory(prefix="dt-pools-")
            cls.addClassCleanup(cls.links.cleanup)
            cls.plugins = f"{cls.links.name}/host-local"
            os.symlink(f"{os.path.dirname(DUET)}/duet-cni", cls.plugins)
        run("ip", "link", "add", "dt-pools", "type", "bridge")
        cls.addClassCleanup(run, "ip", "link", "delete", "dt-pools")
        run("ip", "link", "set", "dt-pools", "up")
        run("ip", "address", "add", f"{UNDERLAY}.1/24", "dev", "dt-pools")
        cls.server = servers.Server(
            None, "--bind-address", "0.0.0.0", "--advertise-address", f"{UNDERLAY}.1", "--cluster-cidr", "",
            "--service-cluster-ip-range", "10.96.0.0/16,fd00:10:96::/112", "--node-block-return", "5")
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        cls.admin = f"{cls.server.directory}/admin-underlay.kubeconfig"
        with open(f"{cls.server.directory}/admin.kubeconfig") as file:
            text = file.read()
        with open(cls.admin, "w") as file:
            file.write(text.replace("127.0.0.1", f"{UNDERLAY}.1"))
        cls.machines = [Machine(cls, number) for number in (1, 2)]
        for machine in cls.machines:
            machine.register()
            machine.start()

    @classmethod
    def pool(cls, prefixes, name="left", **spec):
        kubectl("apply", "-f", "-", kubeconfig=cls.admin, input=json.dumps({
            "apiVersion": "network.duet.dev/v1alpha1", "kind": "AddressPool", "metadata": {"name": name},
            "spec": {"purpose": "Pods", "prefixes": prefixes, "blockSize": {"ipv4": 28, "ipv6": 64}, **spec}}))

    @staticmethod
    def prefixes(draining=()):
        return [{"cidr": cidr, "state": "Draining" if cidr in draining else "Active"} for cidr in FRAGMENTS]

    def condition(self, name, pool="left"):
        value = json.loads(kubectl("get", "ap", pool, "-o", "json", kubeconfig=self.admin).stdout)
        found = {c["type"]: c["status"] for c in value.get("status", {}).get("conditions", [])}
        return found.get(name)

    def test_1_nodes_wait_for_a_pool_and_get_blocks_of_each_family(self):
        events = kubectl("get", "events", "-o", "json", kubeconfig=self.admin).stdout
        self.assertNotIn("CIDRNotAvailable", events, "without pools there is nothing to wait for")
        self.pool(self.prefixes())
        for machine in self.machines:
            eventually(lambda: len(machine.subnets()) == 2, "the runtime knows a block of each family")
        # Which of the waiting nodes comes first is open.
        self.machines.sort(key=lambda machine: machine.subnets())
        self.assertEqual([m.subnets() for m in self.machines], [
            [["10.12.0.0/28"], ["2001:db8:7::/64"]], [["10.12.0.16/28"], ["2001:db8:7:1::/64"]]])
        shown = kubectl("get", "addresspools", kubeconfig=self.admin).stdout
        self.assertIn("10.12.0.0/22,10.77.16.0/23,192.168.200.0/24,2001:db8:7::/48", shown)

    def test_2_a_full_block_is_followed_by_a_further_one(self):
        machine, other = self.machines
        for number in range(12):
            addresses = machine.add(f"a{number}")
            self.assertEqual([a.version for a in addresses], [4, 6])
        eventually(lambda: machine.subnets()[0] == ["10.12.0.0/28", "10.12.0.32/28"], "a further block")
        for number in range(12, 20):
            machine.add(f"a{number}")
        firsts = [addresses[0] for addresses in machine.pods.values()]
        self.assertEqual(len(set(firsts)), 20)
        self.assertTrue(any(a in ipaddress.ip_network("10.12.0.32/28") for a in firsts))
        # The other node leads there, too.
        eventually(lambda: "10.12.0.32/28 via" in run("ip", "-n", other.space, "route").stdout, "a route to the block")

    def test_3_an_empty_block_comes_back(self):
        machine, other = self.machines
        block = ipaddress.ip_network("10.12.0.32/28")
        inside = [pod for pod, addresses in machine.pods.items() if addresses[0] in block]
        for pod in inside:
            machine.delete(pod)
        # Twice the reserve must stay free in the other block.
        for pod in list(machine.pods)[:8]:
            machine.delete(pod)
        eventually(lambda: machine.blocks().get("10.12.0.32/28") == "Releasing", "the block is being released")
        eventually(lambda: machine.subnets()[0] == ["10.12.0.0/28"], "no address of it is given")
        eventually(lambda: "10.12.0.32/28" not in machine.blocks(), "the block is back", seconds=40)
        eventually(lambda: "10.12.0.32/28" not in run("ip", "-n", other.space, "route").stdout, "its route is gone")

    def test_4_a_prefix_is_drained_while_in_use(self):
        machine = self.machines[0]
        self.pool(self.prefixes(draining=["10.12.0.0/22"]))
        eventually(lambda: machine.subnets()[0][0].startswith("10.77.16."), "a block of another prefix")
        self.assertIn(machine.add("b1")[0], ipaddress.ip_network("10.77.16.0/23"))
        eventually(lambda: self.condition("Drained") == "False", "not drained yet")
        result = kubectl("patch", "ap", "left", "--type=merge", "--patch", json.dumps(
            {"spec": {"prefixes": self.prefixes()[1:]}}), kubeconfig=self.admin, check=False)
        self.assertIn("10.12.0.0/22 has blocks in use", result.stderr)
        for pod in [pod for pod in machine.pods if pod.startswith("a")]:
            machine.delete(pod)
        eventually(lambda: self.condition("Drained") == "True", "drained", seconds=60)

    def test_5_a_restarted_server_knows_every_block(self):
        before = [machine.blocks() for machine in self.machines]
        self.server.kill()
        self.server.start()
        self.assertEqual(before, [machine.blocks() for machine in self.machines])
        machine = Machine(type(self), 3)
        machine.register()
        eventually(lambda: "podCIDRs" in kubectl(
            "get", "node", machine.name, "-o", "json", kubeconfig=self.admin).stdout, "the new node has blocks")
        node = json.loads(kubectl("get", "node", machine.name, "-o", "json", kubeconfig=self.admin).stdout)
        taken = [ipaddress.ip_network(cidr) for blocks in before for cidr in blocks]
        for cidr in node["spec"]["podCIDRs"]:
            block = ipaddress.ip_network(cidr)
            self.assertFalse([t for t in taken if t.version == block.version and t.overlaps(block)], cidr)
            self.assertFalse(block.version == 4 and block.subnet_of(ipaddress.ip_network("10.12.0.0/22")))

    def test_6_pools_for_services_make_and_unmake_ranges(self):
        def ranges():
            items = json.loads(kubectl("get", "servicecidrs", "-o", "json", kubeconfig=self.admin).stdout)["items"]
            return sorted(cidr for item in items for cidr in item["spec"]["cidrs"])

        kubectl("apply", "-f", "-", kubeconfig=self.admin, input=json.dumps({
            "apiVersion": "network.duet.dev/v1alpha1", "kind": "AddressPool", "metadata": {"name": "more"},
            "spec": {"purpose": "Services", "prefixes": [{"cidr": "10.50.0.0/24"}]}}))
        eventually(lambda: "10.50.0.0/24" in ranges(), "a ServiceCIDR")
        kubectl("create", "service", "clusterip", "web", "--tcp=80", "--clusterip=10.50.0.7", kubeconfig=self.admin)
        kubectl("delete", "ap", "more", "--wait=false", kubeconfig=self.admin)
        eventually(lambda: kubectl("get", "servicecidrs", "-o", "name", kubeconfig=self.admin), "ranges")
        self.assertIn("10.50.0.0/24", ranges(), "a Service has an address of it")
        kubectl("delete", "service", "web", kubeconfig=self.admin)
        eventually(lambda: "10.50.0.0/24" not in ranges(), "the range goes with its last Service", seconds=60)
        eventually(lambda: "more" not in kubectl("get", "ap", "-o", "name", kubeconfig=self.admin).stdout, "and the pool")

    def test_7_a_plan_tells_how_long_it_lasts(self):
        plan = json.loads(run(
            DUET, "plan", "addresses", "--prefixes", ",".join(FRAGMENTS), "--node-block-ipv4", "/26", "--pods-per-node", "60",
            "--nodes", "20", "--nodes-per-day", "1", "-o", "json").stdout)
        self.assertEqual(plan["families"][0]["fullNodes"], 28)
        self.assertEqual((plan["limits"][0]["family"], plan["limits"][0]["runsOutOnDay"]), ("IPv4", 9))


class ClusterOnFragments(ClusterTest):
    """`duet up` on prefixes that hold two blocks each, in tunnels: pods get addresses out of further blocks, and all are reached."""

    fragments = ["10.212.8.0/27", "10.177.16.0/27", "192.168.203.0/27", "fd00:77:7::/56"]
    options = ("--cluster-cidr", ",".join(fragments), "--node-cidr-mask-size-ipv4", "28", "--route-mode", "vxlan")

    def test_pods_fill_several_blocks_of_each_node(self):
        for node in ("node-1", "node-2"):
            self.assertIn("duet-vxlan4", run("ip", "-n", f"duet-{node}", "-o", "link").stdout)
        kubectl("create", "deployment", "many", "--image", "localhost/duet/pause:1", "--replicas=30")
        kubectl("rollout", "status", "deployment/many", "--timeout=180s")
        addresses = [ipaddress.ip_address(entry["ip"]) for pod in get("pods")["items"] for entry in pod["status"]["podIPs"]]
        self.assertEqual(len(set(addresses)), 60)
        used = {cidr for cidr in self.fragments for address in addresses if address in ipaddress.ip_network(cidr)}
        # A block of /28 is 13 pods: two nodes take four of the six blocks.
        self.assertGreaterEqual(len(used), 3)
        for address in addresses:
            run("ping", "-c", "1", "-W", "5", str(address))
        up(*self.options)
        result = up(check=False)
        self.assertIn("a different cluster stands", result.stderr)
        self.assertIn("--route-mode vxlan", result.stderr)


if __name__ == "__main__":
    unittest.main()
