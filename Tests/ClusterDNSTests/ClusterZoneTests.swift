import Addresses
import ClusterDNS
import DNSMessage
import KubernetesAPI
import Testing

@Suite struct `The cluster's zone` {
    /// Answers with records: the sections 7.1 of the contract.
    @Test(
        arguments: [
            ("web.default.svc.cluster.local", .a, ["10.96.0.20"]),
            ("WEB.Default.svc.Cluster.LOCAL", .aaaa, ["fd00:10:96::20"]),
            ("_http._tcp.web.default.svc.cluster.local", .srv, ["0 100 80 web.default.svc.cluster.local."]),
            ("_quic._udp.web.default.svc.cluster.local", .srv, ["0 100 443 web.default.svc.cluster.local."]),
            ("10-244-0-5.web.default.svc.cluster.local", .a, ["10.244.0.5"]),
            ("six.apps.svc.cluster.local", .aaaa, ["fd00:10:96::21"]),
            ("db.default.svc.cluster.local", .a, ["10.244.0.7", "10.244.1.7"]),
            ("db.default.svc.cluster.local", .aaaa, ["fd00:10:244::7", "fd00::"]),
            ("db-0.db.default.svc.cluster.local", .a, ["10.244.0.7"]),
            ("db-0.db.default.svc.cluster.local", .aaaa, ["fd00:10:244::7"]),
            ("10-244-1-7.db.default.svc.cluster.local", .a, ["10.244.1.7"]),
            ("fd00--0.db.default.svc.cluster.local", .aaaa, ["fd00::"]),
            (
                "_redis._tcp.db.default.svc.cluster.local", .srv,
                [
                    "0 33 6379 10-244-1-7.db.default.svc.cluster.local.",
                    "0 33 6379 db-0.db.default.svc.cluster.local.",
                    "0 33 6379 fd00--0.db.default.svc.cluster.local.",
                ]
            ),
            ("20.0.96.10.in-addr.arpa", .ptr, ["web.default.svc.cluster.local."]),
            ("7.0.244.10.in-addr.arpa", .ptr, ["db-0.db.default.svc.cluster.local."]),
            ("5.0.244.10.in-addr.arpa", .ptr, ["10-244-0-5.web.default.svc.cluster.local."]),
            (
                "0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa", .ptr,
                ["web.default.svc.cluster.local."]
            ),
            ("ext.default.svc.cluster.local", .cname, ["www.example.com."]),
            ("near.default.svc.cluster.local", .a, ["web.default.svc.cluster.local.", "10.96.0.20"]),
            ("dns-version.cluster.local", .txt, ["\"1.1.0\""]), ("cluster.local", .ns, ["ns.dns.cluster.local."]),
            ("cluster.local", .soa, ["ns.dns.cluster.local. hostmaster.cluster.local."]),
            ("ns.dns.cluster.local", .a, ["10.96.0.10"]), ("ns.dns.cluster.local", .aaaa, ["fd00:10:96::a"]),
        ] as [(String, DNSRecordType, [String])])
    func `answers with records`(name: String, type: DNSRecordType, records: [String]) throws {
        let message = try respond(name, type)
        #expect(message.responseCode == .noError)
        #expect(message.flags.isSuperset(of: [.response, .authoritative, .recursionDesired]))
        #expect(message.answers.map(\.data.text).sorted() == records.sorted())
        #expect(message.answers.first?.name.description == name + ".", "the case of the question is kept")
        #expect(message.answers.allSatisfy { $0.ttl == (type == .txt ? 28800 : 30) })
    }

