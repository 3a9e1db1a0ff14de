import Addresses
import ClusterDNS
import Foundation
import Linux
import RouteNetlink
import Testing

@Suite(.enabled(if: getuid() == 0)) struct `The node's own addresses` {
    private static let both = Set(["10.96.0.10", "fd00:10:96::a"].compactMap { IPAddress($0) })

    @Test func `come, stay and go with the Service`() throws {
        let name = "dt-dns-\(UInt32.random(in: .min ... .max))"
        let namespace = try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }
        try namespace.run {
            try LinkAddresses.apply(Self.both, former: [], link: "lo")
            #expect(try Self.present() == Self.both)
            // A process that starts anew finds them and leaves them as they are.
            try LinkAddresses.apply(Self.both, former: [], link: "lo")
            #expect(try Self.present() == Self.both)
            let ipv6 = Self.both.filter { $0.family == .ipv6 }
            try LinkAddresses.apply(ipv6, former: Self.both, link: "lo")
            #expect(try Self.present() == ipv6)
            try LinkAddresses.apply([], former: ipv6, link: "lo")
            #expect(try Self.present() == [])
        }
    }

    /// The addresses of `lo` with the full prefix length.
    private static func present() throws -> Set<IPAddress> {
        var socket = try RouteSocket()
        let lo = try #require(try socket.link(named: "lo"))
        let entries = try socket.addresses(lo.index)
        return Set(
            entries.filter { $0.address.length == $0.address.address.family.bitWidth }.map(\.address.address)
                .filter { !$0.isLoopback })
    }
}
