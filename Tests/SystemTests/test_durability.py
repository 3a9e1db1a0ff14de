"""What is acknowledged stays: `kill -9` at any instant, a full disk, a read-only one, damage."""
import contextlib
import http.client
import json
import os
import random
import signal
import tempfile
import threading
import time
import unittest

from server import CONFIG_MAPS, SERVICES, Server, config_map
from support import DUET, eventually, run

# Time under fire; a longer run finds more.
SECONDS = float(os.environ.get("DUET_DURABILITY_SECONDS", "20"))
WRITERS, PORTS = 16, 60
# A file system of its own in a mount namespace of its own, on the directory that follows.
SMALL_DISK = ("unshare", "-m", "--propagation", "private", "sh", "-c", 'mount -t tmpfs -o size=24m tmpfs "$0" && exec "$@"')


class ServerTest(unittest.TestCase):
    maxDiff = None

    def server(self, *options, **named):
        server = Server(None, "--api-only", *options, **named)
        self.addCleanup(server.remove)
        return server


class Writer(threading.Thread):
    """Creates, changes and deletes objects of its own, and remembers what was acknowledged."""

    def __init__(self, test, number):
        super().__init__()
        self.test, self.number, self.random = test, number, random.Random(test.seed * 1000 + number)
        self.present, self.absent, self.unknown, self.revisions, self.serial = {}, set(), set(), [], 0

    def run(self):
        while not self.test.over.is_set():
            try:
                with contextlib.closing(self.test.server_under_fire.client(timeout=10)) as client:
                    while not self.test.over.is_set():
                        self.step(client)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.01)

    def step(self, client):
        # A request without answer may or may not have been carried out.
        if len(self.present) >= 3:
            name = self.random.choice(sorted(self.present))
            if self.random.random() < 0.5:
                self.send(client, "DELETE", name)
            else:
                value = json.loads(json.dumps(self.present[name]))
                value["metadata"]["labels"] = {"step": str(self.random.random())}
                self.send(client, "PUT", name, value)
        else:
            self.serial += 1
            name = f"w{self.number}-{self.serial}"
            self.send(client, "POST", name, {
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
                "spec": {"type": "NodePort", "ipFamilyPolicy": "RequireDualStack", "ports": [{"port": 80}]}})

    def send(self, client, method, name, body=None):
        before = self.present.pop(name, None)
        self.unknown.add(name)
        code, value = self.test.server_under_fire.call(
            method, SERVICES if method == "POST" else f"{SERVICES}/{name}", body, client)
        self.unknown.discard(name)
        if method == "DELETE" and code == 200:
            self.absent.add(name)
        elif code < 300:
            self.present[name] = value
            self.revisions.append(int(value["metadata"]["resourceVersion"]))
        elif before is not None:
            # Refused: nothing changed.
            self.present[name] = before
        else:
            self.absent.add(name)


class Follower(threading.Thread):
    """Watches all along, resuming from the last revision it saw, and starts anew only when it is told to."""

    def __init__(self, test):
        super().__init__()
        self.test, self.revision, self.known, self.errors, self.resumed = test, None, {}, [], 0

    def run(self):
        while not self.test.over.is_set():
            try:
                with contextlib.closing(self.test.server_under_fire.client(timeout=2)) as client:
                    self.follow(client)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.01)

    def follow(self, client):
        if self.revision is None:
            code, listed = self.test.server_under_fire.call("GET", SERVICES, client=client)
            if code != 200:
                return
            self.known = {s["metadata"]["name"]: s["metadata"]["resourceVersion"] for s in listed["items"]}
            self.revision = int(listed["metadata"]["resourceVersion"])
        self.resumed += 1
        client.request("GET", f"{SERVICES}?watch=true&resourceVersion={self.revision}")
        answer = client.getresponse()
        while not self.test.over.is_set():
            line = answer.readline()
            if not line.endswith(b"\n"):
                return
            event = json.loads(line)
            if event["type"] == "ERROR":
                if event["object"]["code"] != 410:
                    self.errors.append(event)
                self.revision = None
                return
            metadata = event["object"]["metadata"]
            revision = int(metadata["resourceVersion"])
            if revision <= self.revision:
                self.errors.append(f"revision {revision} after {self.revision}")
            self.revision = revision
            if event["type"] == "DELETED":
                self.known.pop(metadata["name"], None)
            else:
                self.known[metadata["name"]] = metadata["resourceVersion"]