    /// Negative answers: section 7.2 of the contract.
    @Test(
        arguments: [
            ("cluster.local", .a, .noError), ("svc.cluster.local", .a, .noError), ("pod.cluster.local", .a, .noError),
            ("default.svc.cluster.local", .a, .noError), ("nowhere.svc.cluster.local", .a, .nameError),
            ("default.pod.cluster.local", .a, .nameError), ("nope.default.svc.cluster.local", .a, .nameError),
            ("nope.default.svc.cluster.local", .aaaa, .nameError), ("old.default.svc.cluster.local", .aaaa, .noError),
            ("six.apps.svc.cluster.local", .a, .noError), ("web.default.svc.cluster.local", .txt, .noError),
            ("gone.default.svc.cluster.local", .a, .nameError), ("one.default.svc.cluster.local", .aaaa, .noError),
            ("_nope._tcp.web.default.svc.cluster.local", .srv, .nameError),
            ("_http._udp.web.default.svc.cluster.local", .srv, .nameError),
            ("a.b.web.default.svc.cluster.local", .a, .nameError), ("x.db.default.svc.cluster.local", .a, .nameError),
            ("10-244-1-8.db.default.svc.cluster.local", .a, .nameError), ("x.cluster.local", .a, .nameError),
            ("10-244-0-5.web.default.svc.cluster.local", .aaaa, .noError), ("20.0.96.10.in-addr.arpa", .a, .noError),
        ] as [(String, DNSRecordType, DNSResponseCode)])
    func `denies with its authority`(name: String, type: DNSRecordType, code: DNSResponseCode) throws {
        let message = try respond(name, type)
        #expect(message.responseCode == code)
        #expect(message.answers.isEmpty)
        #expect(message.flags.contains(.authoritative))
        let authority = try #require(message.authorities.first)
        guard case .soa(let soa) = authority.data else {
            Issue.record("no SOA record")
            return
        }
        #expect(soa.minimum == 30 && soa.serial == 1_700_000_000)
    }

    @Test(
        arguments: [
            ("www.example.com", .a), ("local", .a), ("9.9.9.9.in-addr.arpa", .ptr), ("0.96.10.in-addr.arpa", .ptr),
            ("256.0.96.10.in-addr.arpa", .ptr), ("x.0.96.10.in-addr.arpa", .ptr), ("0.2.ip6.arpa", .ptr), (".", .ns),
        ] as [(String, DNSRecordType)])
    func `leaves other names to others`(name: String, type: DNSRecordType) {
        #expect(Fixtures.zone.answer(DNSQuestion(name: Fixtures.name(name), type: type)) == .outside)
    }

    @Test func `hands an alias with a far target on`() {
        let question = DNSQuestion(name: Fixtures.name("ext.default.svc.cluster.local"), type: .aaaa)
        #expect(Fixtures.zone.answer(question) == .alias(Fixtures.name("www.example.com")))
    }

    @Test func `denies nothing before it is complete`() {
        var model = Fixtures.emptyModel()
        let service = Fixtures.service("web", ips: ["10.96.0.20"])
        model.setService(service.key, service)
        model.update(isComplete: false, now: 1)
        let known = DNSQuestion(name: Fixtures.name("web.default.svc.cluster.local"), type: .a)
        let unknown = DNSQuestion(name: Fixtures.name("late.default.svc.cluster.local"), type: .a)
        #expect(model.zone.answer(known) == .records([.a(IPv4Address(rawValue: 0x0A60_0014))]))
        #expect(model.zone.answer(unknown) == .notReady)
        model.update(isComplete: true, now: 2)
        #expect(model.zone.answer(unknown) == .nameError)
    }

    @Test func `adds the addresses of what SRV records lead to`() throws {
        let message = try respond("_redis._tcp.db.default.svc.cluster.local", .srv)
        #expect(
            Set(message.additionals.map(\.data.text)) == ["10.244.0.7", "fd00:10:244::7", "10.244.1.7", "fd00::"])
    }

    @Test func `begins with another address each time`() throws {
        var responder = Responder()
        var firsts: Set<String> = []
        let query = Fixtures.query("db.default.svc.cluster.local", .a)
        for _ in 0..<8 {
            _ = responder.respond(to: query.span, isDatagram: true, zone: Fixtures.zone)
            firsts.insert(try DNSMessage(parsing: responder.writer.bytes).answers[0].data.text)
        }
        #expect(firsts == ["10.244.0.7", "10.244.1.7"])
    }

    private func respond(_ name: String, _ type: DNSRecordType) throws -> DNSMessage {
        var responder = Responder()
        let query = Fixtures.query(name, type)
        guard case .reply = responder.respond(to: query.span, isDatagram: true, zone: Fixtures.zone) else {
            throw NoReply()
        }
        return try DNSMessage(parsing: responder.writer.bytes)
    }

    private struct NoReply: Error {}
}
