"""Ordinary sessions of clients that others wrote, against a server without nodes."""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from server import Server as OwnServer
from support import DUET, TOOLS, eventually, kubectl, run

HERE = os.path.dirname(os.path.abspath(__file__))


class Server(unittest.TestCase):
    """A `duet server` of its own, stopped and removed in the end."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="duet-clients-")
        cls.addClassCleanup(directory.cleanup)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = open(f"{directory.name}/log", "w")
        cls.addClassCleanup(log.close)
        server = subprocess.Popen(
            [DUET, "server", "--data-dir", f"{directory.name}/data", "--secure-port", str(port),
             "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1"], stdout=log, stderr=log)
        cls.addClassCleanup(server.wait, 30)
        cls.addClassCleanup(server.terminate)
        cls.kubeconfig = f"{directory.name}/data/admin.kubeconfig"
        cls.home = directory.name
        eventually(lambda: os.path.exists(cls.kubeconfig) or cls.failed(server), "the server's kubeconfig", 60)
        eventually(lambda: kubectl("get", "namespace", "default", kubeconfig=cls.kubeconfig), "the default namespace")

    @staticmethod
    def failed(server):
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}")

    def kubectl(self, *arguments, **options):
        return kubectl("--cache-dir", f"{self.home}/cache", *arguments, kubeconfig=self.kubeconfig, **options)

    def json(self, *arguments, **options):
        return json.loads(self.kubectl(*arguments, "-o", "json", **options).stdout)


class Kubectl(Server):
    def session(self, version):
        namespace = "team-" + version.replace(".", "-")

        def k(*arguments, **options):
            return self.kubectl("--namespace", namespace, *arguments, version=version, **options)

        def get(*arguments):
            return json.loads(k("get", *arguments, "-o", "json").stdout)

        # The current kubectl sends what its generators make in the binary form.
        self.assertEqual(k("create", "namespace", namespace).stdout, f"namespace/{namespace} created\n")
        k("create", "configmap", "settings", "--from-literal=a=1", "--from-literal=b=two")
        self.assertEqual(get("configmap", "settings")["data"], {"a": "1", "b": "two"})
        k("create", "secret", "generic", "pass", "--from-literal=word=x")
        self.assertEqual(get("secret", "pass")["data"], {"word": "eA=="})
        k("create", "serviceaccount", "robot")
        k("create", "deployment", "web", "--image=localhost/duet/busybox:1", "--replicas=0")
        k("wait", "--for=condition=Available", "deployment/web", "--timeout=60s")
        k("create", "service", "nodeport", "direct", "--tcp=80:8080")
        self.assertIn(get("service", "direct")["spec"]["ports"][0]["nodePort"], range(30000, 32768))
        k("expose", "deployment", "web", "--port=80", "--target-port=http")
        service = get("service", "web")
        self.assertEqual(service["spec"]["ports"][0]["targetPort"], "http")
        self.assertEqual(service["spec"]["selector"], {"app": "web"})
        k("run", "single", "--image=localhost/duet/busybox:1", "--restart=Never", "--port=80")
        pod = get("pod", "single")
        self.assertEqual(pod["spec"]["restartPolicy"], "Never")
        self.assertNotIn("hostPort", pod["spec"]["containers"][0]["ports"][0])

        k("patch", "service", "web", "-p", '{"spec": {"ipFamilyPolicy": "PreferDualStack"}}')
        address = k("get", "service", "web", "-o", "jsonpath={.spec.clusterIPs[1]}").stdout
        self.assertTrue(address.startswith("fd00:10:96:"), address)
        k("label", "service", "web", "tier=front")
        k("annotate", "service", "web", "note=x")
        self.assertIn("service/web", k("get", "service", "-l", "tier in (front)", "-o", "name").stdout)
        self.assertIn("web", k("get", "service", "--field-selector", "metadata.name=web", "-o", "wide").stdout)
        self.assertIn("ipFamilyPolicy: PreferDualStack", k("get", "service", "web", "-o", "yaml").stdout)
        described = k("describe", "service", "web").stdout
        self.assertRegex(described, r"IP Family Policy: +PreferDualStack")

        k("scale", "deployment", "web", "--replicas=2")
        eventually(lambda: get("deployment", "web")["status"].get("replicas") == 2, "two replicas")
        k("set", "image", "deployment/web", "busybox=localhost/duet/busybox:2")
        eventually(lambda: "2" in k("rollout", "history", "deployment/web").stdout.split(), "a second revision")
        k("rollout", "undo", "deployment/web")
        image = "jsonpath={.spec.template.spec.containers[0].image}"
        self.assertEqual(k("get", "deployment", "web", "-o", image).stdout, "localhost/duet/busybox:1")
        self.assertIn("deployment.apps/web", k("get", "all").stdout)

        # What has happened, in both of the groups that tell it.
        eventually(lambda: "ScalingReplicaSet" in k("get", "events").stdout, "an event of the deployment")
        self.assertIn("ScalingReplicaSet", k("get", "events.v1.events.k8s.io", "-o", "wide").stdout)
        notes = [event["note"] for event in get("events.v1.events.k8s.io")["items"]]
        self.assertTrue(any("Scaled up replica set" in note for note in notes), notes)
        about = k("get", "events", "--field-selector", "involvedObject.kind=Deployment", "-o", "name").stdout
        self.assertIn("event/web.", about)
        k("scale", "deployment", "web", "--replicas=0")
        self.assertIn("successfully rolled out", k("rollout", "status", "deployment/web", "--timeout=60s").stdout)

        editor = {**os.environ, "KUBE_EDITOR": "sed -i s/two/three/"}
        self.assertIn("edited", k("edit", "configmap", "settings", env=editor).stdout)
        self.assertEqual(get("configmap", "settings")["data"], {"a": "1", "b": "three"})

        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"k": "1"}}
        self.assertIn("created", k("apply", "-f", "-", input=json.dumps(manifest)).stdout)
        self.assertIn("unchanged", k("apply", "-f", "-", input=json.dumps(manifest)).stdout)
        manifest["data"] = {"l": "2"}
        difference = k("diff", "-f", "-", input=json.dumps(manifest), check=False)
        self.assertEqual(difference.returncode, 1, difference.stderr)
        self.assertIn("+  l: ", difference.stdout)
        self.assertIn("configured", k("apply", "-f", "-", input=json.dumps(manifest)).stdout)
        self.assertEqual(get("configmap", "applied")["data"], {"l": "2"})
        manifest["nonsense"] = 1
        refused = k("apply", "-f", "-", input=json.dumps(manifest), check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn('unknown field "nonsense"', refused.stderr)
        # Deletion waits for whoever holds the object.
        k("patch", "configmap", "applied", "--type=merge", "-p", '{"metadata": {"finalizers": ["example.org/hold"]}}')
        deletion = subprocess.Popen(
            [f"{TOOLS}/kubectl-{version}", "--kubeconfig", self.kubeconfig, "--namespace", namespace,
             "delete", "configmap", "applied", "--timeout=60s"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        eventually(lambda: "deletionTimestamp" in get("configmap", "applied")["metadata"], "a pending deletion")
        k("patch", "configmap", "applied", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
        output = deletion.communicate(timeout=60)[0]
        self.assertEqual(deletion.returncode, 0, output)

        self.assertEqual(json.loads(k("get", "--raw", "/apis/events.k8s.io/v1").stdout)["kind"], "APIResourceList")
        resources = k("api-resources").stdout
        self.assertRegex(resources, r"events +ev +(v1 +)?true +Event")
        self.assertRegex(resources, r"events +ev +events.k8s.io(/v1)? +true +Event")
        self.assertRegex(resources, r"services +svc +(v1 +)?true +Service")
        self.assertIn("discovery.k8s.io/v1", k("api-versions").stdout.split())
        explained = k("explain", "service.spec.ipFamilies").stdout
        self.assertIn("The address families of the Service", explained)
        self.assertIn("PreferDualStack is both", k("explain", "service.spec.ipFamilyPolicy").stdout.replace("\n", " ").replace("   ", ""))
        self.assertIn("clusterIPs", k("explain", "service", "--recursive").stdout)
        k("delete", "pod", "single", "--wait", "--timeout=60s")
        k("delete", "namespace", namespace, "--timeout=120s", timeout=150)
        self.assertNotIn(namespace, k("get", "namespaces", "-o", "name").stdout)

    def test_an_old_kubectl(self):
        self.session("1.20")

    def test_a_current_kubectl(self):
        self.session("current")

    def test_what_only_a_current_kubectl_can(self):
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}, "data": {"k": "1"}}
        applied = self.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(manifest)).stdout
        self.assertEqual(applied, "configmap/mine serverside-applied\n")
        manifest["data"]["k"] = "2"
        difference = self.kubectl("diff", "--server-side", "-f", "-", input=json.dumps(manifest), check=False)
        self.assertIn('+  k: "2"', difference.stdout, difference.stderr)
        self.kubectl("wait", "--for=jsonpath={.data.k}=1", "configmap/mine", "--timeout=30s")

        self.kubectl("create", "deployment", "front", "--image=localhost/duet/busybox:1", "--replicas=1")
        eventually(lambda: "ScalingReplicaSet" in self.kubectl("events").stdout, "an event")
        self.assertIn("Deployment/front", self.kubectl("events", "--for", "deployment/front").stdout)
        self.kubectl("delete", "deployment", "front", "--cascade=foreground", "--timeout=60s")
        self.assertEqual(self.json("get", "replicasets")["items"], [])

        who = json.loads(self.kubectl("auth", "whoami", "-o", "json").stdout)["status"]["userInfo"]
        self.assertEqual(who["username"], "kubernetes-admin")
        robot = ("--as", "system:serviceaccount:default:robot", "--as-uid", "7", "--as-group", "robots")
        who = json.loads(self.kubectl("auth", "whoami", *robot, "-o", "json").stdout)["status"]["userInfo"]
        self.assertEqual((who["uid"], who["groups"]), ("7", ["robots", "system:authenticated"]))
        self.kubectl("create", "serviceaccount", "robot")
        token = self.kubectl("create", "token", "robot").stdout.strip()
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        reviewed = json.loads(self.kubectl("create", "-f", "-", "-o", "json", input=json.dumps(review)).stdout)
        self.assertEqual(reviewed["status"]["user"]["username"], "system:serviceaccount:default:robot")
        self.assertIn("authentication.kubernetes.io/credential-id", reviewed["status"]["user"]["extra"])

        self.assertIn("FIELDS:", self.kubectl("explain", "events", "--api-version=events.k8s.io/v1").stdout)
        slow = self.kubectl("get", "configmap", "mine", "--request-timeout=20s", "-o", "name").stdout
        self.assertEqual(slow, "configmap/mine\n")


class Helm(Server):
    def test_a_release_as_helm_does_it(self):
        self.release()

    def test_a_release_with_the_patches_of_helm_3(self):
        self.release("--server-side=false")

    def release(self, *apply):
        environment = {
            **os.environ, "HOME": self.home, "KUBECONFIG": self.kubeconfig, "HELM_CACHE_HOME": f"{self.home}/helm",
        }

        def helm(*arguments):
            return run(f"{TOOLS}/helm", *arguments, env=environment)

        def greeting():
            return self.json("get", "configmap", "demo-greeting")["data"]["text"]

        chart = f"{HERE}/charts/small"
        helm("install", "demo", chart, *apply)
        self.assertEqual(greeting(), "hello")
        families = self.json("get", "service", "demo")["spec"]["ipFamilies"]
        self.assertEqual(families, ["IPv4", "IPv6"])
        helm("upgrade", "demo", chart, *apply, "--set", "greeting=welcome", "--wait", "--timeout", "60s")
        self.assertEqual(greeting(), "welcome")
        helm("rollback", "demo", "1", *apply)
        self.assertEqual(greeting(), "hello")
        history = json.loads(helm("history", "demo", "-o", "json").stdout)
        self.assertEqual([entry["revision"] for entry in history], [1, 2, 3])
        self.assertIn("demo", helm("list").stdout)
        helm("uninstall", "demo")
        left = self.kubectl("get", "services,deployments,secrets,configmaps", "-o", "name").stdout
        self.assertNotIn("demo", left)


class Stopping(unittest.TestCase):
    def test_a_server_ends_at_once_whoever_is_connected(self):
        server = OwnServer().start()
        self.addCleanup(server.remove)
        # One client has asked something, one watches, and neither will take leave.
        idle, watching = server.client(), server.client()
        self.addCleanup(idle.close)
        self.addCleanup(watching.close)
        self.assertEqual(server.call("GET", "/api/v1/namespaces", client=idle)[0], 200)
        watching.request("GET", "/api/v1/namespaces?watch=true")
        events = watching.getresponse()
        self.addCleanup(events.close)
        self.assertIn(b"ADDED", events.fp.readline() + events.fp.readline())
        begin = time.monotonic()
        server.stop()
        self.assertLess(time.monotonic() - begin, 2)
        self.assertEqual(server.process.returncode, 0)


class Python(Server):
    def session(self, client):
        environment = {**os.environ, "PYTHONPATH": f"{TOOLS}/python"}
        result = run(sys.executable, f"{HERE}/python_clients.py", client, self.kubeconfig, env=environment)
        self.assertEqual(result.stdout, "ok\n")

    def test_the_official_client(self):
        self.session("kubernetes")

    def test_lightkube(self):
        self.session("lightkube")
