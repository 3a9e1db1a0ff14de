import ClusterDNS
import DNSMessage
import KubernetesAPI
import TestSupport
import Testing

@Suite struct `The responder` {
    @Test func `honours the size that a client takes`() throws {
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
            var responder = Responder()
            let query = Fixtures.query(name, .a, extendedDNS: extended)
            _ = responder.respond(to: query.span, isDatagram: isDatagram, zone: model.zone)
            let bytes = responder.writer.bytes
            let message = try DNSMessage(parsing: bytes)
            #expect(bytes.count <= limit && (!isDatagram || bytes.count > limit - 16))
            #expect(message.flags.contains(.truncated) == isDatagram)
            #expect(isDatagram || message.answers.count == 200)
            #expect((message.extendedDNS != nil) == (extended != nil))
        }
    }

    @Test func `refuses what it does not serve`() throws {
        let name = "web.default.svc.cluster.local"
        let transfer = Fixtures.query("cluster.local", .axfr)
        var chaos = Fixtures.query(name, .a)
        chaos[chaos.count - 1] = 3
        var notify = Fixtures.query(name, .a)
        notify[2] |= 0x20
        var twoQuestions = Fixtures.query(name, .a)
        twoQuestions[5] = 2
        var cut = Fixtures.query(name, .a)
        cut.removeLast(3)
        let version = Fixtures.query(name, .a, extendedDNS: ExtendedDNS(version: 1))
        for (bytes, code) in [
            (transfer, DNSResponseCode.refused), (chaos, .refused), (notify, .notImplemented),
            (twoQuestions, .formatError), (cut, .formatError), (version, .badVersion),
        ] {
            var responder = Responder()
            guard case .reply = responder.respond(to: bytes.span, isDatagram: true, zone: Fixtures.zone) else {
                Issue.record("no answer where \(code) is due")
                continue
            }
            #expect(try DNSMessage(parsing: responder.writer.bytes).responseCode == code)
        }
    }

    @Test func `says nothing to answers and to scraps`() {
        var answer = Fixtures.query("web.default.svc.cluster.local", .a)
        answer[2] |= 0x80
        for bytes in [answer, [], [0, 1, 2]] {
            var responder = Responder()
            guard case .ignore = responder.respond(to: bytes.span, isDatagram: true, zone: Fixtures.zone) else {
                Issue.record("an answer to \(bytes.count) bytes")
                continue
            }
        }
    }

    @Test(arguments: UInt64(1)...6)
    func `survives damaged queries`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var responder = Responder()
        for _ in 0..<1000 {
            var bytes = Fixtures.query("web.default.svc.cluster.local", .any, extendedDNS: ExtendedDNS())
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
            guard case .reply = responder.respond(to: bytes.span, isDatagram: true, zone: Fixtures.zone) else {
                continue
            }
            if (try? DNSMessage(parsing: responder.writer.bytes)) == nil {
                Issue.record("an answer that cannot be read, seed \(seed)")
            }
        }
    }
}
