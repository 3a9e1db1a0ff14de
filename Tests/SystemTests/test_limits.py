"""What one client may take of the server: sizes, times, rates, connections; and what it gets beyond that."""
import contextlib
import json
import socket
import ssl
import struct
import threading
import time
import unittest

from server import CONFIG_MAPS, Server, config_map
from support import eventually, run

# Closing a socket that is being repaired sends nothing (linux/tcp.h).
TCP_REPAIR = 19


def status_line(connection):
    """The first line of the answer, or "" when the server closed the connection."""
    data = b""
    while b"\r\n" not in data:
        try:
            part = connection.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            break
        if not part:
            break
        data += part
    return data.split(b"\r\n")[0].decode()


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(None, "--request-timeout", "4", "--api-only")
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def closed_within(self, connection, seconds):
        connection.settimeout(seconds)
        start = time.monotonic()
        try:
            while connection.recv(65536):
                pass
        except (ConnectionResetError, ssl.SSLError):
            pass
        return time.monotonic() - start

    def test_body_too_large(self):
        for declared in (True, False):
            with self.server.connect() as connection:
                length = "Content-Length: 4000000" if declared else "Transfer-Encoding: chunked"
                connection.sendall(f"POST {CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{length}\r\n\r\n".encode())
                try:
                    for _ in range(62):
                        part = b"x" * 65536
                        connection.sendall(part if declared else b"10000\r\n" + part + b"\r\n")
                except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                    pass
                self.assertIn("413", status_line(connection))

    def test_endless_body_is_ended(self):
        with self.server.connect() as connection:
            connection.sendall(f"POST {CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            before, start = self.server.resident_mebibytes(), time.monotonic()
            with self.assertRaises((OSError, ssl.SSLError)):
                while time.monotonic() - start < 30:
                    connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
                    time.sleep(0.001)
            self.assertLess(time.monotonic() - start, 20)
            self.assertLess(self.server.resident_mebibytes() - before, 64)

    def test_slow_header_and_slow_body(self):
        heads = [f"GET {CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\nX: ",
                 f"POST {CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"]
        for head in heads:
            with self.server.connect() as connection:
                connection.sendall(head.encode())
                start = time.monotonic()
                with self.assertRaises((OSError, ssl.SSLError)):
                    while time.monotonic() - start < 30:
                        connection.sendall(b"x")
                        time.sleep(0.2)
                self.assertLess(time.monotonic() - start, 20)

    def test_silent_connections_are_closed_and_do_not_disturb(self):
        silent = [socket.create_connection(("127.0.0.1", self.server.port)) for _ in range(200)]
        self.assertEqual(self.server.call("GET", CONFIG_MAPS)[0], 200)
        for connection in silent:
            connection.close()

    def test_large_header_and_address(self):
        for request in (f"GET /api HTTP/1.1\r\nHost: a\r\nX: {'x' * 200_000}\r\n\r\n",
                        "GET /api HTTP/1.1\r\nHost: a\r\n" + "".join(f"X{i}: y\r\n" for i in range(5_000)) + "\r\n",
                        f"GET /api?{'x' * 1_000_000} HTTP/1.1\r\nHost: a\r\n\r\n"):
            with self.server.connect() as connection:
                try:
                    connection.sendall(request.encode())
                except OSError:
                    pass
                self.assertRegex(status_line(connection), "^(HTTP/1.1 4|$)")
        self.assertEqual(self.server.call("GET", "/api")[0], 200)

    def test_old_tls_is_refused(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.assertRaises((ssl.SSLError, OSError)):
                self.server.connect(version=version).close()
        with self.server.connect(version=ssl.TLSVersion.TLSv1_2) as connection:
            self.assertEqual(connection.version(), "TLSv1.2")
        with socket.create_connection(("127.0.0.1", self.server.port)) as plain:
            plain.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
            plain.settimeout(10)
            try:
                self.assertNotIn(b"HTTP", plain.recv(100))
            except ConnectionResetError:
                pass

    def test_watchers_that_do_not_read(self):
        """Slow and dying watchers cost neither memory nor anybody's time, and are cut off."""
        watchers = []
        for number in range(80):
            connection = self.server.connect()
            # The last one will read again: through a small window that would take TCP minutes.
            if number != 79:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(f"GET {CONFIG_MAPS}?watch=true HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            if number % 2:
                # A watch that began amid the writes below would not be late for all of them.
                self.assertEqual(status_line(connection), "HTTP/1.1 200 OK")
                watchers.append(connection)
                self.addCleanup(connection.close)
            else:
                # This one vanishes without a word.
                connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
                connection.close()
        client = self.server.client()
        self.addCleanup(client.close)
        self.assertEqual(self.server.call("POST", CONFIG_MAPS, config_map("big", 100_000), client)[0], 201)
        before = self.server.resident_mebibytes()
        for number in range(250):
            value = config_map("big", 100_000)
            value["data"]["number"] = str(number)
            self.assertEqual(self.server.call("PUT", f"{CONFIG_MAPS}/big", value, client)[0], 200)
        # 40 queues of 25 MB would be 1 GB; what there may be is one history and what the sockets hold.
        self.assertLess(self.server.resident_mebibytes() - before, 300)
        # One of them begins to read again: it gets what it still can, the reason, and the end.
        late = watchers.pop()
        late.settimeout(30)
        data = b""
        while b'"type":"ERROR"' not in data:
            part = late.recv(1 << 20)
            if not part:
                break
            data = data[-100_000:] + part
        self.assertIn(b"too old resource version", data)


class HonestWatcher(threading.Thread):
    """A client that lists and watches as informers do: it begins anew whenever its watch ends, and misses nothing."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.seen, self.lists, self.failure = server, -1, 0, None

    def run(self):
        try:
            while self.seen < Soak.WRITES - 1:
                self.follow()
        except Exception as error:  # Told by the test, whose thread this is not.
            self.failure = error

    def take(self, item):
        if item["metadata"]["name"] == "soak":
            number = int(item["data"]["number"])
            if number < self.seen:
                raise AssertionError(f"{number} after {self.seen}")
            self.seen = number

    def follow(self):
        # No limit of time: a busy machine may take long, and the test has a limit of its own.
        with contextlib.closing(self.server.client(timeout=None)) as client:
            self.lists += 1
            status, listed = self.server.call("GET", CONFIG_MAPS, client=client)
            if status != 200:
                raise AssertionError(f"a list was answered with {status}")
            for item in listed["items"]:
                self.take(item)
            client.request("GET", f"{CONFIG_MAPS}?watch=true&resourceVersion={listed['metadata']['resourceVersion']}")
            answer = client.getresponse()
            while self.seen < Soak.WRITES - 1 and (line := answer.readline()):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                self.take(event["object"])


class Soak(unittest.TestCase):
    """Watchers that never read, that read slowly and that die in three ways, all the time, beside a client that behaves."""

    WRITES = 240
    WATCHERS = 12

    def setUp(self):
        self.server = Server(None, "--request-timeout", "4", "--api-only")
        self.addCleanup(self.server.remove)
        self.server.start()
        self.writer = self.server.client(timeout=300)
        self.addCleanup(self.writer.close)

    def write(self, number):
        value = config_map("soak", 100_000)
        value["data"]["number"] = str(number)
        # The honest client is always answered, whatever the others do.
        method, path = ("POST", CONFIG_MAPS) if number == 0 else ("PUT", f"{CONFIG_MAPS}/soak")
        self.assertEqual(self.server.call(method, path, value, self.writer)[0], 201 if number == 0 else 200)

    def watch(self):
        connection = self.server.connect(timeout=300)
        self.addCleanup(connection.close)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(f"GET {CONFIG_MAPS}?watch=true HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        self.assertEqual(status_line(connection), "HTTP/1.1 200 OK")
        return connection

    def die(self, number):
        """One watcher more that goes: without a word, with a reset, or in order."""
        doomed = self.watch()
        if number % 3 == 0:
            doomed.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        elif number % 3 == 1:
            doomed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        doomed.close()

    def test_slow_and_dying_watchers(self):
        self.write(0)
        descriptors = self.server.descriptors()
        honest = HonestWatcher(self.server)
        honest.start()
        silent, slow = ([self.watch() for _ in range(self.WATCHERS)] for _ in range(2))
        memory = []
        for number in range(1, self.WRITES):
            self.write(number)
            if number % 8 == 0:
                self.die(number // 8)
                for connection in slow:
                    connection.setblocking(False)
                    with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ConnectionError, ssl.SSLError):
                        connection.recv(512)
                memory.append(self.server.resident_mebibytes())
        honest.join(timeout=300)
        self.assertIsNone(honest.failure)
        self.assertEqual(honest.seen, self.WRITES - 1, "the last change reached the client that reads")
        # 24 MB were written: a queue of its own for each of 24 watchers would be 576 MB. There is one history of 16 MiB, and
        # what the sockets hold.
        self.assertLess(max(memory) - memory[0], 200, memory)
        # Nothing is left of those who went, but for those who did not say so: TCP gives them a minute.
        for connection in silent + slow:
            connection.close()
        vanished = sum(number % 3 == 0 for number in range(1, self.WRITES // 8))
        eventually(lambda: self.server.descriptors() <= descriptors + vanished, "the connections that ended are closed")
        self.assertEqual(self.server.call("GET", f"{CONFIG_MAPS}/soak", client=self.writer)[0], 200)


class Rates(unittest.TestCase):
    def test_rate_of_one_client(self):
        server = Server(None, "--max-request-rate", "20", "--api-only")
        self.addCleanup(server.remove)
        server.start()
        client = server.client()
        self.addCleanup(client.close)
        answers = [server.call("GET", CONFIG_MAPS, client=client) for _ in range(200)]
        refused = [value for code, value in answers if code == 429]
        self.assertTrue(refused)
        self.assertEqual(refused[0]["reason"], "TooManyRequests")
        self.assertEqual(refused[0]["details"]["retryAfterSeconds"], 1)
        time.sleep(1)
        self.assertEqual(server.call("GET", CONFIG_MAPS, client=client)[0], 200)

    def test_requests_in_flight(self):
        server = Server(None, "--max-mutating-requests-inflight", "2", "--api-only")
        self.addCleanup(server.remove)
        server.start()
        held = []
        for _ in range(2):
            connection = server.connect()
            connection.sendall(
                f"POST {CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                "Content-Length: 100000\r\n\r\n".encode())
            held.append(connection)
        code, value = eventually(lambda: (lambda answer: answer[0] == 429 and answer)(
            server.call("POST", CONFIG_MAPS, config_map("a"))), "the limit is reached", seconds=10)
        self.assertEqual(value["message"], "Too many requests, please try again later.")
        self.assertEqual(server.call("GET", CONFIG_MAPS)[0], 200, "Reading has a limit of its own")
        for connection in held:
            connection.close()
        eventually(lambda: server.call("POST", CONFIG_MAPS, config_map("b"))[0] == 201, "there is room again", seconds=10)

    def test_connections(self):
        server = Server(None, "--max-connections", "5", "--api-only")
        self.addCleanup(server.remove)
        server.start()
        held = [server.connect() for _ in range(4)]
        self.assertEqual(server.call("GET", "/readyz")[0], 200)
        for connection in held:
            connection.close()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(server.call("GET", CONFIG_MAPS)[0])) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [200] * 30, "Those beyond the limit wait and are served")


class Compression(unittest.TestCase):
    def test_long_answers_only(self):
        server = Server(None, "--api-only")
        self.addCleanup(server.remove)
        server.start()
        with contextlib.closing(server.client()) as client:
            for number in range(60):
                self.assertEqual(server.call("POST", CONFIG_MAPS, config_map(f"c{number}", 4_000), client)[0], 201)

        def curl(path, *options):
            output = run("curl", "--silent", "--show-error", "--cacert", f"{server.directory}/pki/ca.crt", "--cert",
                         f"{server.directory}/pki/admin.crt", "--key", f"{server.directory}/pki/admin.key", "--write-out",
                         "\n%{size_download} %header{content-encoding} %header{vary}", *options,
                         f"https://127.0.0.1:{server.port}{path}?pretty=false").stdout
            body, _, figures = output.rpartition("\n")
            size, *headers = figures.split()
            return body, int(size), headers

        plain, whole, headers = curl(CONFIG_MAPS)
        self.assertEqual((whole, headers), (len(plain), []))
        self.assertGreater(whole, 240_000)
        text, size, headers = curl(CONFIG_MAPS, "--compressed")
        self.assertEqual(json.loads(text), json.loads(plain))
        self.assertEqual(headers, ["gzip", "Accept-Encoding"])
        self.assertLess(size, whole / 10)
        # As values of a tree (YAML, tables) too, and in HEAD not at all.
        text, size, headers = curl(CONFIG_MAPS, "--compressed", "--header", "Accept: application/yaml")
        self.assertEqual(headers, ["gzip", "Accept-Encoding"])
        self.assertIn("name: c59", text)
        for path, *options in ((f"{CONFIG_MAPS}/c0", "--compressed"),
                               (CONFIG_MAPS, "--header", "Accept-Encoding: gzip;q=0"), (CONFIG_MAPS, "--header", "Accept-Encoding: br")):
            self.assertEqual(curl(path, *options)[2], [])