class KilledUnderFire(ServerTest):
    def test_acknowledged_writes_stay(self):
        self.seed = random.randrange(1 << 30)
        print(f"seed {self.seed}", end=" ", flush=True)
        choices, self.over = random.Random(self.seed), threading.Event()
        server = self.server_under_fire = self.server(
            "--service-cluster-ip-range", "10.96.0.0/24,fd00:10:96::/112",
            "--service-node-port-range", f"30000-{30000 + PORTS - 1}").start()
        follower = Follower(self)
        writers = [Writer(self, number) for number in range(WRITERS)]
        for thread in [follower, *writers]:
            thread.start()
        newest, end = 0, time.monotonic() + SECONDS
        try:
            while time.monotonic() < end:
                time.sleep(choices.uniform(0.05, 1.5))
                acknowledged = max((r for w in writers for r in list(w.revisions)), default=0)
                server.kill()
                server.start()
                listed = server.call("GET", SERVICES)[1]
                revision = int(listed["metadata"]["resourceVersion"])
                self.assertGreaterEqual(revision, max(newest, acknowledged), "resource versions never go back")
                newest = revision
        finally:
            self.over.set()
            for thread in [follower, *writers]:
                thread.join()
        services = {s["metadata"]["name"]: s for s in server.call("GET", SERVICES)[1]["items"]}
        for writer in writers:
            for name, value in writer.present.items():
                # Items of a list carry no kind.
                expected = {key: part for key, part in value.items() if key not in ("kind", "apiVersion")}
                self.assertEqual(services.get(name), expected, "an acknowledged write is there")
            for name in writer.absent:
                self.assertNotIn(name, services, "an acknowledged deletion stays, and a refused object is not there")
        self.assertGreater(sum(len(w.revisions) for w in writers), WRITERS * 5, "the test wrote something")
        addresses = [a for s in services.values() for a in s["spec"]["clusterIPs"]]
        ports = [p["nodePort"] for s in services.values() for p in s["spec"]["ports"] if "nodePort" in p]
        self.assertEqual(len(addresses), len(set(addresses)), "no cluster IP is held twice")
        self.assertEqual(len(ports), len(set(ports)), "no node port is held twice")
        self.assertEqual(follower.errors, [])
        self.assertGreater(follower.resumed, 1)
        # Nothing leaked: every port can be had once the Services are gone.
        for name in services:
            if name != "kubernetes":
                self.assertEqual(server.call("DELETE", f"{SERVICES}/{name}")[0], 200)
        for number in range(PORTS):
            code, value = server.call("POST", SERVICES, {
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": f"last-{number}"},
                "spec": {"type": "NodePort", "ipFamilyPolicy": "RequireDualStack", "ports": [{"port": 80}]}})
            self.assertEqual(code, 201, value)


