"""A disk that stops to take writes under a running server, and takes them again: nothing is lost, no restart is needed."""
import contextlib
import os
import tempfile
import threading
import unittest

from server import CONFIG_MAPS, SERVICES, Server, config_map
from support import eventually, run

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "refuse-writes.c")


class Refusal(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        library = f"{directory.name}/refuse-writes.so"
        run("clang", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl")
        self.switch = f"{directory.name}/refuse"
        self.environment = {"LD_PRELOAD": library, "REFUSE_WRITES": self.switch}
        self.server = Server(None, "--api-only")
        self.addCleanup(self.server.remove)
        self.server.start(env=self.environment)

    def refuse(self, refuses):
        if refuses:
            open(self.switch, "w").close()
        else:
            os.remove(self.switch)

    def names(self, path=CONFIG_MAPS):
        return {item["metadata"]["name"] for item in self.server.call("GET", path)[1]["items"]}

    def test_writes_go_on_without_a_restart(self):
        server = self.server
        client = server.client()
        self.addCleanup(client.close)
        acknowledged = {"kube-root-ca.crt"} & self.names()
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"clusterIP": "10.96.5.5", "ports": [{"port": 80}]}}
        for round in range(3):
            code, _ = server.call("POST", CONFIG_MAPS, config_map(f"before-{round}", 10_000), client)
            self.assertEqual(code, 201)
            acknowledged.add(f"before-{round}")
            self.refuse(True)
            for number in range(5):
                code, value = server.call("POST", CONFIG_MAPS, config_map(f"refused-{round}-{number}", 10_000), client)
                self.assertEqual(code, 500)
                self.assertIn(f"{server.directory}/state.sqlite", value["message"])
                self.assertEqual(server.call("POST", SERVICES, service, client)[0], 500)
                self.assertEqual(server.call("DELETE", f"{CONFIG_MAPS}/before-{round}", client=client)[0], 500)
            self.assertEqual(server.call("GET", f"{CONFIG_MAPS}/before-{round}", client=client)[0], 200, "reads go on")
            self.assertEqual(self.names(), acknowledged)
            self.refuse(False)
            code, value = server.call("POST", CONFIG_MAPS, config_map(f"after-{round}", 10_000), client)
            self.assertEqual(code, 201, value)
            acknowledged.add(f"after-{round}")
            # The address that the refused Services asked for is free.
            self.assertEqual(server.call("POST", SERVICES, service, client)[0], 201)
            self.assertEqual(server.call("DELETE", f"{SERVICES}/s", client=client)[0], 200)
        server.kill()
        server.start()
        self.assertEqual(self.names(), acknowledged)

    def test_under_writers(self):
        """Refusals come and go at any moment while eight clients write; then the server is killed."""
        server, over, lock = self.server, threading.Event(), threading.Lock()
        acknowledged, refused = set(), set()

        def write(writer):
            number = 0
            with contextlib.closing(server.client()) as client:
                while not over.is_set():
                    name = f"w{writer}-{number}"
                    code, _ = server.call("POST", CONFIG_MAPS, config_map(name, 500), client)
                    with lock:
                        (acknowledged if code == 201 else refused).add(name)
                    number += 1

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(6):
                before = len(acknowledged)
                eventually(lambda: len(acknowledged) > before + 20, "writes are acknowledged")
                self.refuse(True)
                before = len(refused)
                eventually(lambda: len(refused) > before + 20, "writes are refused")
                self.refuse(False)
            before = len(acknowledged)
            eventually(lambda: len(acknowledged) > before, "writes go on")
        finally:
            over.set()
            for thread in threads:
                thread.join()
        server.kill()
        server.start(env=self.environment)
        names = self.names()
        self.assertEqual(acknowledged - names, set(), "every acknowledged write is there")
        self.assertEqual(refused & names, set(), "no refused one is")
