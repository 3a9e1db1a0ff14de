"""Names: CPU time for each query and peak, beside unbound and knot with the same names; DNS64; memory; time from event to answer."""
import contextlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "Tests", "SystemTests"))
os.environ.setdefault("DUET_TOOLS", os.path.join(ROOT, ".tools"))
import resolvers  # noqa: E402
from report import Suite  # noqa: E402
from server import Server, free_port  # noqa: E402
from support import DUET, eventually, run  # noqa: E402

SERVICES = int(os.environ.get("DNS_SERVICES", "10000"))
PODS = int(os.environ.get("DNS_PODS", "150000"))
RATE = int(os.environ.get("DNS_RATE", "20000"))
SECONDS = int(os.environ.get("DNS_SECONDS", "4"))
ROUNDS = 3
ADDRESS, DOMAIN = "10.96.0.10", "cluster.local"
SERVER_CORE, LOAD_CORE = "0", "1"
# Names outside the cluster that are asked again and again, and those that are asked once.
HOT, COLD = 1000, 120_000


def stat(pid):
    """User and system time of a process in seconds, and its resident memory in MiB."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{pid}/status") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), resident / 1024


class Peer:
    """A process on one core."""

    def __init__(self, stack, *command, core=SERVER_CORE):
        self.process = subprocess.Popen(["taskset", "-c", core, *command], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        stack.callback(self.stop)
        self.pid = self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)


def ready(address, port, name, kind="A", expected=None, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = run("dig", f"@{address}", "-p", str(port), "+short", "+time=1", "+tries=1", name, kind, check=False).stdout
        # Where nobody answers dig says so in a comment.
        if any(line[:1] not in ("", ";") and (expected is None or expected in line) for line in text.split("\n")):
            return
        time.sleep(0.2)
    raise SystemExit(f"{address}:{port} does not answer for {name}")


def load(address, port, queries, *options, seconds=SECONDS):
    """One run of dnsperf: completed queries a second, average and worst latency in milliseconds, share lost."""
    text = run("taskset", "-c", LOAD_CORE, "dnsperf", "-s", address, "-p", str(port), "-d", queries, "-l", str(seconds),
               *options).stdout
    number = lambda label: float(re.search(label + r":\s+([\d.]+)", text).group(1))
    return number("Queries per second"), number(r"Average Latency \(s\)") * 1000, number("Queries lost"), text


def cpu_per_query(places, queries):
    """For each server microseconds of CPU time for each query at a fixed rate: medians of rounds in turn."""
    rounds = {who: [] for who in places}
    for _ in range(ROUNDS):
        for who, (pid, address, port) in places.items():
            load(address, port, queries, "-Q", str(RATE), seconds=1)
            before = stat(pid)[0]
            rate, _, lost, _ = load(address, port, queries, "-Q", str(RATE))
            assert lost < RATE * SECONDS / 100, f"{who} lost {lost} queries"
            rounds[who].append((stat(pid)[0] - before) / (rate * SECONDS) * 1e6)
    return {who: statistics.median(values) for who, values in rounds.items()}


def once(place, queries):
    """Answers a second, and microseconds of CPU time for each, when every question is asked once, as fast as answers come."""
    pid, address, port = place
    before = stat(pid)[0]
    rate, _, lost, text = load(address, port, queries, "-n", "1", "-q", "200", seconds=60)
    count = COLD // ROUNDS
    assert lost < count / 100 and int(re.search(r"NOERROR (\d+)", text).group(1)) > count * 0.99, text
    return rate, (stat(pid)[0] - before) / count * 1e6


def latencies(address, port, queries, rate):
    """The median and the 99th percentile of latency at a rate, in milliseconds; what is lost took for ever."""
    _, _, lost, text = load(address, port, queries, "-Q", str(rate), "-v")
    values = sorted(float(line.split()[-1]) for line in text.split("\n") if line.startswith("> NOERROR"))
    values += [float("inf")] * int(lost)
    return [values[int(len(values) * share)] * 1000 for share in (0.5, 0.99)]


def peak(pid, address, port, queries):
    return load(address, port, queries, "-c", "16", "-T", "1", "-q", "400")[0]


def fill(server):
    """Services of both families."""
    connection = server.client()
    for index in range(SERVICES):
        body = {"metadata": {"name": f"service-{index}"},
                "spec": {"ports": [{"name": "http", "port": 80}], "ipFamilyPolicy": "RequireDualStack"}}
        status, answer = server.call("POST", "/api/v1/namespaces/default/services", body, connection)
        assert status == 201, answer
    listing = server.call("GET", "/api/v1/namespaces/default/services", client=connection)[1]["items"]
    connection.close()
    return {item["metadata"]["name"]: item["spec"]["clusterIPs"] for item in listing}


def add_endpoints(server):
    """An endpoint slice of each family for every Service, which hold all pods between them."""
    connection = server.client()
    each = PODS // SERVICES
    for index in range(SERVICES):
        for family, address in (("IPv4", "10.{}.{}.{}"), ("IPv6", "fd00:10:244::{:x}:{:x}:{:x}")):
            endpoints = []
            for pod in range(index * each, (index + 1) * each):
                name = f"deployment-{index}-5d4f6c7b8-{pod:06}"
                endpoints.append({
                    "addresses": [address.format(128 + pod // 62500, pod // 250 % 250, pod % 250)], "nodeName": f"node-{pod // 30}",
                    "conditions": {"ready": True, "serving": True, "terminating": False}, "zone": f"zone-{pod % 3}",
                    "targetRef": {"kind": "Pod", "name": name, "namespace": "default", "uid": f"{pod:08}-0000-4000-8000-000000000000"}})
            status, answer = server.call("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
                "metadata": {"name": f"service-{index}-{family.lower()}", "labels": {"kubernetes.io/service-name": f"service-{index}"}},
                "addressType": family, "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}], "endpoints": endpoints}, connection)
            assert status == 201, answer
    connection.close()


def main():
    suite = Suite("dns")
    with contextlib.ExitStack() as stack:
        files = tempfile.mkdtemp()
        stack.callback(shutil.rmtree, files)
        server = Server(None, "--service-cluster-ip-range", "10.96.0.0/16,fd00:10:96::/108")
        stack.callback(server.remove)
        server.start()
        addresses = fill(server)
        stack.callback(lambda: run("ip", "address", "del", f"{ADDRESS}/32", "dev", "lo", check=False))
        stack.callback(lambda: run("ip", "address", "del", "fd00:10:96::a/128", "dev", "lo", check=False))
        upstream, unbound_port, knot_port = free_port(), free_port(), free_port()

        outside = [f"name-{index}.example.test" for index in range(HOT + COLD)]
        with open(f"{files}/example.test.zone", "w") as file:
            file.write("$ORIGIN example.test.\n$TTL 3600\n@ SOA ns hostmaster 1 3600 600 86400 3600\n@ NS ns\nns A 127.0.0.1\n")
            file.writelines(f"name-{index} A 198.{52 + index // 62500}.{index // 250 % 250}.{index % 250}\n"
                            for index in range(HOT + COLD))
        with open(f"{files}/{DOMAIN}.zone", "w") as file:
            file.write(f"$ORIGIN {DOMAIN}.\n$TTL 30\n@ SOA ns.dns hostmaster 1 3600 600 86400 30\n@ NS ns.dns\nns.dns A {ADDRESS}\n")
            for name, (ipv4, ipv6) in addresses.items():
                if name.startswith("service-"):
                    file.write(f"{name}.default.svc A {ipv4}\n{name}.default.svc AAAA {ipv6}\n")
        Peer(stack, "knotd", "-c", resolvers.knot(
            files, "upstream", [f"127.0.0.1@{upstream}"], {"example.test": "example.test.zone"}, workers=1), core=LOAD_CORE)
        knot = Peer(stack, "knotd", "-c", resolvers.knot(
            files, "knot", [f"127.0.0.1@{knot_port}"], {DOMAIN: f"{DOMAIN}.zone"}, workers=1))
        unbound = Peer(stack, "unbound", "-c", resolvers.unbound(
            files, unbound_port, "num-threads: 1", f'local-zone: "{DOMAIN}" nodefault', "msg-cache-size: 64m", "rrset-cache-size: 64m",
            "cache-min-ttl: 600", forward=f"127.0.0.1@{upstream}", stubs={DOMAIN: f"127.0.0.1@{knot_port}"}))
        duet = Peer(stack, DUET, "dns", "--kubeconfig", f"{server.files}/admin.kubeconfig", "--dns-upstream",
                    f"127.0.0.1:{upstream}", "--dns64-prefix", "64:ff9b::/96", "--dns-dual-stack-pods", "synthesize")
        last = f"service-{SERVICES - 1}.default.svc.{DOMAIN}"
        places = {"duet": (duet.pid, ADDRESS, 53), "unbound": (unbound.pid, "127.0.0.1", unbound_port),
                  "knot": (knot.pid, "127.0.0.1", knot_port)}
        for _, address, port in places.values():
            ready(address, port, last)

        def write(name, lines):
            with open(f"{files}/{name}", "w") as file:
                file.writelines(line + "\n" for line in lines)
            return f"{files}/{name}"

        services = write("services", [f"service-{index}.default.svc.{DOMAIN} {kind}" for index in range(SERVICES)
                                      for kind in ("A", "AAAA")])
        synthesis = write("synthesis", [f"{name} AAAA" for name in outside[:HOT]])
        forwarded = write("forwarded", [f"{name} A" for name in outside[:HOT]])
        # A share of them for each round.
        cold = [write(f"cold-{turn}", [f"{name} AAAA" for name in outside[HOT + turn:][::ROUNDS]]) for turn in range(ROUNDS)]
        for who in ("duet", "unbound"):
            for queries in (services, synthesis, forwarded):
                load(*places[who][1:], queries, "-n", "2", "-Q", "20000", seconds=60)

        method = (f"server CPU time for each query at {RATE} queries/s from dnsperf, server and load on a core each; medians of {ROUNDS}, "
                  "in turn")
        for label, queries, peers in [("Service names", services, ("unbound", "knot")),
                                      ("DNS64, from the cache", synthesis, ("unbound",)), ("forwarded, from the cache", forwarded, ("unbound",))]:
            cost = cpu_per_query({who: places[who] for who in ("duet",) + peers}, queries)
            for who in peers:
                goal = cost["knot"] * 1.25 if who == "knot" else cost[who]
                suite.add(f"{label}, CPU, beside {who}", cost["duet"], "µs", round(goal, 3), method, peer=cost[who])
        # Names that neither has been asked for: each costs two questions to the server behind, and the synthesis itself.
        made = {"duet": [], "unbound": []}
        for part in cold:
            for who, runs in made.items():
                runs.append(once(places[who], part))
        rates, costs = ({who: statistics.median(run[place] for run in runs) for who, runs in made.items()} for place in (0, 1))
        method = (f"AAAA of {COLD // ROUNDS} names never asked before that have only an A record, 200 at a time, server on one core, load "
                  f"and the server behind it on the other; medians of {ROUNDS}, in turn")
        suite.add("DNS64, rate of synthesis", rates["duet"], "answers/s", round(2 * rates["unbound"], 0), method,
                  peer=rates["unbound"], higher_is_better=True)
        suite.add("DNS64, CPU for each synthesis", costs["duet"], "µs", round(costs["unbound"] / 2, 3), "the same runs",
                  peer=costs["unbound"])
        rates = {who: peak(places[who][0], *places[who][1:], synthesis) for who in ("duet", "unbound")}
        suite.add("DNS64, from the cache, peak", rates["duet"], "queries/s", round(rates["unbound"], 0),
                  "dnsperf with 16 clients on one core, which may be the limit", peer=rates["unbound"], higher_is_better=True)
        for who in ("unbound", "knot"):
            rates = {name: peak(places[name][0], *places[name][1:], services) for name in ("duet", who)}
            suite.add(f"Service names, peak, beside {who}", rates["duet"], "queries/s", round(rates[who], 0),
                      "dnsperf with 16 clients on one core, which may be the limit", peer=rates[who], higher_is_better=True)
        half = int(min(peak(duet.pid, ADDRESS, 53, services), 100_000) / 2)
        times = {who: latencies(*places[who][1:], services, half) for who in ("duet", "knot")}
        suite.add("Service names, median latency at half load", times["duet"][0], "ms", 0.3, f"dnsperf at {half} queries/s",
                  peer=times["knot"][0])
        suite.add("Service names, p99 latency at half load", times["duet"][1], "ms", 0.3,
                  "the same; knot at the same rate in the same run tells what of it is the machine", peer=times["knot"][1])

        delays = []
        connection = server.client()
        for index in range(100):
            name = f"late-{index}"
            start = time.monotonic()
            status, answer = server.call("POST", "/api/v1/namespaces/default/services", {
                "metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}, connection)
            assert status == 201, answer
            wait_for(f"{name}.default.svc.{DOMAIN}")
            delays.append((time.monotonic() - start) * 1000)
        delays.sort()
        method = "from sending the request that makes a Service to its first answer, the API server's part included, of 100"
        suite.add("event to answer, median", delays[50], "ms", 20, method)
        suite.add("event to answer, p99", delays[98], "ms", 20, method)
        suite.add("memory, Services", stat(duet.pid)[1], "MiB", 120,
                  f"resident memory of `duet dns` with {SERVICES} dual-stack Services, without endpoints, and a full cache")
        add_endpoints(server)
        pod = PODS // SERVICES * SERVICES - 1
        last_address = f"10.{128 + pod // 62500}.{pod // 250 % 250}.{pod % 250}"
        eventually(lambda: "service-" in run("dig", f"@{ADDRESS}", "+short", "-x", last_address, check=False).stdout,
                   "the last endpoint has a name", 600)
        # What is free again goes back to the system at the server's next turn.
        time.sleep(12)
        suite.add("memory, Services and pods", stat(duet.pid)[1], "MiB", 120,
                  f"the same with {PODS} pods behind them, an endpoint of each family for each, 12 s after the last has a name")
    print(suite.table())


def wait_for(name):
    """Asks over one socket until the name has an address."""
    import socket
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(5)
        probe.connect((ADDRESS, 53))
        while True:
            probe.send(b"\0\1\1\0\0\1\0\0\0\0\0\0" + question)
            if probe.recv(512)[7]:
                return


if __name__ == "__main__":
    main()
