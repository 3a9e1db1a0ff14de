import DNSMessage

/// Answers of other servers, kept for a short while; bounded in number.
struct ForwardCache {
    /// What an answer depends on.
    struct Key: Hashable {
        let question: DNSQuestion
        let flags: DNSFlags
        let hasExtendedDNS: Bool
        let wantsDNSSEC: Bool

        init(_ question: DNSQuestion, _ query: ClientQuery) {
            self.question = question
            flags = query.flags.intersection([.recursionDesired, .checkingDisabled])
            hasExtendedDNS = query.extendedDNS != nil
            wantsDNSSEC = query.extendedDNS?.wantsDNSSEC ?? false
        }
    }

    private struct Entry {
        let bytes: [UInt8]
        let ttlOffsets: [Int]
        /// Milliseconds on the clock of the caller.
        let stored: Int64
        let expires: Int64
    }

    private var entries: [Key: Entry] = [:]
    private let capacity: Int

    /// How long an answer is kept at most, in seconds.
    private static let maximumTTL: UInt32 = 30

    init(capacity: Int = 4096) { self.capacity = capacity }

    /// The answer as of `now`, its lifetimes reduced by its age; nil if there is none.
    func answer(_ key: Key, now: Int64) -> [UInt8]? {
        guard let entry = entries[key], now < entry.expires else { return nil }
        var bytes = entry.bytes
        let age = UInt32((now - entry.stored) / 1000)
        for offset in entry.ttlOffsets {
            let ttl = bytes[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let left = ttl > age ? ttl - age : 0
            for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: left >> UInt32(24 - 8 * index)) }
        }
        return bytes
    }

    /// Keeps an answer for as long as its records allow; errors other than a name that does not exist are not kept.
    mutating func store(_ key: Key, _ bytes: [UInt8], now: Int64) {
        guard let (ttlOffsets, ttl) = ForwardCache.lifetime(bytes), ttl > 0 else { return }
        if entries.count >= capacity { entries = entries.filter { now < $0.value.expires } }
        if entries.count >= capacity { entries.remove(at: entries.startIndex) }
        entries[key] = Entry(bytes: bytes, ttlOffsets: ttlOffsets, stored: now, expires: now + Int64(ttl) * 1000)
    }

    /// The positions of the lifetimes, and how many seconds the message may be kept; nil if it may not.
    private static func lifetime(_ bytes: [UInt8]) -> ([Int], UInt32)? {
        guard var reader = try? DNSMessageReader(bytes.span) else { return nil }
        let header = reader.header
        let code = DNSResponseCode(rawValue: header.flags.responseCode)
        guard code == .noError || code == .nameError, !header.flags.contains(.truncated) else { return nil }
        var offsets: [Int] = []
        var ttl = maximumTTL
        do throws(DNSError) {
            for _ in 0..<header.questionCount { _ = try reader.readQuestion() }
            var owner = DNSName.root
            let records = Int(header.answerCount) + Int(header.authorityCount) + Int(header.additionalCount)
            for _ in 0..<records {
                let record = try reader.skipRecord(owner: &owner)
                guard record.type != .opt else { continue }
                offsets.append(record.ttlOffset)
                ttl = min(ttl, record.ttl)
                // The last number of an SOA record bounds a negative answer (RFC 2308 §5).
                if record.type == .soa, record.dataRange.count >= 20 {
                    let minimum = bytes[(record.dataRange.upperBound - 4)..<record.dataRange.upperBound]
                    ttl = min(ttl, minimum.reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
                }
            }
        } catch {
            return nil
        }
        return offsets.isEmpty ? nil : (offsets, ttl)
    }
}
