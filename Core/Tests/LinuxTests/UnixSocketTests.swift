import Glibc
import Linux
import Testing

@Suite struct `The path of a socket` {
    private let directory: String

    init() throws { directory = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-socket-") }

    private func remove() { try? FileSystem.removeTree(directory) }

    @Test(arguments: [UnixSocket.Kind.stream, .packets])
    func `tells whether a process has it open`(kind: UnixSocket.Kind) throws {
        defer { remove() }
        let path = "\(directory)/socket"
        #expect(try UnixSocket.occupant(of: path) == .nothing)
        do {
            let socket = try UnixSocket.listen(at: path, kind)
            #expect(try FileSystem.status(path).mode == 0o600)
            // More than wait in its queue.
            for _ in 1...10 { #expect(try UnixSocket.occupant(of: path) == .open) }
            #expect(throws: SystemError(Errno(rawValue: EADDRINUSE), "bind", path)) {
                _ = try UnixSocket.listen(at: path, kind)
            }
            _ = socket.rawValue
        }
        #expect(try UnixSocket.occupant(of: path) == .abandoned)
        #expect(throws: SystemError(.connectionRefused, "connect to", path)) {
            _ = try UnixSocket.connect(to: path, kind, waiting: 1)
        }
    }

    @Test func `tells what is no socket, links to sockets among it`() throws {
        defer { remove() }
        let (file, link) = ("\(directory)/file", "\(directory)/link")
        try FileSystem.writeFile(file, [1])
        let socket = try UnixSocket.listen(at: "\(directory)/socket", .stream)
        try FileSystem.symbolicLink(to: "\(directory)/socket", at: link)
        for path in [file, link, directory] { #expect(try UnixSocket.occupant(of: path) == .other) }
        #expect(throws: SystemError(.notDirectory, "stat", "\(file)/socket")) {
            try UnixSocket.occupant(of: "\(file)/socket")
        }
        #expect(throws: SystemError(.nameTooLong, "use path", String(repeating: "a", count: 108))) {
            _ = try UnixSocket.listen(at: String(repeating: "a", count: 108), .stream)
        }
        _ = socket.rawValue
    }

    @Test func `leads to who listens, for as long as one waits`() throws {
        defer { remove() }
        let path = "\(directory)/socket"
        let socket = try UnixSocket.listen(at: path, .packets)
        let connection = try UnixSocket.connect(to: path, .packets, waiting: 1)
        #expect(throws: SystemError.self) { try connection.read(upTo: 1) }
        _ = socket.rawValue
    }
}
