"""The CNI plugins beside the reference ones: results, kernel state, swapping, and what faults leave behind."""
import json
import os
import random
import re
import subprocess
import tempfile
import time
import unittest

import plugins
from plugins import BOTH, REFERENCE, Node, ip
from support import DUET, IMAGES, run

# Hardware addresses that configurations ask for.
GIVEN = ("02:11:22:33:44:55", "02:11:22:33:44:66")
V4, V6 = (BOTH[0],), (BOTH[1],)
# How many calls are interrupted; thousands for a long run by hand.
FAULTS = int(os.environ.get("DUET_CNI_FAULTS", "200"))
OURS = ""


def setUpModule():
    global OURS
    directory = tempfile.mkdtemp(prefix="dt-cni-bin-")
    unittest.addModuleCleanup(subprocess.run, ["rm", "-r", directory], check=True)
    OURS = plugins.install(os.path.join(os.path.dirname(DUET), "duet-cni"), directory)


def normalised(text):
    """A result without what is random, its keys in the order in which they were printed."""
    def order(pairs):
        return [(key, normal(key, value)) for key, value in pairs]

    def normal(key, value):
        if key == "name" and str(value).startswith("veth"):
            return "veth"
        if key == "mac" and value not in GIVEN:
            return "mac"
        return "pod" if key == "sandbox" else value

    return json.loads(text, object_pairs_hook=order)


def state(node, namespace):
    """Links, addresses, routes and settings, without what is random."""
    def name(text):
        return "veth" if (text or "").startswith("veth") else text

    lines = []
    for link in ip("addr", namespace=namespace):
        port = link.get("linkinfo", {}).get("info_slave_data", {})
        lines.append(f"link {name(link['ifname'])} mtu {link['mtu']} {link['operstate']} master {link.get('master')} "
                     f"promiscuity {link['promiscuity']} {[port.get(key) for key in ('hairpin', 'isolated', 'learning')]}")
        lines += [f"addr {name(link['ifname'])} {entry['local']}/{entry['prefixlen']} {entry['scope']} {entry.get('broadcast')}"
                  for entry in link["addr_info"] if entry["scope"] != "link"]
    for family in ("-4", "-6"):
        lines += [f"route {[route.get(key) for key in ('dst', 'gateway', 'scope', 'prefsrc', 'metric')]} {name(route.get('dev'))} "
                  f"{[hop['gateway'] for hop in route.get('nexthops', [])]}"
                  for route in ip(family, "route", namespace=namespace) if route["dst"] != "fe80::/64"]
    rules = subprocess.run(["nft", "list", "table", "bridge", "nat"], capture_output=True, text=True, timeout=30).stdout
    if namespace is None:
        lines += [re.sub(r"veth\w+|(\w\w:){5}\w\w", "random", line.strip()) for line in rules.splitlines()]
    for setting in ("ipv4/ip_forward", "ipv6/conf/all/forwarding", "ipv4/conf/eth0/arp_notify", "ipv6/conf/cni0/accept_ra"):
        path = f"/proc/sys/net/{setting}"
        prefix = ["ip", "netns", "exec", namespace] if namespace else []
        result = subprocess.run(prefix + ["cat", path], capture_output=True, text=True, timeout=30)
        lines.append(f"{setting} {result.stdout.strip()}")
    return sorted(lines)


def settled(node, pods):
    """Waits until every link that is up works; the reference plugins do not."""
    for _ in range(400):
        links = ip("link") + [link for pod in pods for link in ip("link", namespace=node.pod(pod))]
        if all(link["operstate"] in ("UP", "UNKNOWN") for link in links if "UP" in link["flags"]):
            return
        time.sleep(0.01)


