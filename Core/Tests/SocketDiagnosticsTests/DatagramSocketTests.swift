import Addresses
import Glibc
import Linux
import SocketDiagnostics
import Testing

/// Whether tests may create namespaces and run programs here.
private let isPossible =
    (try? ChildProcess.output(of: .init(executable: "bash", arguments: ["-c", "test $(id -u) = 0 && python3 -V"])))?
    .status.isSuccess == true

@Suite("Datagram sockets", .enabled(if: isPossible, "needs root and python3"))
struct DatagramSocketTests {
    /// A program with a socket that is connected to port 9 of an address; it tells what becomes of the socket.
    private static let owner = """
        import errno, select, socket, sys
        s = socket.socket(int(sys.argv[1]), socket.SOCK_DGRAM)
        s.connect((sys.argv[2], 9))
        print("connected", flush=True)
        select.select([s], [], [], 30)
        print(errno.errorcode.get(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)), flush=True)
        """

    @Test(
        "Connected sockets are listed with their peers, and end when told to",
        arguments: [(2, "127.0.0.1"), (10, "::1"), (10, "::ffff:127.0.0.1")])
    func destroy(family: Int, peer: String) throws {
        let name = "dt-diag-\(ProcessInformation.currentPID)-\(family)-\(peer.count)"
        try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }
        var up = ChildProcess.Specification(executable: "ip", arguments: ["link", "set", "lo", "up"])
        up.networkNamespace = NetworkNamespace.path(name: name)
        #expect(try ChildProcess.output(of: up).status.isSuccess)
        let output = "/tmp/\(name)"
        defer { try? FileSystem.remove(output) }
        var specification = ChildProcess.Specification(
            executable: "python3", arguments: ["-c", Self.owner, "\(family)", peer])
        specification.networkNamespace = NetworkNamespace.path(name: name)
        specification.standardOutput = .file(output, append: false)
        let process = try ChildProcess.spawn(specification)
        defer {
            try? process.signal(9)
            _ = try? process.wait()
        }
        func prints(_ text: String) -> Bool {
            for _ in 0..<3000 {
                if (try? FileSystem.readText(output))?.contains(text) == true { return true }
                usleep(10_000)
            }
            return false
        }
        #expect(prints("connected"))
        let address = peer == "::1" ? IPAddress("::1") : IPAddress("127.0.0.1")
        var sockets = try NetworkNamespace.open(name: name).run { try SocketDiagnostics() }
        let found = try sockets.datagramSockets { $0.remotePort == 9 }
        #expect(found.map(\.remoteAddress) == [address])
        #expect(found.allSatisfy { $0.cookie != 0 })
        for socket in found {
            #expect(try sockets.destroy(socket))
            #expect(try !sockets.destroy(socket))
        }
        #expect(prints("ECONNABORTED"))
        #expect(try sockets.datagramSockets { $0.remotePort == 9 }.isEmpty)
    }
}
