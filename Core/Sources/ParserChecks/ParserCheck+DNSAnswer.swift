import Addresses
import DNSMessage
import DNSResolution

extension ParserCheck {
    /// The largest answer that a datagram may have, in bytes.
    private static let datagramLimit = 1232
    /// A client of whom nothing is known, and who may not ask.
    private static let stranger = IPAddress.v4(IPv4Address(rawValue: 0xCB00_7109))

    /// A query, and what another server says to the questions that it leads to: one byte of choices, the size of the query
    /// in two bytes, the query, and the message of the other server.
    ///
    /// Every answer can be read by a reader that knows nothing of the writer, and is no larger than its client takes; to a
    /// client who may not ask it is no larger than his query, and bears no record.
    static func dnsAnswer(_ bytes: [UInt8]) -> String? {
        guard bytes.count >= 3 else { return nil }
        let size = min(Int(bytes[1]) << 8 | Int(bytes[2]), bytes.count - 3)
        let query = Array(bytes[3..<(3 + size)])
        let buffer = MessageBuffer(capacity: 65535)
        guard let resolver = resolver(buffer) else { return "the zone of the check is not one" }
        let isDatagram = bytes[0] & 1 == 0
        guard let answer = ask(resolver, query, isDatagram, .loopback(.ipv4), says: Array(bytes[(3 + size)...])) else {
            return nil
        }
        guard let summary = AnswerReader.read(answer) else { return "an answer cannot be read" }
        guard summary.flags & 0x8000 != 0 else { return "an answer is a query" }
        guard !isDatagram || answer.count <= limit(query) else { return "an answer is too large" }

        guard let refusal = ask(resolver, query, isDatagram, stranger, says: []) else { return nil }
        guard let summary = AnswerReader.read(refusal) else { return "a refusal cannot be read" }
        guard summary.types.allSatisfy({ $0 == 41 }), summary.isError else { return "a stranger is answered" }
        return refusal.count <= query.count ? nil : "a refusal is larger than its query"
    }

    /// The answer to a query, another server saying always the same.
    private static func ask(
        _ resolver: Resolver, _ query: [UInt8], _ isDatagram: Bool, _ client: IPAddress, says message: [UInt8]
    ) -> [UInt8]? {
        let span = query.span
        for attempt in [Attempt.first, .again, .again, .late] {
            switch unsafe resolver.resolve(
                span.bytes, isDatagram: isDatagram, client: client, now: 0, attempt: attempt)
            {
            case .reply: return resolver.buffer.bytes
            case .ignore: return nil
            case .needs(let key):
                if let answer = receive(message, for: key) {
                    resolver.cache.store(answer)
                    continue
                }
                do throws(DNSError) {
                    resolver.cache.store(try CachedAnswer(message.span, for: key, now: 0))
                } catch {
                    resolver.cache.store(CachedAnswer(failure: key, now: 0))
                }
            }
        }
        return nil
    }

    /// What the machine that asks other servers makes of a message: once it bears the number and the question that the
    /// machine waits for, all the rest is up to the other server.
    private static func receive(_ message: [UInt8], for key: FactKey) -> CachedAnswer? {
        var machine = ForwardMachine()
        _ = machine.configure([ForwardRule(upstreams: [Upstream(.loopback(.ipv4))])])
        guard case .send(let id, _, _, let query)? = machine.ask(key, now: 0).first else { return nil }
        var reply = message
        let end = DNSHeader.size + key.name.count + 4
        if reply.count >= end {
            reply.replaceSubrange(..<2, with: query[..<2])
            reply.replaceSubrange(DNSHeader.size..<end, with: query[DNSHeader.size..<end])
        }
        return machine.receive(id, reply.span, now: 0).0
    }

    /// What a client takes in a datagram: 512 bytes, or what any OPT record in its query could say.
    private static func limit(_ query: [UInt8]) -> Int {
        var limit = 512
        for start in query.indices.dropLast(4) where query[start...].starts(with: [0, 0, 41]) {
            limit = max(limit, Int(query[start + 3]) << 8 | Int(query[start + 4]))
        }
        return min(limit, datagramLimit)
    }
}
