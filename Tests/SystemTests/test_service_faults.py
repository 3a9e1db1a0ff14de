"""An agent that is killed at random moments while endpoints change and clients call: the kernel goes on, and the next agent catches up."""
import json
import os
import random
import signal
import sys
import threading
import time
import unittest

from support import DUET, eventually, run
from underlay import Topology, in_cgroup

ROUNDS = int(os.environ.get("DUET_PROXY_FAULTS", "4"))
PODS, NODE_PORT = 4, 30080
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
# Which pod it is, a digit, and what the caller sends.
SERVER = """
import selectors, socket, sys
name, chooser = sys.argv[1].encode(), selectors.DefaultSelector()
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", 8080))
    if kind == socket.SOCK_STREAM: s.listen(512)
    chooser.register(s, selectors.EVENT_READ, kind)
print("ready", flush=True)
while True:
    for key, _ in chooser.select():
        if key.data == socket.SOCK_DGRAM:
            data, caller = key.fileobj.recvfrom(99)
            key.fileobj.sendto(name + data, caller)
        elif key.data:
            connection = key.fileobj.accept()[0]
            chooser.register(connection, selectors.EVENT_READ)
            connection.sendall(name)
        else:
            try: data = key.fileobj.recv(99)
            except OSError: data = b""
            if data: key.fileobj.sendall(data)
            else: chooser.unregister(key.fileobj); key.fileobj.close()
"""
# Calls again and again: a line for each call, of when it began and who answered. `new` is a connection of its own, `flow` a
# datagram of one socket; `held` tells that all of the first connections still echo, each time that it has asked them all.
CLIENT = """
import errno, socket, sys, time
target = (sys.argv[1], int(sys.argv[2]))
family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
def tell(start, *words): print(start, *words, flush=True)
held = [socket.create_connection(target, 30) for _ in range(8)]
for s in held: s.recv(1)
def flow():
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.settimeout(0.2)
    udp.connect(target)
    return udp
udp = flow()
turn, begun = 0, time.monotonic()
while True:
    start = time.monotonic()
    try:
        with socket.create_connection(target, 30) as s: tell(start, "new", s.recv(1).decode())
    except OSError as error: tell(start, "failed", error)
    try:
        held[turn].sendall(b"x")
        assert held[turn].recv(1) == b"x"
    except (OSError, AssertionError) as error: tell(start, "broken", repr(error))
    turn = (turn + 1) % len(held)
    if turn == 0:
        tell(begun, "held", "all")
        begun = time.monotonic()
    start = time.monotonic()
    try:
        # An answer that is late belongs to an earlier question, and tells nothing.
        question = str(start).encode()
        udp.send(question)
        while (answer := udp.recv(99))[1:] != question: pass
        tell(start, "flow", answer[:1].decode())
    except TimeoutError: pass
    except OSError as error:
        # The socket was led to an endpoint that is gone.
        if error.errno in (errno.ECONNABORTED, errno.EDESTADDRREQ): udp = flow()
    time.sleep(0.005)
"""


class Lateness(threading.Thread):
    """How much later than it should the machine lets a thread go on, at worst: bounds in seconds are of use on no other clock."""

    def __init__(self):
        super().__init__(daemon=True)
        self.worst = 0.0
        self.start()

    def run(self):
        while True:
            start = time.monotonic()
            time.sleep(0.005)
            self.worst = max(self.worst, time.monotonic() - start - 0.005)


