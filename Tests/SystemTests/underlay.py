"""Nodes without pods' runtime: network namespaces on two links with a router between, agents, and pods by the CNI plugins."""
import contextlib
import ctypes
import http.client
import ipaddress
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

from support import DUET, eventually, run

CNI = os.path.join(os.path.dirname(os.path.realpath(DUET)), "duet-cni")
PORT = 6443
# What every namespace answers: the caller's address, then what it sends, on TCP; datagrams as they come on UDP.
ECHO = """
import socket, threading
def serve(family, address):
    tcp = socket.socket(family, socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    udp = socket.socket(family, socket.SOCK_DGRAM)
    for each in (tcp, udp):
        if family == socket.AF_INET6:
            each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        each.bind((address, 7000))
    tcp.listen(64)
    def datagrams():
        while True:
            data, sender = udp.recvfrom(65536)
            try:
                udp.sendto(data, sender)
            except OSError:
                pass
    threading.Thread(target=datagrams, daemon=True).start()
    def answer(connection, caller):
        with connection:
            connection.sendall((caller + "\\n").encode())
            while data := connection.recv(65536):
                connection.sendall(data)
    while True:
        connection, caller = tcp.accept()
        threading.Thread(target=answer, args=(connection, caller[0]), daemon=True).start()
threading.Thread(target=serve, args=(socket.AF_INET6, "::"), daemon=True).start()
print("ready", flush=True)
serve(socket.AF_INET, "0.0.0.0")
"""
# Speaks to each target; prints one JSON object: what it was seen as, and whether the largest datagram came back.
CALL = """
import json, socket, sys
results = {}
for target, size in json.loads(sys.argv[1]):
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    try:
        with socket.create_connection((target, 7000), 3) as tcp:
            tcp.settimeout(5)
            stream = tcp.makefile("rb")
            seen = stream.readline().decode().strip()
            data = bytes(range(256)) * 400
            tcp.sendall(data)
            assert stream.read(len(data)) == data, "the bytes differ"
        whole = None
        if size:
            with socket.socket(family, socket.SOCK_DGRAM) as udp:
                udp.settimeout(1)
                # IP_MTU_DISCOVER or IPV6_MTU_DISCOVER = PMTUDISC_DO: no fragments.
                udp.setsockopt(*((41, 23, 2) if family == socket.AF_INET6 else (0, 10, 2)))
                data = bytes(size - (48 if family == socket.AF_INET6 else 28))
                udp.sendto(data, (target, 7000))
                whole = udp.recv(65536) == data
        results[target] = [seen, whole]
    except Exception as error:
        results[target] = [repr(error), False]
print(json.dumps(results))
"""
libc = ctypes.CDLL(None, use_errno=True)
HOME = f"/proc/self/fd/{os.open('/proc/self/ns/net', os.O_RDONLY)}"


@contextlib.contextmanager
def inside(namespace):
    """The calling thread lives in a network namespace meanwhile."""
    def enter(path):
        with open(path) as file:
            if libc.setns(file.fileno(), 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), f"setns {path}")

    enter(f"/run/netns/{namespace}")
    try:
        yield
    finally:
        enter(HOME)


def in_cgroup(cgroup, *command):
    """A command whose process enters a cgroup first."""
    return ("sh", "-c", 'echo $$ >"$0"/cgroup.procs; exec "$@"', cgroup, *command)


def ip(namespace, *commands):
    """Runs commands of `ip`, one a line, in a namespace."""
    run("ip", "-n", namespace, "-batch", "-", input="\n".join(line for text in commands for line in text.splitlines()) + "\n")


