"""An ordinary session with kubectl, an old one and a current one, against a running cluster."""
import json
import os
import subprocess
import tempfile

from support import ADMIN, TOOLS, ClusterTest, eventually, kubectl, run

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: hello, labels: {app: hello}}
spec:
  replicas: 2
  selector: {matchLabels: {app: hello}}
  template:
    metadata: {labels: {app: hello}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: hello
        image: localhost/duet/busybox:1
        command: ["sh", "-c", "echo started $GREETING; while sleep 1; do echo tick; done"]
        env: [{name: GREETING, valueFrom: {configMapKeyRef: {name: greeting, key: text}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: greeting}
data: {text: "hello, world"}
---
apiVersion: v1
kind: Service
metadata: {name: hello}
spec: {ipFamilyPolicy: PreferDualStack, selector: {app: hello}, ports: [{port: 80}]}
"""


class Session(ClusterTest):
    options = ("--nodes", "1")

    def session(self, version):
        def k(*arguments, **options):
            return kubectl(*arguments, version=version, **options)

        namespace = "session-" + version.replace(".", "-")
        k("create", "namespace", namespace)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(MANIFEST)
            file.flush()
            applied = k("apply", "--namespace", namespace, "-f", file.name)
            self.assertIn("deployment.apps/hello created", applied.stdout)
            self.assertEqual(applied.stderr, "")
            again = k("apply", "--namespace", namespace, "-f", file.name)
            self.assertIn("deployment.apps/hello unchanged", again.stdout)
            self.assertIn("service/hello unchanged", again.stdout)
            k("rollout", "status", "deployment/hello", "--namespace", namespace, "--timeout=60s")

            pods = k("get", "pods", "--namespace", namespace, "-o", "wide").stdout
            self.assertRegex(pods.splitlines()[0], r"NAME +READY +STATUS +RESTARTS +AGE +IP +NODE")
            self.assertEqual(pods.count("Running"), 2)
            services = k("get", "svc", "hello", "--namespace", namespace).stdout
            self.assertRegex(services, r"hello +ClusterIP +10\.96\.\d+\.\d+ +<none> +80/TCP")
            described = k("describe", "service", "hello", "--namespace", namespace).stdout
            self.assertIn("10.96.", described)
            described = k("describe", "deployment", "hello", "--namespace", namespace).stdout
            self.assertIn("2 desired", described)
            described = k("describe", "pod", "--namespace", namespace).stdout
            self.assertIn("localhost/duet/busybox:1", described)
            described = k("describe", "node", "node-1").stdout
            self.assertIn("PodCIDRs:", described)

            k("scale", "deployment/hello", "--replicas=3", "--namespace", namespace)
            k("rollout", "status", "deployment/hello", "--namespace", namespace, "--timeout=60s")
            pod = k("get", "pods", "--namespace", namespace, "-o", "name").stdout.split()[0]
            eventually(lambda: "tick" in k("logs", pod, "--namespace", namespace).stdout, "a line in the log")
            self.assertTrue(k("logs", pod, "--namespace", namespace).stdout.startswith("started hello, world"))

            # A rollout changes the pods; undoing it brings the old template back.
            k("set", "env", "deployment/hello", "EXTRA=1", "--namespace", namespace)
            k("rollout", "status", "deployment/hello", "--namespace", namespace, "--timeout=90s")
            history = k("rollout", "history", "deployment/hello", "--namespace", namespace).stdout
            self.assertIn("2", history)
            k("rollout", "undo", "deployment/hello", "--namespace", namespace)
            k("rollout", "status", "deployment/hello", "--namespace", namespace, "--timeout=90s")
            template = json.loads(k("get", "deployment", "hello", "--namespace", namespace, "-o", "json").stdout)
            self.assertEqual([e["name"] for e in template["spec"]["template"]["spec"]["containers"][0]["env"]], ["GREETING"])

            k("label", "service", "hello", "tier=front", "--namespace", namespace)
            k("annotate", "service", "hello", "note=x", "--namespace", namespace)
            self.assertIn("hello", k("get", "service", "-l", "tier=front", "--namespace", namespace).stdout)
            k("patch", "configmap", "greeting", "--namespace", namespace, "--type", "merge", "-p", '{"data":{"more":"1"}}')
            k("patch", "service", "hello", "--namespace", namespace, "--type", "json",
              "-p", '[{"op":"replace","path":"/spec/ipFamilyPolicy","value":"SingleStack"}]')
            service = json.loads(k("get", "service", "hello", "--namespace", namespace, "-o", "json").stdout)
            self.assertEqual(service["spec"]["ipFamilies"], ["IPv4"])
            self.assertEqual(len(service["spec"]["clusterIPs"]), 1)

            k("delete", "--namespace", namespace, "-f", file.name)
            left = k("get", "deployments,replicasets,services,configmaps", "--namespace", namespace, "-o", "name").stdout
            self.assertEqual(left.split(), ["configmap/kube-root-ca.crt"])
        k("delete", "namespace", namespace)
        self.assertNotIn(namespace, k("get", "namespaces").stdout)

    def test_old_kubectl(self):
        self.session("1.20")

    def test_current_kubectl(self):
        self.session("current")

    def test_watch(self):
        watch = subprocess.Popen(
            [f"{TOOLS}/kubectl-current", "--kubeconfig", ADMIN, "get", "configmaps", "--watch", "--output-watch-events"],
            stdout=subprocess.PIPE, text=True)
        try:
            self.assertIn("EVENT", watch.stdout.readline())
            kubectl("create", "-f", "-", input='{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "watched"}}')
            kubectl("delete", "configmap", "watched")
            seen = []
            while not any("DELETED" in line for line in seen):
                seen.append(watch.stdout.readline())
            self.assertTrue(any("ADDED" in line and "watched" in line for line in seen))
        finally:
            watch.kill()
            watch.wait()
            watch.stdout.close()

    def test_bad_input(self):
        def refused(manifest, text, version):
            result = kubectl("create", "-f", "-", input=manifest, check=False, version=version)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(text, result.stderr)

        for version in ("1.20", "current"):
            refused("{unbalanced: [", "error", version)
            refused("apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 80}], ipFamilies: [IPv5]}\n",
                    'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"', version)
            refused("apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 80}], clusterIP: 10.97.0.1}\n",
                    "the provided network does not match the current range", version)
        with open(ADMIN) as file:
            kubeconfig = file.read()
        server = next(line.split()[1] for line in kubeconfig.splitlines() if line.strip().startswith("server:"))
        readyz = run("curl", "-sk", f"{server}/readyz")
        self.assertEqual(readyz.stdout, "ok")
        anonymous = json.loads(run("curl", "-sk", f"{server}/api/v1/pods").stdout)
        self.assertIn(anonymous["code"], (401, 403))


    def test_raw_requests(self):
        result = kubectl("get", "--raw", "/api/v1/nothings", check=False)
        self.assertIn("the server could not find the requested resource", result.stderr)
        self.assertIn("not found", kubectl("get", "pod", "absent", check=False).stderr)
        self.assertTrue(json.loads(kubectl("get", "--raw", "/openapi/v2").stdout)["definitions"])
        self.assertEqual(os.stat(ADMIN).st_mode & 0o077, 0)
