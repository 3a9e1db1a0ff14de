import DNSServing
import Linux
import Testing

@Suite struct `Sockets are handed over` {
    private let directory: String
    private let path: String

    init() throws {
        directory = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-handover-")
        path = "\(directory)/dns.sock"
    }

    private func remove() { try? FileSystem.removeTree(directory) }

    private func state() throws -> DNSServerState { try DNSServerState(snapshot: Zones.make([])) }

    private func problem(_ body: () throws -> Void) throws -> String {
        let error = #expect(throws: SocketHandoverError.self) { try body() }
        return try #require(error).description
    }

    @Test func `by a server that has none yet`() throws {
        defer { remove() }
        let states = [try state(), try state(), try state()]
        defer { for state in states { state.stop() } }
        for state in states {
            let handover = try SocketHandover(from: path, into: state)
            #expect(handover.count == 0)
            let before = try? FileSystem.status(path)
            try handover.start()
            #expect(try FileSystem.status(path) != before)
            #expect(try UnixSocket.occupant(of: path) == .open)
        }
    }

    @Test func `at the path of a process that has ended`() throws {
        defer { remove() }
        _ = try UnixSocket.listen(at: path, .packets)
        #expect(try UnixSocket.occupant(of: path) == .abandoned)
        let state = try state()
        defer { state.stop() }
        try SocketHandover(from: path, into: state).start()
        #expect(try UnixSocket.occupant(of: path) == .open)
    }

    @Test func `not in place of a file`() throws {
        defer { remove() }
        try FileSystem.writeFile(path, [1, 2])
        let state = try state()
        #expect(
            try problem { _ = try SocketHandover(from: path, into: state) }
                == "cannot hand DNS sockets over at \(path): it is no socket; take it away, or choose another path")
        #expect(try FileSystem.readFile(path) == [1, 2])
    }

    @Test(arguments: [UnixSocket.Kind.stream, .packets])
    func `not in place of another program's socket`(kind: UnixSocket.Kind) throws {
        defer { remove() }
        let state = try state()
        let other = try UnixSocket.listen(at: path, kind)
        let before = try FileSystem.status(path)
        let problem = try problem { _ = try SocketHandover(from: path, into: state) }
        #expect(problem.contains("hands nothing over within 5 seconds"))
        #expect(try FileSystem.status(path) == before)
        _ = other.rawValue
    }

    @Test func `not in place of what was made meanwhile`() throws {
        defer { remove() }
        let (state, other) = (try state(), try state())
        defer { other.stop() }
        let handover = try SocketHandover(from: path, into: state)
        try SocketHandover(from: path, into: other).start()
        let before = try FileSystem.status(path)
        #expect(try problem { try handover.start() }.contains("another process has made a socket here meanwhile"))
        #expect(try FileSystem.status(path) == before)
        try FileSystem.remove(path)
        try FileSystem.writeFile(path, [3])
        #expect(try problem { try handover.start() }.contains("it is no socket"))
        #expect(try FileSystem.readFile(path) == [3])
    }
}
