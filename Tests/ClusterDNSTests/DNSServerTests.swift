import Addresses
import ClusterDNS
import DNSMessage
import Dispatch
import KubernetesAPI
import Linux
import Logging
import Testing

/// A server on loopback addresses, and dig to ask it.
private final class RunningServer: Sendable {
    let port: UInt16
    let state: DNSServerState
    private let end = DispatchSemaphore(value: 0)

    init(_ zone: ClusterZone, addresses: [String], port: UInt16, upstreams: [String] = [], upstreamPort: UInt16 = 53)
        throws
    {
        self.port = port
        var configuration = try #require(ClusterDNSConfiguration(upstreams: upstreams.compactMap { IPAddress($0) }))
        configuration.port = port
        configuration.upstreamPort = upstreamPort
        state = try DNSServerState(zone: zone)
        state.setAddresses(Set(addresses.compactMap { IPAddress($0) }))
        let (state, end) = (state, end)
        try OSThread.detach(name: "dt-base-dns") { [configuration] in
            try? DNSServer(state: state, configuration: configuration, logger: Logger(label: "test")).run()
            end.signal()
        }
    }

    func stop() {
        state.stop()
        end.wait()
    }

    /// What dig prints for its arguments.
    func dig(_ arguments: String..., at address: String = "127.0.0.1") throws -> String {
        try Dig.ask(address, port: port, arguments)
    }
}

@Suite(.serialized, .enabled(if: Dig.isInstalled))
struct `dig gets answers` {
    @Test func `on both families and both transports`() throws {
        let server = try RunningServer(Fixtures.zone, addresses: ["127.0.0.1", "::1"], port: 20531)
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
        #expect(try server.dig("+short", "-x", "fd00:10:96::20") == "web.default.svc.cluster.local.")
        #expect(try server.dig("nope.default.svc.cluster.local").contains("status: NXDOMAIN"))
        #expect(try server.dig("www.example.com").contains("status: SERVFAIL"))
        #expect(try server.dig("+short", "ext.default.svc.cluster.local") == "www.example.com.")
    }

    @Test func `too large for a datagram over a stream`() throws {
        var model = Fixtures.emptyModel()
        let service = Fixtures.service("many", ips: ["None"])
        model.setService(service.key, service)
        let endpoints = (1...200).map { ("10.244.0.\($0)", String?.none, Bool?.none) }
        model.setSlice(old: nil, new: Fixtures.slice("many", of: "many", type: "IPv4", endpoints: endpoints))
        model.update(isComplete: true, now: 1)
        let server = try RunningServer(model.zone, addresses: ["127.0.0.1"], port: 20532)
        defer { server.stop() }
        let name = "many.default.svc.cluster.local"
        #expect(try server.dig("+short", name).split(separator: "\n").count == 200)
        let truncated = try server.dig("+ignore", "+bufsize=700", name)
        #expect(truncated.contains("tc") && truncated.contains("udp: 1232"))
    }

    @Test func `from other servers, which are asked in turn`() throws {
        var model = Fixtures.emptyModel("example.test")
        for service in [
            Fixtures.service("far", ips: ["192.0.2.1", "2001:db8::1"]), Fixtures.service("big", ips: ["None"]),
        ] {
            model.setService(service.key, service)
        }
        let endpoints = (1...200).map { ("198.51.100.\($0)", String?.none, Bool?.none) }
        model.setSlice(old: nil, new: Fixtures.slice("big", of: "big", type: "IPv4", endpoints: endpoints))
        model.update(isComplete: true, now: 1)
        let far = try RunningServer(model.zone, addresses: ["127.0.0.3"], port: 20533)
        defer { far.stop() }

        var near = Fixtures.emptyModel()
        let alias = Fixtures.service(
            "ext", ips: [], type: "ExternalName", externalName: "far.default.svc.example.test")
        near.setService(alias.key, alias)
        near.update(isComplete: true, now: 1)
        // Nobody listens on the first server, so that the second has to be asked.
        let server = try RunningServer(
            near.zone, addresses: ["127.0.0.1"], port: 20534, upstreams: ["127.0.0.2", "127.0.0.3"], upstreamPort: 20533
        )
        defer { server.stop() }
        for _ in 0..<2 {  // the second time from the cache
            #expect(try server.dig("+short", "Far.default.svc.example.test") == "192.0.2.1")
            #expect(try server.dig("+short", "+noedns", "far.default.svc.example.test", "AAAA") == "2001:db8::1")
        }
        #expect(try server.dig("nope.default.svc.example.test").contains("status: NXDOMAIN"))
        #expect(try server.dig("+short", "big.default.svc.example.test").split(separator: "\n").count == 200)
        #expect(
            try server.dig("+short", "ext.default.svc.cluster.local")
                == "far.default.svc.example.test.\n192.0.2.1")
    }

    @Test func `but not from the server itself`() throws {
        let server = try RunningServer(
            Fixtures.zone, addresses: ["127.0.0.1"], port: 20537, upstreams: ["127.0.0.1"], upstreamPort: 20537)
        defer { server.stop() }
        #expect(try server.dig("www.example.com").contains("status: SERVFAIL"))
    }

    @Test func `from a new zone and new addresses at once`() throws {
        var model = Fixtures.emptyModel()
        model.update(isComplete: false, now: 1)
        let server = try RunningServer(model.zone, addresses: ["127.0.0.1"], port: 20535)
        defer { server.stop() }
        #expect(try server.dig("web.default.svc.cluster.local").contains("status: SERVFAIL"))
        server.state.publish(Fixtures.zone)
        #expect(try server.dig("+short", "web.default.svc.cluster.local") == "10.96.0.20")
        server.state.setAddresses(Set([IPAddress("127.0.0.4")].compactMap(\.self)))
        #expect(try server.dig("+short", "web.default.svc.cluster.local", at: "127.0.0.4") == "10.96.0.20")
    }
}
