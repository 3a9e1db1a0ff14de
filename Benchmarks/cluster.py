"""Suite `cluster`: how fast a cluster comes up, a pod runs and a Service answers; what server and agent weigh."""
import base64
import http.client
import json
import os
import socket
import ssl
import statistics
import subprocess
import tempfile
import time
import urllib.parse

import yaml

from report import Suite

DUET, IMAGES = os.environ["DUET"], os.environ["DUET_IMAGES"]
SERVER_DATA = "/var/lib/duet/server/admin.kubeconfig"
ROUNDS = 10


class API:
    """One keep-alive connection to the API server, with the administrator's certificate."""

    def __init__(self, path=SERVER_DATA):
        config = yaml.safe_load(open(path))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url = urllib.parse.urlsplit(cluster["server"])
        self.tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        with tempfile.NamedTemporaryFile() as file:
            for key in ("client-certificate-data", "client-key-data"):
                file.write(base64.b64decode(user[key]) + b"\n")
            file.flush()
            self.tls.load_cert_chain(file.name)
        self.connection = self.connect()

    def connect(self):
        return http.client.HTTPSConnection(self.url.hostname, self.url.port, context=self.tls, timeout=30)

    def call(self, method, path, body=None):
        self.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        reply = self.connection.getresponse()
        value = json.loads(reply.read())
        if reply.status >= 300:
            raise RuntimeError(value.get("message"))
        return value

    def watch(self, path):
        """Yields the events of a watch on a connection of its own."""
        connection = self.connect()
        connection.request("GET", path)
        for line in connection.getresponse():
            yield json.loads(line)


def up(families="ipv4,ipv6"):
    start = time.monotonic()
    subprocess.run([DUET, "up", "--image-dir", IMAGES, "--families", families], check=True, capture_output=True)
    return time.monotonic() - start


def pod_running(api, number):
    name = f"bench-{number}"
    path = "/api/v1/namespaces/default/pods"
    version = api.call("GET", path)["metadata"]["resourceVersion"]
    events = api.watch(f"{path}?watch=true&resourceVersion={version}&fieldSelector=metadata.name%3D{name}")
    start = time.monotonic()
    api.call("POST", path, {
        "metadata": {"name": name},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [
            {"name": "c", "image": "localhost/duet/busybox:1", "imagePullPolicy": "IfNotPresent", "command": ["sleep", "1000"]}]}})
    for event in events:
        if event["object"].get("status", {}).get("phase") == "Running":
            break
    elapsed = time.monotonic() - start
    api.call("DELETE", f"{path}/{name}")
    return elapsed


def connects(address, port):
    """Whether a TCP connection opens within a few milliseconds."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as attempt:
        attempt.settimeout(0.005)
        try:
            attempt.connect((address, port))
            return True
        except OSError:
            return False


def service_answers(api, number):
    path = "/api/v1/namespaces/web/services"
    start = time.monotonic()
    service = api.call("POST", path, {
        "metadata": {"name": f"bench-{number}"},
        "spec": {"ipFamilyPolicy": "PreferDualStack", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 80}]}})
    elapsed = {}
    waiting = dict(zip(service["spec"]["ipFamilies"], service["spec"]["clusterIPs"]))
    while waiting and time.monotonic() - start < 20:
        for family, address in list(waiting.items()):
            if connects(address, 80):
                elapsed[family] = time.monotonic() - start
                del waiting[family]
    if waiting:
        raise RuntimeError(f"the Service never answered at {waiting}")
    api.call("DELETE", f"{path}/bench-{number}")
    return elapsed


def resident_mebibytes(process):
    with open(f"/run/duet/processes/{process}") as file:
        pid = file.read().split()[0]
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024


def main():
    if os.path.exists("/var/lib/duet"):
        raise SystemExit("bench: a cluster stands; remove it first (make down)")
    suite = Suite("cluster")
    try:
        suite.add("up", statistics.median([up(), again(), again()]), "s", 5,
                  "duet up, 2 dual-stack nodes, from nothing to all Ready with every image loaded; median of 3")
        api = API()
        time.sleep(10)  # Idle: nothing is under way any more.
        suite.add("server memory", resident_mebibytes("server"), "MiB", 60, "VmRSS of duet server, idle, 10 s after up")
        suite.add("agent memory", resident_mebibytes("node-1-agent"), "MiB", 40, "VmRSS of duet agent, idle, 10 s after up")
        suite.add("pod", statistics.median(pod_running(api, i) for i in range(ROUNDS)), "s", 0.7,
                  f"POST Pod to phase Running in a watch, image present; median of {ROUNDS}")
        subprocess.run(["kubectl", "--kubeconfig", SERVER_DATA, "apply", "-f",
                        os.path.join(os.environ["DUET_EXAMPLES"], "dual-stack-web.yaml")], check=True, capture_output=True)
        subprocess.run(["kubectl", "--kubeconfig", SERVER_DATA, "--namespace", "web", "rollout", "status", "deployment/web",
                        "--timeout=120s"], check=True, capture_output=True)
        rounds = [service_answers(api, i) for i in range(ROUNDS)]
        for family in ("IPv4", "IPv6"):
            suite.add(f"service {family}", statistics.median(r[family] for r in rounds) * 1000, "ms", 50,
                      f"POST Service to an open TCP connection to its {family} cluster IP from the host; median of {ROUNDS}")
    finally:
        subprocess.run([DUET, "down"], check=True, capture_output=True)
    print(suite.table())


def again():
    subprocess.run([DUET, "down"], check=True, capture_output=True)
    return up()


main()
