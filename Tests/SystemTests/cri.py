"""A containerd of a test's own, and pod sandboxes in it by the container runtime interface, without a node."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from support import IMAGES, eventually, run

CONFIGURATION = """
version = 2
root = "{directory}/root"
state = "{directory}/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "{socket}"
[ttrpc]
  address = "{socket}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/duet/pause:1"
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{plugins}"
  conf_dir = "{directory}/net.d"
"""


def message(*fields):
    """Protocol buffers: pairs of a field's number and its value, a number, a text or the bytes of a message."""
    def number(value):
        text = b""
        while value > 127:
            text += bytes([value & 127 | 128])
            value >>= 7
        return text + bytes([value])

    text = b""
    for key, value in fields:
        if isinstance(value, int):
            text += number(key << 3) + number(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            text += number(key << 3 | 2) + number(len(value)) + value
    return text


def fields(text):
    """The fields of a message: lists of values by number."""
    found, place = {}, 0

    def number():
        nonlocal place
        value = shift = 0
        while True:
            byte = text[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(text):
        tag = number()
        value = number()
        if tag & 7 == 2:
            value, place = text[place:place + value], place + value
        found.setdefault(tag >> 3, []).append(value)
    return found


class Refused(Exception):
    """The runtime's answer is an error, or there was none."""


class Sandbox:
    """What the runtime tells of a pod's sandbox."""

    def __init__(self, answer):
        status = fields(fields(answer)[1][0])
        network = fields(status[5][0])
        self.ready = status.get(3, [0])[0] == 0
        self.addresses = [entry.decode() for entry in network.get(1, [])] + [
            fields(entry)[1][0].decode() for entry in network.get(2, [])]
        info = {fields(entry)[1][0]: fields(entry)[2][0] for entry in fields(answer)[2]}
        self.pid = json.loads(info[b"info"])["pid"]


class Containerd:
    """Runs in the calling thread's network namespace; what it writes to fixed places lies in a mount namespace of its own."""

    def __init__(self, plugins):
        self.directory = tempfile.mkdtemp(prefix="dt-cri-")
        self.socket = f"{self.directory}/socket"
        self.group = os.path.basename(self.directory)
        self.process = None
        os.mkdir(f"{self.directory}/net.d")
        with open(f"{self.directory}/config.toml", "w") as file:
            file.write(CONFIGURATION.format(directory=self.directory, socket=self.socket, plugins=plugins))
        # Caches of results, and the namespaces of pods, vanish with the processes.
        places = ("/var/lib/cni", "/run/containerd", "/run/netns")
        self.made = [path for path in places if not os.path.isdir(path)]
        for path in self.made:
            os.mkdir(path)
        script = "".join(f"mount -t tmpfs none {path} && " for path in places) + "echo ready && exec sleep infinity"
        self.holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, text=True)
        self.holder.stdout.readline()
        self.holder.stdout.close()
        self.mounts = os.stat(f"/proc/{self.holder.pid}/ns/mnt").st_ino

    def inside(self, *command):
        return ["nsenter", "-t", str(self.holder.pid), "-m", "--", *command]

    def start(self):
        with open(f"{self.directory}/log", "a") as log:
            self.process = subprocess.Popen(
                self.inside("containerd", "--config", f"{self.directory}/config.toml"), stdout=log, stderr=log)

        def answers():
            try:
                return self.call("Version", message())
            except Refused as error:
                raise AssertionError(error) from error
        eventually(answers, "containerd answers")

    def load(self, image="pause"):
        run(*self.inside("ctr", "--address", self.socket, "--namespace", "k8s.io", "images", "import", "--snapshotter", "native",
                         f"{IMAGES}/{image}.tar"))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def use(self, conflist):
        """Gives the runtime a network, and waits until it has read it."""
        # From within the directory: containerd looks again at what is written or renamed there, not at what is moved there.
        with open(f"{self.directory}/net.d/new", "w") as file:
            json.dump(conflist, file)
        os.replace(f"{self.directory}/net.d/new", f"{self.directory}/net.d/10-net.conflist")
        eventually(lambda: json.dumps(conflist["name"]).encode() in self.call("Status", message((1, 1))).replace(b'\\"', b'"'),
                   "the runtime knows the network")

    def call(self, method, request, timeout=60):
        """Calls the runtime's service: gRPC is a length before each message, over HTTP/2."""
        body = b"\0" + len(request).to_bytes(4, "big") + request
        with tempfile.TemporaryDirectory(dir=self.directory) as place:
            with open(f"{place}/body", "wb") as file:
                file.write(body)
            result = subprocess.run(
                ["curl", "--silent", "--http2-prior-knowledge", "--unix-socket", self.socket, "--max-time", str(timeout),
                 "--header", "Content-Type: application/grpc", "--header", "TE: trailers", "--data-binary", f"@{place}/body",
                 "--dump-header", f"{place}/head", f"http://localhost/runtime.v1.RuntimeService/{method}"],
                capture_output=True, timeout=timeout + 10)
            with contextlib.suppress(FileNotFoundError), open(f"{place}/head") as file:
                head = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in file)}
                if head.get("grpc-status") == "0":
                    return result.stdout[5:]
                raise Refused(f"{method}: {head.get('grpc-message') or result}")
        raise Refused(f"{method}: curl ended with {result.returncode}")

    def run_pod(self, name, ports=(), annotations=()):
        """Makes a sandbox; ports are pairs of the host's and the container's."""
        pod = message(
            (1, message((1, name), (2, f"uid-{name}"), (3, "default"))), (2, name), (3, f"{self.directory}/logs"),
            *((5, message((2, inner), (3, outer))) for outer, inner in ports),
            *((7, message((1, key), (2, value))) for key, value in annotations), (8, message((1, f"/{self.group}"))))
        return fields(self.call("RunPodSandbox", message((1, pod))))[1][0].decode()

    def pod(self, identifier):
        return Sandbox(self.call("PodSandboxStatus", message((1, identifier), (2, 1))))

    def pods(self):
        return [fields(entry)[1][0].decode() for entry in fields(self.call("ListPodSandbox", message())).get(1, [])]

    def remove_pod(self, identifier):
        self.call("StopPodSandbox", message((1, identifier)))
        self.call("RemovePodSandbox", message((1, identifier)))

    def remaining(self):
        """The processes that live in the runtime's mount namespace, or in its pods' control groups."""
        found = set()
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/cgroup") as file:
                    grouped = f"/{self.group}" in file.read()
                if grouped or os.stat(f"/proc/{entry}/ns/mnt").st_ino == self.mounts:
                    found.add(int(entry))
        return found

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)
        deadline = time.monotonic() + 30
        while (found := self.remaining()) and time.monotonic() < deadline:
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            # The holder is a child of this process and stays until it is waited for.
            self.holder.poll()
            time.sleep(0.05)
        self.holder.wait(timeout=10)
        for top, names, _ in os.walk("/sys/fs/cgroup"):
            if self.group in names:
                for path, _, _ in os.walk(f"{top}/{self.group}", topdown=False):
                    os.rmdir(path)
        for path in self.made:
            os.rmdir(path)
        shutil.rmtree(self.directory)