class Topology:
    """A router with two links: A is a bridge with nodes 1 and 2 (and more), B leads to node 3. The router knows no pods."""

    def __init__(self, name):
        self.name, self.router, self.processes, self.nodes = name, f"{name}-r", [], {}
        self.directory = tempfile.TemporaryDirectory()
        self.namespaces, self.made = [], []
        self.server = None

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def build(self):
        if not os.path.exists("/var/lib/cni"):
            os.makedirs("/var/lib/cni")
            self.made.append("/var/lib/cni")
        self.make(self.router)
        ip(self.router, "link add link-a type bridge", "link set link-a up")
        for family in (4, 6):
            self.exec(self.router, "sysctl", "-qw",
                      "net.ipv4.ip_forward=1" if family == 4 else "net.ipv6.conf.all.forwarding=1")
        ip(self.router, *(f"addr add {self.address('a', 254, family, length=True)} dev link-a {'nodad' * (family == 6)}" for family in (4, 6)))
        # What crosses the bridge of link A is not routed, wherever netfilter would look at it nevertheless.
        for name in ("iptables", "ip6tables"):
            self.exec(self.router, "sysctl", "-qw", f"net.bridge.bridge-nf-call-{name}=0", check=False)
        # A pod's address must never show between the links.
        drops = "; ".join(f"{family} {side} {block} counter drop" for family, block in (("ip", "10.244.0.0/16"), ("ip6", "fd00:10:244::/48"))
                          for side in ("saddr", "daddr"))
        self.exec(self.router, "nft", f"table inet pods {{ chain forward {{ type filter hook forward priority 0; {drops}; }}; }}")

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for namespace in reversed(self.namespaces):
            run("ip", "netns", "del", namespace, check=False)
        for path in self.made:
            os.rmdir(path)
        self.directory.cleanup()

    def make(self, namespace):
        run("ip", "netns", "add", namespace)
        self.namespaces.append(namespace)
        ip(namespace, "link set lo up")

    @staticmethod
    def entering(namespace, cgroups):
        """The beginning of a command in a namespace and with mounts of its own; `ip` hides the cgroups."""
        return ["nsenter", f"--net=/run/netns/{namespace}", "unshare", "--mount"] if cgroups else ["ip", "netns", "exec", namespace]

    def exec(self, namespace, *command, cgroups=False, **options):
        return run(*self.entering(namespace, cgroups), *command, **options)

    def spawn(self, namespace, *command, log=None, cgroups=False, **options):
        with open(log or os.devnull, "a") as file:
            process = subprocess.Popen([*self.entering(namespace, cgroups), *command], stderr=file, **options)
        process.namespace = namespace
        self.processes.append(process)
        return process

    def echo(self, namespace):
        process = self.spawn(namespace, sys.executable, "-c", ECHO, stdout=subprocess.PIPE)
        process.stdout.readline()
        process.stdout.close()

    def call(self, namespace, targets):
        return json.loads(self.exec(namespace, sys.executable, "-c", CALL, json.dumps(targets)).stdout)

    @staticmethod
    def address(link, number, family, length=False):
        subnet = 1 if link == "a" else 2
        text = f"172.31.{subnet}.{number}" if family == 4 else f"fd31:{subnet}::{number:x}"
        return text + (("/24" if family == 4 else "/64") if length else "")

    def start_server(self, *options, families=(4, 6)):
        """An API server on the router, without controllers unless options say what these need; the primary family first."""
        self.data = f"{self.directory.name}/data"
        self.server = self.spawn(
            self.router, DUET, "server", "--data-dir", self.data, "--secure-port", str(PORT), *(options or ["--api-only"]),
            "--advertise-address", ",".join(self.address("a", 254, family) for family in families),
            log=f"{self.directory.name}/server.log")

        def ready():
            try:
                return self.api("GET", "/readyz")
            except (OSError, http.client.HTTPException) as error:
                raise AssertionError(error) from error
        eventually(ready, "the server")

    def api(self, method, path, body=None, patch=False, missing_ok=False):
        context = ssl.create_default_context(cafile=f"{self.data}/pki/ca.crt")
        context.load_cert_chain(f"{self.data}/pki/admin.crt", f"{self.data}/pki/admin.key")
        kind = "application/merge-patch+json" if patch else "application/json"
        with contextlib.closing(http.client.HTTPSConnection("127.0.0.1", PORT, context=context, timeout=30)) as client:
            with inside(self.router):
                client.connect()
            client.request(method, path, None if body is None else json.dumps(body), {"Content-Type": kind})
            answer = client.getresponse()
            text = answer.read()
        if answer.status >= 300 and not (missing_ok and answer.status == 404):
            raise AssertionError(f"{method} {path}: {answer.status} {text}")
        return text

    def add_node(self, number, underlay, pods, link="a", mtu=1500):
        """A node with a link and addresses of the underlay's families, in order; its Node has one block of each of the pods'
        families, or those that the controllers give it when there are none."""
        return Node(self, number, underlay, pods, link, mtu)

    def remove_nodes(self):
        nodes, self.nodes = self.nodes, {}
        for node in nodes.values():
            if node.agent is not None:
                node.agent.terminate()
        for node in nodes.values():
            node.remove()


