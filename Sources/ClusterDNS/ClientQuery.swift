import DNSMessage

/// What a client asks, and what it can take.
struct ClientQuery: Sendable {
    var id: UInt16 = 0
    var flags: DNSFlags = []
    var question = DNSQuestion(name: .root, type: .a)
    var extendedDNS: ExtendedDNS?
    /// The size of the largest answer, in bytes.
    var limit = 512

    /// What is to be done with a message.
    enum Verdict: Hashable {
        /// The question is to be answered.
        case answer
        /// The message is no query, and gets no answer.
        case ignore
        /// The query is answered with an error; its question may not have been read.
        case refuse(DNSResponseCode, hasQuestion: Bool)
    }

    /// Reads a query into this value, whose memory is used again.
    mutating func read(_ bytes: Span<UInt8>, isDatagram: Bool) -> Verdict {
        limit = isDatagram ? 512 : 65535
        extendedDNS = nil
        guard var reader = try? DNSMessageReader(bytes), !reader.header.flags.contains(.response) else {
            return .ignore
        }
        let header = reader.header
        id = header.id
        flags = header.flags
        guard flags.operation == 0 else { return .refuse(.notImplemented, hasQuestion: false) }
        guard header.questionCount == 1 else { return .refuse(.formatError, hasQuestion: false) }
        do throws(DNSError) {
            try reader.readQuestion(into: &question)
        } catch {
            return .refuse(.formatError, hasQuestion: false)
        }
        let records = Int(header.answerCount) + Int(header.authorityCount) + Int(header.additionalCount)
        do throws(DNSError) {
            var owner = DNSName.root
            for _ in 0..<records {
                guard let found = try reader.skipRecord(owner: &owner).extendedDNS else { continue }
                guard extendedDNS == nil else { return .refuse(.formatError, hasQuestion: true) }
                extendedDNS = found
            }
        } catch {
            return .refuse(.formatError, hasQuestion: true)
        }
        if let extendedDNS {
            guard extendedDNS.version == 0 else { return .refuse(.badVersion, hasQuestion: true) }
            let safe = Int(ExtendedDNS.safePayloadSize)
            if isDatagram { limit = min(max(Int(extendedDNS.payloadSize), 512), safe) }
        }
        guard question.dnsClass == .internet else { return .refuse(.refused, hasQuestion: true) }
        return .answer
    }

    /// The flags of an answer to this query.
    func responseFlags(_ code: DNSResponseCode, isAuthoritative: Bool) -> DNSFlags {
        var result: DNSFlags = [.response, .recursionAvailable]
        result.formUnion(flags.intersection([.recursionDesired, .checkingDisabled]))
        if isAuthoritative { result.insert(.authoritative) }
        result.responseCode = code.rawValue & 0xF
        return result
    }
}
