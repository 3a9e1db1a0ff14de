"""Commands in containers, their streams, connections to pods and logs, with an old kubectl and a current one."""
import base64
import concurrent.futures
import hashlib
import json
import os
import pty
import re
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

from support import ADMIN, TOOLS, ClusterTest, eventually, kubectl, pid_of, run

VERSIONS = ("1.20", "current")

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: tool}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: localhost/duet/busybox:1, command: [sh, -c, "trap exit TERM; while sleep 1; do :; done"]}
---
apiVersion: v1
kind: Pod
metadata: {name: pair}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: talker, image: localhost/duet/busybox:1, command: [sh, -c, "while echo tick; do sleep 0.2; done"]}
  - {name: echo, image: localhost/duet/busybox:1, stdin: true, command: [sh, -c, "while read line; do echo got $line; done"]}
  - {name: web4, image: localhost/duet/nginx:1, command: [nginx, -g, "daemon off; pid /tmp/pid;", -c, /etc/four/nginx.conf], volumeMounts: [{name: four, mountPath: /etc/four}]}
  - {name: web6, image: localhost/duet/nginx:1, command: [nginx, -g, "daemon off; pid /tmp/pid;", -c, /etc/six/nginx.conf], volumeMounts: [{name: six, mountPath: /etc/six}]}
  volumes:
  - {name: four, configMap: {name: four}}
  - {name: six, configMap: {name: six}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: four}
data: {nginx.conf: "events {} http { server { listen 127.0.0.1:8004; return 200 four; } }"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: six}
data: {nginx.conf: "events {} http { server { listen [::1]:8006; return 200 six; } }"}
---
apiVersion: v1
kind: Pod
metadata: {name: done}
spec:
  restartPolicy: Never
  containers:
  - {name: main, image: localhost/duet/busybox:1, command: [sh, -c, "for i in 1 2 3 4 5; do echo line $i; done; echo bad >&2"]}
---
apiVersion: v1
kind: Pod
metadata: {name: again}
spec:
  containers:
  - {name: main, image: localhost/duet/busybox:1, command: [sh, -c, "echo instance $(date +%s%N); sleep 2"]}
---
apiVersion: v1
kind: Pod
metadata: {name: unscheduled}
spec:
  nodeSelector: {no: where}
  containers:
  - {name: main, image: localhost/duet/busybox:1}
"""


def start(version, *arguments, **options):
    """Starts kubectl without waiting for its end."""
    return subprocess.Popen(
        [f"{TOOLS}/kubectl-{version}", "--kubeconfig", ADMIN, *arguments],
        stdin=options.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def contents(path):
    with open(path) as file:
        return file.read()


def sockets(process):
    """Number of established connections of one of the cluster's processes."""
    pid = pid_of(process)
    mine = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            mine.add(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            pass
    count = 0
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}") as file:
            for line in list(file)[1:]:
                fields = line.split()
                count += fields[3] == "01" and f"socket:[{fields[9]}]" in mine
    return count