class Node:
    def __init__(self, topology, number, underlay, pods, link, mtu):
        self.topology, self.number, self.link, self.pods = topology, number, link, []
        topology.nodes[number] = self
        self.name, self.namespace = f"node-{number}", f"{topology.name}-n{number}"
        self.addresses = [topology.address(link, number, family) for family in underlay]
        self.blocks = [f"10.244.{number}.0/24" if family == 4 else f"fd00:10:244:{number}::/64" for family in pods]
        self.directory = f"{topology.directory.name}/{self.name}"
        self.log, self.agent = f"{self.directory}/agent.log", None
        os.makedirs(f"{self.directory}/bin", exist_ok=True)
        topology.make(self.namespace)
        port = f"{topology.name[-6:]}-{number}"
        ip(topology.router, f"link add {port} mtu {mtu} type veth peer name up0 mtu {mtu} netns {self.namespace}", f"link set {port} up")
        if link == "a":
            ip(topology.router, f"link set {port} master link-a")
        else:
            ip(topology.router, *(f"addr add {topology.address('b', 254, family, length=True)} dev {port} {'nodad' * (family == 6)}" for family in (4, 6)))
        ip(self.namespace, "link set up0 up",
           *(f"addr add {topology.address(link, number, family, length=True)} dev up0 {'nodad' * (family == 6)}" for family in underlay),
           *(f"route add default via {topology.address(link, 254, family)}" for family in underlay))
        # What one would see of the other family by itself.
        if 6 not in underlay:
            ip(self.namespace, "addr flush dev up0 scope link")
        spec = {"podCIDR": self.blocks[0], "podCIDRs": self.blocks} if pods else {}
        topology.api("POST", "/api/v1/nodes", {"metadata": {"name": self.name}, "spec": spec})
        self.publish()
        if not pods:
            self.blocks = eventually(self.given_blocks, f"{self.name} has blocks")

    def given_blocks(self):
        return json.loads(self.topology.api("GET", f"/api/v1/nodes/{self.name}"))["spec"].get("podCIDRs")

    def publish(self):
        self.topology.api("PATCH", f"/api/v1/nodes/{self.name}/status", {"status": {"addresses": [
            {"type": "InternalIP", "address": address} for address in self.addresses]}}, patch=True)

    def start_agent(self, *options, wrapper=()):
        """Starts the agent; a wrapper is the beginning of a command that runs another."""
        family = ipaddress.ip_address(self.addresses[0]).version
        host = self.topology.address("a", 254, family)
        with open(f"{self.topology.data}/admin.kubeconfig") as file:
            text = re.sub(r"server: .*", f"server: https://{host if family == 4 else f'[{host}]'}:{PORT}", file.read())
        with open(f"{self.directory}/kubeconfig", "w") as file:
            file.write(text)
        # Allocations lie where the agent counts them, and nobody else sees them.
        state = 'mount --bind "$0" /var/lib/cni && exec "$@"'
        os.makedirs(f"{self.directory}/state", exist_ok=True)
        self.agent = self.topology.spawn(
            self.namespace, "sh", "-c", state, f"{self.directory}/state", *wrapper, DUET, "agent", "--kubeconfig", f"{self.directory}/kubeconfig", "--node-name", self.name,
            "--cni-conf-dir", f"{self.directory}/net.d", "--cni-bin-dir", f"{self.directory}/bin", *options, log=self.log,
            cgroups="--connect-time-balancing" in options)

    def stop_agent(self):
        self.agent.terminate()
        self.agent.wait(timeout=20)

    def routes(self):
        """The destinations of Duet's routes."""
        lines = "".join(run("ip", "-n", self.namespace, option, "route", "show", "proto", "68").stdout for option in ("-4", "-6"))
        return {line.split()[0]: line for line in lines.splitlines() if line}

    def configuration(self):
        path = f"{self.directory}/net.d/10-duet.conflist"
        if not os.path.exists(path):
            return None
        with open(path) as file:
            return json.load(file)

    def add_pod(self):
        pod = Pod(self, len(self.pods) + 1)
        self.pods.append(pod)
        return pod

    def start_plugin(self, command, container, netns, kind=None):
        """Calls the plugin of the CNI configuration, or the one that it delegates to, as a runtime does; the process."""
        conflist = self.configuration()
        plugin = dict(conflist["plugins"][0], cniVersion="1.1.0", name=conflist["name"])
        plugin["ipam"]["dataDir"] = f"{self.directory}/state/networks"
        plugin["type"] = kind or plugin["type"]
        environment = {
            **os.environ, "CNI_COMMAND": command, "CNI_CONTAINERID": container, "CNI_IFNAME": "eth0",
            "CNI_NETNS": netns, "CNI_PATH": os.path.dirname(CNI)}
        if command == "GC":
            plugin["cni.dev/valid-attachments"] = [{"containerID": name, "ifname": "eth0"} for name in container]
            environment["CNI_CONTAINERID"] = ""
        process = subprocess.Popen(["ip", "netns", "exec", self.namespace, CNI, plugin["type"]], env=environment, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(json.dumps(plugin))
        process.stdin.close()
        process.stdin = None
        return process

    def plugin(self, *arguments):
        """Calls a plugin, which must succeed; what it printed."""
        process = self.start_plugin(*arguments)
        text = process.communicate(timeout=60)[0]
        if process.returncode != 0:
            raise AssertionError(f"{arguments}: {text}")
        return json.loads(text) if text.strip() else None

    def allocated(self):
        """The addresses that are taken, each with what its file holds."""
        directory, addresses = f"{self.directory}/state/networks/duet", {}
        for name in os.listdir(directory) if os.path.isdir(directory) else []:
            if name[0] in "1f":
                with open(f"{directory}/{name}", newline="") as file:
                    addresses[name] = file.read()
        return addresses

    def remove(self):
        topology = self.topology
        topology.api("DELETE", f"/api/v1/nodes/{self.name}", missing_ok=True)
        for namespace in [self.namespace] + [pod.namespace for pod in self.pods]:
            for process in topology.processes[:]:
                if process.namespace == namespace:
                    process.terminate()
                    process.wait(timeout=60)
                    topology.processes.remove(process)
            run("ip", "netns", "del", namespace)
            topology.namespaces.remove(namespace)
        # Perhaps it went with the namespace already. An agent that cannot reach its server takes long to end, so it went first.
        run("ip", "-n", topology.router, "link", "del", f"{topology.name[-6:]}-{self.number}", check=False)
        shutil.rmtree(self.directory)


class Pod:
    """A namespace with an interface that the node's CNI configuration gives it."""

    def __init__(self, node, number):
        self.namespace = f"{node.namespace}p{number}"
        node.topology.make(self.namespace)
        result = node.plugin("ADD", self.namespace, f"/run/netns/{self.namespace}")
        self.addresses = [entry["address"].split("/")[0] for entry in result["ips"]]
        self.mtu = node.configuration()["plugins"][0].get("mtu")
        node.topology.echo(self.namespace)