WAYS = (("10.20.0.0/16", "10.9.0.7"), ("10.20.0.0/16", "10.9.0.8"))
WAYS_V6 = (("fd20::/64", "fd00:9::7"), ("fd20::/64", "fd00:9::8"))
# Kind, remark, what the configuration has beside the defaults, options of the call.
ATTACHMENTS = [
    ("ptp", "both families", {}, {}),
    ("ptp", "IPv4 alone", {"subnets": V4}, {}),
    ("ptp", "IPv6 alone", {"subnets": V6}, {}),
    ("ptp", "IPv6 first", {"subnets": (BOTH[1], BOTH[0])}, {}),
    ("ptp", "MTU, resolver, masquerade", {"mtu": 1400, "ipMasq": True, "dns": {"nameservers": ["10.96.0.10"], "search": ["a.b"]}}, {}),
    ("ptp", "no routes", {"subnets": (("10.9.0.0/24", None), ("fd00:9::/64", None))}, {}),
    ("bridge", "both families", {}, {}),
    ("bridge", "IPv4 alone", {"subnets": V4, "isGateway": True}, {}),
    ("bridge", "IPv6 alone", {"subnets": V6, "isGateway": True}, {}),
    ("bridge", "gateway", {"isGateway": True, "ipMasq": True}, {}),
    ("bridge", "default gateway", {"isDefaultGateway": True, "hairpinMode": True, "mtu": 1450, "bridge": "br-pods",
                                   "subnets": (("10.9.0.0/24", None), ("fd00:9::/64", None))}, {}),
    ("bridge", "promiscuous", {"promiscMode": True, "isGateway": True, "forceAddress": True}, {}),
    ("bridge", "hardware address of the runtime", {"runtimeConfig": {"mac": "02:11:22:33:44:55"}, "args": {"cni": {"mac": "02:11:00:00:00:01"}}}, {}),
    ("bridge", "hardware address of the arguments", {}, {"arguments": "IgnoreUnknown=1;MAC=02:11:22:33:44:66"}),
    ("bridge", "addresses that the runtime asks for", {"runtimeConfig": {"ips": ["10.9.0.77/16", "fd00:9::77"]}}, {}),
    ("bridge", "addresses of the convention", {"args": {"cni": {"ips": ["10.9.0.78"]}}}, {"arguments": "IgnoreUnknown=1;IP=fd00:9::78"}),
    ("bridge", "checked hardware address", {"macspoofchk": True, "isGateway": True}, {}),
    ("bridge", "duplicate detection", {"enabledad": True}, {}),
    ("bridge", "resolver", {"dns": {"nameservers": ["fd00::a"], "domain": "x.y", "options": ["ndots:5"]}}, {}),
    ("bridge", "an address that is asked for in several ways", {"runtimeConfig": {"ips": ["10.9.0.79"]}, "args": {"cni": {"ips": ["::ffff:10.9.0.79/112"]}}},
     {"arguments": "IgnoreUnknown=1;IP=10.9.0.79"}),
    ("bridge", "no address in the arguments", {"mtu": -1}, {"arguments": "IgnoreUnknown=1;IP="}),
    ("bridge", "hardware address with full stops", {"runtimeConfig": {"mac": "0211.2233.4455"}}, {}),
    ("bridge", "several ways", {"routes": WAYS}, {}),
    ("ptp", "several ways", {"routes": WAYS}, {}),
    ("ptp", "MTU that says nothing", {"mtu": -1}, {}),
    ("loopback", "loopback", {}, {}),
]

REFUSALS = [
    ("bridge", {"hairpinMode": True, "promiscMode": True}),
    ("bridge", {"vlan": 4095}),
    ("bridge", {"vlan": -1}),
    ("bridge", {"bridge": "lo"}),
    ("ptp", {"ipam": {"type": "no-such-plugin"}}),
    ("ptp", {"ipam": {"type": "host-local", "ranges": [[{"subnet": "10.9.0.0/31"}]]}}),
    ("ptp", {"ipam": {"type": "host-local", "ranges": [[{"subnet": "10.9.0.7/24"}]]}}),
    ("bridge", {"ipam": {"type": "host-local", "ranges": []}}),
    ("ptp", {"ipam": {"type": "../host-local"}}),
    ("ptp", {"ipam": {"type": ""}}),
    ("ptp", {"cniVersion": "2.0.0"}),
    ("ptp", {"cniVersion": "1.0"}),
    ("ptp", {"name": ""}),
    ("ptp", {"name": "a/b"}),
]


