import Addresses
import ClusterNames
import DNSMessage
import DNSResolution
import KubernetesAPI
import TestSupport
import Testing

@Suite struct `Queries` {
    @Test func `are answered within the size that the client takes`() throws {
        var model = Fixtures.emptyModel()
        let service = Fixtures.service("many", ips: ["None"])
        model.setService(service.key, service)
        for block in 0..<2 {
            let endpoints = (1...100).map { ("10.244.\(block).\($0)", String?.none, Bool?.none) }
            model.setSlice(
                old: nil, new: Fixtures.slice("many-\(block)", of: "many", type: "IPv4", endpoints: endpoints))
        }
        model.update(isComplete: true, now: 1)
        let name = "many.default.svc.cluster.local"
        for (extended, isDatagram, limit) in [
            (nil, true, 512), (ExtendedDNS(payloadSize: 100), true, 512), (ExtendedDNS(payloadSize: 1000), true, 1000),
            (ExtendedDNS(payloadSize: 4096), true, 1232), (nil, false, 65535), (ExtendedDNS(), false, 65535),
        ] as [(ExtendedDNS?, Bool, Int)] {
            let bench = ResolverBench(model.zone)
            let query = Fixtures.query(name, .a, extendedDNS: extended)
            let bytes = try bench.bytes(query, isDatagram: isDatagram)
            let message = try DNSMessage(parsing: bytes)
            #expect(bytes.count <= limit && (!isDatagram || bytes.count > limit - 16))
            #expect(message.flags.contains(.truncated) == isDatagram)
            #expect(isDatagram || Set(message.texts).count == 200)
            #expect((message.extendedDNS != nil) == (extended != nil))
        }
    }

    @Test func `that the server does not serve are refused`() throws {
        let name = "web.default.svc.cluster.local"
        let transfer = Fixtures.query("cluster.local", .axfr)
        let foreign = Fixtures.query("example.com", .ixfr)
        var chaos = Fixtures.query(name, .a)
        chaos[chaos.count - 1] = 3
        var notify = Fixtures.query(name, .a)
        notify[2] |= 0x20
        var twoQuestions = Fixtures.query(name, .a)
        twoQuestions[5] = 2
        var cut = Fixtures.query(name, .a)
        cut.removeLast(3)
        var pointer = Fixtures.query(name, .a)
        pointer[12] = 0xC0
        let version = Fixtures.query(name, .a, extendedDNS: ExtendedDNS(version: 1))
        var options = Fixtures.query(name, .a, extendedDNS: ExtendedDNS())
        options[options.count - 1] = 4
        options += [0, 10, 0, 9]
        var twice = Fixtures.query(name, .a, extendedDNS: ExtendedDNS())
        twice += twice.suffix(11)
        twice[11] = 2
        for (bytes, code) in [
            (transfer, DNSResponseCode.refused), (foreign, .refused), (chaos, .refused), (notify, .notImplemented),
            (twoQuestions, .formatError), (cut, .formatError), (pointer, .formatError), (version, .badVersion),
            (options, .formatError), (twice, .formatError),
        ] {
            #expect(try ResolverBench().ask(bytes).responseCode == code)
        }
    }

    @Test func `that are answers or scraps get no answer`() {
        var answer = Fixtures.query("web.default.svc.cluster.local", .a)
        answer[2] |= 0x80
        for bytes in [answer, [], [0, 1, 2]] {
            guard case .ignore = ResolverBench().resolve(bytes, .loopback(.ipv4)) else {
                Issue.record("an answer to \(bytes.count) bytes")
                continue
            }
        }
    }

    @Test(arguments: ["192.0.2.1", "2001:db8::1"])
    func `of strangers are refused, and never with more than they have sent`(client: String) throws {
        let bench = ResolverBench()
        for name in ["web.default.svc.cluster.local", "www.example.com"] {
            let query = Fixtures.query(name, .any, extendedDNS: ExtendedDNS())
            let bytes = try bench.bytes(query, from: client)
            #expect(try DNSMessage(parsing: bytes).responseCode == .refused)
            #expect(bytes.count <= query.count)
        }
        #expect(bench.asked.isEmpty)
    }

    @Test(arguments: UInt64(1)...8)
    func `that are damaged do no damage`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bench = ResolverBench()
        for round in 0..<2000 {
            let name = ["web.default.svc.cluster.local", "www.example.com", "_redis._tcp.db.default.svc.cluster.local"]
            var bytes = Fixtures.query(name[round % 3], [.any, .srv, .aaaa][round / 3 % 3], extendedDNS: ExtendedDNS())
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
            guard case .reply = bench.resolve(bytes, .loopback(.ipv4)) else { continue }
            if (try? DNSMessage(parsing: bench.buffer.bytes)) == nil {
                Issue.record("an answer that cannot be read, seed \(seed)")
            }
        }
    }
}
