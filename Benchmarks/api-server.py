"""Suite `api-server`: how fast the API server starts, writes, reads and tells watchers, and what it weighs.

The load comes from wrk over TLS (and for watches from this program) on the same machine, so its work competes with the server's for
the processors: beside each rate stands the processor time of the server alone, which a faster or slower client does not change.
"""
import base64
import http.client
import json
import os
import re
import selectors
import signal
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request

from report import Suite

DUET = os.environ["DUET"]
TOKEN = "benchmark-token"
CONNECTIONS, SECONDS = 64, 10
WATCHERS, ROUNDS = 1000, 10
SOAK_SECONDS, SOAK_WATCHERS = 60, 40
START_OBJECTS = {"nodes": 5_000, "services": 10_000, "pods": 85_000}
ALL_PODS = 150_000

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "bench-"}, "data": {"value": "x" * 900}}
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"generateName": "bench-"},
           "spec": {"ipFamilyPolicy": "PreferDualStack", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"generateName": "bench-", "labels": {
    "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "topology.kubernetes.io/zone": "zone-1"}}}
POD = {"apiVersion": "v1", "kind": "Pod",
       "metadata": {"generateName": "web-7d4b9c6f5-", "labels": {"app": "web", "pod-template-hash": "7d4b9c6f5", "tier": "front"},
                    "annotations": {"example.com/checksum": "0123456789abcdef" * 4}},
       "spec": {"nodeName": "bench-node", "containers": [{
           "name": "web", "image": "registry.example.com/team/web:1.2.3", "ports": [{"containerPort": 8080, "name": "http"}],
           "env": [{"name": f"SETTING_{i}", "value": f"value-{i}"} for i in range(8)],
           "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
           "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}}, "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}},
           "volumeMounts": [{"name": "config", "mountPath": "/etc/web"}]}],
           "volumes": [{"name": "config", "configMap": {"name": "web"}}]}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A `duet server` without controllers, with state in a directory of its own."""

    def __init__(self, directory):
        self.directory, self.port, self.process = directory, free_port(), None
        self.url = f"https://127.0.0.1:{self.port}"
        self.tokens = f"{directory}.tokens"
        with open(self.tokens, "w") as file:
            file.write(f'{TOKEN},benchmark,1,"system:masters"\n')
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def start(self):
        """Starts the process; returns the seconds until it says that it is ready."""
        start = time.monotonic()
        self.process = subprocess.Popen(
            [DUET, "server", "--data-dir", self.directory, "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1",
             "--secure-port", str(self.port), "--token-auth-file", self.tokens, "--api-only"],
            stderr=open(f"{self.directory}.log", "w"))
        while True:
            try:
                if self.get("/readyz") == b"ok":
                    return time.monotonic() - start
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit("bench: the server ended: " + open(f"{self.directory}.log").read())
                time.sleep(0.002)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def get(self, path, method="GET", body=None):
        request = urllib.request.Request(self.url + path, method=method, data=body and json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=self.tls, timeout=60) as answer:
            return answer.read()

    def cpu_seconds(self):
        """Processor time so far, in user space and in the kernel."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mebibytes(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024


def wrk(url, body=None, until=None, seconds=SECONDS, token=TOKEN, with_count=False):
    """Requests a second, and how many, from 64 connections, for a time, or for as long as `until` says False."""
    lines = [f'wrk.headers["Authorization"] = "Bearer {token}"'] if token else []
    if body is not None:
        lines += ['wrk.method = "POST"', 'wrk.headers["Content-Type"] = "application/json"',
                  f"wrk.body = [==[{json.dumps(body)}]==]"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("\n".join(lines))
        script.flush()
        process = subprocess.Popen(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{3600 if until else seconds}s", "--timeout", "30s",
                                    "-s", script.name, url], stdout=subprocess.PIPE, text=True)
        while until and not until() and process.poll() is None:
            time.sleep(0.05)
        if until:
            process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", output)
    if failed:
        raise SystemExit(f"bench: requests failed: {output}")
    per_second = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])
    return (per_second, int(re.search(r"(\d+) requests in", output)[1])) if with_count else per_second


def rate(server, url, body=None):
    """Requests a second, and a text with the processor time that the server takes for each and with what else the machine did."""
    before = server.cpu_seconds()
    per_second, count = wrk(url, body, with_count=True)
    microseconds = (server.cpu_seconds() - before) / count * 1e6
    return per_second, f"the server itself: {microseconds:.0f} µs of processor time a request; load of the machine: {os.getloadavg()[0]:.1f}"


