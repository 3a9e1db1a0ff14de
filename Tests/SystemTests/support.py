"""What the system tests share: running commands, the state of the machine, waiting for conditions."""
import json
import os
import subprocess
import time
import unittest

DUET = os.environ["DUET"]
IMAGES = os.environ["DUET_IMAGES"]
TOOLS = os.environ["DUET_TOOLS"]
EXAMPLES = os.environ["DUET_EXAMPLES"]
ADMIN = "/var/lib/duet/server/admin.kubeconfig"
RUN = "/run/duet"


def run(*command, check=True, timeout=180, **options):
    """Runs a command to its end and returns it with its output as text."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result


def duet(*arguments, **options):
    return run(DUET, *arguments, **options)


def up(*arguments, **options):
    return duet("up", "--image-dir", IMAGES, *arguments, **options)


def kubectl(*arguments, version="current", kubeconfig=ADMIN, **options):
    return run(f"{TOOLS}/kubectl-{version}", "--kubeconfig", kubeconfig, *arguments, **options)


def get(*arguments):
    return json.loads(kubectl("get", "-o", "json", *arguments).stdout)


def eventually(condition, what, seconds=60):
    """Waits until condition() is true (an AssertionError counts as not yet)."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
        except AssertionError as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s; last: {last}")


def pid_of(process):
    """The id of one of the cluster's processes, such as node-1-agent."""
    with open(f"{RUN}/processes/{process}") as file:
        return int(file.read().split()[0])


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def machine_state():
    """Everything on the machine that a cluster touches: after `duet down` it must be as before."""
    cgroups = set()
    for directory, names, _ in os.walk("/sys/fs/cgroup"):
        cgroups.update(os.path.join(directory, name) for name in names)
    sysctls = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]
    return {
        "namespaces": run("ip", "netns").stdout,
        "rules": run("nft", "list", "ruleset").stdout,
        "links": sorted(line.split("@")[0] for line in run("ip", "-o", "link").stdout.splitlines() for line in [line.split(": ")[1]]),
        "routes": run("ip", "route").stdout + run("ip", "-6", "route").stdout,
        "mounts": sorted(run("findmnt", "-rn", "-o", "TARGET,FSTYPE").stdout.splitlines()),
        "cgroups": sorted(cgroups),
        "sysctls": run("sysctl", "-n", *sysctls).stdout,
        "directories": [path for path in ("/var/lib/duet", "/run/duet", "/var/lib/cni", "/run/netns", "/run/duet.lock") if os.path.exists(path)],
        "processes": sorted(processes()),
    }


def processes():
    """Command lines of processes that could be a cluster's."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline") as file:
                words = file.read().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.path.basename(words[0]) in ("duet", "containerd", "containerd-shim-runc-v2", "runc"):
            yield " ".join(words)


class ClusterTest(unittest.TestCase):
    """A test with a cluster of its own; the machine must look as before in the end."""

    maxDiff = None
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.before = machine_state()
        cls.addClassCleanup(cls.remove)
        up(*cls.options)

    @classmethod
    def remove(cls):
        duet("down")
        after = machine_state()
        for key, value in cls.before.items():
            if value != after[key]:
                raise AssertionError(f"{key} differ after `duet down`:\nbefore: {value}\nafter:  {after[key]}")
