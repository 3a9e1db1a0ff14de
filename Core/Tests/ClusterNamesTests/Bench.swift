import Addresses
import DNSMessage
import DNSResolution

/// A resolver with its cache, and other servers whose answers are given.
final class ResolverBench {
    let resolver: Resolver
    let cache = AnswerCache(capacity: 64)
    let metrics = ResolverMetrics()
    let buffer = MessageBuffer(capacity: 65535)
    /// The answers of other servers: records, or a response code.
    var answers: [String: Result<[ResourceRecord], ServerSays>] = [:]
    /// The lifetime of absence that the other servers give; nil for answers without a start of authority.
    var negativeTTL: UInt32? = 60
    /// What other servers have been asked.
    var asked: [FactKey] = []
    var now: Int64 = 1_000_000

    struct ServerSays: Error {
        let code: DNSResponseCode
    }

    init(_ zone: ZoneSnapshot = Fixtures.zone, _ change: (inout ResolverOptions) -> Void = { _ in }) {
        var options = ResolverOptions()
        change(&options)
        resolver = Resolver(snapshot: zone, cache: cache, options: options, metrics: metrics, buffer: buffer)
    }

    struct NoReply: Error {}

    /// The answer to a query, other servers being asked as needed.
    func ask(_ query: [UInt8], from client: String = "127.0.0.1", isDatagram: Bool = true) throws -> DNSMessage {
        try DNSMessage(parsing: bytes(query, from: client, isDatagram: isDatagram))
    }

    func bytes(_ query: [UInt8], from client: String = "127.0.0.1", isDatagram: Bool = true) throws -> [UInt8] {
        let client = IPAddress(client) ?? .loopback(.ipv4)
        for attempt in [Attempt.first, .again, .again, .again] {
            switch resolve(query, client, isDatagram, attempt) {
            case .reply: return buffer.bytes
            case .ignore: throw NoReply()
            case .needs(let key): fetch(key)
            }
        }
        throw NoReply()
    }

    func resolve(_ query: [UInt8], _ client: IPAddress, _ isDatagram: Bool = true, _ attempt: Attempt = .first)
        -> Resolver.Outcome
    {
        let span = query.span
        return unsafe resolver.resolve(span.bytes, isDatagram: isDatagram, client: client, now: now, attempt: attempt)
    }

    /// The answer to a question.
    func ask(
        _ name: String, _ type: DNSRecordType, from client: String = "127.0.0.1", extendedDNS: ExtendedDNS? = nil,
        flags: DNSFlags = []
    ) throws -> DNSMessage {
        var message = DNSMessage.query(id: 7, name: Fixtures.name(name), type: type, extendedDNS: extendedDNS)
        message.flags.formUnion(flags)
        return try ask(message.serialized(), from: client)
    }

    private func fetch(_ key: FactKey) {
        asked.append(key)
        let name = DNSName(wire: key.name) ?? .root
        var message = DNSMessage(id: 1, flags: [.response, .recursionAvailable])
        message.questions = [DNSQuestion(name: name, type: key.type)]
        var text = "\(name)".dropLast()
        text += " \(typeName(key.type))"
        switch answers[String(text)] ?? .failure(ServerSays(code: .nameError)) {
        case .success(let records): message.answers = records
        case .failure(let says): message.flags.responseCode = says.code.rawValue
        }
        if !message.answers.contains(where: { $0.data.type == key.type }), let negativeTTL {
            message.authorities = [
                ResourceRecord(
                    name: Fixtures.name("example"), ttl: 300,
                    data: .soa(
                        StartOfAuthority(
                            primary: Fixtures.name("a.example"), mailbox: Fixtures.name("b.example"), serial: 1,
                            refresh: 2, retry: 3, expire: 4, minimum: negativeTTL)))
            ]
        }
        guard let answer = try? CachedAnswer(message.serialized().span, for: key, now: now) else {
            cache.store(CachedAnswer(failure: key, now: now))
            return
        }
        cache.store(answer)
    }

    private func typeName(_ type: DNSRecordType) -> String {
        switch type {
        case .a: "A"
        case .aaaa: "AAAA"
        case .ptr: "PTR"
        default: "\(type.rawValue)"
        }
    }

    /// Gives a name addresses or an alias on the other servers.
    func add(_ name: String, _ records: (owner: String, data: DNSRecordData)..., ttl: UInt32 = 300) {
        for type in [DNSRecordType.a, .aaaa, .ptr] {
            let fitting = records.filter { $0.data.type == type || $0.data.type == .cname }
            answers["\(name) \(typeName(type))"] = .success(
                fitting.map { ResourceRecord(name: Fixtures.name($0.owner), ttl: ttl, data: $0.data) })
        }
    }
}

extension DNSRecordData {
    static func address(_ text: String) -> DNSRecordData { DNSRecordData(IPAddress(text) ?? .unspecified(.ipv4)) }
}

extension DNSMessage {
    /// The data of the answers as `dig +short` prints it.
    var texts: [String] { answers.map(\.data.text) }
}
