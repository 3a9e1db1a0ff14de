"""Who may do what on a running cluster: people, nodes, pods and strangers."""
import glob
import json
import os
import ssl
import tempfile
import unittest
import urllib.error
import urllib.request

from support import ADMIN, ClusterTest, eventually, get, kubectl, run

# Runs in a pod's network namespace: asks the API at an address, as the pod would.
ASK = """
import http.client, json, socket, ssl, sys
address, port, directory, path = sys.argv[1:]
token = open(directory + "/token").read()
context = ssl.create_default_context(cafile=directory + "/ca.crt")
class Connection(http.client.HTTPSConnection):
    def connect(self):
        plain = socket.create_connection((address, int(port)), 10)
        self.sock = context.wrap_socket(plain, server_hostname="kubernetes.default")
connection = Connection("kubernetes.default", timeout=10)
connection.request("GET", path, headers={"Authorization": "Bearer " + token})
answer = connection.getresponse()
print(answer.status, json.loads(answer.read()).get("message", ""))
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: robot}
spec:
  terminationGracePeriodSeconds: 1
  serviceAccountName: robot
  nodeName: node-1
  containers:
  - name: robot
    image: localhost/duet/busybox:1
    command: ["sh", "-c", "while sleep 1; do ls /var/run/secrets/kubernetes.io/serviceaccount; done"]
"""


class Access(ClusterTest):
    options = ("--nodes", "2")

    def server(self):
        return run("sed", "-n", "s/^ *server: //p", ADMIN).stdout.strip()

    def ask(self, path, token=None, method="GET", body=None):
        """The code of an answer to a client without a certificate."""
        context = ssl.create_default_context(cafile="/var/lib/duet/server/pki/ca.crt")
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.server() + path, method=method, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, context=context, timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def test_strangers(self):
        self.assertEqual(self.ask("/readyz"), 200)
        self.assertEqual(self.ask("/version"), 200)
        for path in ("/api", "/apis", "/openapi/v2", "/api/v1/pods", "/metrics", "/"):
            self.assertEqual(self.ask(path), 401, path)
        body = b'{"metadata": {"name": "strange"}}'
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            self.assertEqual(self.ask("/api/v1/namespaces/default/configmaps", method=method, body=body), 401, method)
        self.assertEqual(self.ask("/api/v1/pods", token="nonsense"), 401)

    def test_people(self):
        kubectl("create", "serviceaccount", "reader")
        kubectl("create", "role", "pods-reader", "--verb=get,list,watch", "--resource=pods")
        kubectl("create", "rolebinding", "reader", "--role=pods-reader", "--serviceaccount=default:reader")
        as_reader = ("--as", "system:serviceaccount:default:reader")

        def can(*arguments):
            return kubectl("auth", "can-i", *arguments, *as_reader, check=False).stdout.strip()

        self.assertEqual(can("list", "pods"), "yes")
        self.assertEqual(can("delete", "pods"), "no")
        self.assertEqual(can("list", "pods", "--namespace", "kube-system"), "no")
        self.assertIn("pods", can("--list"))
        who = kubectl("auth", "whoami", "-o", "json").stdout
        self.assertEqual(json.loads(who)["status"]["userInfo"]["username"], "kubernetes-admin")
        old = kubectl("auth", "can-i", "list", "pods", *as_reader, version="1.20").stdout.strip()
        self.assertEqual(old, "yes")

        token = kubectl("create", "token", "reader").stdout.strip()
        self.assertEqual(self.ask("/api/v1/namespaces/default/pods", token), 200)
        self.assertEqual(self.ask("/api/v1/namespaces/default/secrets", token), 403)
        kubectl("delete", "rolebinding", "reader")
        self.assertEqual(self.ask("/api/v1/namespaces/default/pods", token), 403)
        kubectl("delete", "serviceaccount", "reader")
        self.assertEqual(self.ask("/api/v1/namespaces/default/pods", token), 401)

    def test_nodes(self):
        kubeconfig = glob.glob("/var/lib/duet/**/node-1/kubeconfig", recursive=True)[0]

        def node(*arguments):
            return kubectl(*arguments, kubeconfig=kubeconfig, check=False)

        self.assertEqual(node("get", "nodes").returncode, 0)
        self.assertEqual(node("get", "services,endpointslices", "-A").returncode, 0)
        refused = [
            ("get", "secrets", "-A"), ("get", "pods", "-A"), ("get", "clusterroles"),
            ("label", "node", "node-2", "mine=1"), ("delete", "node", "node-1"),
            ("label", "node", "node-1", "node-role.kubernetes.io/control-plane="),
            ("patch", "lease", "node-2", "-n", "kube-node-lease", "--type=merge", "-p", '{"spec":{"holderIdentity":"x"}}'),
            ("create", "service", "clusterip", "mine", "--tcp=80"), ("create", "token", "default"),
        ]
        for arguments in refused:
            result = node(*arguments)
            self.assertNotEqual(result.returncode, 0, arguments)
            self.assertIn("forbidden", result.stderr.lower(), arguments)
        # And yet both nodes work.
        nodes = get("nodes")["items"]
        ready = [c["status"] for n in nodes for c in n["status"]["conditions"] if c["type"] == "Ready"]
        self.assertEqual(ready, ["True", "True"])

    def test_pods(self):
        kubectl("create", "serviceaccount", "robot")
        kubectl("create", "rolebinding", "robot", "--clusterrole=view", "--serviceaccount=default:robot")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(POD)
            file.flush()
            kubectl("apply", "-f", file.name)
        kubectl("wait", "--for=condition=Ready", "pod/robot", "--timeout=90s")
        eventually(lambda: "ca.crt\nnamespace\ntoken" in kubectl("logs", "robot").stdout, "the files of the account")
        pod = get("pod", "robot")
        volume = next(v["name"] for v in pod["spec"]["volumes"] if v["name"].startswith("kube-api-access-"))
        files = glob.glob(f"/var/lib/duet/**/pods/{pod['metadata']['uid']}/volumes/{volume}", recursive=True)[0]
        pid = self.pid(pod["metadata"]["uid"])
        service = get("service", "kubernetes")
        self.assertEqual(len(service["spec"]["clusterIPs"]), 2)
        for address in service["spec"]["clusterIPs"]:
            for path, code in (("/api/v1/namespaces/default/pods", "200"), ("/api/v1/namespaces/default/secrets", "403")):
                answer = run(
                    "nsenter", "-t", str(pid), "-n", "/usr/bin/python3", "-c", ASK, address, "443", files, path).stdout
                self.assertTrue(answer.startswith(code), f"{address} {path}: {answer}")
        with open(files + "/token") as file:
            token = file.read()
        kubectl("delete", "pod", "robot")
        self.assertEqual(self.ask("/api/v1/namespaces/default/pods", token), 401)

    def pid(self, uid):
        """A process of the pod, by its control group."""
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/cgroup") as file:
                    if uid in file.read():
                        return int(entry)
            except (FileNotFoundError, ProcessLookupError):
                continue
        raise AssertionError(f"no process of pod {uid}")


if __name__ == "__main__":
    unittest.main()
