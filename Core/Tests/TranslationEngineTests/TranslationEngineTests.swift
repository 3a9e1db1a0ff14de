import Addresses
import Glibc
import Linux
import RouteNetlink
import Synchronization
import Testing
import Translation
import TranslationEngine

/// A namespace with an engine in it whose clients and IPv4 hosts are the namespace's own sockets: the kernel leaves their
/// checksums and segments to the device, and takes them back from it.
private final class Bench {
    static let prefix = TranslationPrefix(IPPrefix("2001:db8:64::/96") ?? IPPrefix(.unspecified(.ipv6), length: 0))
    let name: String
    let engine: TranslationEngine<NAT64>
    let failures = Failures()

    /// What made threads end.
    final class Failures: Sendable {
        let errors = Mutex<[SystemError]>([])
    }

    init(_ name: String, queues: Int, _ change: (inout NAT64Configuration) -> Void = { _ in }) throws {
        let name = "dt-engine-\(name)-\(ProcessInformation.currentPID)"
        self.name = name
        var configuration = NAT64Configuration(
            prefix: Bench.prefix ?? .wellKnown, pool: ["198.51.100.1", "198.51.100.2"].compactMap(IPv4Address.init),
            maximumSessions: 10_000, embedsNonGlobal: true, secret: 7,
            options: TranslationOptions(
                ipv4Address: IPv4Address("192.0.2.254"), ipv6Address: IPv6Address("2001:db8:1::fe")))
        change(&configuration)
        let namespace = try NetworkNamespace.create(name: name)
        do {
            engine = try namespace.run { [configuration] in
                let engine = try TranslationEngine<NAT64>(device: "nat64", queues: queues, configuration)
                var routes = try RouteSocket()
                for link in try routes.links() where link.name == "lo" || link.name == "nat64" {
                    try routes.setUp(link.index)
                }
                let index = try #require(try routes.link(named: "nat64")?.index)
                let address = try #require(InterfaceAddress("192.0.2.1/32"))
                try routes.addAddress(address, index)
                let address6 = try #require(InterfaceAddress("2001:db8:1::10/128"))
                try routes.addAddress(address6, index, flags: .noDAD)
                for destination in ["2001:db8:64::/96", "198.51.100.0/24"] {
                    let prefix = try #require(IPPrefix(destination))
                    try routes.addRoute(Route(destination: prefix, interface: index))
                }
                return engine
            }
        } catch {
            try? NetworkNamespace.delete(name: name)
            throw error
        }
        try engine.start { [failures] error in failures.errors.withLock { $0.append(error) } }
    }

    deinit {
        engine.stop()
        try? NetworkNamespace.delete(name: name)
    }

    /// What a Python program that runs in the namespace prints, and what it fails with.
    func python(_ script: String) throws -> String {
        var specification = ChildProcess.Specification(executable: "python3", arguments: ["-c", script])
        specification.networkNamespace = NetworkNamespace.path(name: name)
        let output = try ChildProcess.output(of: specification)
        return output.text + output.errorText
    }
}

/// Sends a pattern over TCP both ways at once, by several connections, and compares.
private let streams = """
    import hashlib, socket, threading
    SIZE, COUNT = 8 << 20, 4
    data = bytes(range(251)) * (SIZE // 251)
    server = socket.create_server(("192.0.2.1", 0))
    port = server.getsockname()[1]
    def pump(link, results):
        def send():
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send)
        sender.start()
        digest, count = hashlib.sha256(), 0
        while part := link.recv(1 << 20):
            digest.update(part)
            count += len(part)
        sender.join()
        results.append((count, digest.hexdigest()))
    results, threads = [], []
    for number in range(COUNT):
        client = socket.create_connection(("2001:db8:64::192.0.2.1", port), timeout=60)
        accepted, peer = server.accept()
        assert peer[0].startswith("198.51.100."), peer
        for link in (client, accepted):
            thread = threading.Thread(target=pump, args=(link, results))
            thread.start()
            threads.append(thread)
    for thread in threads:
        thread.join(60)
    expected = (len(data), hashlib.sha256(data).hexdigest())
    print("right" if results == [expected] * (2 * COUNT) else results)
    """

/// Receives a stream from a server whose packets may be fragmented, and tells the longest segment that came.
private let shortSegments = """
    import socket, struct, threading
    IP_MTU_DISCOVER, IP_PMTUDISC_DONT, RECEIVED_MSS = 10, 0, 20
    server = socket.create_server(("192.0.2.1", 0))
    server.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
    client = socket.create_connection(("2001:db8:64::192.0.2.1", server.getsockname()[1]), timeout=60)
    accepted, _ = server.accept()
    data = bytes(range(251)) * 40_000
    sender = threading.Thread(target=accepted.sendall, args=(data,))
    sender.start()
    got = bytearray()
    while len(got) < len(data):
        got += client.recv(1 << 20)
    sender.join(60)
    assert got == data
    print(struct.unpack_from("=I", client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), RECEIVED_MSS)[0])
    """