class BesideTheReference(unittest.TestCase):
    maxDiff = None

    def configuration(self, node, kind, extra, version):
        return node.configuration(kind, version=version, **extra)

    def attach(self, binaries, row, version):
        """The printed result, and the state of pod and host."""
        kind, _, extra, options = row
        with Node(detects_duplicates=False) as node:
            answer = node.call(binaries, "ADD", self.configuration(node, kind, extra, version), **options)
            self.assertTrue(answer.ok, answer)
            settled(node, [0])
            rules = [rule for rule in node.rules() if "macspoofchk" in rule]
            return normalised(answer.text), state(node, node.pod()), state(node, None), len(rules), sorted(node.allocated().items())

    def test_results_and_kernel_state_are_the_same(self):
        for row in ATTACHMENTS:
            with self.subTest(f"{row[0]}: {row[1]}"):
                ours, theirs = (self.attach(binaries, row, "1.0.0") for binaries in (OURS, REFERENCE))
                self.assertEqual(ours, theirs)

    def test_several_ways_of_ipv6_are_one_route(self):
        # The reference does not find the routes that it made itself, so that it cannot check them.
        for kind in ("ptp", "bridge"):
            row = (kind, "", {"routes": WAYS_V6}, {})
            self.assertEqual(*(self.attach(binaries, row, "1.0.0") for binaries in (OURS, REFERENCE)))
            with Node(detects_duplicates=False) as node:
                configuration = node.configuration(kind, routes=WAYS_V6)
                configuration["prevResult"] = node.call(REFERENCE, "ADD", configuration).printed
                settled(node, [0])
                self.assertTrue(node.call(OURS, "CHECK", configuration).ok)

    def test_results_are_the_same_in_every_version(self):
        for version in ("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"):
            # The reference's loopback prints the newest form under whatever version it is asked for.
            for kind in ("ptp", "bridge", "host-local") + (("loopback",) if version == "1.0.0" else ()):
                with self.subTest(f"{kind} {version}"):
                    texts = []
                    for binaries in (OURS, REFERENCE):
                        with Node(detects_duplicates=False) as node:
                            extra = {"isGateway": True, "dns": {"search": ["a.b"]}}
                            texts.append(normalised(node.call(binaries, "ADD", node.configuration(kind, version=version, **extra)).text))
                    self.assertEqual(*texts)

    def test_errors_have_the_same_text(self):
        for kind, extra in REFUSALS:
            with self.subTest(f"{kind} {extra}"):
                answers = []
                for binaries in (OURS, REFERENCE):
                    with Node(detects_duplicates=False) as node:
                        configuration = node.configuration(kind, **{key: value for key, value in extra.items() if key != "ipam"})
                        configuration.update(extra)
                        if "ipam" in extra:
                            configuration["ipam"]["dataDir"] = node.directory
                        answer = node.call(binaries, "ADD", configuration)
                        self.assertFalse(answer.ok)
                        self.assertEqual(node.allocated(), {})
                        # The search path differs; Debian's version ends one text with a full stop that newer ones do not have.
                        answers.append((answer.printed["code"], answer.message.partition(" in path ")[0].rstrip(".")))
                self.assertEqual(*answers)

    def test_what_add_refuses_del_lets_go(self):
        """A runtime calls DEL for an ADD that failed, and goes on with the plugins before only if that succeeds."""
        refused = REFUSALS[:4] + [
            ("bridge", {"runtimeConfig": {"mac": "x"}}), ("bridge", {"ipam": {"type": "host-local", "ranges": [[{"subnet": "x"}]]}}),
            ("portmap", {"runtimeConfig": {"portMappings": [{"hostPort": 70000, "containerPort": 80, "protocol": "tcp"}]}}),
            ("portmap", {"conditionsV4": ["-m", "mark"]}), ("firewall", {"ingressPolicy": "x"}), ("firewall", {"iptablesAdminChainName": "A B"}),
            ("tuning", {"sysctl": {"kernel.hostname": "x"}}), ("bandwidth", {"ingressRate": 8})]
        for kind, extra in refused:
            with self.subTest(f"{kind} {extra}"), Node() as node:
                first = node.call(OURS, "ADD", node.configuration("bridge", version="1.0.0"), interface="eth1")
                configuration = node.configuration(kind) | {"prevResult": first.printed} | extra
                configuration.get("ipam", {})["dataDir"] = node.directory
                for command, isServed in (("ADD", False), ("DEL", True)):
                    answer = node.call(OURS, command, configuration)
                    self.assertEqual(answer.ok, isServed, answer)

    def test_each_continues_what_the_other_began(self):
        for first, second in ((OURS, REFERENCE), (REFERENCE, OURS)):
            for row in ATTACHMENTS:
                kind, remark, extra, options = row
                if kind == "loopback" and first == OURS:
                    continue  # The reference takes lo down, and then finds it down.
                with self.subTest(f"{kind}: {remark}, first {first}"), Node(detects_duplicates=False) as node:
                    configuration = self.configuration(node, kind, extra, "1.0.0")
                    answer = node.call(first, "ADD", configuration, **options)
                    self.assertTrue(answer.ok, answer)
                    settled(node, [0])
                    configuration["prevResult"] = answer.printed
                    for command in ("CHECK", "DEL", "DEL"):
                        answer = node.call(second, command, configuration, **options)
                        self.assertTrue(answer.ok, f"{command}: {answer}")
                    self.assertEqual(node.allocated(), {})
                    self.assertEqual(node.links(pod=0), ["lo"])
                    self.assertEqual([link for link in node.links() if link.startswith("veth")], [])
                    # The reference of this machine knows nothing of nftables masquerading; ours knows both.
                    if second == OURS:
                        self.assertEqual(node.rules(), [])
                        self.assertNotIn("CNI-", run("nft", "list", "ruleset").stdout)

    def test_addresses_are_handed_out_in_one_order(self):
        with Node(detects_duplicates=False) as node:
            configuration = node.configuration("host-local", subnets=(("10.9.0.0/29", None), ("fd00:9::/125", None)))
            given = []
            for turn in range(24):
                binaries = random.Random(turn).choice((OURS, REFERENCE))
                answer = node.call(binaries, "ADD", configuration, container=f"c{turn}")
                given.append([entry["address"] for entry in answer.printed["ips"]])
                if turn >= 3:
                    self.assertTrue(node.call(random.Random(-turn).choice((OURS, REFERENCE)), "DEL", configuration, container=f"c{turn - 3}").ok)
            self.assertEqual([pair[0] for pair in given], [f"10.9.0.{2 + turn % 5}/29" for turn in range(24)])
            self.assertEqual([pair[1] for pair in given], [f"fd00:9::{2 + turn % 6}/125" for turn in range(24)])