class Streams(ClusterTest):
    options = ("--nodes", "1")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        kubectl("apply", "-f", "-", input=PODS)
        kubectl("wait", "--for=condition=Ready", "pod/tool", "pod/pair", "--timeout=60s")

    def fails(self, text, *arguments, version, code=1, **options):
        result = kubectl(*arguments, version=version, check=False, **options)
        self.assertIn(text, result.stderr, (version, arguments))
        self.assertEqual(result.returncode, code, (version, arguments, result))

    def test_command(self):
        for version in VERSIONS:
            result = kubectl("exec", "tool", "--", "sh", "-c", "echo out; echo err >&2", version=version)
            self.assertEqual((result.stdout, result.stderr), ("out\n", "err\n"))
            self.fails("command terminated with exit code 3", "exec", "tool", "--", "sh", "-c", "exit 3", version=version, code=3)
            self.fails("/absent: no such file or directory", "exec", "tool", "--", "/absent", version=version)
            result = kubectl("exec", "-i", "tool", "--", "cat", input="hi\n", version=version)
            self.assertEqual(result.stdout, "hi\n")
            result = kubectl("exec", "-i", "tool", "--", "cat", input="", version=version)
            self.assertEqual(result.stdout, "")
            # The command ends before it has read its input. (With more than a pipe holds, an old runtime itself hangs.)
            result = kubectl("exec", "-i", "tool", "--", "head", "-c", "4", input="hello" * 1000, version=version)
            self.assertEqual(result.stdout, "hell")

    def test_errors(self):
        for version in VERSIONS:
            self.fails('pods "absent" not found', "exec", "absent", "--", "true", version=version)
            self.fails("container absent is not valid for pod tool", "exec", "tool", "-c", "absent", "--", "true", version=version)
            self.fails("pod unscheduled does not have a host assigned", "exec", "unscheduled", "--", "true", version=version)
        server = re.search("server: (.*)", contents(ADMIN))[1]
        raw = f"{server}/api/v1/namespaces/default/pods"
        for path, code, text in [
            ("pair/exec?command=true&stdout=true", 400,
             "a container name must be specified for pod pair, choose one of: [talker echo web4 web6]"),
            ("tool/exec?command=true&stdout=true", 400, "Upgrade request required"),
            ("tool/attach?stdout=true", 400, "Upgrade request required"),
            ("tool/portforward", 400, "Upgrade request required"),
        ]:
            answer = self.raw(f"{raw}/{path}")
            self.assertEqual((answer["code"], answer["message"]), (code, text))

    def raw(self, url):
        """The Status that a plain POST as the administrator gets."""
        text = contents(ADMIN)
        with tempfile.NamedTemporaryFile() as file:
            for key in ("client-certificate-data", "client-key-data"):
                file.write(base64.b64decode(re.search(f"{key}: (.*)", text)[1]))
            file.flush()
            return json.loads(run("curl", "-sk", "--cert", file.name, "-X", "POST", url).stdout)

    def test_large_transfers(self):
        size = 100 << 20
        block = os.urandom(1 << 20)
        digest = hashlib.sha256(block * (size >> 20)).hexdigest()
        with tempfile.TemporaryDirectory() as directory:
            with open(f"{directory}/file", "wb") as file:
                for _ in range(size >> 20):
                    file.write(block)
            for version in VERSIONS:
                kubectl("cp", f"{directory}/file", "tool:/tmp/file", version=version)
                result = kubectl("exec", "tool", "--", "sha256sum", "/tmp/file", version=version)
                self.assertEqual(result.stdout.split()[0], digest)
                process = start(version, "exec", "tool", "--", "cat", "/tmp/file")
                received = hashlib.sha256()
                while chunk := process.stdout.read(1 << 20):
                    received.update(chunk)
                self.assertEqual(process.wait(), 0, process.stderr.read())
                process.stdout.close(), process.stderr.close()
                self.assertEqual(received.hexdigest(), digest)
                kubectl("cp", "tool:/tmp/file", f"{directory}/back", version=version)
                with open(f"{directory}/back", "rb") as file:
                    self.assertEqual(hashlib.file_digest(file, "sha256").hexdigest(), digest)
                kubectl("exec", "tool", "--", "rm", "/tmp/file", version=version)

    def test_slow_reader(self):
        """What a client does not read is not held by the server or the node."""
        def memory():
            return sum(int(re.search(r"VmRSS:\s+(\d+)", contents(f"/proc/{pid_of(name)}/status"))[1]) for name in ("server", "node-1-node"))

        for version in VERSIONS:
            process = start(version, "exec", "tool", "--", "sh", "-c", "head -c 300000000 /dev/zero; echo end >&2")
            process.stdout.read(1)
            before = memory()
            time.sleep(3)
            self.assertLess(memory() - before, 30_000, "KiB more")
            rest = 1
            while chunk := process.stdout.read(1 << 20):
                rest += len(chunk)
            self.assertEqual(rest, 300_000_000)
            self.assertEqual(process.stderr.read(), b"end\n")
            self.assertEqual(process.wait(), 0)
            process.stdout.close(), process.stderr.close()

    def test_terminal(self):
        for version in VERSIONS:
            master, terminal = pty.openpty()
            os.set_blocking(master, False)
            subprocess.run(["stty", "rows", "30", "cols", "90"], stdin=terminal, check=True)
            process = subprocess.Popen(
                [f"{TOOLS}/kubectl-{version}", "--kubeconfig", ADMIN, "exec", "-it", "tool", "--", "sh"],
                stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
            seen = b""

            def await_text(text):
                nonlocal seen
                deadline = time.monotonic() + 30
                while text not in seen:
                    self.assertLess(time.monotonic(), deadline, seen)
                    if select.select([master], [], [], 1)[0]:
                        seen += os.read(master, 65536)

            try:
                await_text(b"# ")
                eventually(lambda: self.size(master) == b"30 90", "the terminal's size")
                subprocess.run(["stty", "rows", "40", "cols", "120"], stdin=terminal, check=True)
                process.send_signal(28)  # SIGWINCH
                eventually(lambda: self.size(master) == b"40 120", "the terminal's new size")
                os.write(master, b"exit 5\n")
                self.assertEqual(process.wait(30), 5)
            finally:
                process.kill()
                process.wait()
                os.close(master), os.close(terminal)

    @staticmethod
    def size(master):
        """What `stty size` says in the terminal's shell."""
        os.write(master, b"stty size\n")
        text, deadline = b"", time.monotonic() + 5
        while time.monotonic() < deadline:
            if select.select([master], [], [], 0.5)[0]:
                text += os.read(master, 65536)
            if match := re.search(rb"(\d+ \d+)\r\n", text):
                return match[1]
        return b""

    def test_attach(self):
        for version in VERSIONS:
            process = start(version, "attach", "pair", "-c", "talker")
            for _ in range(3):
                self.assertEqual(process.stdout.readline(), b"tick\n", process)
            process.kill()
            process.wait()
            process.stdout.close(), process.stderr.close()
            process = start(version, "attach", "-i", "pair", "-c", "echo", stdin=subprocess.PIPE)
            process.stdin.write(b"hello\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"got hello\n")
            process.kill()
            process.wait()
            process.stdin.close(), process.stdout.close(), process.stderr.close()

    def test_port_forward(self):
        for version in VERSIONS:
            process = start(version, "port-forward", "pod/pair", ":8004", ":8006", ":9")
            try:
                ports = {}
                while len(ports) < 3:
                    line = process.stdout.readline().decode()
                    if match := re.search(r"127\.0\.0\.1:(\d+) -> (\d+)", line):
                        ports[int(match[2])] = int(match[1])
                for port, text in ((8004, "four"), (8006, "six")) * 3:
                    with urllib.request.urlopen(f"http://127.0.0.1:{ports[port]}/", timeout=20) as answer:
                        self.assertEqual(answer.read().decode(), text)
                with concurrent.futures.ThreadPoolExecutor(16) as pool:
                    def get(index):
                        port, text = ((8004, b"four"), (8006, b"six"))[index % 2]
                        with urllib.request.urlopen(f"http://127.0.0.1:{ports[port]}/", timeout=30) as answer:
                            return answer.read() == text
                    self.assertTrue(all(pool.map(get, range(40))))
            finally:
                process.kill()
                process.wait()
                process.stdout.close(), process.stderr.close()

    def test_many_at_once(self):
        for version in VERSIONS:
            with concurrent.futures.ThreadPoolExecutor(12) as pool:
                def echo(index):
                    return kubectl("exec", "-i", "tool", "--", "cat", input=f"{index}\n" * 1000, version=version).stdout
                for index, text in enumerate(pool.map(echo, range(100))):
                    self.assertEqual(text, f"{index}\n" * 1000)

    def test_nothing_is_left_of_a_client(self):
        before = sockets("server"), sockets("node-1-node")
        processes = [start(version, "exec", "-i", "tool", "--", "cat", stdin=subprocess.PIPE) for version in VERSIONS * 3]
        for process in processes:
            process.stdin.write(b"x\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"x\n")
        self.assertGreaterEqual(sockets("server"), before[0] + 2 * len(processes))
        for process in processes:
            process.kill()
            process.wait()
            process.stdin.close(), process.stdout.close(), process.stderr.close()
        # Pools may keep a connection for a while.
        eventually(lambda: sockets("server") <= before[0] + 2 and sockets("node-1-node") <= before[1] + 2, "closed connections")
        eventually(lambda: "cat" not in kubectl("exec", "tool", "--", "ps").stdout, "the commands' ends")

    def test_logs(self):
        for version in VERSIONS:
            def logs(*arguments):
                return kubectl("logs", *arguments, version=version).stdout.splitlines()
            lines = [f"line {index}" for index in range(1, 6)]
            eventually(lambda: len(logs("done")) == 6, "the whole log")
            self.assertEqual([line for line in logs("done") if line != "bad"], lines)
            self.assertEqual(len(logs("done", "--tail=2")), 2)
            self.assertEqual(logs("done", "--tail=0"), [])
            self.assertEqual(len(kubectl("logs", "done", "--limit-bytes=8", version=version).stdout), 8)
            self.assertRegex(logs("done", "--timestamps")[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z \w+")
            self.assertEqual(len(logs("done", "--since=1h")), 6)
            self.assertEqual(logs("done", "--since-time=2100-01-01T00:00:00Z"), [])
            self.assertEqual(len(logs("done", "-f")), 6)
            eventually(lambda: logs("again", "--previous") and logs("again") and logs("again", "--previous") != logs("again"), "an instance before this one", 90)
            started = time.monotonic()
            process = start(version, "logs", "-f", "pair", "-c", "talker", "--tail=1")
            for _ in range(4):
                self.assertEqual(process.stdout.readline(), b"tick\n")
            self.assertLess(time.monotonic() - started, 20)
            process.kill()
            process.wait()
            process.stdout.close(), process.stderr.close()
            self.fails("container absent is not valid for pod tool", "logs", "tool", "-c", "absent", version=version)

    def messages(self, path, *protocols):
        """The chosen protocol and the messages of a WebSocket until the server closes it, as (opcode, payload)."""
        text = kubectl("config", "view", "--raw", "-o", "json").stdout
        cluster = json.loads(text)["clusters"][0]["cluster"]["server"].removeprefix("https://")
        host, port = cluster.rsplit(":", 1)
        context = ssl.create_default_context(cafile="/var/lib/duet/server/pki/ca.crt")
        context.load_cert_chain("/var/lib/duet/server/pki/admin.crt", "/var/lib/duet/server/pki/admin.key")
        plain = socket.create_connection((host.strip("[]"), int(port)), timeout=60)
        with context.wrap_socket(plain, server_hostname=host.strip("[]")) as connection:
            head = [f"GET {path} HTTP/1.1", f"Host: {cluster}", "Connection: Upgrade", "Upgrade: websocket",
                    "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + base64.b64encode(bytes(16)).decode()]
            head += [f"Sec-WebSocket-Protocol: {', '.join(protocols)}"] if protocols else []
            connection.sendall("\r\n".join(head + ["", ""]).encode())
            stream = connection.makefile("rb")
            self.assertTrue(stream.readline().startswith(b"HTTP/1.1 101 "))
            headers = dict(line.lower().split(b": ", 1) for line in iter(lambda: stream.readline().strip(), b""))
            found = []
            while True:
                first, length = stream.read(2)
                length = {126: lambda: int.from_bytes(stream.read(2), "big"),
                          127: lambda: int.from_bytes(stream.read(8), "big")}.get(length, lambda: length)()
                payload = stream.read(length)
                if first & 15 == 8:
                    return headers.get(b"sec-websocket-protocol"), found
                found.append((first & 15, payload))

    def test_logs_in_a_websocket(self):
        path = "/api/v1/namespaces/default/pods/done/log"
        eventually(lambda: len(kubectl("logs", "done").stdout.splitlines()) == 6, "the whole log")
        log = kubectl("logs", "done").stdout.encode()
        for protocols, chosen in (((), None), (("binary.k8s.io",), b"binary.k8s.io"), (("x", "binary.k8s.io"), b"binary.k8s.io")):
            name, found = self.messages(path + "?follow=true", *protocols)
            self.assertEqual((name, found[0]), (chosen, (2, b"")))
            self.assertEqual(b"".join(payload for _, payload in found), log)
        name, found = self.messages(path, "base64.binary.k8s.io")
        self.assertEqual((name, found[0]), (b"base64.binary.k8s.io", (1, b"")))
        self.assertEqual(b"".join(base64.b64decode(payload) for _, payload in found), log)

    def test_python_clients(self):
        eventually(lambda: len(kubectl("logs", "done").stdout.splitlines()) == 6, "the whole log")
        environment = {**os.environ, "PYTHONPATH": f"{TOOLS}/python"}
        session = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python_clients.py")
        for client in ("kubernetes-pods", "lightkube-pods"):
            self.assertEqual(run(sys.executable, session, client, ADMIN, env=environment).stdout, "ok\n")

    def test_node_away(self):
        pid = pid_of("node-1-node")
        os.kill(pid, 19)  # SIGSTOP
        try:
            result = kubectl("exec", "tool", "--", "true", check=False, timeout=90)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("error dialing backend", result.stderr)
        finally:
            os.kill(pid, 18)

    def test_strangers_at_the_node(self):
        node = json.loads(kubectl("get", "node", "node-1", "-o", "json").stdout)
        address = node["status"]["addresses"][0]["address"]
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        for path in ("exec/default/tool/main?command=true&output=1", "attach/default/tool/main?output=1", "portForward/default/tool"):
            with context.wrap_socket(socket.create_connection((address, 10250), timeout=10)) as connection:
                connection.sendall(f"POST /{path} HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                                   "X-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\n\r\n".encode())
                self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 401 "))
