import Addresses
import DNSMessage
import DNSResolution
import DNSServing
import Foundation
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: Dig.isInstalled))
struct `dig gets answers` {
    private let zone: ZoneSnapshot

    init() throws {
        zone = try Zones.make([
            ("web.default.svc", ["10.96.0.20", "fd00:10:96::20"], []),
            ("ext.default.svc", [], [.cname(Zones.name("far.svc.example.test"))]),
            ("many.default.svc", (1...200).map { "10.244.0.\($0)" }, []),
        ])
    }

    @Test func `on both families and both transports`() throws {
        let server = try RunningServer(zone, addresses: ["127.0.0.1", "::1"], port: 20531)
        defer { server.stop() }
        for address in ["127.0.0.1", "::1"] {
            for transport in ["+notcp", "+tcp"] {
                for (type, expected) in [("A", "10.96.0.20"), ("AAAA", "fd00:10:96::20")] {
                    let answer = try server.dig(
                        "+short", transport, "web.default.svc.cluster.local", type, at: address)
                    #expect(answer == expected, "\(address) \(transport)")
                }
            }
        }
        #expect(try server.dig("WeB.default.svc.cluster.local").contains("WeB.default.svc.cluster.local."))
        #expect(try server.dig("nope.default.svc.cluster.local").contains("status: NXDOMAIN"))
        #expect(try server.dig("www.example.com").contains("status: SERVFAIL"))
        #expect(
            try server.dig("+short", "+keepopen", "+tcp", "ext.default.svc.cluster.local", "CNAME").hasPrefix("far."))
        #expect(MetricsText(server.state).text.contains(#"outcome="NXDOMAIN",source="cluster",type="A"} 1"#))
    }

    @Test func `too large for a datagram over a stream`() throws {
        let server = try RunningServer(zone, port: 20532)
        defer { server.stop() }
        let name = "many.default.svc.cluster.local"
        #expect(try server.dig("+short", name).split(separator: "\n").count == 200)
        let truncated = try server.dig("+ignore", "+bufsize=700", name)
        #expect(truncated.contains("tc") && truncated.contains("udp: 1232"))
    }

    @Test func `from other servers, which are asked in turn, and once`() throws {
        let far = try RunningServer(
            Zones.make(
                domain: "example.test",
                [
                    ("far.svc", ["192.0.2.1", "2001:db8::1"], []), ("big", (1...200).map { "198.51.100.\($0)" }, []),
                ]), addresses: ["127.0.0.3"], port: 20533)
        defer { far.stop() }
        // Nobody listens on the first server, so that the second has to be asked.
        let server = try RunningServer(zone, port: 20534, upstreams: ["127.0.0.2:20533", "127.0.0.3:20533"])
        defer { server.stop() }
        for _ in 0..<2 {  // the second time from the cache
            #expect(try server.dig("+short", "Far.svc.example.test") == "192.0.2.1")
            #expect(try server.dig("+short", "+noedns", "far.svc.example.test", "AAAA") == "2001:db8::1")
        }
        #expect(try server.dig("nope.svc.example.test").contains("status: NXDOMAIN"))
        #expect(try server.dig("+short", "big.example.test").split(separator: "\n").count == 200)
        #expect(try server.dig("+short", "ext.default.svc.cluster.local") == "far.svc.example.test.\n192.0.2.1")
        let text = MetricsText(server.state).text
        #expect(text.contains(#"source="cache",type="A"}"#) && text.contains(#"source="upstream",type="AAAA"}"#))

        far.stop()
        #expect(try server.dig("+short", "far.svc.example.test") == "192.0.2.1", "from the cache")
        #expect(try server.dig("other.svc.example.test").contains("status: SERVFAIL"))
    }

    @Test func `that are too old when no other server is there, and tells it`() throws {
        let far = try RunningServer(
            Zones.make(domain: "example.test", [("far.svc", ["192.0.2.1"], [])], ttl: 1), addresses: ["127.0.0.3"],
            port: 20542)
        defer { far.stop() }
        let server = try RunningServer(zone, port: 20543, upstreams: ["127.0.0.3:20542"])
        defer { server.stop() }
        #expect(try server.dig("+short", "far.svc.example.test") == "192.0.2.1")
        far.stop()
        let limit = ContinuousClock.now + .seconds(60)
        var answer = ""
        while !answer.contains("30\tIN\tA\t192.0.2.1"), ContinuousClock.now < limit {
            answer = try server.dig("+noall", "+answer", "far.svc.example.test")
        }
        #expect(ContinuousClock.now < limit, "\(answer)")
        #expect(MetricsText(server.state).text.contains(#"source="stale",type="A"}"#))
    }

    @Test func `but not from the server itself`() throws {
        let server = try RunningServer(zone, port: 20537, upstreams: ["127.0.0.1:20537"])
        defer { server.stop() }
        #expect(try server.dig("www.example.com").contains("status: SERVFAIL"))
    }

    @Test func `and servers that ask each other end`() throws {
        let one = try RunningServer(zone, port: 20538, upstreams: ["127.0.0.1:20539"])
        defer { one.stop() }
        let other = try RunningServer(zone, port: 20539, upstreams: ["127.0.0.1:20538"])
        defer { other.stop() }
        #expect(try one.dig("www.example.com").contains("status: SERVFAIL"))
    }

    @Test func `from a new zone and new addresses at once`() throws {
        var empty = try Zones.make([])
        empty.isComplete = false
        let server = try RunningServer(empty, port: 20535)
        defer { server.stop() }
        #expect(try server.dig("web.default.svc.cluster.local").contains("status: SERVFAIL"))
        server.state.publish(zone)
        #expect(try server.dig("+short", "web.default.svc.cluster.local") == "10.96.0.20")
        let address = try #require(IPAddress("127.0.0.4"))
        server.state.setAddresses([address])
        let limit = ContinuousClock.now + .seconds(60)
        while server.state.answering != [address], ContinuousClock.now < limit { usleep(2000) }
        #expect(try server.dig("+short", "web.default.svc.cluster.local", at: "127.0.0.4") == "10.96.0.20")
    }

    @Test func `while one process takes the place of another`() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("dns-\(getpid()).sock").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let old = try RunningServer(zone, addresses: ["127.0.0.1", "::1"], port: 20540)
        defer { old.stop() }
        try SocketHandover(from: path, into: old.state).start()
        var changed = zone
        changed.set(NameRecords(name: Zones.name("new.cluster.local"), addresses: [.loopback(.ipv4)], ttl: 1))
        let new = try RunningServer(
            changed, addresses: ["127.0.0.1", "::1"], port: 20540, inheritingFrom: path)
        defer { new.stop() }
        old.stop()
        for address in ["127.0.0.1", "::1"] {
            for transport in ["+notcp", "+tcp"] {
                let answer = try new.dig("+short", transport, "new.cluster.local", at: address)
                #expect(answer == "127.0.0.1", "\(address) \(transport)")
            }
        }
    }
}
