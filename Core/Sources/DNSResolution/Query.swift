import DNSMessage
import Wire

/// What a client asks, and what it can take; the name stands in a `FoldedName`.
struct Query {
    var id: UInt16 = 0
    var flags: DNSFlags = []
    var type = DNSRecordType.a
    /// Where the question ends in the message.
    var questionEnd = 0
    var hasExtendedDNS = false
    var wantsDNSSEC = false
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

    /// The size of the largest answer in a datagram.
    static let datagramLimit = Int(ExtendedDNS.safePayloadSize)

    /// Reads a query into this value, and its name into another.
    mutating func read(_ bytes: RawSpan, isDatagram: Bool, name: inout FoldedName) -> Verdict {
        limit = isDatagram ? 512 : 65535
        hasExtendedDNS = false
        wantsDNSSEC = false
        guard bytes.byteCount >= DNSHeader.size else { return .ignore }
        id = bytes.loadUnchecked(UInt16.self, at: 0)
        flags = DNSFlags(rawValue: bytes.loadUnchecked(UInt16.self, at: 2))
        guard !flags.contains(.response) else { return .ignore }
        guard flags.operation == 0 else { return .refuse(.notImplemented, hasQuestion: false) }
        guard bytes.loadUnchecked(UInt16.self, at: 4) == 1,
            let end = name.read(bytes, at: DNSHeader.size), end + 4 <= bytes.byteCount
        else { return .refuse(.formatError, hasQuestion: false) }
        type = DNSRecordType(rawValue: bytes.loadUnchecked(UInt16.self, at: end))
        let dnsClass = bytes.loadUnchecked(UInt16.self, at: end + 2)
        questionEnd = end + 4
        if let error = readRecords(bytes, isDatagram: isDatagram) { return .refuse(error, hasQuestion: true) }
        guard dnsClass == DNSClass.internet.rawValue else { return .refuse(.refused, hasQuestion: true) }
        return .answer
    }

    /// Looks for the OPT record among the records of a query, and passes over any other.
    private mutating func readRecords(_ bytes: RawSpan, isDatagram: Bool) -> DNSResponseCode? {
        var records = 0
        for offset in stride(from: 6, through: 10, by: 2) {
            records += Int(bytes.loadUnchecked(UInt16.self, at: offset))
        }
        var position = questionEnd
        var version: UInt8 = 0
        for _ in 0..<records {
            let start = position
            guard let end = Query.skipName(bytes, position), end + 10 <= bytes.byteCount else { return .formatError }
            let length = Int(bytes.loadUnchecked(UInt16.self, at: end + 8))
            position = end + 10 + length
            guard position <= bytes.byteCount else { return .formatError }
            guard bytes.loadUnchecked(UInt16.self, at: end) == DNSRecordType.opt.rawValue else { continue }
            guard !hasExtendedDNS, end == start + 1,
                Query.hasWholeOptions(bytes.extracting((end + 10)..<position))
            else { return .formatError }
            hasExtendedDNS = true
            version = bytes[byte: end + 5]
            wantsDNSSEC = bytes[byte: end + 6] & 0x80 != 0
            guard isDatagram else { continue }
            limit = min(max(Int(bytes.loadUnchecked(UInt16.self, at: end + 2)), 512), Query.datagramLimit)
        }
        return version == 0 ? nil : .badVersion
    }

    /// Where a name ends that may be compressed; its pointers are not followed.
    static func skipName(_ bytes: RawSpan, _ start: Int) -> Int? {
        var position = start
        while position < bytes.byteCount {
            let length = Int(bytes[byte: position])
            if length == 0 { return position + 1 }
            if length >= 0xC0 { return position + 2 }
            guard length <= 63, position - start < 255 else { return nil }
            position += length + 1
        }
        return nil
    }

    /// Whether the options of an OPT record fill it exactly (RFC 6891 §6.1.2).
    private static func hasWholeOptions(_ bytes: RawSpan) -> Bool {
        var position = 0
        while position + 4 <= bytes.byteCount {
            position += 4 + Int(bytes.loadUnchecked(UInt16.self, at: position + 2))
        }
        return position == bytes.byteCount
    }
}
