"""How the API server speaks HTTP/1.1 on one connection, byte by byte as a client writes it."""
import http.client
import io
import json
import socket
import time
import unittest

from server import CONFIG_MAPS, Server, config_map
from support import eventually


class Answers:
    """The answers on a connection, one after the other."""

    class Input(io.BufferedReader):
        """What the connection brings; the end of an answer does not close it."""

        def close(self):
            pass

    def __init__(self, connection):
        self.connection = connection
        self.input = self.Input(socket.SocketIO(connection, "r"))

    def makefile(self, _):
        return self.input

    def head(self, method="GET"):
        """The next answer, its body unread."""
        answer = http.client.HTTPResponse(self, method=method)
        answer.begin()
        return answer

    def next(self, method="GET"):
        """Status, headers and body of the next answer."""
        answer = self.head(method)
        return answer.status, answer.headers, answer.read()

    def at_end(self):
        """Whether the server has closed the connection."""
        try:
            return self.input.read(1) == b""
        except ConnectionResetError:
            return True


def request(method, path, *headers, body=b"", version="1.1"):
    lines = [f"{method} {path} HTTP/{version}", "Host: a", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def padded(name, size):
    """A ConfigMap of about so many bytes."""
    return json.dumps(config_map(name, size)).encode()


class HTTP(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(None, "--api-only")
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def connect(self):
        connection = self.server.connect()
        self.addCleanup(connection.close)
        return connection, Answers(connection)

    def assert_usable(self, connection, answers):
        connection.sendall(request("GET", "/readyz"))
        self.assertEqual(answers.next()[2], b"ok")

    def test_answers_have_the_order_of_their_requests(self):
        """A watch of a second, a write and reads, all sent at once."""
        connection, answers = self.connect()
        body = padded("pipelined", 50_000)
        connection.sendall(
            request("GET", f"{CONFIG_MAPS}?watch=true&timeoutSeconds=1") + request("POST", CONFIG_MAPS, body=body)
            + request("GET", f"{CONFIG_MAPS}/pipelined") + request("HEAD", "/readyz") + request("GET", "/readyz") * 40)
        self.assertEqual(answers.next()[0], 200)
        self.assertEqual(answers.next()[0], 201)
        status, _, text = answers.next()
        self.assertEqual((status, json.loads(text)["metadata"]["name"]), (200, "pipelined"))
        status, headers, text = answers.next("HEAD")
        self.assertEqual((status, headers["Content-Length"], text), (200, "2", b""))
        for _ in range(40):
            self.assertEqual(answers.next()[2], b"ok")

    def test_a_client_that_asks_and_does_not_read(self):
        """What it asks for costs no memory; what it asked for so far is answered once it reads."""
        self.assertEqual(self.server.call("POST", CONFIG_MAPS, config_map("asked-for", 200_000))[0], 201)
        connection, answers = self.connect()
        before = self.server.resident_mebibytes()
        connection.settimeout(2)
        with self.assertRaises(TimeoutError):
            connection.sendall(request("GET", f"{CONFIG_MAPS}/asked-for") * 400_000)
        self.assertLess(self.server.resident_mebibytes() - before, 64)
        for _ in range(500):
            self.assertEqual(len(json.loads(answers.next()[2])["data"]["value"]), 200_000)

    def test_a_long_list_is_not_held(self):
        for number in range(60):
            self.assertEqual(self.server.call("POST", CONFIG_MAPS, config_map(f"long-{number}", 900_000))[0], 201)
        connection, answers = self.connect()
        before = self.server.resident_mebibytes()
        connection.sendall(request("GET", CONFIG_MAPS))
        answer = answers.head()
        self.assertGreater(int(answer.headers["Content-Length"]), 54_000_000)
        self.assertLess(self.server.resident_mebibytes() - before, 16)
        for number in range(60):
            self.assertEqual(self.server.call("DELETE", f"{CONFIG_MAPS}/long-{number}")[0], 200)

    def test_bytes_one_at_a_time(self):
        connection, answers = self.connect()
        for byte in request("POST", CONFIG_MAPS, body=padded("slow", 10)):
            connection.sendall(bytes([byte]))
        self.assertEqual(answers.next()[0], 201)
        self.assert_usable(connection, answers)

    def test_bodies_of_every_length_and_framing(self):
        connection, answers = self.connect()
        for size in (1, 16_000, 17_000, 200_000, 1_000_000):
            for framing in ("length", "chunks"):
                body = padded(f"body-{size}-{framing}", size)
                if framing == "length":
                    connection.sendall(request("POST", CONFIG_MAPS, body=body))
                else:
                    pieces = [body[start:start + 7_000] for start in range(0, len(body), 7_000)]
                    connection.sendall(request("POST", CONFIG_MAPS, "Content-Type: application/json", "Transfer-Encoding: chunked")
                                       + b"".join(map(chunk, pieces)) + b"0\r\n\r\n")
                status, _, text = answers.next()
                self.assertEqual(status, 201, text)
                self.assertEqual(len(json.loads(text)["data"]["value"]), size)

    def test_an_answer_before_the_end_of_the_body(self):
        """The rest of the body is not taken for a request, and neither is lost."""
        connection, answers = self.connect()
        body = request("GET", "/readyz") * 20_000
        connection.sendall(request("POST", "/api/v1/namespaces/default/nothing", body=body) + request("GET", "/readyz"))
        self.assertEqual(answers.next()[0], 404)
        self.assertEqual(answers.next()[2], b"ok")
        self.assert_usable(connection, answers)

    def test_the_last_answer_reaches_who_is_still_sending(self):
        """It would be lost with the connection, if that were closed while more comes."""
        connection, answers = self.connect()
        whole = request("POST", "/api/v1/namespaces/default/nothing", "Connection: close", body=b"x" * 2_000_000)
        for start in range(0, len(whole), 100_000):
            connection.sendall(whole[start:start + 100_000])
        status, headers, _ = answers.next()
        self.assertEqual((status, headers["Connection"]), (404, "close"))
        self.assertTrue(answers.at_end())

    def test_who_waits_to_be_told_is_told(self):
        for size in (100, 100_000):
            connection, answers = self.connect()
            body = padded(f"expected-{size}", size)
            whole = request("POST", CONFIG_MAPS, "Expect: 100-continue", body=body)
            connection.sendall(whole[:-len(body)])
            self.assertEqual(answers.input.readline(), b"HTTP/1.1 100 Continue\r\n")
            self.assertEqual(answers.input.readline(), b"\r\n")
            connection.sendall(body)
            self.assertEqual(answers.next()[0], 201)

    def test_the_end_that_a_client_asks_for(self):
        for version, headers, ends in (("1.1", [], False), ("1.1", ["Connection: close"], True), ("1.0", [], True),
                                       ("1.0", ["Connection: keep-alive"], False)):
            with self.subTest(version=version, headers=headers):
                connection, answers = self.connect()
                connection.sendall(request("GET", "/readyz", *headers, version=version))
                status, answered, text = answers.next()
                self.assertEqual((status, text), (200, b"ok"))
                if ends:
                    self.assertEqual(answered["Connection"], "close")
                    self.assertTrue(answers.at_end())
                else:
                    self.assertEqual(answered["Connection"], "keep-alive" if version == "1.0" else None)
                    self.assert_usable(connection, answers)

    def test_a_stream_for_a_client_without_chunks(self):
        """HTTP/1.0 sees the end of a watch by that of the connection."""
        connection, answers = self.connect()
        connection.sendall(request("GET", f"{CONFIG_MAPS}?watch=true&timeoutSeconds=1", "Connection: keep-alive", version="1.0"))
        status, headers, text = answers.next()
        self.assertEqual((status, headers["Transfer-Encoding"], headers["Connection"]), (200, None, "close"))
        for line in text.splitlines():
            json.loads(line)

    def test_what_is_no_request(self):
        for garbage in (b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nNo colon\r\n\r\n",
                        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
            with self.subTest(garbage=garbage):
                connection, answers = self.connect()
                self.assert_usable(connection, answers)
                connection.sendall(garbage)
                status, headers, _ = answers.next()
                self.assertEqual((status, headers["Connection"]), (400, "close"))
                self.assertTrue(answers.at_end())

    def test_garbage_after_a_request_and_amid_a_body(self):
        connection, answers = self.connect()
        connection.sendall(request("GET", "/readyz") + b"\x00\x01\r\n\r\n")
        self.assertEqual(answers.next()[2], b"ok")
        connection, answers = self.connect()
        connection.sendall(request("POST", CONFIG_MAPS, "Transfer-Encoding: chunked") + b"zz\r\n")
        self.assertEqual(answers.next()[0], 400)
        self.assertTrue(answers.at_end())

    def test_much_garbage_costs_no_answer(self):
        """Garbage arrives in many pieces, before a request is answered or while the connection ends."""
        refused = request("POST", CONFIG_MAPS, body=b"x" * 4_000_000)
        for _ in range(20):
            for data, status in ((refused, 413), (b"", 400)):
                connection, answers = self.connect()
                connection.sendall(data + b"x" * 300_000)
                self.assertEqual(answers.next()[0], status)

    def test_targets(self):
        connection, answers = self.connect()
        for target in ("/readyz", "http://a/readyz", "https://a:6443/readyz?verbose"):
            connection.sendall(request("GET", target))
            status, _, text = answers.next()
            self.assertEqual((status, b"ok" in text), (200, True), target)
        connection.sendall(request("OPTIONS", "*"))
        self.assertEqual(answers.next()[0], 404)
        connection.sendall(request("M-SEARCH", "/api/v1/nodes"))
        self.assertEqual(answers.next()[0], 405)

    def test_the_date(self):
        connection, answers = self.connect()
        connection.sendall(request("GET", "/readyz"))
        date = time.strptime(answers.next()[1]["Date"], "%a, %d %b %Y %H:%M:%S GMT")
        self.assertLess(abs(time.mktime(time.gmtime()) - time.mktime(date)), 30)

    def test_clients_that_leave(self):
        """Amid a request, a body, a long list, a watch; the server serves the others and forgets these."""
        for number in range(20):
            body = padded(f"left-{number}", 100_000)
            self.assertEqual(self.server.call("POST", CONFIG_MAPS, json.loads(body))[0], 201)
        idle = self.server.descriptors()
        for _ in range(20):
            for data in (b"GET /api", request("POST", CONFIG_MAPS, body=padded("never", 90_000))[:-1],
                         request("GET", CONFIG_MAPS), request("GET", f"{CONFIG_MAPS}?watch=true"),
                         request("GET", CONFIG_MAPS) * 30):
                connection = self.server.connect()
                connection.sendall(data)
                connection.close()
        eventually(lambda: self.server.descriptors() <= idle, "the connections are gone")
        self.assertEqual(self.server.call("GET", f"{CONFIG_MAPS}/never")[0], 404)


class Stopping(unittest.TestCase):
    def test_a_stopping_server_ends_what_goes_on(self):
        """A watch ends as if its time were over, an idle connection is closed, and the process is gone soon."""
        server = Server(None, "--api-only")
        self.addCleanup(server.remove)
        server.start()
        idle, watch = server.connect(), server.connect()
        self.addCleanup(idle.close)
        self.addCleanup(watch.close)
        idle.sendall(request("GET", "/readyz"))
        idle_answers = Answers(idle)
        self.assertEqual(idle_answers.next()[2], b"ok")
        watch.sendall(request("GET", f"{CONFIG_MAPS}?watch=true"))
        stream = Answers(watch).head()
        start = time.monotonic()
        server.stop()
        for line in stream.read().splitlines():
            json.loads(line)
        self.assertTrue(idle_answers.at_end())
        self.assertLess(time.monotonic() - start, 10)
