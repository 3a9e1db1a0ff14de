import Addresses
import Conntrack
import Linux
import Testing

@Suite("Tracked connections in a namespace")
struct ConntrackSocketTests {
    @Test("Connections are listed with both directions, and the picked ones forgotten", arguments: IPFamily.allCases)
    func listAndDelete(family: IPFamily) throws {
        let name = "dt-kernel-ct-\(family.rawValue)-\(ProcessInformation.currentPID)"
        let namespace = try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }
        let loopback = IPAddress.loopback(family)
        // Tracking begins with the first rule that needs it.
        let script = """
            ip link set lo up
            nft add table inet t
            nft 'add chain inet t c { type filter hook output priority 0; }'
            nft add rule inet t c ct state new counter
            python3 -c '
            import socket
            f = socket.AF_INET6 if ":" in "\(loopback)" else socket.AF_INET
            s = socket.socket(f, socket.SOCK_DGRAM); s.bind(("\(loopback)", 4000))
            for port in (5353, 5354): s.sendto(b"x", ("\(loopback)", port))
            t = socket.socket(f); t.bind(("\(loopback)", 8080)); t.listen(); socket.create_connection(("\(loopback)", 8080), 2)
            '
            """
        var specification = ChildProcess.Specification(executable: "sh", arguments: ["-ec", script])
        specification.networkNamespace = NetworkNamespace.path(name: name)
        let output = try ChildProcess.output(of: specification)
        #expect(output.status.isSuccess, "\(output.errorText)")

        var socket = try namespace.run { try ConntrackSocket() }
        let first = ConntrackTuple(
            source: loopback, destination: loopback, transportProtocol: 17, sourcePort: 4000, destinationPort: 5353)
        let reversed = ConntrackTuple(
            source: loopback, destination: loopback, transportProtocol: 17, sourcePort: 5353, destinationPort: 4000)
        let entries = try socket.entries(family) { $0.original.transportProtocol == 17 }
        #expect(entries.count == 2)
        let entry = try #require(entries.first { $0.original == first })
        #expect(entry.reply == reversed)
        let forgotten = try socket.deleteEntries(family) { $0.original.destinationPort == 5353 }
        #expect(forgotten == 1)
        let isThere = try socket.delete(entry)
        #expect(!isThere)
        // UDP to the other port, and TCP.
        let rest = try socket.deleteEntries(family) { _ in true }
        #expect(rest == 2)
        let left = try socket.entries(family)
        #expect(left.isEmpty)
    }
}
