internal import Wire

/// A whole message as a value; servers that care for speed use the reader and the writer instead.
public struct DNSMessage: Hashable, Sendable {
    /// The number that pairs an answer with its query.
    public var id: UInt16
    /// The flags, the low bits of the response code included.
    public var flags: DNSFlags
    /// The questions; in practice one.
    public var questions: [DNSQuestion] = []
    /// The records that answer the question.
    public var answers: [ResourceRecord] = []
    /// The records about the authority.
    public var authorities: [ResourceRecord] = []
    /// Further records, the OPT record excepted.
    public var additionals: [ResourceRecord] = []
    /// What the OPT record says; nil without one.
    public var extendedDNS: ExtendedDNS?

    /// Makes a message without content.
    public init(id: UInt16, flags: DNSFlags) {
        self.id = id
        self.flags = flags
    }

    /// Makes a query for one name and type, which asks for recursion.
    public static func query(
        id: UInt16, name: DNSName, type: DNSRecordType, extendedDNS: ExtendedDNS? = nil
    ) -> DNSMessage {
        var message = DNSMessage(id: id, flags: .recursionDesired)
        message.questions = [DNSQuestion(name: name, type: type)]
        message.extendedDNS = extendedDNS
        return message
    }

    /// Reads a message; bytes after its last record are ignored.
    public init(parsing bytes: [UInt8]) throws(DNSError) {
        var reader = try DNSMessageReader(bytes.span)
        let header = reader.header
        id = header.id
        flags = header.flags
        for _ in 0..<header.questionCount { questions.append(try reader.readQuestion()) }
        for _ in 0..<header.answerCount { answers.append(try reader.readRecord()) }
        for _ in 0..<header.authorityCount { authorities.append(try reader.readRecord()) }
        for _ in 0..<header.additionalCount {
            let start = reader.offset
            let record = try reader.readRecord()
            guard record.data.type == .opt else {
                additionals.append(record)
                continue
            }
            guard extendedDNS == nil else { throw DNSError(.badOption, at: start) }
            extendedDNS = ExtendedDNS(dnsClass: record.dnsClass, ttl: record.ttl)
        }
    }

    /// The response code, with the upper bits of the OPT record.
    public var responseCode: DNSResponseCode {
        DNSResponseCode(rawValue: UInt16(extendedDNS?.extendedCode ?? 0) << 4 | flags.responseCode)
    }

    /// The message in at most `limit` bytes, marked as truncated if records had to be left out.
    public func serialized(limit: Int = 65535) -> [UInt8] {
        var writer = DNSMessageWriter()
        writer.begin(id: id, flags: flags, limit: limit, reservingExtendedDNS: extendedDNS != nil)
        for question in questions { writer.append(question) }
        let sections: [(DNSMessageWriter.Section, [ResourceRecord])] = [
            (.answer, answers), (.authority, authorities), (.additional, additionals),
        ]
        sections: for (section, records) in sections {
            for record in records where !writer.append(record, to: section) { break sections }
        }
        if let extendedDNS { writer.appendExtendedDNS(extendedDNS) }
        writer.finish()
        return writer.bytes
    }
}
