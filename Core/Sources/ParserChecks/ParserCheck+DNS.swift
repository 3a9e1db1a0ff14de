import Addresses
import DNSMessage
import DNSResolution

extension ParserCheck {
    /// The parsers of what clients and other servers send to the DNS server.
    static let dns: [ParserCheck] = [
        ParserCheck("dns-query", dnsQuery), ParserCheck("dns-answer", dnsAnswer),
    ]

    /// A zone with a name of each kind.
    private static let zone: ZoneSnapshot? = {
        func name(_ text: String) -> DNSName { DNSName("\(text).cluster.local") ?? .root }
        guard let domain = DNSName("cluster.local"), let settings = ZoneSettings(domain: domain, searchShortcut: [])
        else { return nil }
        var zone = ZoneSnapshot(settings: settings)
        let addresses = ["10.0.0.1", "fd00::1"].compactMap { IPAddress($0) }
        let location = DNSRecordData.srv(priority: 0, weight: 1, port: 80, target: name("web.default.svc"))
        for records in [
            NameRecords(name: name("web.default.svc"), addresses: addresses, endpoints: addresses, ttl: 30),
            NameRecords(name: name("_http._tcp.web.default.svc"), others: [location], ttl: 30),
            NameRecords(name: name("far.default.svc"), others: [.cname(DNSName("www.example.com") ?? .root)], ttl: 30),
        ] {
            zone.set(records)
        }
        zone.setClient(.loopback(.ipv4), ClientProfile(families: [.ipv6], namespace: "default", treatment: .synthesize))
        zone.isComplete = true
        return zone
    }()
    private static let metrics = ResolverMetrics()
    private static let options: ResolverOptions = {
        var options = ResolverOptions()
        options.dns64 = DNS64(prefixes: [.wellKnown])
        return options
    }()

    /// A resolver that has heard nothing yet.
    static func resolver(_ buffer: MessageBuffer) -> Resolver? {
        zone.map {
            Resolver(
                snapshot: $0, cache: AnswerCache(capacity: 16), options: options, metrics: metrics, buffer: buffer)
        }
    }

    private static func resolve(_ resolver: Resolver, _ query: [UInt8], isDatagram: Bool) -> Resolver.Outcome {
        let span = query.span
        return unsafe resolver.resolve(span.bytes, isDatagram: isDatagram, client: .loopback(.ipv4), now: 0)
    }

    /// Every answer can be read, bears the number of its query, and is no larger than the client takes.
    private static func dnsQuery(_ bytes: [UInt8]) -> String? {
        let buffer = MessageBuffer(capacity: 65535)
        guard let resolver = resolver(buffer) else { return "the zone of the check is not one" }
        for isDatagram in [true, false] {
            guard case .reply = resolve(resolver, bytes, isDatagram: isDatagram) else { continue }
            let answer = buffer.bytes
            guard let message = try? DNSMessage(parsing: answer) else { return "an answer cannot be read" }
            guard message.flags.contains(.response) else { return "an answer is a query" }
            guard answer[..<2] == bytes[..<2] else { return "an answer has another number" }
            guard !isDatagram || answer.count <= 1232 else { return "an answer is too large" }
        }
        return nil
    }
}
