import DNSMessage
import Wire

/// The messages to and from other servers.
enum UpstreamMessage {
    private static let cookieOption: UInt16 = 10

    /// A query; the name is spelled in a random case, which a forger would have to guess too.
    static func query(_ key: FactKey, id: UInt16, cases: UInt128, server: UpstreamState) -> [UInt8] {
        var flags: DNSFlags = [.recursionDesired]
        if key.isCheckingDisabled { flags.insert(.checkingDisabled) }
        var writer = ByteWriter(capacity: 96)
        writer.append(id)
        writer.append(flags.rawValue)
        writer.append(UInt16(1))
        writer.append(UInt32(0))
        writer.append(UInt16(server.takesExtendedDNS ? 1 : 0))
        writer.append(contentsOf: spelled(key.name, cases: server.keepsCase ? cases : 0))
        writer.append(key.type.rawValue)
        writer.append(DNSClass.internet.rawValue)
        guard server.takesExtendedDNS else { return writer.bytes }
        writer.append(UInt8(0))
        writer.append(DNSRecordType.opt.rawValue)
        writer.append(ExtendedDNS.safePayloadSize)
        writer.append(UInt32(key.wantsDNSSEC ? 0x8000 : 0))
        writer.append(UInt16(12 + server.serverCookie.count))
        writer.append(cookieOption)
        writer.append(UInt16(8 + server.serverCookie.count))
        writer.append(server.clientCookie)
        writer.append(contentsOf: server.serverCookie)
        return writer.bytes
    }

    /// A name whose letters are capitals where a bit is set.
    static func spelled(_ name: [UInt8], cases: UInt128) -> [UInt8] {
        name.enumerated().map { index, byte in
            let isCapital = cases >> UInt128(index & 127) & 1 == 1
            return isCapital && byte &- UInt8(ascii: "a") < 26 ? byte & ~0x20 : byte
        }
    }

    /// What a message is to a query.
    enum Match: Equatable {
        /// It answers it; the server's cookie comes along, if there is one.
        case answer(cookie: [UInt8]?)
        /// It answers it, but does not repeat the case of the name.
        case otherCase
        /// It is something else, or forged.
        case none
    }

    /// Compares a message with the query that it should answer.
    static func match(_ message: Span<UInt8>, _ query: [UInt8], _ key: FactKey, _ server: UpstreamState) -> Match {
        guard var reader = try? DNSMessageReader(message), query.count > DNSHeader.size,
            reader.header.id == UInt16(query[0]) << 8 | UInt16(query[1]),
            reader.header.flags.contains(.response), reader.header.flags.operation == 0
        else { return .none }
        // A server that cannot read the query may leave the question out.
        if reader.header.questionCount == 0, reader.header.flags.responseCode == DNSResponseCode.formatError.rawValue {
            return .answer(cookie: nil)
        }
        guard reader.header.questionCount == 1, let question = try? reader.readQuestion(), question.type == key.type,
            question.dnsClass == .internet, question.name.wire.count == key.name.count
        else { return .none }
        var isSameCase = true
        for (index, byte) in question.name.wire.enumerated() {
            guard DNSName.folded(byte) == key.name[index] else { return .none }
            if byte != query[DNSHeader.size + index] { isSameCase = false }
        }
        let cookie = cookie(&reader, message)
        if let cookie, !cookie.isEmpty {
            guard cookie.count >= 8, UpstreamMessage.number(cookie[..<8]) == server.clientCookie else { return .none }
        } else if !server.serverCookie.isEmpty, server.takesExtendedDNS {
            return .none  // it has always sent one
        }
        guard isSameCase else { return .otherCase }
        return .answer(cookie: cookie.map { Array($0.dropFirst(8)) })
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    /// The cookie option of a message; nil if there is none.
    @_lifetime(reader: copy reader)
    private static func cookie(_ reader: inout DNSMessageReader, _ message: Span<UInt8>) -> [UInt8]? {
        let header = reader.header
        let records = Int(header.answerCount) + Int(header.authorityCount) + Int(header.additionalCount)
        var owner = DNSName()
        for _ in 0..<records {
            guard let record = try? reader.skipRecord(owner: &owner) else { return nil }
            guard record.type == .opt else { continue }
            var position = record.dataRange.lowerBound
            while position + 4 <= record.dataRange.upperBound {
                let option = UInt16(message[position]) << 8 | UInt16(message[position + 1])
                let size = Int(message[position + 2]) << 8 | Int(message[position + 3])
                guard position + 4 + size <= record.dataRange.upperBound else { return nil }
                if option == cookieOption, size <= 40 { return (0..<size).map { message[position + 4 + $0] } }
                position += 4 + size
            }
        }
        return nil
    }

    /// The full response code of a message, the bits in its OPT record included.
    static func code(_ message: Span<UInt8>) -> UInt16 {
        guard let message = try? DNSMessage(parsing: (0..<message.count).map { message[$0] }) else {
            return DNSResponseCode.formatError.rawValue
        }
        return message.responseCode.rawValue
    }
}
