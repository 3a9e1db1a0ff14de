"""Routers learn the nodes' blocks by BGP from Debian's FRR and BIRD, and keep the session when these change."""
import json
import os
import re
import shutil
import unittest

from support import eventually, run
from underlay import Topology, ip

FRR = "/usr/lib/frr"
ROUTER_ASN, NODE_ASN = 64513, 64512


class RoutingDaemon:
    """zebra and bgpd in a namespace, with files of their own."""

    def __init__(self, topology, namespace):
        self.topology, self.name = topology, namespace
        for directory in (f"/var/run/frr/{namespace}", f"/etc/frr/{namespace}"):
            os.makedirs(directory)
            shutil.chown(directory, "frr", "frr")
        with open(f"/etc/frr/{namespace}/vtysh.conf", "w"):
            pass
        self.processes = {}
        # bgpd that finds no zebra looks for it again ten seconds later, and until then resets sessions over routes of IPv6.
        for daemon in ("zebra", "bgpd"):
            self.processes[daemon] = self.start(daemon)
            self.wait_for(daemon)

    def start(self, daemon):
        return self.topology.spawn(self.name, f"{FRR}/{daemon}", "-N", self.name, "-f", "/dev/null", "-P", "0")

    def wait_for(self, daemon):
        """A daemon that does not answer yet would take no configuration, and frr-reload.py would call that a success."""
        eventually(lambda: run("vtysh", "-N", self.name, "-d", daemon, "-c", "show version"), f"{daemon} answers")

    def restart(self, daemon, kill=False):
        if kill:
            self.processes[daemon].kill()
        self.stop(self.processes[daemon])
        self.processes[daemon] = self.start(daemon)

    def stop(self, process):
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=60)
        if process in self.topology.processes:
            self.topology.processes.remove(process)

    def show(self, command):
        return run("vtysh", "-N", self.name, "-c", command).stdout

    def reload_command(self, file):
        return f"{FRR}/frr-reload.py --reload --daemon bgpd -N {self.name} {file}"

    def check_command(self, directory):
        """A script, since the command has words with spaces."""
        path = f"{directory}/check"
        with open(path, "w") as script:
            script.write(f"#!/bin/sh\nexec vtysh -N {self.name} -d bgpd -c 'show running-config'\n")
        os.chmod(path, 0o755)
        return path

    def load(self, text):
        file = f"/etc/frr/{self.name}/test.conf"
        with open(file, "w") as output:
            output.write(text)
        run(*self.reload_command(file).split())

    def remove(self):
        for process in reversed(self.processes.values()):
            self.stop(process)
        for directory in (f"/var/run/frr/{self.name}", f"/etc/frr/{self.name}"):
            shutil.rmtree(directory)


