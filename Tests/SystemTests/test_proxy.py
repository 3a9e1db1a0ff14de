"""Requests through the API server to Services, pods and nodes, and containers that are added to look into a pod."""
import contextlib
import http.client
import json
import re
import socket
import ssl
import time

from support import ADMIN, ClusterTest, eventually, kubectl

VERSIONS = ("1.20", "current")
PKI = "/var/lib/duet/server/pki"
LOG = "/var/lib/duet/logs/server.log"

# An HTTP server that tells what it was asked, and one that speaks another protocol after `101`.
PODS = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: localhost/duet/nginx:1, command: [nginx, -g, "daemon off; pid /tmp/pid;", -c, /etc/web/nginx.conf], ports: [{name: http, containerPort: 8080}], volumeMounts: [{name: conf, mountPath: /etc/web}]}
  volumes: [{name: conf, configMap: {name: web}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data:
  nginx.conf: |
    events {}
    http {
      client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
      client_max_body_size 0;
      server {
        listen 8080; listen [::]:8080;
        location / { return 200 "$request_method $request_uri to $server_addr by $http_user_agent auth[$http_authorization$http_impersonate_user] for $http_x_forwarded_for at $http_x_forwarded_uri\\n"; }
        location /away { return 302 /there?a=b; }
        location /bad { return 503 "not now"; }
        location /page { default_type "text/html; charset=utf-8"; return 200 '<link rel="icon" href="/i.png"><script>x = "/s"</script><a href="/page/next?a=b">next</a><img src=//other/i>'; }
        location /put { proxy_pass http://127.0.0.1:8081; }
        location /large { root /tmp; }
      }
      server { listen 127.0.0.1:8081; location / { return 200 "took $content_length"; } }
    }
---
apiVersion: v1
kind: Pod
metadata: {name: upgrade, labels: {app: upgrade}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: localhost/duet/busybox:1, ports: [{containerPort: 9000}], command: [nc, -ll, -p, "9000", -e, /bin/sh, -c, "while read line; do case $line in ?) break;; esac; done; printf 'HTTP/1.1 101 Switching Protocols\\\\r\\\\nConnection: Upgrade\\\\r\\\\nUpgrade: echo\\\\r\\\\n\\\\r\\\\n'; exec cat"]}
---
apiVersion: v1
kind: Pod
metadata: {name: short}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: localhost/duet/busybox:1, ports: [{containerPort: 9000}], command: [nc, -ll, -p, "9000", -e, printf, 'HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\nabc']}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ipFamilyPolicy: RequireDualStack, selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: upgrade}
spec: {ipFamilyPolicy: RequireDualStack, selector: {app: upgrade}, ports: [{port: 80, targetPort: 9000}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty}
spec: {selector: {app: none}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: foreign}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: foreign, labels: {kubernetes.io/service-name: foreign}}
addressType: IPv4
endpoints: [{addresses: [192.0.2.1]}]
ports: [{port: 80}]
"""

NAMESPACE = "/api/v1/namespaces/default"


class Proxy(ClusterTest):
    options = ("--nodes", "1")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        kubectl("apply", "-f", "-", input=PODS)
        kubectl("wait", "--for=condition=Ready", "pod/web", "pod/upgrade", "pod/short", "--timeout=60s")
        with open(ADMIN) as file:
            cls.host, cls.port = re.search("server: https://(.*):(\\d+)", file.read()).groups()
        cls.host = cls.host.strip("[]")
        eventually(lambda: cls.call("GET", f"{NAMESPACE}/services/web:http/proxy/")[0] == 200, "the Service's endpoints")

    @classmethod
    def tls(cls, certificate="admin"):
        context = ssl.create_default_context(cafile=f"{PKI}/ca.crt")
        context.load_cert_chain(f"{PKI}/{certificate}.crt", f"{PKI}/{certificate}.key")
        return context

    @classmethod
    def call(cls, method, path, body=None, headers=None):
        """Status code, headers and text of an answer."""
        with contextlib.closing(http.client.HTTPSConnection(cls.host, int(cls.port), context=cls.tls(), timeout=60)) as connection:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def test_services_pods_and_nodes(self):
        for version in VERSIONS:
            for name in ("services/web:http", "services/web:80", "services/http:web:http", "pods/web", "pods/web:8080"):
                text = kubectl("get", "--raw", f"{NAMESPACE}/{name}/proxy/a/b/?c=d", version=version).stdout
                self.assertTrue(text.startswith("GET /a/b/?c=d to "), text)
                self.assertIn(f"at {NAMESPACE}/{name}/proxy/a/b/", text)
            self.assertEqual(kubectl("get", "--raw", "/api/v1/nodes/node-1/proxy/healthz", version=version).stdout, "ok")
        families = {":" in self.call("GET", f"{NAMESPACE}/services/web:http/proxy/")[2].split(" to ")[1].split(" ")[0] for _ in range(40)}
        self.assertEqual(families, {True, False}, "endpoints of both families answer")

    def test_requests_pass_as_they_are(self):
        path = f"{NAMESPACE}/services/web:http/proxy"
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            status, _, text = self.call(method, f"{path}/x%2Fy//z?q=%20", headers={"User-Agent": "test"})
            self.assertEqual((status, text.split(" to ")[0]), (200, f"{method} /x%2Fy//z?q=%20"))
            self.assertIn("by test auth[] for ", text)
        self.assertEqual(self.call("HEAD", f"{path}/")[::2], (200, ""))
        # No credential of the client goes along.
        secret = {"Impersonate-User": "kubernetes-admin", "Impersonate-Group": "system:masters", "Cookie": "a=b"}
        self.assertIn("auth[] ", self.call("GET", f"{path}/", headers=secret)[2])
        size = 20 << 20
        self.assertEqual(self.call("POST", f"{path}/put", b"x" * size)[2], f"took {size}", "longer than a body of the API may be")
        kubectl("exec", "web", "--", "sh", "-c", f"head -c {size} /dev/zero > /tmp/large")
        self.assertEqual(len(self.call("GET", f"{path}/large")[2]), size)
        self.assertEqual(self.call("GET", f"{path}/bad")[::2], (503, "not now"))
        status, headers, _ = self.call("GET", f"{path}/away")
        self.assertEqual((status, headers["Location"]), (302, f"{path}/there?a=b"))
        status, headers, _ = self.call("GET", f"{path}?q=1")
        self.assertEqual((status, headers["Location"]), (301, f"{path}/?q=1"))

    def test_links_of_pages(self):
        path = f"{NAMESPACE}/services/web:http/proxy"
        status, headers, text = self.call("GET", f"{path}/page", headers={"Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "gzip"})
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertEqual(text, f'<link rel="icon" href="{path}/i.png"><script>x = "/s"</script><a href="{path}/page/next?a=b">next</a><img src=//other/i>')
        following = re.search('<a href="([^"]*)"', text)[1]
        self.assertEqual(self.call("GET", following)[::2], (200, text), "a link leads to where it would without the proxy")

    def test_refusals(self):
        for path, code, message in [
            (f"{NAMESPACE}/services/absent/proxy/", 404, 'services "absent" not found'),
            (f"{NAMESPACE}/services/empty/proxy/", 503, 'no endpoints available for service "empty"'),
            (f"{NAMESPACE}/services/foreign/proxy/", 503, 'no endpoints available for service "foreign"'),
            (f"{NAMESPACE}/services/web:81/proxy/", 503, 'no service port 81 found for service "web"'),
            (f"{NAMESPACE}/services/ftp:web:80/proxy/", 400, 'invalid service request "ftp:web:80"'),
            (f"{NAMESPACE}/pods/absent/proxy/", 404, 'pods "absent" not found'),
            ("/api/v1/nodes/absent/proxy/", 404, 'nodes "absent" not found'),
        ]:
            status, _, text = self.call("GET", path)
            self.assertEqual((status, json.loads(text)["message"]), (code, message))
        status, _, text = self.call("GET", f"{NAMESPACE}/pods/web:9/proxy/")
        self.assertEqual(status, 503)
        self.assertRegex(json.loads(text)["message"], "^error trying to reach service: dial tcp .*: connect: connection refused$")

    def test_an_answer_that_breaks_off(self):
        """The client sees that there should be more, and the log says why there is not."""
        with self.assertRaises(http.client.IncompleteRead) as broken:
            self.call("GET", f"{NAMESPACE}/pods/short/proxy/")
        self.assertEqual(broken.exception.partial, b"abc")

        def told():
            with open(LOG) as file:
                return [line for line in file if "an answer broke off" in line]
        self.assertRegex(eventually(told, "the log says so")[0], f"error=.* method=GET path={NAMESPACE}/pods/short/proxy/")

    def test_rights(self):
        kubectl("create", "serviceaccount", "viewer")
        kubectl("create", "rolebinding", "viewer", "--clusterrole=view", "--serviceaccount=default:viewer")
        kubectl("create", "serviceaccount", "editor")
        kubectl("create", "rolebinding", "editor", "--clusterrole=edit", "--serviceaccount=default:editor")
        for user, verb, what, allowed in [
            ("viewer", "get", "services/web:http", False), ("editor", "get", "services/web:http", True),
            ("editor", "get", "pods/web", True), ("viewer", "get", "pods/web", False),
        ]:
            result = kubectl("get", "--raw", f"{NAMESPACE}/{what}/proxy/", "--as", f"system:serviceaccount:default:{user}", check=False)
            self.assertEqual(result.returncode == 0, allowed, (user, what, result.stderr))
        result = kubectl("get", "--raw", "/api/v1/nodes/node-1/proxy/healthz", "--as", "system:serviceaccount:default:editor", check=False)
        self.assertIn('cannot get resource "nodes/proxy"', result.stderr)

    def test_upgrade(self):
        for what in ("services/upgrade", "pods/upgrade", "services/upgrade:80"):
            with socket.create_connection((self.host, int(self.port)), timeout=60) as plain:
                with self.tls().wrap_socket(plain, server_hostname=self.host) as connection:
                    connection.sendall(f"GET {NAMESPACE}/{what}/proxy/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n".encode())
                    stream = connection.makefile("rb")
                    self.assertEqual(stream.readline(), b"HTTP/1.1 101 Switching Protocols\r\n")
                    while stream.readline().strip():
                        pass
                    for text in (b"hello\n", b"x" * 100_000 + b"\n"):
                        connection.sendall(text)
                        self.assertEqual(stream.readline(), text)

    def test_debug(self):
        """Each kubectl adds a container that sees the processes of another."""
        for version, name in (("current", "now"), ("1.20", "then")):
            kubectl("debug", "web", "--image=localhost/duet/busybox:1", "--target=main", f"--container={name}", "--image-pull-policy=IfNotPresent",
                    "--", "sh", "-c", "ps; sleep 600", version=version)
            def state():
                status = json.loads(kubectl("get", "pod", "web", "-o", "json").stdout)["status"]
                return next((item["state"] for item in status.get("ephemeralContainerStatuses", []) if item["name"] == name), {})
            eventually(lambda: "running" in state(), f"{name} runs")
            eventually(lambda: "nginx" in kubectl("logs", "web", "-c", name, version=version).stdout, "it sees the other's processes")
            self.assertEqual(kubectl("exec", "web", "-c", name, "--", "echo", "in", version=version).stdout, "in\n")
            # The network is the pod's.
            self.assertIn(" to ", kubectl("exec", "web", "-c", name, "--", "wget", "-qO-", "http://[::1]:8080/", version=version).stdout)
            kubectl("exec", "web", "-c", name, "--", "sh", "-c", "kill $(pidof sleep)")
            eventually(lambda: "terminated" in state(), f"{name} has ended")
        time.sleep(2)
        pod = json.loads(kubectl("get", "pod", "web", "-o", "json").stdout)
        self.assertEqual([item["name"] for item in pod["spec"]["ephemeralContainers"]], ["now", "then"])
        self.assertTrue(all("terminated" in item["state"] for item in pod["status"]["ephemeralContainerStatuses"]), "they do not start again")
        self.assertEqual(pod["status"]["containerStatuses"][0]["restartCount"], 0)
