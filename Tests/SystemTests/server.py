"""A `duet server` of a test's own, on a directory and a port of its own."""
import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import time

from support import DUET


def free_port():
    """A port that nobody has, in either family."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as probe:
        return probe.getsockname()[1]


class Server:
    """Starts, stops and kills the server, and speaks to it as its administrator."""

    def __init__(self, directory=None, *options, prefix=()):
        self.temporary = tempfile.TemporaryDirectory() if directory is None else None
        self.directory = f"{self.temporary.name}/data" if directory is None else directory
        self.port, self.options, self.prefix, self.process = free_port(), options, prefix, None
        # The directory as this process sees it.
        self.files = self.directory

    def start(self, *options, wait=True, env=None):
        """Starts the server and waits until it is ready; with wait=False, returns when it ended, with its messages."""
        self.process = subprocess.Popen(
            [*self.prefix, DUET, "server", "--data-dir", self.directory, "--bind-address", "127.0.0.1", "--advertise-address",
             "127.0.0.1", "--secure-port", str(self.port), *self.options, *options],
            stderr=subprocess.DEVNULL if wait else subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        if self.prefix:
            self.files = f"/proc/{self.process.pid}/root{self.directory}"
        if not wait:
            _, messages = self.process.communicate(timeout=60)
            return self.process.returncode, messages
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if self.call("GET", "/readyz")[0] == 200:
                    return self
            except (OSError, http.client.HTTPException):
                if self.process.poll() is not None:
                    raise AssertionError(f"the server ended with {self.process.returncode}")
                time.sleep(0.02)
        raise AssertionError("the server is not ready")

    def stop(self, with_signal=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(with_signal)
            self.process.wait(timeout=60)

    def kill(self):
        self.stop(signal.SIGKILL)

    def remove(self):
        self.kill()
        if self.temporary:
            self.temporary.cleanup()

    def tls(self, version=None):
        context = ssl.create_default_context(cafile=f"{self.files}/pki/ca.crt")
        context.load_cert_chain(f"{self.files}/pki/admin.crt", f"{self.files}/pki/admin.key")
        if version:
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = version
            context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    def connect(self, timeout=30, version=None):
        """A TLS connection as the administrator, without HTTP."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        try:
            return self.tls(version).wrap_socket(plain, server_hostname="127.0.0.1")
        except OSError:
            plain.close()
            raise

    def client(self, timeout=30):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls(), timeout=timeout)

    def call(self, method, path, body=None, client=None, content="application/json"):
        """Sends a request; returns status code and the answer's value, or its text where it is no JSON."""
        if client is None:
            with contextlib.closing(self.client()) as own:
                return self.call(method, path, body, own, content)
        client.request(method, path, None if body is None else json.dumps(body), {"Content-Type": content})
        answer = client.getresponse()
        text = answer.read()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode()

    def descriptors(self):
        """Files and connections that the server holds."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_mebibytes(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024


def config_map(name, size=8):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": "v" * size}}


CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
SERVICES = "/api/v1/namespaces/default/services"
