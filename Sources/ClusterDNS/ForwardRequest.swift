import DNSMessage

/// Where an answer goes.
enum ForwardClient {
    case datagram(listener: UInt32, peer: SocketAddress)
    case stream(UInt32)
}

/// A question that another server is asked, and who wants to know.
struct ForwardRequest {
    let client: ForwardClient
    let query: ClientQuery
    /// The target of the asked name, where that is an alias in the zone.
    let alias: DNSName?
    /// The lifetime of the alias, in seconds.
    let ttl: UInt32

    /// What the other server is asked.
    var question: DNSQuestion {
        DNSQuestion(name: alias ?? query.question.name, type: query.question.type)
    }

    /// The message to the other server.
    func message(id: UInt16) -> [UInt8] {
        var writer = DNSMessageWriter()
        let flags = query.flags.intersection([.recursionDesired, .checkingDisabled])
        writer.begin(id: id, flags: alias == nil ? flags : flags.union(.recursionDesired), limit: 512)
        writer.append(question)
        if let extended = query.extendedDNS {
            writer.appendExtendedDNS(ExtendedDNS(wantsDNSSEC: extended.wantsDNSSEC))
        }
        writer.finish()
        return writer.bytes
    }

    /// What the client is sent, given what the other server answered; nil if none did.
    func answer(_ bytes: [UInt8]?, _ responder: inout Responder) -> [UInt8] {
        if let alias {
            let message = bytes.flatMap { try? DNSMessage(parsing: $0) }
            responder.answerAlias(query, target: alias, answers: message?.answers ?? [], ttl: ttl)
            return responder.writer.bytes
        }
        guard var bytes else {
            responder.refuse(query, .serverFailure)
            return responder.writer.bytes
        }
        let name = query.question.name.wire
        // The name of the question stands first and whole: it has been compared with what was asked.
        bytes.replaceSubrange(DNSHeader.size..<(DNSHeader.size + name.count), with: name)
        bytes[0] = UInt8(truncatingIfNeeded: query.id >> 8)
        bytes[1] = UInt8(truncatingIfNeeded: query.id)
        guard bytes.count > query.limit else { return bytes }
        var flags = DNSFlags(rawValue: UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
        flags.insert(.truncated)
        var writer = DNSMessageWriter()
        writer.begin(id: query.id, flags: flags, limit: query.limit)
        writer.append(query.question)
        if query.extendedDNS != nil { writer.appendExtendedDNS(ExtendedDNS()) }
        writer.finish()
        return writer.bytes
    }

    /// Whether a message answers this request under the given number.
    func isAnswered(by bytes: [UInt8], id: UInt16) -> Bool {
        guard var reader = try? DNSMessageReader(bytes.span), reader.header.id == id,
            reader.header.flags.contains(.response), reader.header.questionCount == 1,
            let question = try? reader.readQuestion()
        else { return false }
        return question == self.question
    }
}
