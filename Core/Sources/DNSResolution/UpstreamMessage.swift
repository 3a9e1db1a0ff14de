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
        var spelled = name
        var halves = (UInt64(truncatingIfNeeded: cases), UInt64(truncatingIfNeeded: cases >> 64))
        for index in spelled.indices {
            // The bits are used again from the 129th letter on.
            let bit = UInt8(truncatingIfNeeded: halves.0 & 1)
            halves.0 = halves.0 >> 1 | halves.1 << 63
            halves.1 = halves.1 >> 1 | UInt64(bit) << 63
            if spelled[index] &- UInt8(ascii: "a") < 26 { spelled[index] ^= bit << 5 }
        }
        return spelled
    }

    /// What a message is to a query.
    enum Match {
        /// It answers it.
        case answer(Reply)
        /// It answers it, but does not repeat the case of the name.
        case otherCase(Reply)
        /// It is something else, or forged.
        case none
    }

    /// What an answer says beside its records.
    struct Reply {
        /// The full response code, the bits in the OPT record included; that of a format error if the records are no
        /// whole records.
        var code: UInt16
        /// The server's cookie, if there is one.
        var cookie: [UInt8]?
    }

    /// Compares a message with the query that it should answer.
    static func match(_ message: Span<UInt8>, _ query: [UInt8], _ key: FactKey, _ server: UpstreamState) -> Match {
        let bytes = unsafe message.bytes
        let end = DNSHeader.size + key.name.count + 4
        guard bytes.byteCount >= DNSHeader.size, query.count >= end,
            bytes.load(UInt16.self, at: 0) == query.raw.load(UInt16.self, at: 0)
        else { return .none }
        let flags = DNSFlags(rawValue: bytes.load(UInt16.self, at: 2))
        guard flags.contains(.response), flags.operation == 0 else { return .none }
        let code = flags.responseCode
        let questions = bytes.load(UInt16.self, at: 4)
        // A server that cannot read the query may leave the question out.
        if questions == 0, code == DNSResponseCode.formatError.rawValue { return .answer(Reply(code: code)) }
        guard questions == 1, bytes.byteCount >= end else { return .none }
        var isSameCase = true
        // The name, the type and the class, which is IN: the query's bytes but for the case of letters.
        for index in DNSHeader.size..<end where bytes[byte: index] != query[index] {
            guard index < end - 4, DNSName.folded(bytes[byte: index]) == DNSName.folded(query[index]) else {
                return .none
            }
            isSameCase = false
        }
        var reply = Reply(code: DNSResponseCode.formatError.rawValue)
        if let option = extendedDNS(bytes, from: end) {
            reply.code = UInt16(option.code) << 4 | code
            reply.cookie = option.cookie.map { range in range.map { bytes[byte: $0] } }
        }
        if let cookie = reply.cookie, !cookie.isEmpty {
            guard cookie.count >= 8, cookie.raw.load(UInt64.self, at: 0) == server.clientCookie else { return .none }
            reply.cookie = Array(cookie[8...])
        } else if !server.serverCookie.isEmpty, server.takesExtendedDNS {
            return .none  // it has always sent one
        }
        return isSameCase ? .answer(reply) : .otherCase(reply)
    }

    /// The upper bits of the response code, and where the cookie lies, in the OPT record of a message whose question ends
    /// at `start`; nil if its records are no whole records.
    private static func extendedDNS(_ bytes: RawSpan, from start: Int) -> (code: UInt8, cookie: Range<Int>?)? {
        var result: (code: UInt8, cookie: Range<Int>?) = (0, nil)
        var records = 0
        for offset in stride(from: 6, through: 10, by: 2) { records += Int(bytes.load(UInt16.self, at: offset)) }
        var position = start
        for _ in 0..<records {
            guard let end = Query.skipName(bytes, position), end + 10 <= bytes.byteCount else { return nil }
            position = end + 10 + Int(bytes.load(UInt16.self, at: end + 8))
            guard position <= bytes.byteCount else { return nil }
            guard bytes.load(UInt16.self, at: end) == DNSRecordType.opt.rawValue else { continue }
            result.code = bytes[byte: end + 4]
            var option = end + 10
            while option + 4 <= position {
                let size = Int(bytes.load(UInt16.self, at: option + 2))
                guard option + 4 + size <= position else { return nil }
                if bytes.load(UInt16.self, at: option) == cookieOption, size <= 40 {
                    result.cookie = (option + 4)..<(option + 4 + size)
                    break
                }
                option += 4 + size
            }
        }
        return result
    }
}