class Faults(unittest.TestCase):
    def test_the_last_address_goes_to_one(self):
        for attempt in range(20):
            with Node() as node:
                configuration = node.configuration("host-local", subnets=(("10.9.0.0/24", None), ("fd00:9::/126", None)))
                self.assertTrue(node.call(OURS, "ADD", configuration, container="first").ok)
                racers = [node.start(OURS if (attempt + number) % 3 else REFERENCE, "ADD", configuration, container=f"racer{number}")
                          for number in range(6)]
                answers = [racer.wait() for racer in racers]
                self.assertEqual(sum(answer.ok for answer in answers), 1, answers)
                for answer in answers:
                    if not answer.ok:
                        self.assertIn("no IP addresses available in range set: fd00:9::1-fd00:9::3", answer.message)
                # The losers gave back what they got of the other family.
                self.assertEqual(len(node.allocated()), 4)

    def test_killed_plugins_leave_nothing_after_a_deletion(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        with Node() as node, self.subTest(f"seed {seed}"):
            shapes = [node.configuration("ptp", version="1.1.0", ipMasq=True),
                      node.configuration("bridge", version="1.1.0", ipMasq=True, isDefaultGateway=True, macspoofchk=True,
                                         subnets=(("10.9.0.0/16", None), ("fd00:9::/64", None)))]
            attached, killed = {}, 0
            for turn in range(FAULTS):
                pod = turn % 8
                command, shape = ("DEL", attached.pop(pod)) if pod in attached else ("ADD", chance.choice(shapes))
                interrupted = node.start(OURS, command, shape, pod=pod)
                time.sleep(chance.random() * 0.012)
                interrupted.kill()
                answer = interrupted.wait()
                killed += not answer.text and not answer.ok
                # A runtime deletes what it does not know the end of.
                self.assertTrue(node.call(OURS, "DEL", shape, pod=pod).ok)
                self.assertNotIn("eth0", node.links(pod=pod))
                self.assertFalse([text for text in node.allocated().values() if text.startswith(f"c{pod}\r")])
                if chance.random() < 0.5:
                    answer = node.call(OURS, "ADD", shape, pod=pod)
                    self.assertTrue(answer.ok, answer)
                    attached[pod] = shape
            self.assertGreater(killed, FAULTS / 10, "the kills came too late")
            for pod, shape in attached.items():
                self.assertTrue(node.call(OURS, "DEL", shape, pod=pod).ok)
            self.assert_clean(node)

    def test_killed_plugins_leave_nothing_after_a_collection(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        with Node() as node, self.subTest(f"seed {seed}"):
            configuration = node.configuration("ptp", version="1.1.0", ipMasq=True)
            for turn in range(FAULTS // 4):
                call = node.start(OURS, "ADD", configuration, pod=turn % 4, container=f"c{turn}")
                time.sleep(chance.random() * 0.012)
                call.kill()
                call.wait()
                # The pod goes away with its interface; nobody ever calls DEL.
                node.remove_pod(turn % 4)
            self.assertTrue(node.call(OURS, "GC", configuration | {"cni.dev/valid-attachments": []}).ok)
            self.assert_clean(node)

    def assert_clean(self, node):
        self.assertEqual(node.allocated(), {})
        self.assertEqual(node.rules(), [])
        self.assertEqual([link for link in node.links() if link.startswith("veth")], [])
        self.assertEqual([name for name in os.listdir(f"{node.directory}/net") if name == ".new"], [])
        # Nobody holds the lock.
        run("flock", "--nonblock", f"{node.directory}/net/lock", "true")

    def test_no_address_is_given_twice_under_load(self):
        with Node() as node:
            configuration = node.configuration("host-local")
            calls = [node.start((OURS, REFERENCE)[number % 4 == 3], "ADD", configuration, container=f"c{number}") for number in range(60)]
            answers = [call.wait() for call in calls]
            self.assertTrue(all(answer.ok for answer in answers), answers)
            addresses = [entry["address"] for answer in answers for entry in answer.printed["ips"]]
            self.assertEqual(len(addresses), 120)
            self.assertEqual(len(set(addresses)), 120)


@unittest.skipUnless(os.path.exists("/usr/bin/strace"), "strace is not installed")
class Costs(unittest.TestCase):
    """How often a call asks the kernel: counts, which no other load of the machine changes."""

    # Kind, command, the most times that netlink requests are sent, files opened without those of the binary's own start, system
    # calls and page faults.
    LIMITS = [("ptp", "ADD", 26, 22, 260, 145), ("ptp", "DEL", 1, 10, 100, 135), ("bridge", "ADD", 24, 23, 260, 145),
              ("bridge", "DEL", 1, 10, 100, 135), ("host-local", "ADD", 0, 12, 100, 135), ("host-local", "DEL", 0, 8, 80, 130)]

    def counts(self, node, kind, command, configuration):
        """What a call asks of the kernel: requests sent, files opened, system calls, threads started."""
        trace = f"{node.directory}/trace"
        environment = {
            "CNI_COMMAND": command, "CNI_CONTAINERID": "counted", "CNI_IFNAME": "eth0", "CNI_NETNS": f"/run/netns/{node.pod(0)}",
            "CNI_PATH": OURS, "PATH": "/usr/sbin:/usr/bin"}
        run("strace", "-f", "-qq", "-o", trace, f"{OURS}/{kind}", input=json.dumps(configuration), env=environment)
        with open(trace) as file:
            lines = list(file)
        opened = [line for line in lines if "openat(" in line and not re.search(r"\.so|hwcaps|/etc/ld|/proc/self/maps|/sys/devices", line)]
        return (sum("nlmsg_type" in line for line in lines if re.search(r"send(to|msg)\(", line)), len(opened), len(lines),
                sum("clone" in line for line in lines))

    def faults(self, node, kind, command, configuration):
        """The page faults of a call; the fewest of a few, since a page may be missing for other reasons."""
        counted = []
        for _ in range(3):
            if command == "DEL":
                self.assertTrue(node.call(OURS, "ADD", configuration, container="counted").ok)
            call = node.start(OURS, command, configuration, container="counted")
            _, status, usage = os.wait4(call.pid, 0)
            self.assertTrue(call.answer(status).ok)
            counted.append(usage.ru_minflt)
            if command == "ADD":
                self.assertTrue(node.call(OURS, "DEL", configuration, container="counted").ok)
        return min(counted)

    def test_calls_ask_the_kernel_seldom(self):
        for kind, command, requests, files, calls, faults in self.LIMITS:
            with self.subTest(f"{kind} {command}"), Node() as node:
                configuration = node.configuration(kind, isGateway=True)
                self.assertTrue(node.call(OURS, "ADD", configuration, pod=1).ok)
                if command == "DEL":
                    self.assertTrue(node.call(OURS, "ADD", configuration, pod=0, container="counted").ok)
                counted = self.counts(node, kind, command, configuration)
                # ADD sends 14 times for a bridge; waiting for the kernel's own workers takes more, by how busy the machine is.
                for count, limit in zip(counted, (requests, files, calls, 0)):
                    self.assertLessEqual(count, limit)
                if command == "ADD":
                    self.assertTrue(node.call(OURS, "DEL", configuration, pod=0, container="counted").ok)
                self.assertLessEqual(self.faults(node, kind, command, configuration), faults)

    def test_a_call_costs_the_same_with_many_addresses_taken(self):
        costs = []
        for taken in (100, 2000):
            with Node() as node:
                configuration = node.configuration("host-local", subnets=(("10.9.0.0/16", None),))
                os.makedirs(f"{node.directory}/net")
                for number in range(2, taken + 2):
                    with open(f"{node.directory}/net/10.9.{number >> 8}.{number & 255}", "w", newline="") as file:
                        file.write(f"filler-{number}\r\neth0")
                with open(f"{node.directory}/net/last_reserved_ip.0", "w") as file:
                    file.write(f"10.9.{(taken + 1) >> 8}.{(taken + 1) & 255}")
                # The first call makes the index.
                self.assertTrue(node.call(OURS, "ADD", configuration, container="first").ok)
                costs.append([self.counts(node, "host-local", command, configuration) for command in ("ADD", "DEL")])
        for few, many in zip(*costs):
            self.assertEqual(few[:2], many[:2])
            # Containers whose hashes meet take a look more, and so may the allocator.
            self.assertLess(abs(few[2] - many[2]), 10, (few, many))


PODMAN = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[network]
network_backend = "cni"
cni_plugin_dirs = ["{plugins}", "{reference}"]
network_config_dir = "{directory}/networks"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
"""


@unittest.skipUnless(os.path.exists("/usr/bin/podman"), "podman is not installed")
class PodmanHost(unittest.TestCase):
    """A podman of its own whose CNI back end calls the plugins through the reference library."""

    def podman(self, *arguments, **options):
        base = ["podman", "--root", f"{self.directory}/root", "--runroot", f"{self.directory}/run", "--storage-driver", "vfs"]
        environment = os.environ | {"CONTAINERS_CONF": f"{self.directory}/containers.conf", "TMPDIR": self.directory}
        return run(*base, *arguments, env=environment, **options)

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="dt-cni-podman-")
        self.addCleanup(subprocess.run, ["rm", "-rf", self.directory], check=True)
        made = ["/var/lib/cni/networks/dt-cni" if os.path.exists("/var/lib/cni") else "/var/lib/cni"]
        made += [path for path in ("/var/lib/containers", "/run/libpod", "/run/containers") if not os.path.exists(path)]
        self.addCleanup(subprocess.run, ["rm", "-rf", *made], check=True)
        self.addCleanup(self.remove_cgroups)
        with open(f"{self.directory}/containers.conf", "w") as file:
            file.write(PODMAN.format(plugins=OURS, reference=REFERENCE, directory=self.directory))
        loaded = self.podman("load", "--input", f"{IMAGES}/busybox.tar").stdout
        self.image = loaded.strip().rpartition(" ")[2]

    @staticmethod
    def remove_cgroups():
        """Podman leaves the parent of its containers' control groups."""
        for directory, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
            if "libpod_parent" in directory:
                os.rmdir(directory)


class Podman(PodmanHost):
    """Our plugins in the hands of podman."""

    def test_a_container_has_both_families_and_leaves_nothing(self):
        # Bridge and rules are those of a host of its own.
        with Node() as node:
            self.podman("network", "create", "--subnet", "10.9.64.0/24", "--subnet", "fd00:9:64::/64", "--ipv6", "dt-cni")
            listing = self.podman("run", "--rm", "--network", "dt-cni", self.image, "ip", "addr").stdout
            self.assertIn("10.9.64.2/24", listing)
            self.assertIn("fd00:9:64::2/64", listing)
            for gateway in ("10.9.64.1", "fd00:9:64::1"):
                self.podman("run", "--rm", "--network", "dt-cni", "--mac-address", "02:11:22:33:44:77", self.image,
                            "ping", "-c", "1", "-W", "2", gateway)
            directory = "/var/lib/cni/networks/dt-cni"
            self.assertEqual([name for name in os.listdir(directory) if name[0] in "1f"], [])
            self.assertEqual([link for link in node.links() if link.startswith("veth")], [])
            self.assertNotIn("10.9.64.", run("nft", "list", "ruleset").stdout)
            self.podman("network", "rm", "dt-cni")


if __name__ == "__main__":
    unittest.main()
