"""Server-side apply as kubectl does it, against a server alone: no nodes, nothing on the machine but a port."""
import json
import os
import subprocess
import tempfile
import unittest

from server import free_port
from support import DUET, TOOLS, eventually, run


class ServerSideApply(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="duet-apply-")
        cls.addClassCleanup(directory.cleanup)
        cls.directory = directory.name
        cls.port = free_port()
        cls.server = subprocess.Popen(
            [DUET, "server", "--data-dir", cls.directory, "--bind-address", "::1", "--secure-port", str(cls.port),
             "--advertise-address", "192.0.2.1,2001:db8::1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.stop)
        eventually(lambda: cls.kubectl("get", "--raw", "/readyz", check=False).returncode == 0, "the server is ready")

    @classmethod
    def stop(cls):
        cls.server.terminate()
        cls.server.wait(timeout=30)

    @classmethod
    def kubectl(cls, *arguments, **options):
        # The file names the advertised address, which no device of this machine has.
        server = ("--kubeconfig", f"{cls.directory}/admin.kubeconfig", "--server", f"https://[::1]:{cls.port}")
        return run(f"{TOOLS}/kubectl-current", *server, *arguments, **options)

    def file(self, value):
        with open(f"{self.directory}/{self.id()}.json", "w") as file:
            json.dump(value, file)
        return file.name

    def apply(self, value, *arguments, **options):
        return self.kubectl("apply", "--server-side", "-f", self.file(value), *arguments, **options)

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json", "--show-managed-fields").stdout)

    def config_map(self, name, **data):
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}

    def test_two_managers(self):
        self.assertIn("serverside-applied", self.apply(self.config_map("two", a="1", b="1")).stdout)
        version = self.get("configmap", "two")["metadata"]["resourceVersion"]
        self.apply(self.config_map("two", a="1", b="1"))
        self.assertEqual(self.get("configmap", "two")["metadata"]["resourceVersion"], version)

        refused = self.apply(self.config_map("two", a="2"), "--field-manager", "other", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn('Apply failed with 1 conflict: conflict with "kubectl": .data.a', refused.stderr)
        self.apply(self.config_map("two", a="2"), "--field-manager", "other", "--force-conflicts")
        self.assertEqual(self.get("configmap", "two")["data"], {"a": "2", "b": "1"})

        # What nobody applies any more goes; what the other one applies stays.
        self.apply(self.config_map("two", c="1"))
        two = self.get("configmap", "two")
        self.assertEqual(two["data"], {"a": "2", "c": "1"})
        self.assertEqual(
            sorted((entry["manager"], entry["operation"]) for entry in two["metadata"]["managedFields"]),
            [("kubectl", "Apply"), ("other", "Apply")])

    def test_dry_run_and_diff(self):
        self.apply(self.config_map("dry", a="1"))
        before = self.get("configmap", "dry")
        self.apply(self.config_map("dry", a="2"), "--dry-run=server")
        self.assertEqual(self.get("configmap", "dry"), before)
        same = self.kubectl("diff", "--server-side", "-f", self.file(self.config_map("dry", a="1")), check=False)
        self.assertEqual((same.returncode, same.stdout), (0, ""))
        other = self.kubectl("diff", "--server-side", "-f", self.file(self.config_map("dry", a="2")), check=False)
        self.assertEqual(other.returncode, 1)
        self.assertIn('-  a: "1"\n+  a: "2"', other.stdout)
        self.assertEqual(self.get("configmap", "dry"), before)

    def test_from_client_side_apply(self):
        self.kubectl("apply", "-f", self.file(self.config_map("old", a="1", b="1")))
        owners = self.get("configmap", "old")["metadata"]["managedFields"]
        self.assertEqual([entry["manager"] for entry in owners], ["kubectl-client-side-apply"])
        self.apply(self.config_map("old", a="2"))
        old = self.get("configmap", "old")
        self.assertEqual(old["data"], {"a": "2"}, "kubectl takes over what it applied, so that b goes")
        self.assertIn(("kubectl", "Apply"), [(e["manager"], e["operation"]) for e in old["metadata"]["managedFields"]])

    def test_lists_are_shared_element_by_element(self):
        def deployment(*containers):
            labels = {"app": "web"}
            return {
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
                "spec": {
                    "replicas": 0, "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": {"containers": list(containers)}},
                },
            }

        web = {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}
        self.apply(deployment(web))
        self.apply(deployment({"name": "proxy", "image": "proxy:1"}), "--field-manager", "mesh")
        self.apply(deployment(dict(web, image="web:2")))
        containers = self.get("deployment", "web")["spec"]["template"]["spec"]["containers"]
        self.assertEqual({c["name"]: c["image"] for c in containers}, {"web": "web:2", "proxy": "proxy:1"})
        self.kubectl("scale", "deployment/web", "--replicas=1")
        refused = self.apply(deployment(web), check=False)
        self.assertIn('with subresource "scale" using apps/v1: .spec.replicas', refused.stderr)

    def test_services_keep_their_addresses(self):
        service = {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}, "ipFamilyPolicy": "PreferDualStack"},
        }
        self.apply(service)
        addresses = self.get("service", "web")["spec"]["clusterIPs"]
        self.assertEqual(len(addresses), 2)
        service["spec"]["ports"] = [{"port": 81}]
        self.apply(service)
        spec = self.get("service", "web")["spec"]
        self.assertEqual(spec["clusterIPs"], addresses)
        self.assertEqual([port["port"] for port in spec["ports"]], [81])

    def test_what_does_not_fit(self):
        unknown = dict(self.config_map("bad"), foo=1)
        refused = self.apply(unknown, "--validate=false", check=False)
        self.assertIn(".foo: field not declared in schema", refused.stderr)
        self.assertEqual(self.kubectl("get", "configmap", "bad", check=False).returncode, 1)