class Disk(ServerTest):
    def small(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        server = Server(directory.name, "--api-only", prefix=(*SMALL_DISK, directory.name))
        self.addCleanup(server.kill)
        return server.start()

    def test_full(self):
        server = self.small()
        client = server.client()
        self.addCleanup(client.close)
        self.assertEqual(server.call("POST", CONFIG_MAPS, config_map("before"), client)[0], 201)
        filler = f"{server.files}/filler"
        with open(filler, "wb", buffering=0) as file:
            with self.assertRaises(OSError):
                while True:
                    file.write(b"x" * 4096)
        refused = None
        for number in range(200):
            code, value = server.call("POST", CONFIG_MAPS, config_map(f"full-{number}", 100_000), client)
            if code != 201:
                refused = number
                break
        self.assertIsNotNone(refused, "the disk is full")
        self.assertEqual(code, 500)
        self.assertRegex(value["message"], "no space is left|disk I/O")
        self.assertEqual(server.call("GET", f"{CONFIG_MAPS}/before", client=client)[0], 200, "reads go on")
        self.assertEqual(server.call("GET", f"{CONFIG_MAPS}/full-{refused}", client=client)[0], 404)
        os.remove(filler)
        self.assertEqual(server.call("POST", CONFIG_MAPS, config_map(f"full-{refused}", 100_000), client)[0], 201,
                         "writes go on without a restart")
        names = {o["metadata"]["name"] for o in server.call("GET", CONFIG_MAPS)[1]["items"]}
        with tempfile.TemporaryDirectory() as elsewhere:
            # What is on that disk is what was acknowledged: a copy of it starts with the same objects.
            run("nsenter", "-t", str(server.process.pid), "-m",
                DUET, "server", "backup", f"{elsewhere}/backup", "--data-dir", server.directory)
            run(DUET, "server", "restore", f"{elsewhere}/backup", "--data-dir", f"{elsewhere}/data")
            copy = Server(f"{elsewhere}/data", "--api-only").start()
            self.assertEqual(names, {o["metadata"]["name"] for o in copy.call("GET", CONFIG_MAPS)[1]["items"]})
            copy.kill()

    def test_read_only_while_it_runs(self):
        """A file system under the server stops to take writes, as one that meets an error does."""
        with tempfile.TemporaryDirectory() as directory:
            image = f"{directory}/image"
            with open(image, "wb") as file:
                file.truncate(64 << 20)
            run("mkfs.ext4", "-q", image)
            device = run("losetup", "--find", "--show", image).stdout.strip()
            self.addCleanup(run, "losetup", "--detach", device)
            mount = ("unshare", "-m", "--propagation", "private", "sh", "-c",
                     f'mount -o errors=remount-ro {device} "$0" && exec "$@"', directory)
            server = Server(f"{directory}/data", "--api-only", prefix=mount)
            self.addCleanup(server.kill)
            client = server.start().client()
            for number in range(5):
                self.assertEqual(server.call("POST", CONFIG_MAPS, config_map(f"before-{number}"), client)[0], 201)
            # The kernel meets an error in the file system and stops all writing, as `errors=remount-ro` asks for.
            with open(f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error", "w") as file:
                file.write("1")
            for number in range(3):
                code, value = server.call("POST", CONFIG_MAPS, config_map(f"refused-{number}"), client)
                self.assertEqual(code, 500)
                self.assertRegex(value["message"], "Read-only file system|disk I/O")
                self.assertIn(f"{server.directory}/state.sqlite", value["message"])
                self.assertEqual(server.call("GET", f"{CONFIG_MAPS}/refused-{number}", client=client)[0], 404)
            self.assertEqual(server.call("GET", f"{CONFIG_MAPS}/before-4", client=client)[0], 200, "reads go on")
            client.close()
            # The mount goes with the server; the next one repairs the file system first.
            server.kill()
            eventually(lambda: run("e2fsck", "-fy", device, check=False).returncode < 4, "the file system is repaired")
            client = server.start().client()
            names = {o["metadata"]["name"] for o in server.call("GET", CONFIG_MAPS, client=client)[1]["items"]}
            self.assertEqual({name for name in names if name.startswith(("before", "refused"))},
                             {f"before-{number}" for number in range(5)})
            self.assertEqual(server.call("POST", CONFIG_MAPS, config_map("after"), client)[0], 201)
            client.close()
            server.stop()

    def test_read_only(self):
        server = self.server().start()
        server.stop()
        server.prefix = ("unshare", "-m", "--propagation", "private", "sh", "-c",
                         'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"', server.directory)
        code, messages = server.start(wait=False)
        self.assertNotEqual(code, 0)
        self.assertIn("cannot write", messages)
        self.assertIn(server.directory, messages)
        self.assertNotIn("Fatal error", messages)

    def test_damage(self):
        def flip(data):
            middle = data.index(b"vvvvvvvv")
            return data[:middle] + b"w" + data[middle + 1:]

        for suffix, change in (("", flip), ("", lambda data: data[:len(data) // 2]), ("-wal", lambda data: data[:len(data) // 2])):
            server = self.server().start()
            for number in range(50):
                self.assertEqual(server.call("POST", CONFIG_MAPS, config_map(f"c{number}", 300))[0], 201)
            # The database itself is written when the server ends, its log while it runs.
            server.kill() if suffix else server.stop()
            path = f"{server.directory}/state.sqlite{suffix}"
            with open(path, "rb") as file:
                data = file.read()
            with open(path, "wb") as file:
                file.write(change(data))
            code, messages = server.start(wait=False)
            self.assertNotEqual(code, 0)
            self.assertIn("damaged", messages)
            self.assertIn("restore", messages)
            self.assertNotIn("Fatal error", messages)


class Backup(ServerTest):
    def test_online_and_back(self):
        server = self.server().start()
        client = server.client()
        self.addCleanup(client.close)
        over = threading.Event()

        def write():
            number = 0
            with contextlib.closing(server.client()) as own:
                while not over.is_set():
                    server.call("POST", CONFIG_MAPS, config_map(f"during-{number}"), own)
                    number += 1

        for number in range(20):
            server.call("POST", CONFIG_MAPS, config_map(f"c{number}"), client)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            with tempfile.TemporaryDirectory() as directory:
                file, data = f"{directory}/backup", f"{directory}/data"
                run(DUET, "server", "backup", file, "--data-dir", server.directory)
                self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
                again = run(DUET, "server", "backup", file, "--data-dir", server.directory, check=False)
                self.assertIn("exists", again.stderr)
                run(DUET, "server", "restore", file, "--data-dir", data)
                refused = run(DUET, "server", "restore", file, "--data-dir", data, check=False)
                self.assertIn("is not empty", refused.stderr)
                over.set()
                writer.join()
                newest = int(server.call("GET", CONFIG_MAPS)[1]["metadata"]["resourceVersion"])
                copy = Server(data, "--api-only").start()
                self.addCleanup(copy.kill)
                # The same authority: credentials of the lost server are good for the restored one.
                copy.files = server.directory
                listed = copy.call("GET", CONFIG_MAPS)[1]
                names = {o["metadata"]["name"] for o in listed["items"]}
                self.assertTrue({f"c{number}" for number in range(20)} <= names)
                self.assertGreater(int(listed["metadata"]["resourceVersion"]), newest)
                connection = copy.client()
                self.addCleanup(connection.close)
                connection.request("GET", f"{CONFIG_MAPS}?watch=true&resourceVersion={newest}")
                event = json.loads(connection.getresponse().readline())
                self.assertEqual((event["type"], event["object"]["code"]), ("ERROR", 410))
                copy.stop()
        finally:
            over.set()
            writer.join()
            server.stop(signal.SIGTERM)


class Clock(ServerTest):
    """The clock jumps while the server runs (libfaketime gives it one of its own)."""

    LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
    EVENTS = "/api/v1/namespaces/default/events"
    LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"

    def test_goes_backwards(self):
        # The library loses the arguments of the first process that it is loaded into.
        server = self.server("--event-ttl", "60", prefix=("env",))
        with tempfile.NamedTemporaryFile("w") as clock:
            def set_clock(offset):
                clock.seek(0)
                clock.truncate()
                clock.write(offset)
                clock.flush()

            set_clock("+0")
            server.start(env={"LD_PRELOAD": self.LIBRARY, "FAKETIME_TIMESTAMP_FILE": clock.name, "FAKETIME_NO_CACHE": "1",
                              "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
            client, watcher = server.client(), server.client()
            self.addCleanup(client.close)
            self.addCleanup(watcher.close)
            first = server.call("POST", CONFIG_MAPS, config_map("first"), client)[1]
            watcher.request("GET", f"{CONFIG_MAPS}?watch=true&resourceVersion={first['metadata']['resourceVersion']}")
            events = watcher.getresponse()
            self.assertEqual(server.call("POST", self.EVENTS, {
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "type": "Normal", "reason": "Test",
                "involvedObject": {"kind": "ConfigMap", "name": "first", "namespace": "default"}}, client)[0], 201)
            lease = server.call("POST", self.LEASES, {
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"},
                "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}}, client)[1]
            account = "/api/v1/namespaces/default/serviceaccounts"
            server.call("POST", account, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}}, client)
            request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
            token = server.call("POST", f"{account}/robot/token", request, client)[1]["status"]["token"]

            def accepts(token):
                review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
                answer = server.call("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review, client)[1]
                return answer["status"].get("authenticated", False)

            self.assertTrue(accepts(token))
            revisions = [int(first["metadata"]["resourceVersion"])]
            for offset in ("-3h", "-2d", "-90m", "+0"):
                set_clock(offset)
                code, value = server.call("POST", CONFIG_MAPS, config_map(f"jump-{len(revisions)}"), client)
                self.assertEqual(code, 201)
                revisions.append(int(value["metadata"]["resourceVersion"]))
                event = json.loads(events.readline())
                self.assertEqual((event["type"], event["object"]["metadata"]["name"]), ("ADDED", f"jump-{len(revisions) - 1}"))
                lease["spec"]["renewTime"] = "2020-01-01T00:00:00.000000Z"
                lease["spec"]["leaseTransitions"] = len(revisions)
                code, lease = server.call("PUT", f"{self.LEASES}/l", lease, client)
                self.assertEqual(code, 200, lease)
                self.assertEqual(accepts(token), offset == "+0", f"a token from the future is not good yet ({offset})")
                self.assertEqual(server.call("GET", f"{self.EVENTS}/e", client=client)[0], 200, "Events live as long as they live")
            self.assertEqual(revisions, sorted(set(revisions)), "resource versions do not depend on the clock")
            # A crash and a start in the past change nothing about that. (Certificates begin an hour before they were made.)
            set_clock("-50m")
            client.close()
            watcher.close()
            server.kill()
            server.start(env={"LD_PRELOAD": self.LIBRARY, "FAKETIME_TIMESTAMP_FILE": clock.name, "FAKETIME_NO_CACHE": "1",
                              "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
            value = server.call("POST", CONFIG_MAPS, config_map("later"))[1]
            self.assertGreater(int(value["metadata"]["resourceVersion"]), revisions[-1])
            # The token ends by the clock, whatever it did meanwhile; an Event has its minute all the same.
            server.call("POST", self.EVENTS, {
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": "late"}, "type": "Normal", "reason": "Test",
                "involvedObject": {"kind": "ConfigMap", "name": "first", "namespace": "default"}})
            # A look for expired objects, six seconds apart, has found it.
            time.sleep(7)
            set_clock("+10d")
            time.sleep(7)
            self.assertEqual(server.call("GET", f"{self.EVENTS}/late")[0], 200)
            client = server.client()
            self.assertFalse(accepts(token))
            client.close()