/// Sends datagrams of all kinds of sizes to a server that sends them back, among them runs that the kernel leaves whole
/// (UDP_SEGMENT), and one that has to be cut on the way.
private let datagrams = """
    import socket
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("192.0.2.1", 0))
    server.settimeout(30)
    client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    client.settimeout(30)
    client.connect(("2001:db8:64::192.0.2.1", server.getsockname()[1]))
    SOL_UDP, UDP_SEGMENT = 17, 103
    def exchange(data, size):
        client.setsockopt(SOL_UDP, UDP_SEGMENT, size)
        client.send(data)
        parts, peer = [], None
        for _ in range(-(-len(data) // size) if size else 1):
            part, peer = server.recvfrom(65535)
            parts.append(part)
        assert b"".join(parts) == data, (len(data), size, len(parts))
        for part in parts:
            server.sendto(part, peer)
            assert client.recv(65535) == part
        server.setsockopt(SOL_UDP, UDP_SEGMENT, size)
        server.sendto(data, peer)
        server.setsockopt(SOL_UDP, UDP_SEGMENT, 0)
        back = b"".join(client.recv(65535) for _ in parts)
        assert back == data, (len(data), size)
    for data, size in [(b"", 0), (b"x", 0), (b"y" * 1400, 0), (b"z" * 20001, 1000), (b"w" * 1200, 600)]:
        exchange(data, size)
    # Longer than any link takes: the sender's kernel makes fragments, which pass the translator one by one.
    exchange(bytes(range(256)) * 20, 0)
    print("right")
    """

/// Sends datagrams without a pause until the server has got several at once (UDP_GRO), and sees that every one comes, in
/// order, with short and empty ones in between, and that those with a wrong checksum do not.
private let bursts = """
    import socket, struct, time
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(17, 104, 1)
    server.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
    server.bind(("192.0.2.1", 0))
    server.settimeout(30)
    clients = [socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(2)]
    for client in clients:
        client.connect(("2001:db8:64::192.0.2.1", server.getsockname()[1]))
    raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 17)
    end, together, number = time.monotonic() + 60, False, 0
    while not together and time.monotonic() < end:
        expected = {client.getsockname()[1]: b"" for client in clients}
        for index in range(400):
            client = clients[index // 50 % 2]
            data = struct.pack(">I", number) * (16 if index % 37 else 5)
            number += 1
            client.send(data)
            expected[client.getsockname()[1]] += data
            if index % 41 == 0:
                client.send(b"")
            if index % 43 == 0:
                wrong = struct.pack(">HHHH", client.getsockname()[1], server.getsockname()[1], 72, 1) + b"w" * 64
                raw.sendto(wrong, ("2001:db8:64::192.0.2.1", 0))
        got = {}
        while sum(map(len, got.values())) < sum(map(len, expected.values())):
            data, peer = server.recvfrom(65535)
            got[peer[1]] = got.get(peer[1], b"") + data
            together = together or len(data) > 64
        assert sorted(got.values()) == sorted(expected.values())
    assert together
    # And back.
    clients[0].setsockopt(17, 104, 1)
    clients[0].setsockopt(socket.SOL_SOCKET, 33, 32 << 20)
    clients[0].settimeout(30)
    clients[0].send(b"?")
    _, peer = server.recvfrom(65535)
    together = False
    while not together and time.monotonic() < end + 60:
        data = b"".join(struct.pack(">I", number) * 16 for number in range(400))
        for start in range(0, len(data), 64):
            server.sendto(data[start:start + 64], peer)
        got = b""
        while len(got) < len(data):
            part = clients[0].recv(65535)
            got += part
            together = together or len(part) > 64
        assert got == data
    print("together" if together else "one by one")
    """

struct `An engine on a TUN device` {
    @Test
    func `brings datagrams on their way together`() throws {
        let bench = try Bench("run", queues: 1)
        let result = try bench.python(bursts)
        #expect(result == "together\n")
        #expect(bench.engine.writeFailures == 0)
    }

    @Test(arguments: [1, 3])
    func `carries streams both ways`(queues: Int) throws {
        let bench = try Bench("tcp\(queues)", queues: queues)
        #expect(try bench.python(streams) == "right\n")
        let counters = bench.engine.counters
        #expect(counters.bytes(to: .ipv4) > 32 << 20)
        #expect(counters.bytes(to: .ipv6) > 32 << 20)
        // With segments of 1,440 bytes there would be 23,000 packets each way; acknowledgements are packets, too.
        #expect(counters.packets(to: .ipv4) < 20_000, "segments were not left whole")
        #expect(bench.engine.writeFailures == 0)
        #expect(bench.failures.errors.withLock { $0 } == [])
    }

    @Test
    func `makes segments shorter that may be fragmented`() throws {
        let bench = try Bench("short", queues: 1)
        // 1280 bytes less the headers of IPv6 and of TCP with its timestamps.
        #expect(try bench.python(shortSegments) == "1208\n")
        #expect(bench.engine.counters.packets(to: .ipv6) < 2_000, "segments were not left whole")
        #expect(bench.engine.writeFailures == 0)
    }

    @Test(arguments: [1, 2])
    func `carries datagrams, whole and in pieces`(queues: Int) throws {
        let bench = try Bench("udp\(queues)", queues: queues)
        #expect(try bench.python(datagrams) == "right\n")
        #expect(bench.engine.writeFailures == 0)
    }

    @Test
    func `ends its threads, and its device with itself`() throws {
        let name = "dt-engine-end-\(ProcessInformation.currentPID)"
        let namespace = try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }
        let pool = ["198.51.100.1"].compactMap(IPv4Address.init)
        do {
            let engine = try namespace.run {
                try TranslationEngine<NAT64>(device: "nat64", queues: 2, NAT64Configuration(pool: pool, secret: 1))
            }
            try engine.start { _ in }
            #expect(engine.isRunning)
            engine.stop()
            while engine.isRunning { usleep(1000) }
        }
        var left = true
        while left { left = try namespace.run { try RouteSocketProbe.hasLink("nat64") } }
    }
}

/// What a namespace has.
private enum RouteSocketProbe {
    static func hasLink(_ name: String) throws -> Bool {
        var routes = try RouteSocket()
        return try routes.link(named: name) != nil
    }
}