def etcd_puts(directory):
    """What etcd does with the same bytes: its HTTP gateway, without TLS, validation or allocation."""
    client, peer = free_port(), free_port()
    process = subprocess.Popen(
        ["etcd", "--data-dir", directory, "--listen-client-urls", f"http://127.0.0.1:{client}", "--advertise-client-urls",
         f"http://127.0.0.1:{client}", "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls",
         f"http://127.0.0.1:{peer}", "--initial-cluster", f"default=http://127.0.0.1:{peer}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        start = time.monotonic()
        while time.monotonic() - start < 20:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{client}/health").read()
                break
            except OSError:
                time.sleep(0.01)
        started = time.monotonic() - start
        value = base64.b64encode(json.dumps(CONFIG_MAP).encode()).decode()
        key = base64.b64encode(b"/registry/configmaps/default/bench").decode()
        return wrk(f"http://127.0.0.1:{client}/v3/kv/put", {"key": key, "value": value}, token=None), started
    finally:
        process.terminate()
        process.wait()


def list_milliseconds(server):
    times = []
    for _ in range(5):
        times.append(float(subprocess.run(
            ["curl", "-sk", "-o", "/dev/null", "-w", "%{time_total}", "-H", f"Authorization: Bearer {TOKEN}",
             f"{server.url}/api/v1/namespaces/default/pods?pretty=false"], check=True, capture_output=True, text=True).stdout) * 1000)
    return statistics.median(times)


def fan_out(server):
    """Milliseconds from sending a write to its arrival at each of the watchers."""
    version = json.loads(server.get("/api/v1/namespaces/default/secrets?limit=1"))["metadata"]["resourceVersion"]
    request = (f"GET /api/v1/namespaces/default/secrets?watch=true&resourceVersion={version} HTTP/1.1\r\nHost: localhost\r\n"
               f"Authorization: Bearer {TOKEN}\r\n\r\n").encode()
    selector, watchers = selectors.EpollSelector(), []
    for _ in range(WATCHERS):
        watcher = server.tls.wrap_socket(socket.create_connection(("127.0.0.1", server.port)))
        watcher.sendall(request)
        watcher.recv(65536)  # The head of the answer.
        watcher.setblocking(False)
        selector.register(watcher, selectors.EVENT_READ)
        watchers.append(watcher)
    times = []
    for _ in range(ROUNDS):
        start, waiting = time.monotonic(), WATCHERS
        writer = subprocess.Popen(
            ["curl", "-sk", "-o", "/dev/null", "-X", "POST", "-H", f"Authorization: Bearer {TOKEN}", "-H",
             "Content-Type: application/json", "-w", "%{time_pretransfer}", "-d",
             json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"generateName": "bench-"}, "stringData": {"v": "x" * 700}}),
             f"{server.url}/api/v1/namespaces/default/secrets"], stdout=subprocess.PIPE, text=True)
        arrivals = []
        while waiting:
            ready = selector.select(30)
            if not ready:
                raise SystemExit(f"bench: {waiting} watchers heard nothing")
            for key, _ in ready:
                try:
                    # The framing of the chunk may come apart from the event.
                    if b'"type":"ADDED"' in key.fileobj.recv(65536):
                        arrivals.append(time.monotonic())
                        waiting -= 1
                except ssl.SSLWantReadError:
                    pass
        # Connecting and TLS of the writer are no part of it.
        sent = start + float(writer.communicate()[0])
        times += [(arrival - sent) * 1000 for arrival in arrivals]
    for watcher in watchers:
        watcher.close()
    return statistics.quantiles(times, n=100)[98]


class SoakWatchers(threading.Thread):
    """Watchers that never read, that read slowly, and that vanish without a word, again and again."""

    # Closing a socket that is being repaired sends nothing (tcp(7) does not tell; linux/tcp.h does).
    TCP_REPAIR = 19

    def __init__(self, server):
        super().__init__()
        self.server, self.over, self.slow, self.silent, self.vanished = server, threading.Event(), [], [], 0

    def watch(self):
        watcher = self.server.tls.wrap_socket(socket.create_connection(("127.0.0.1", self.server.port)))
        watcher.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        watcher.sendall(f"GET /api/v1/namespaces/default/configmaps?watch=true&resourceVersion={self.revision} HTTP/1.1\r\nHost: localhost\r\n"
                        f"Authorization: Bearer {TOKEN}\r\n\r\n".encode())
        return watcher

    def run(self):
        while not self.over.wait(0.1):
            listed = json.loads(self.server.get("/api/v1/namespaces/default/configmaps?limit=1"))
            self.revision = listed["metadata"]["resourceVersion"]
            for watchers in (self.slow, self.silent):
                if len(watchers) < SOAK_WATCHERS:
                    watchers.append(self.watch())
            doomed = self.watch()
            doomed.setsockopt(socket.IPPROTO_TCP, self.TCP_REPAIR, 1)
            doomed.close()
            self.vanished += 1
            for watcher in list(self.slow):
                watcher.settimeout(0.01)
                try:
                    if not watcher.recv(512):
                        raise ConnectionResetError
                except TimeoutError:
                    pass
                except OSError:
                    # It was told that it is too late, and begins anew.
                    self.slow.remove(watcher)
                    watcher.close()
        for watcher in self.slow + self.silent:
            watcher.close()


