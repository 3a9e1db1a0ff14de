"""Bad input and bad surroundings: a clear error, nothing made, nothing lost."""
import os
import socket
import subprocess
import tempfile
import unittest

from server import Server
from support import DUET, IMAGES, duet, machine_state, run, up


class Refusals(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        before = machine_state()
        self.addCleanup(lambda: self.assertEqual(before, machine_state()))

    def refused(self, result, *texts):
        self.assertNotEqual(result.returncode, 0)
        for text in texts:
            self.assertIn(text, result.stderr)
        self.assertNotIn("Fatal error", result.stderr)

    def test_not_root(self):
        with tempfile.TemporaryDirectory() as directory:
            # An own copy: the build directory may be closed to others.
            copy = os.path.join(directory, "duet")
            run("cp", DUET, copy)
            os.chmod(directory, 0o755)
            result = run(copy, "up", "--image-dir", IMAGES, check=False, user=65534, group=65534)
        self.refused(result, "root is needed")

    def test_unknown_family(self):
        self.refused(up("--families", "ipv4,ipv5", check=False), "unknown family", "ipv5")

    def test_same_family_twice(self):
        self.refused(up("--families", "ipv4,ipv4", check=False), "one family or two different ones")

    def test_range_of_the_host(self):
        # A range that the machine uses: a namespace of its own, so that the host stays as it is.
        script = (
            "ip link set lo up; ip link add d0 type bridge; ip addr add 10.96.3.1/24 dev d0; ip link set d0 up;"
            f"exec {DUET} up --image-dir {IMAGES}"
        )
        result = run("unshare", "-n", "-m", "sh", "-c", script, check=False)
        self.refused(result, "Service range 10.96.0.0/16 overlaps 10.96.3.0/24", "d0", "--service-cluster-ip-range")

    def test_data_directory_that_is_a_file_system(self):
        os.mkdir("/var/lib/duet")
        self.addCleanup(os.rmdir, "/var/lib/duet")
        run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/var/lib/duet")
        self.addCleanup(run, "umount", "/var/lib/duet")
        self.refused(up(check=False), "No space left on device")
        # What stands there is removed, and it itself stays.
        duet("down")
        self.assertEqual(os.listdir("/var/lib/duet"), [])

    def test_host_that_does_without_ipv6(self):
        for link in ("default", "lo"):
            name = f"net.ipv6.conf.{link}.disable_ipv6"
            self.addCleanup(run, "sysctl", "-qw", f"{name}={run('sysctl', '-n', name).stdout.strip()}")
            run("sysctl", "-qw", f"{name}=1")
        self.addCleanup(duet, "down")
        up("--nodes", "1")
        table = duet("verify", "--namespace", "default").stdout
        self.assertIn("4 of 4 requests answered", table)

    def test_nothing_to_verify(self):
        with tempfile.TemporaryDirectory() as directory:
            server = Server(f"{directory}/data", "--api-only")
            self.addCleanup(server.remove)
            server.start()
            result = duet("verify", "--kubeconfig", f"{directory}/data/admin.kubeconfig", check=False)
            self.refused(result, "the namespace web has no Service that could be asked", "--namespace")
            server.kill()

    def test_range_too_small(self):
        result = up("--families", "ipv4", "--cluster-cidr", "10.1.0.0/24", check=False)
        self.refused(result, "too small", "--cluster-cidr")

    def test_options_of_translation(self):
        self.refused(up("--nat64-clat", "enabled", check=False), "--nat64-clat: nothing is translated", "--nat64 auto")
        result = up("--nat64", "kernel", "--nat64-prefix", "2001:db8:64::/64", check=False)
        self.refused(result, "length 96", "2001:db8:64::/64", "--nat64 auto")

    def test_missing_program(self):
        self.refused(up(check=False, env={"PATH": "/nonexistent"}), "containerd is not on the PATH", "apt-get install")

    def test_missing_images(self):
        self.refused(duet("up", "--image-dir", "/nonexistent", check=False), "/nonexistent", "--image-dir")

    def test_two_at_once(self):
        with open("/run/duet.lock", "w") as lock:
            run("flock", "--exclusive", "--nonblock", "/run/duet.lock", "true")
            holder = subprocess.Popen(["flock", "--exclusive", "/run/duet.lock", "sleep", "60"])
            try:
                while run("flock", "--nonblock", "/run/duet.lock", "true", check=False).returncode == 0:
                    pass
                self.refused(up(check=False), "another `duet up` or `duet down` is at work")
            finally:
                # `flock` runs the command as a child of its own; both end.
                for child in run("ps", "-o", "pid=", "--ppid", str(holder.pid)).stdout.split():
                    os.kill(int(child), 9)
                holder.wait()
        os.unlink("/run/duet.lock")

    def test_port_in_use(self):
        with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_INET6) as taken:
            taken.bind(("::", 0))
            taken.listen()
            port = taken.getsockname()[1]
            result = duet("server", "--data-dir", directory, "--secure-port", str(port), check=False, timeout=30)
        self.refused(result, str(port), "in use")

    def test_data_directory_is_a_file(self):
        with tempfile.NamedTemporaryFile() as file:
            result = duet("server", "--data-dir", file.name, "--secure-port", "16443", check=False, timeout=30)
        self.refused(result, file.name)

    def test_two_servers_on_one_directory(self):
        with tempfile.TemporaryDirectory() as directory:
            first = subprocess.Popen(
                [DUET, "server", "--data-dir", directory, "--bind-address", "127.0.0.1", "--secure-port", "16443"],
                stderr=subprocess.DEVNULL)
            try:
                while not os.path.exists(f"{directory}/admin.kubeconfig"):
                    self.assertIsNone(first.poll())
                second = duet("server", "--data-dir", directory, "--bind-address", "127.0.0.1",
                              "--secure-port", "16444", check=False, timeout=30)
                self.refused(second, directory)
            finally:
                first.kill()
                first.wait()
