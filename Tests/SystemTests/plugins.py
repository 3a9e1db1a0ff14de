"""Calls of CNI plugins as a runtime makes them, on a host and pods that are network namespaces of their own."""
import ctypes
import json
import os
import shutil
import subprocess
import tempfile

REFERENCE = "/usr/lib/cni"
BOTH = (("10.9.0.0/16", "0.0.0.0/0"), ("fd00:9::/64", "::/0"))
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def install(binary, directory):
    """Links the plugin binary into a directory under its names, as an operator does."""
    subprocess.run([binary, "--install", directory], check=True)
    return directory


def ip(*arguments, namespace=None):
    """The output of `ip`, as JSON where it shows something."""
    command = ["ip"] + (["-n", namespace] if namespace else []) + ["-j", "-d", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {result.stderr}")
    return json.loads(result.stdout or "[]")


class Answer:
    """What a plugin printed, and whether it succeeded."""

    def __init__(self, status, text):
        self.ok, self.text = status == 0, text
        self.printed = json.loads(text) if text.strip() else None

    @property
    def message(self):
        return (self.printed or {}).get("msg", "")

    def __repr__(self):
        return f"{'success' if self.ok else 'failure'}: {self.text.strip()}"


class Call:
    """A plugin that is called: everything is ready, so that `start` takes as long as a process takes to start."""

    def __init__(self, path, environment, configuration, directory):
        self.path, self.environment = path, environment
        self.output = tempfile.TemporaryFile("w+", dir=directory)
        self.source = tempfile.TemporaryFile("w+", dir=directory)
        self.source.write(json.dumps(configuration))
        self.source.seek(0)

    def start(self):
        actions = [(os.POSIX_SPAWN_DUP2, self.source.fileno(), 0), (os.POSIX_SPAWN_DUP2, self.output.fileno(), 1)]
        self.pid = os.posix_spawn(self.path, [self.path], self.environment, file_actions=actions)
        return self

    def kill(self):
        os.kill(self.pid, 9)

    def wait(self):
        return self.answer(os.waitpid(self.pid, 0)[1])

    def answer(self, status):
        """What it printed, once it has ended with a status."""
        status = os.waitstatus_to_exitcode(status)
        with self.output as output, self.source:
            output.seek(0)
            return Answer(status, output.read() if status >= 0 else "")


class Node:
    """A host's network namespace, entered as long as the value is, with pods and a directory for allocations.

    Where duplicates are not looked for, an address counts at once: the reference's `ptp` waits 1.7 seconds for one otherwise."""

    def __init__(self, detects_duplicates=True):
        self.detects_duplicates = detects_duplicates

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="dt-cni-")
        self.name = os.path.basename(self.directory)
        self.pods = []
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.make(self.name)
        self.enter(f"/run/netns/{self.name}")
        ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        if libc.setns(self.home, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "cannot leave the namespace")
        os.close(self.home)
        for name in self.pods + [self.name]:
            subprocess.run(["ip", "netns", "del", name], check=True)
        shutil.rmtree(self.directory)

    def make(self, namespace):
        subprocess.run(["ip", "netns", "add", namespace], check=True)
        if not self.detects_duplicates:
            subprocess.run(["ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv6.conf.default.dad_transmits=0"], check=True)

    @staticmethod
    def enter(path):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if libc.setns(descriptor, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"cannot enter {path}")
        finally:
            os.close(descriptor)

    def pod(self, number=0):
        """The namespace of a pod, made when it is first asked for."""
        name = f"{self.name}-{number}"
        if name not in self.pods:
            self.make(name)
            self.pods.append(name)
        return name

    def remove_pod(self, number):
        self.pods.remove(self.pod(number))
        subprocess.run(["ip", "netns", "del", f"{self.name}-{number}"], check=True)

    def configuration(self, kind, network="net", version="1.0.0", subnets=BOTH, routes=(), **extra):
        """A configuration with host-local behind it, and routes beside those of the subnets."""
        ipam = {"type": "host-local", "dataDir": self.directory, "ranges": [[{"subnet": subnet}] for subnet, _ in subnets],
                "routes": [{"dst": route} for _, route in subnets if route] + [{"dst": route, "gw": gateway} for route, gateway in routes]}
        return {"cniVersion": version, "name": network, "type": kind, "ipam": ipam} | extra

    def prepare(self, plugins, command, configuration, pod=0, container=None, interface="eth0", netns=None, arguments=""):
        environment = {
            "CNI_COMMAND": command, "CNI_CONTAINERID": container or f"c{pod}", "CNI_IFNAME": interface,
            "CNI_NETNS": f"/run/netns/{self.pod(pod)}" if netns is None else netns, "CNI_ARGS": arguments,
            "CNI_PATH": f"{plugins}:{REFERENCE}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        return Call(f"{plugins}/{configuration['type']}", environment, configuration, self.directory)

    def start(self, *arguments, **options):
        return self.prepare(*arguments, **options).start()

    def call(self, *arguments, **options):
        return self.start(*arguments, **options).wait()

    def allocated(self, network="net"):
        """The addresses that are taken, each with what its file holds."""
        path, addresses = f"{self.directory}/{network}", {}
        for name in os.listdir(path) if os.path.isdir(path) else []:
            if name != "lock" and not name.startswith((".", "last_reserved_ip")):
                with open(f"{path}/{name}", newline="") as file:
                    addresses[name] = file.read()
        return addresses

    def links(self, pod=None):
        return [link["ifname"] for link in ip("link", namespace=None if pod is None else self.pod(pod))]

    def rules(self):
        """The rules of all tables, and none of the chains that stay when they are empty."""
        result = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True, timeout=60)
        return [line.strip() for line in result.stdout.splitlines() if "comment \"" in line]