def soak(server):
    """Latencies of creates in milliseconds, and the memory in MiB, in the first and in the last third of the time."""
    watchers = SoakWatchers(server)
    watchers.start()
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=server.tls, timeout=60)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "soak-"}, "data": {"value": "x" * 20_000}}
    times, memory, start = [], [], time.monotonic()
    try:
        while (now := time.monotonic() - start) < SOAK_SECONDS:
            connection.request("POST", "/api/v1/namespaces/default/configmaps", json.dumps(body), headers)
            answer = connection.getresponse()
            name = json.loads(answer.read())["metadata"]["name"]
            times.append((now, (time.monotonic() - start - now) * 1000))
            # What is stored stays the same, so that whatever grows has another reason.
            connection.request("DELETE", f"/api/v1/namespaces/default/configmaps/{name}", headers=headers)
            connection.getresponse().read()
            memory.append((now, server.resident_mebibytes()))
    finally:
        watchers.over.set()
        watchers.join()
        connection.close()

    def thirds(samples):
        return ([value for when, value in samples if when < SOAK_SECONDS / 3],
                [value for when, value in samples if when > SOAK_SECONDS * 2 / 3])

    return [statistics.quantiles(third, n=100)[98] for third in thirds(times)], [max(third) for third in thirds(memory)]


def create(server, plural, body, count):
    """Creates objects until there are at least so many of them."""
    collection = f"/api/v1{'' if plural == 'nodes' else '/namespaces/default'}/{plural}"

    def suffices():
        answer = json.loads(server.get(f"{collection}?limit=1"))
        return len(answer["items"]) + answer["metadata"].get("remainingItemCount", 0) >= count

    wrk(server.url + collection, body, until=suffices)


def main():
    suite = Suite("api-server")
    with tempfile.TemporaryDirectory(prefix="duet-bench-", dir="/var/tmp") as directory:
        puts, etcd_start = etcd_puts(f"{directory}/etcd")
        server = Server(f"{directory}/small")
        server.start()
        server.stop()
        starts = []
        for _ in range(5):
            starts.append(server.start() * 1000)
            server.stop()
        suite.add("start, empty", statistics.median(starts), "ms", 150, "process start to 200 of /readyz, certificates present; median of 5",
                  peer=etcd_start * 1000)
        server.start()
        path = f"{server.url}/api/v1/namespaces/default/configmaps"
        creates, load = rate(server, path, CONFIG_MAP)
        suite.add("creates", creates, "1/s", 8000,
                  f"POST of a ConfigMap of 1 KiB, durable, wrk with {CONNECTIONS} connections over TLS for {SECONDS} s; {load}; peer: puts of "
                  "the same bytes into etcd 3.4 by its HTTP gateway, without TLS", peer=puts, higher_is_better=True)
        name = json.loads(server.get("/api/v1/namespaces/default/configmaps?limit=1"))["items"][0]["metadata"]["name"]
        gets, load = rate(server, f"{path}/{name}")
        suite.add("gets", gets, "1/s", 25000,
                  f"GET of a ConfigMap of 1 KiB, wrk with {CONNECTIONS} connections over TLS for {SECONDS} s; {load}", higher_is_better=True)
        create(server, "pods", POD, 10_000)
        suite.add("list", list_milliseconds(server), "ms", 150, "GET of 10,000 pods as JSON by curl to /dev/null; median of 5")
        suite.add("fan-out", fan_out(server), "ms", 50,
                  f"p99 from a write to its arrival at {WATCHERS} watchers on TLS connections of their own, {ROUNDS} writes")
        (early, late), (before, after) = soak(server)
        method = (f"creates of 20 KiB one after another for {SOAK_SECONDS} s, while {SOAK_WATCHERS} watchers never read, {SOAK_WATCHERS} read 5 KB/s, "
                  "and others vanish without FIN")
        suite.add("soak, latency", late, "ms", max(1.5 * early, early + 5), f"p99 in the last third; goal: half more than in the first, {early:.1f} ms; {method}")
        suite.add("soak, growth", after - before, "MiB", 32, f"largest VmRSS in the last third less that in the first; {method}")
        server.stop()

        server = Server(f"{directory}/large")
        server.start()
        for plural, body in (("nodes", NODE), ("services", SERVICE), ("pods", POD)):
            create(server, plural, body, START_OBJECTS[plural])
        server.stop()
        starts = []
        for _ in range(3):
            starts.append(server.start())
            server.stop()
        suite.add("start, 100,000 objects", statistics.median(starts), "s", 2, "the same with 85,000 pods, 10,000 Services and 5,000 nodes; median of 3")
        server.start()
        create(server, "pods", POD, ALL_PODS)
        suite.add("memory", server.resident_mebibytes(), "MiB", 1536, "VmRSS with 150,000 pods, 10,000 Services and 5,000 nodes, API only, after writing them")
        server.stop()
    print(suite.table())


main()
