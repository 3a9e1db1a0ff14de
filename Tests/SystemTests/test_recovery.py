"""A cluster whose processes are killed, and a server killed under load."""
import json
import os
import random
import signal
import subprocess
import tempfile
import threading
import unittest

from support import (
    DUET, EXAMPLES, RUN, ClusterTest, duet, eventually, get, is_running, kubectl, machine_state, pid_of, run, up)

EVERYTHING = ["server"] + [f"{node}-{part}" for node in ("node-1", "node-2") for part in ("containerd", "node", "agent")]


def kill_now(pid):
    """Ends a process that may just be ending by itself."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class KilledCluster(ClusterTest):
    """`kill -9` of parts and of everything: traffic goes on, and `duet up` completes what is missing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        kubectl("apply", "-f", f"{EXAMPLES}/dual-stack-web.yaml")
        for workload in ("deployment/web", "deployment/cache", "daemonset/client"):
            kubectl("--namespace", "web", "rollout", "status", workload, "--timeout=120s")

    def kill(self, *names):
        pids = [pid_of(name) for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not any(map(is_running, pids)), "the killed processes are gone")

    def pods(self):
        return get("pods", "--namespace", "web")["items"]

    @staticmethod
    def services():
        """What a node does with Services, in each family."""
        def listing(family, name):
            kind = "set" if name == "unserved" else "map"
            return run("ip", "netns", "exec", "duet-node-1", "nft", "-s", "list", kind, family, "duet-proxy", name).stdout
        names = ("services", "shapes", "node-ports", "node-port-aliases", "endpoints", "unserved")
        return [listing(family, name) for family in ("ip", "ip6") for name in names]

    def test_1_traffic_goes_on_without_agents(self):
        self.kill("node-1-agent", "node-2-agent")
        service = get("service", "web", "--namespace", "web")
        for address in service["spec"]["clusterIPs"]:
            host = f"[{address}]" if ":" in address else address
            self.assertIn("web", run("curl", "-sf", "--max-time", "5", f"http://{host}/").stdout)
        rules = self.services()
        up()
        eventually(lambda: duet("status", check=False).returncode == 0, "everything runs")
        # The agents adopt what they find: the rules are the same.
        self.assertEqual(rules, self.services())
        eventually(lambda: duet("verify", "--namespace", "web", check=False).returncode == 0, "every Service answers")

    def test_2_everything_killed(self):
        before = {p["metadata"]["uid"] for p in get("pods", "-A")["items"]}
        self.kill(*EVERYTHING)
        self.assertEqual(duet("status", check=False).returncode, 1)
        up()
        self.assertEqual(before, {p["metadata"]["uid"] for p in get("pods", "-A")["items"]})
        eventually(lambda: duet("verify", "--namespace", "web", check=False).returncode == 0, "every Service answers")

    def test_3_containers_killed_too(self):
        before = {status["containerID"] for pod in self.pods() for status in pod["status"]["containerStatuses"]}
        self.kill(*EVERYTHING)
        # As after a power cut: the pods' processes and their shims are gone as well.
        for line in run("ps", "-eo", "pid=,args=").stdout.splitlines():
            pid, _, words = line.strip().partition(" ")
            if "containerd-shim-runc-v2" in words and f"{RUN}/nodes/" in words:
                kill_now(int(pid))
        for directory, _, _ in os.walk("/sys/fs/cgroup/pids/duet", topdown=False):
            with open(f"{directory}/cgroup.procs") as file:
                for pid in file.read().split():
                    kill_now(int(pid))
        up()

        def restarted():
            statuses = [status for pod in self.pods() for status in pod["status"]["containerStatuses"]]
            return all(status["ready"] and status["containerID"] not in before for status in statuses)

        def answers():
            return duet("verify", "--namespace", "web", check=False).returncode == 0

        eventually(restarted, "every pod was started again", seconds=120)
        eventually(answers, "every Service answers again", seconds=60)

    def test_6_machine_restarted(self):
        """What a reboot leaves: no process, no namespace, no link, nothing in /run; only the data on disk."""
        before = {p["metadata"]["uid"] for p in self.pods()}
        services = {s["metadata"]["name"]: s["spec"] for s in get("services", "-A")["items"]}
        for name in os.listdir(f"{RUN}/processes"):
            kill_now(pid_of(name))
        namespaces = {os.stat(f"{RUN}/namespaces/{name}").st_ino for name in os.listdir(f"{RUN}/namespaces")}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.stat(f"/proc/{entry}/ns/mnt").st_ino in namespaces:
                    kill_now(int(entry))
            except (FileNotFoundError, PermissionError):
                continue
        for directory, _, _ in os.walk("/sys/fs/cgroup/pids/duet", topdown=False):
            with open(f"{directory}/cgroup.procs") as file:
                for pid in file.read().split():
                    kill_now(int(pid))
        # The kernel takes namespaces apart in its own time. It does not come to this one before the cluster is back.
        former = os.open("/run/netns/duet-node-1", os.O_RDONLY)
        self.addCleanup(os.close, former)
        for name in os.listdir(f"{RUN}/namespaces"):
            run("umount", f"{RUN}/namespaces/{name}")
        run("umount", f"{RUN}/namespaces")
        for line in run("ip", "netns").stdout.splitlines():
            if line.startswith("duet-"):
                run("ip", "netns", "delete", line.split()[0])
        run("ip", "link", "delete", "duet0")
        run("rm", "-r", RUN)
        with open("/var/lib/duet/cluster.json") as file:
            state = json.load(file)
        state["bootID"] = "another boot"
        for name, value in state["sysctls"].items():
            with open(f"/proc/sys/{name}", "w") as file:
                file.write(value)
        if state["madeNamespaceMount"]:
            run("umount", "--recursive", "/run/netns")
        with open("/var/lib/duet/cluster.json", "w") as file:
            json.dump(state, file)
        up("--nodes", "3")
        self.assertEqual(before, {p["metadata"]["uid"] for p in self.pods()})
        self.assertEqual(services, {s["metadata"]["name"]: s["spec"] for s in get("services", "-A")["items"]})
        eventually(lambda: duet("verify", "--namespace", "web", check=False).returncode == 0,
                   "every Service answers again", seconds=120)

    def test_4_a_different_cluster_is_refused(self):
        result = up("--families", "ipv6", check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("a different cluster stands", result.stderr)
        self.assertIn("duet down", result.stderr)

    def test_5_a_node_joins(self):
        up("--nodes", "3")
        self.assertEqual(len(get("nodes")["items"]), 3)
        kubectl("--namespace", "web", "rollout", "status", "daemonset/client", "--timeout=60s")
        eventually(lambda: duet("verify", "--namespace", "web", check=False).returncode == 0, "every Service answers")


class KilledServer(unittest.TestCase):
    """`duet server` alone, with `kill -9` while many clients write."""

    def setUp(self):
        before = machine_state()
        self.addCleanup(lambda: self.assertEqual(before, machine_state()))
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.kubeconfig = f"{self.directory.name}/data/admin.kubeconfig"
        self.server = None
        self.addCleanup(self.stop)

    def start(self):
        self.server = subprocess.Popen(
            [DUET, "server", "--data-dir", f"{self.directory.name}/data", "--bind-address", "127.0.0.1",
             "--advertise-address", "127.0.0.1", "--secure-port", "16443",
             "--service-cluster-ip-range", "10.96.0.0/16,fd00:10:96::/112"],
            stderr=subprocess.DEVNULL)
        eventually(lambda: kubectl("get", "namespaces", kubeconfig=self.kubeconfig, check=False).returncode == 0,
                   "the server answers", seconds=20)

    def stop(self):
        if self.server:
            self.server.kill()
            self.server.wait()

    def test_acknowledged_writes_survive(self):
        self.start()
        acknowledged, stop = [], threading.Event()
        number = iter(range(1_000_000))
        lock = threading.Lock()

        def write():
            while not stop.is_set():
                with lock:
                    name = f"s{next(number)}"
                manifest = json.dumps({
                    "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
                    "spec": {"ipFamilyPolicy": "PreferDualStack", "type": "NodePort", "ports": [{"port": 80}]}})
                result = kubectl("create", "-o", "json", "-f", "-", input=manifest, kubeconfig=self.kubeconfig, check=False)
                if result.returncode == 0:
                    with lock:
                        acknowledged.append(json.loads(result.stdout))

        for _ in range(4):
            count = len(acknowledged)
            stop.clear()
            writers = [threading.Thread(target=write) for _ in range(4)]
            for writer in writers:
                writer.start()
            eventually(lambda: len(acknowledged) > count + random.randint(5, 25), "writes are acknowledged")
            self.server.kill()
            self.server.wait()
            stop.set()
            for writer in writers:
                writer.join()
            self.start()
        listed = json.loads(kubectl("get", "--raw", "/api/v1/services", kubeconfig=self.kubeconfig).stdout)
        services = {s["metadata"]["name"]: s for s in listed["items"]}
        for service in acknowledged:
            found = services.get(service["metadata"]["name"])
            self.assertIsNotNone(found, "an acknowledged write is there")
            self.assertEqual(found["spec"], service["spec"])
        addresses = [a for s in services.values() for a in s["spec"]["clusterIPs"]]
        ports = [p["nodePort"] for s in services.values() for p in s["spec"]["ports"] if "nodePort" in p]
        self.assertEqual(len(addresses), len(set(addresses)), "no cluster IP is held twice")
        self.assertEqual(len(ports), len(set(ports)), "no node port is held twice")
        self.assertGreater(int(listed["metadata"]["resourceVersion"]),
                           max(int(s["metadata"]["resourceVersion"]) for s in acknowledged) - 1)

    def test_full_disk(self):
        # A file system of its own in a mount namespace of its own, small enough to fill.
        script = f"""
            set -e
            mount -t tmpfs -o size=8m tmpfs {self.directory.name}
            {DUET} server --data-dir {self.directory.name}/data --bind-address 127.0.0.1 --advertise-address 127.0.0.1 \
                --secure-port 16443 2>/dev/null &
            server=$!
            trap 'kill -9 $server; wait $server || true' EXIT
            k() {{ {os.environ["DUET_TOOLS"]}/kubectl-current --kubeconfig {self.kubeconfig} "$@"; }}
            for _ in $(seq 200); do k get namespaces >/dev/null 2>&1 && break; sleep 0.05; done
            head -c 600000 /dev/zero | tr '\\0' x > /dev/shm/duet-test-value
            n=0
            while k create configmap c$n --from-file=value=/dev/shm/duet-test-value --dry-run=client -o json |
                k create -f - >/dev/null 2>/dev/shm/duet-test-error; do
                n=$((n + 1)); [ $n -lt 100 ]
            done
            cat /dev/shm/duet-test-error >&2
            echo "written $n, readable $(k get configmaps -n default -o name | grep -c configmap/c)"
            dd if=/dev/zero of={self.directory.name}/filler bs=4k 2>/dev/null || true
            rm {self.directory.name}/filler
            rm /dev/shm/duet-test-value /dev/shm/duet-test-error
        """
        result = run("unshare", "-m", "bash", "-c", script)
        self.assertRegex(result.stderr, r"(?i)disk|full|space")
        written = int(result.stdout.split("written ")[1].split(",")[0])
        readable = int(result.stdout.split("readable ")[1].split()[0])
        self.assertGreater(written, 0)
        self.assertEqual(written, readable, "what was acknowledged is readable, what was refused is not there")