class KilledProxy(unittest.TestCase):
    maxDiff = None
    options = ("--health-port", "0")
    # The cgroup of the calling pod, if it has one of its own.
    cgroup = None

    def setUp(self):
        self.topology = topology = Topology(f"dt-s{os.getpid() % 10000}")
        topology.__enter__()
        self.addCleanup(topology.__exit__, None, None, None)
        topology.start_server()
        self.node = topology.add_node(1, (4, 6), (4, 6))
        # When each endpoint was taken away and when it came again, and when each agent was at work: pairs of times.
        self.absences, self.agents = {(family, pod): [] for family in (4, 6) for pod in range(PODS)}, []
        self.node.start_agent(*self.options)
        eventually(self.node.configuration, "the CNI configuration")
        pods = [self.node.add_pod() for _ in range(PODS)]
        self.addresses = {family: [next(a for a in pod.addresses if (":" in a) == (family == 6)) for pod in pods] for family in (4, 6)}
        for number, pod in enumerate(pods):
            server = topology.spawn(pod.namespace, sys.executable, "-c", SERVER, str(number), stdout=-1)
            server.stdout.readline()
            server.stdout.close()
        ports = [{"name": name, "protocol": name.upper(), "port": 80, "targetPort": 8080, "nodePort": NODE_PORT} for name in ("tcp", "udp")]
        service = json.loads(topology.api("POST", "/api/v1/namespaces/default/services", {
            "metadata": {"name": "web"}, "spec": {"type": "NodePort", "ipFamilyPolicy": "RequireDualStack", "ports": ports}}))
        for family in (4, 6):
            topology.api("POST", SLICES, {
                "metadata": {"name": f"web-{family}", "labels": {"kubernetes.io/service-name": "web"}}, "addressType": f"IPv{family}",
                "ports": [{"name": name, "protocol": name.upper(), "port": 8080} for name in ("tcp", "udp")],
                "endpoints": [{"addresses": [address]} for address in self.addresses[family]]})
        self.present = {family: set(range(PODS)) for family in (4, 6)}
        # From a pod by the cluster address, from outside by the node port.
        caller = self.node.add_pod().namespace
        self.service = service["spec"]["clusterIPs"]
        targets = [(caller, address, 80) for address in self.service]
        targets += [(topology.router, address, NODE_PORT) for address in self.node.addresses]
        eventually(self.is_followed, "the Service")
        self.agents.append([time.monotonic(), None])
        self.clients = []
        for number, (namespace, address, port) in enumerate(targets):
            path = f"{topology.directory.name}/client-{number}"
            with open(path, "w") as file:
                is_led = bool(self.cgroup) and namespace == caller
                command = (sys.executable, "-c", CLIENT, address, str(port))
                topology.spawn(namespace, *(in_cgroup(self.cgroup, *command) if is_led else command), stdout=file, cgroups=is_led)
            self.clients.append((path, 6 if ":" in address else 4))

    def table(self):
        """The elements of each family's maps and sets, but for those that packets write and those that lead to chains, which
        stay when nothing needs them; slots without their order."""
        tables = {}
        for word in ("ip", "ip6"):
            result = self.topology.exec(self.node.namespace, "nft", "-j", "-s", "list", "table", word, "duet-proxy", check=False)
            tables[word] = {}
            for item in json.loads(result.stdout)["nftables"] if result.returncode == 0 else []:
                body = item.get("map") or item.get("set")
                if body is None or body["name"] in ("affinity", "shapes"):
                    continue
                elements = body.get("elem", [])
                if body["name"] == "endpoints":
                    # The last part of the key is the number of the slot, and any order of slots will do.
                    tables[word]["slots"] = sorted(json.dumps(key) for key, _ in elements)
                    elements = [(key["concat"][:-1], value) for key, value in elements]
                tables[word][body["name"]] = sorted(json.dumps(element) for element in elements)
        return tables

    def is_followed(self):
        """Whether the kernel has as many endpoints as there are, each on two protocols."""
        found = self.table()
        return all(sum(" 8080]" in element for element in found[word].get("endpoints", [])) == 2 * len(self.present[family])
                   for word, family in (("ip", 4), ("ip6", 6)))

    def calls(self):
        """All calls so far, by family: time, kind, word."""
        found = {4: [], 6: []}
        for path, family in self.clients:
            with open(path) as file:
                found[family] += [(float(line.split()[0]), *line.split(None, 2)[1:]) for line in file.read().splitlines(keepends=True) if line.endswith("\n")]
        return found

    def choose(self, family, chosen):
        """Has these endpoints alone in a family."""
        for pod in chosen - self.present[family]:
            # It may be reached from the request on.
            self.absences[family, pod][-1][1] = time.monotonic()
        self.topology.api("PATCH", f"{SLICES}/web-{family}", {"endpoints": [{"addresses": [self.addresses[family][pod]]} for pod in sorted(chosen)]}, patch=True)
        for pod in self.present[family] - chosen:
            self.absences[family, pod].append([time.monotonic(), None])
        self.present[family] = chosen

    def change(self, chance):
        for family in chance.sample((4, 6), 2):
            self.choose(family, set(chance.sample(range(PODS), chance.randint(1, PODS - 1))))

    def kill(self):
        self.agents[-1][1] = time.monotonic()
        self.node.agent.send_signal(signal.SIGKILL)
        self.node.agent.wait(timeout=60)
        self.topology.processes.remove(self.node.agent)

    def restart(self):
        def times_programmed():
            with open(self.node.log) as file:
                return file.read().count("the Services are in the kernel")
        before = times_programmed()
        self.node.start_agent(*self.options)
        eventually(lambda: times_programmed() > before, "the agent is back")
        self.agents.append([time.monotonic(), None])

    def late(self, bound):
        """The calls that reached an endpoint longer than so many seconds after it had gone, with an agent at work; and how many calls
        could have."""
        late, asked = [], 0
        for family, calls in self.calls().items():
            for start, kind, word in calls:
                if kind not in ("new", "flow"):
                    continue
                back = next((begin for begin, end in self.agents if begin <= start < (end or start + 1)), None)
                if back is None:
                    continue
                for (where, pod), absences in self.absences.items():
                    if where == family and any(max(gone, back) + bound < start < (again or start + 1) for gone, again in absences):
                        asked += 1
                        if int(word) == pod:
                            late.append((family, kind, word, start))
        return late, asked

    def test_killed_agents_break_nothing_and_catch_up(self):
        seed = random.randrange(1 << 32)
        chance, lateness = random.Random(seed), Lateness()
        with self.subTest(f"seed {seed}"):
            eventually(lambda: all(any(kind == "held" for _, kind, _ in calls) for calls in self.calls().values()), "clients call")
            for _ in range(ROUNDS):
                self.change(chance)
                time.sleep(chance.random() * 0.02)
                self.kill()
                # What changes while nobody is there to see it.
                for _ in range(chance.randrange(3)):
                    self.change(chance)
                self.restart()
                self.change(chance)
                settled = time.monotonic() + 1 + 4 * lateness.worst
                eventually(lambda: self.have_called(settled), "every client goes on, on old connections and new ones")
            calls = [call for calls in self.calls().values() for call in calls]
            self.assertEqual([call for call in calls if call[1] in ("failed", "broken")], [])
            # The machine may have been late at the end, hence the wait.
            enough = 20 * ROUNDS * len(self.clients)
            eventually(lambda: self.late(1 + 4 * lateness.worst)[1] > enough, "enough calls to tell")
            self.assertEqual(self.late(1 + 4 * lateness.worst)[0], [])
            self.check_fresh()

    def have_called(self, since):
        """Whether each client has asked all that it holds, and called and been answered on both protocols, since a time."""
        for path, _ in self.clients:
            with open(path) as file:
                lines = [line.split(None, 2) for line in file.read().splitlines(keepends=True) if line.endswith("\n")]
            kinds = [kind for start, kind, _ in lines if float(start) >= since]
            if kinds.count("new") < 20 or kinds.count("flow") < 20 or "held" not in kinds:
                return False
        return True

    def check_fresh(self):
        """What many agents made of what they found is what one makes of nothing."""
        eventually(self.is_followed, "the last change in the kernel")
        self.kill()
        found = self.table()
        for word in found:
            self.topology.exec(self.node.namespace, "nft", "delete", "table", word, "duet-proxy")
        self.restart()
        self.assertEqual(self.table(), found)