@unittest.skipUnless(os.path.exists(f"{FRR}/frr-reload.py"), "FRR is not installed")
class BGPTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.topology = Topology(f"dt-bg{os.getpid() % 10000}")
        cls.topology.__enter__()
        cls.addClassCleanup(cls.topology.__exit__, None, None, None)
        cls.topology.start_server()
        # This router is told of pods, so it lets them pass.
        cls.topology.exec(cls.topology.router, "nft", "delete", "table", "inet", "pods")
        cls.router = RoutingDaemon(cls.topology, cls.topology.router)
        cls.addClassCleanup(cls.router.remove)

    def listen(self, underlay):
        """The router takes routes of nodes 1 and 3 of both families, over sessions of the underlay's."""
        neighbors = [self.topology.address(link, number, family) for link, number in (("a", 1), ("b", 3)) for family in underlay]
        lines = [f"router bgp {ROUTER_ASN}", " no bgp default ipv4-unicast", " no bgp ebgp-requires-policy"]
        for neighbor in neighbors:
            lines += [f" neighbor {neighbor} remote-as {NODE_ASN}", f" neighbor {neighbor} timers connect 3"]
            lines += [f" neighbor {neighbor} capability extended-nexthop"] * (":" in neighbor)
        for family in (4, 6):
            lines += [" !", f" address-family ipv{family} unicast"]
            lines += [f"  neighbor {neighbor} activate" for neighbor in neighbors if (":" in neighbor) == (family == 6) or len(underlay) == 1]
            lines += [" exit-address-family"]
        # Neighbours of the case before, and how long they are left alone after their failures, go first.
        self.router.load("!\n")
        self.router.load("\n".join(lines + ["exit", ""]))
        eventually(lambda: set(self.established()) == set(neighbors), "the router has its neighbours")

    def learned(self):
        text = "".join(run("ip", "-n", self.topology.router, f"-{family}", "route", "show", "proto", "bgp").stdout for family in (4, 6))
        return set(re.findall(r"^(?:10|fd)[0-9a-f.:]*/\d+", text, re.M))

    def established(self):
        text = self.router.show("show bgp neighbors json")
        return {address: (peer["connectionsEstablished"], peer["connectionsDropped"]) for address, peer in json.loads(text).items()}

    def are_complete(self):
        """A session that ends before that takes the blocks with it, as RFC 4724 has it."""
        peers = json.loads(self.router.show("show bgp neighbors json")).values()
        return all(peer.get("gracefulRestartInfo", {}).get("endOfRibRecv", {}).get(f"ipv{family}Unicast") for peer in peers for family in (4, 6))

    def told(self, node):
        """The agent's daemon has taken the last of its configuration, all blocks of the node in it."""
        with open(node.log) as log:
            lines = [line for line in log if "routers are told of the pods' blocks" in line]
        return bool(lines) and all(block in lines[-1] for block in node.blocks)

    def standing(self):
        """What was established, once no session is down."""
        sessions = self.established()
        return sessions if all(begun == ended + 1 for begun, ended in sessions.values()) else None

    def check(self, underlay, daemon, options, pods=(4, 6), after=None):
        self.listen(underlay)
        nodes = [self.topology.add_node(number, underlay, pods, link) for number, link in ((1, "a"), (3, "b"))]
        try:
            for node in nodes:
                peers = ",".join(f"{self.topology.address(node.link, 254, family)}@{ROUTER_ASN}" for family in underlay)
                node.start_agent("--route-mode", "direct", "--bgp-daemon", daemon, "--bgp-asn", str(NODE_ASN), "--bgp-peers", peers,
                                 *options(node))
                self.topology.echo(node.namespace)
            blocks = {block for node in nodes for block in node.blocks}
            # A daemon that gets its configuration in steps may begin a session again at each of them.
            eventually(lambda: all(self.told(node) for node in nodes), "the daemons know everything")
            eventually(lambda: self.learned() == blocks, "the router knows the blocks", 60)
            # Routers on the way are enough: no tunnel, and pods show their own address.
            for node in nodes:
                eventually(node.configuration, "the CNI configuration")
                node.add_pod()
            self.assertNotIn("duet-vxlan", run("ip", "-n", nodes[0].namespace, "link").stdout)
            for family in ("-4", "-6"):
                self.assertNotIn("unreachable", run("ip", "-n", nodes[0].namespace, family, "route").stdout)
            for node, other in (nodes, nodes[::-1]):
                if len(underlay) == 1:
                    break
                targets = other.pods[0].addresses
                seen = self.topology.call(node.pods[0].namespace, [(target, 1500) for target in targets])
                self.assertEqual(seen, {target: [own, True] for target, own in zip(targets, node.pods[0].addresses)})
            before = eventually(self.standing, "every session stands")
            self.assertEqual(len(before), 2 * len(underlay))
            # A further block of a node comes, and goes.
            network = f"/apis/network.duet.dev/v1alpha1/nodenetworks/{nodes[0].name}"
            news = [block for block in ("10.244.77.0/24", "fd00:10:244:77::/64") if (6 if ":" in block else 4) in pods]
            further = [{"cidr": block} for block in nodes[0].blocks + news]
            self.topology.api("POST", os.path.dirname(network), {"metadata": {"name": nodes[0].name}, "spec": {"blocks": further}})
            self.addCleanup(self.topology.api, "DELETE", network, missing_ok=True)
            wanted = blocks | {block["cidr"] for block in further}
            eventually(lambda: self.learned() == wanted, "the router knows the new blocks", 60)
            self.topology.api("PATCH", network, {"spec": {"blocks": further[:-1]}}, patch=True)
            wanted = blocks | set(news[:-1])
            eventually(lambda: self.learned() == wanted, "the router forgets the block that went", 60)
            self.assertEqual(self.established(), before, "no session was reset")
            if after:
                after(wanted)
        finally:
            self.topology.remove_nodes()

    def frr(self, node):
        speaker = self.speaker = RoutingDaemon(self.topology, node.namespace)
        self.addCleanup(speaker.remove)
        file = f"{node.directory}/bgp.conf"
        return "--bgp-config", file, "--bgp-reload-command", speaker.reload_command(file), "--bgp-check-command", speaker.check_command(node.directory)

    def bird(self, node):
        file, control = f"{node.directory}/bgp.conf", f"{node.directory}/bird.ctl"
        with open(file, "w"):
            pass
        with open(f"{node.directory}/bird.conf", "w") as output:
            output.write(f'protocol device {{}}\nprotocol direct {{ ipv4; ipv6; }}\ninclude "{file}";\nrouter id 192.0.2.{node.number};\n'
                         # As Debian's, which puts into the kernel what it hears of.
                         "protocol kernel { ipv4 { export all; }; }\nprotocol kernel { ipv6 { export all; }; }\n")
        # Whether it answers yet when the agent starts is open: the agent tries until it does.
        self.topology.spawn(node.namespace, "bird", "-f", "-c", f"{node.directory}/bird.conf", "-s", control)
        return ("--bgp-config", file, "--bgp-reload-command", f"birdc -s {control} configure",
                "--bgp-check-command", f"birdc -s {control} show route table all where source = RTS_STATIC")

    def test_frr_tells_a_router_of_blocks_of_both_families(self):
        self.check((4, 6), "frr", self.frr)

    def test_frr_tells_of_both_families_over_ipv6_sessions_alone_and_again_after_its_restart(self):
        def restart(wanted):
            # A daemon that starts anew knows nothing of what it was told; the router keeps the blocks until it speaks again.
            for kill in (True, False):
                lost = set()

                def begun():
                    return {address: begun for address, (begun, _) in self.established().items()}

                def again():
                    missing = wanted - self.learned()
                    if begun() != before:
                        return True
                    lost.update(missing)
                    return False
                eventually(self.are_complete, "every session's other end has told everything")
                before = begun()
                self.speaker.restart("bgpd", kill)
                eventually(again, "the session begins again", 120)
                self.assertEqual(lost, set())
                eventually(lambda: self.learned() == wanted, "the router knows the blocks again", 60)
        self.check((6,), "frr", self.frr, after=restart)

    def test_bird_tells_a_router_of_blocks_of_both_families(self):
        self.check((4, 6), "bird", self.bird)

    def test_bird_tells_of_ipv4_alone(self):
        self.check((4,), "bird", self.bird, (4,))

    def test_bird_tells_of_ipv6_alone(self):
        self.check((6,), "bird", self.bird, (6,))
