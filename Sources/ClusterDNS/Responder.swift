package import DNSMessage

/// Turns the bytes of a query into the bytes of an answer, using the same memory for every query.
package struct Responder: Sendable {
    /// What became of a query.
    package enum Outcome: Sendable {
        /// The answer is in `writer.bytes`.
        case reply
        /// Another server must be asked, for the question itself or, if the name is an alias, for its target.
        case forward(alias: DNSName?)
        /// There is no answer.
        case ignore
    }

    /// The answer.
    package private(set) var writer = DNSMessageWriter()
    /// The query last read.
    private(set) var query = ClientQuery()
    /// Which address comes first; it changes with each answer, so that clients spread.
    private var rotation = 0

    /// Makes a responder.
    package init() {}

    /// Answers a query from the zone.
    package mutating func respond(to bytes: Span<UInt8>, isDatagram: Bool, zone: ClusterZone) -> Outcome {
        switch query.read(bytes, isDatagram: isDatagram) {
        case .ignore: return .ignore
        case .refuse(let code, let hasQuestion):
            refuse(query, code, hasQuestion: hasQuestion)
            return .reply
        case .answer: break
        }
        switch zone.answer(query.question) {
        case .records(let records):
            begin(.noError)
            append(records, at: query.question.name, zone)
            appendLocations(of: records, zone)
        case .alias(let target):
            guard answerAlias(target, zone) else { return .forward(alias: target) }
        case .noData: deny(.noError, zone)
        case .nameError: deny(.nameError, zone)
        case .refused:
            refuse(query, .refused)
            return .reply
        case .notReady:
            refuse(query, .serverFailure)
            return .reply
        case .outside: return .forward(alias: nil)
        }
        end(query)
        return .reply
    }

    /// Writes an answer without records.
    mutating func refuse(_ query: ClientQuery, _ code: DNSResponseCode, hasQuestion: Bool = true) {
        begin(query, code, isAuthoritative: false, hasQuestion: hasQuestion)
        end(query, code)
    }

    /// Writes the answer of an alias whose target another server knows: the alias, and what that server answered.
    mutating func answerAlias(_ query: ClientQuery, target: DNSName, answers: [ResourceRecord], ttl: UInt32) {
        begin(query, .noError, isAuthoritative: true, hasQuestion: true)
        writer.append(owner: query.question.name, ttl: ttl, data: .cname(target), to: .answer)
        for record in answers where !writer.append(record, to: .answer) { break }
        end(query)
    }

    /// Answers an alias from the zone; the result is false where another server must be asked.
    ///
    /// The alias stands alone where it is what was asked for, and with its target's records where the zone has these.
    private mutating func answerAlias(_ target: DNSName, _ zone: ClusterZone) -> Bool {
        let isAsked = query.question.type == .cname || query.question.type == .any
        guard isAsked || target.isInside(zone.domain) else { return false }
        begin(.noError)
        writer.append(owner: query.question.name, ttl: zone.ttl, data: .cname(target), to: .answer)
        if !isAsked, let records = zone.records(of: target) { append(records, at: target, zone) }
        return true
    }

    private mutating func begin(_ code: DNSResponseCode) {
        begin(query, code, isAuthoritative: true, hasQuestion: true)
    }

    private mutating func begin(
        _ query: ClientQuery, _ code: DNSResponseCode, isAuthoritative: Bool, hasQuestion: Bool
    ) {
        writer.begin(
            id: query.id, flags: query.responseFlags(code, isAuthoritative: isAuthoritative), limit: query.limit,
            reservingExtendedDNS: query.extendedDNS != nil)
        if hasQuestion { writer.append(query.question) }
    }

    private mutating func end(_ query: ClientQuery, _ code: DNSResponseCode = .noError) {
        if let extended = query.extendedDNS {
            writer.appendExtendedDNS(
                ExtendedDNS(
                    extendedCode: UInt8(truncatingIfNeeded: code.rawValue >> 4), wantsDNSSEC: extended.wantsDNSSEC))
        }
        writer.finish()
    }

    /// Appends the records of the asked type, beginning at another one each time.
    private mutating func append(_ records: [DNSRecordData], at owner: DNSName, _ zone: ClusterZone) {
        let type = query.question.type
        rotation &+= 1
        let first = Int(rotation.magnitude % UInt(max(records.count, 1)))
        for index in records.indices {
            let position = first + index
            let record = records[position < records.count ? position : position - records.count]
            guard type == .any || record.type == type else { continue }
            let ttl = record.type == .txt ? ClusterZone.versionTTL : zone.ttl
            guard writer.append(owner: owner, ttl: ttl, data: record, to: .answer) else { return }
        }
    }

    /// Appends the addresses of the names that SRV and NS records lead to.
    private mutating func appendLocations(of records: [DNSRecordData], _ zone: ClusterZone) {
        guard query.question.type == .srv || query.question.type == .ns else { return }
        for record in records {
            let target: DNSName
            switch record {
            case .srv(_, _, _, let name), .ns(let name): target = name
            default: continue
            }
            for address in zone.records(of: target) ?? [] where address.type == .a || address.type == .aaaa {
                guard writer.append(owner: target, ttl: zone.ttl, data: address, to: .additional) else { return }
            }
        }
    }

    /// Writes a negative answer, which carries the start of authority (RFC 2308).
    private mutating func deny(_ code: DNSResponseCode, _ zone: ClusterZone) {
        begin(code)
        let owner = query.question.name.isInside(zone.domain) ? zone.domain : query.question.name
        writer.append(owner: owner, ttl: zone.ttl, data: zone.authority, to: .authority)
    }
}
