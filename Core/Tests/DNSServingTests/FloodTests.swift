import Addresses
import DNSMessage
import DNSResolution
import DNSServing
import Foundation
import Linux
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// What clients can do to a server, and through it to each other.
@Suite(.serialized, .enabled(if: Dig.isInstalled && getuid() == 0)) struct `A client that floods` {
    private static let name = "web.default.svc.cluster.local"

    private func zone() throws -> ZoneSnapshot { try Zones.make([("web.default.svc", ["10.96.0.20"], [])]) }

    @Test func `with local names leaves the others their answers`() throws {
        let port: UInt16 = 20551
        let query = DNSMessage.query(id: 7, name: Zones.name(Self.name), type: .a).serialized()
        let socket = try TestSocket(bound: "127.0.0.1", port: port, room: 4 << 20)
        let flood = try TestSocket(bound: "127.0.0.2")
        let other = try TestSocket(bound: "127.0.0.3")
        // All of it waits before the server reads the first.
        var asked = 0
        for index in 0..<6000 {
            flood.send(query, to: "127.0.0.1", port: port)
            if index % 100 == 50 {
                other.send(query, to: "127.0.0.1", port: port)
                asked += 1
            }
        }
        let server = try RunningServer(zone(), port: port) { state in
            let key = DNSServerState.SocketKey(address: .loopback(.ipv4), port: port, isStream: false)
            state.inherit(key, socket.take())
        }
        defer { server.stop() }
        for _ in 0..<asked { #expect(try DNSMessage(parsing: other.receive()).answers.count == 1) }
        #expect(server.state.losses.lost(.share) > 1000, "the flood has had its share, and no more")
        // The flood over, everybody is served again.
        flood.empty()
        flood.send(query, to: "127.0.0.1", port: port)
        #expect(try DNSMessage(parsing: flood.receive()).answers.count == 1)
    }

    @Test func `with silent connections leaves the others theirs, and loses its own`() throws {
        let server = try RunningServer(zone(), port: 20552)
        defer { server.stop() }
        let silent = try (0..<70).map { _ in try TestSocket(connectedTo: "127.0.0.1", port: 20552) }
        defer { withExtendedLifetime(silent) {} }
        let limit = ContinuousClock.now + .seconds(60)
        func lost(_ reason: LossReason, _ count: UInt64) -> Bool {
            while server.state.losses.lost(reason) < count, ContinuousClock.now < limit { usleep(2000) }
            return server.state.losses.lost(reason) == count
        }
        #expect(lost(.clientConnections, 6), "64 of one client are open at once")
        #expect(try server.dig("+short", "+tcp", "-b", "127.0.0.2", Self.name) == "10.96.0.20")
        #expect(lost(.silent, 64), "none of them has spoken in time")
        #expect(try server.dig("+short", "+tcp", Self.name) == "10.96.0.20")
    }

    @Test func `with what is no query is counted`() throws {
        let server = try RunningServer(zone(), port: 20553)
        defer { server.stop() }
        let datagrams = try TestSocket(bound: "127.0.0.1")
        datagrams.send([1, 2, 3], to: "127.0.0.1", port: 20553)
        let stream = try TestSocket(connectedTo: "127.0.0.1", port: 20553)
        stream.write([0, 3, 1, 2, 3])
        #expect(stream.isClosed(), "a connection that brings no query ends")
        #expect(try server.dig("+short", Self.name) == "10.96.0.20")
        let text = MetricsText(server.state).text
        #expect(text.contains(#"duet_dns_lost_total{reason="malformed"} 1"#), "\(text)")
        #expect(text.contains(#"duet_dns_lost_total{reason="broken"} 1"#), "\(text)")
    }
}