class KilledProxyAtConnectTime(KilledProxy):
    """The same of calls that programs of a cgroup lead, which go on as well."""

    def setUp(self):
        name = f"dt-s{os.getpid() % 10000}"
        mount = run("findmnt", "-rn", "-t", "cgroup2", "-o", "TARGET").stdout.split()[0]
        self.cgroup = f"{mount}/{name}"
        self.options = (*self.options, "--connect-time-balancing", "--connect-time-cgroup", name)
        os.mkdir(self.cgroup)
        self.addCleanup(eventually, self.is_empty, "the cgroup goes")
        super().setUp()
        self.addCleanup(self.clean)

    def clean(self):
        self.node.stop_agent()
        self.topology.exec(self.node.namespace, DUET, "cleanup", cgroups=True)

    def is_empty(self):
        try:
            os.rmdir(self.cgroup)
        except OSError as error:
            raise AssertionError(error) from error
        return True

    def check_fresh(self):
        for address in self.service:
            family = "ipv6" if ":" in address else "ipv4"
            tracked = self.topology.exec(self.node.namespace, "conntrack", "-L", "-f", family, "-d", address).stdout
            self.assertEqual(tracked, "", "a call was led as packets")
        super().check_fresh()


if __name__ == "__main__":
    unittest.main()
