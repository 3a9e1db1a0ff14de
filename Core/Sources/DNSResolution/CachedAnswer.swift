public import DNSMessage
import Wire

/// What an answer of another server depends on.
public struct FactKey: Hashable, Sendable {
    /// The name in lower case and wire form.
    public let name: [UInt8]
    /// The type.
    public let type: DNSRecordType
    /// Whether records of DNSSEC are wanted (DO).
    public let wantsDNSSEC: Bool
    /// Whether the client checks signatures itself (CD).
    public let isCheckingDisabled: Bool

    /// Describes a question.
    public init(name: [UInt8], type: DNSRecordType, wantsDNSSEC: Bool = false, isCheckingDisabled: Bool = false) {
        self.name = name
        self.type = type
        self.wantsDNSSEC = wantsDNSSEC
        self.isCheckingDisabled = isCheckingDisabled
    }

    var hash: UInt64 { FactKey.hash(NameHash.hash(name.raw), type, options) }
    var options: UInt8 { FactKey.options(wantsDNSSEC, isCheckingDisabled) }

    @inline(__always)
    static func options(_ wantsDNSSEC: Bool, _ isCheckingDisabled: Bool) -> UInt8 {
        (wantsDNSSEC ? 1 : 0) | (isCheckingDisabled ? 2 : 0)
    }

    @inline(__always)
    static func hash(_ nameHash: UInt64, _ type: DNSRecordType, _ options: UInt8) -> UInt64 {
        (nameHash ^ UInt64(type.rawValue) << 8 ^ UInt64(options)) &* 0x9E37_79B9_7F4A_7C15
    }
}

/// What other servers answered to a question, in a form that any answer can be made from.
///
/// Only what belongs to the asked name is kept: its aliases, the records at their end, and what is said about the absence
/// of these; a server cannot slip other names in.
public final class CachedAnswer {
    /// One record.
    struct Item {
        let type: UInt16
        let ttl: UInt32
        /// Where the owner stands in `bytes`; empty for the name that the aliases before have led to.
        let owner: Range<Int>
        let data: Range<Int>
    }

    /// The question.
    public let key: FactKey
    /// The response code.
    public let code: DNSResponseCode
    /// Whether the server says that it has checked the signatures.
    let isAuthentic: Bool
    let bytes: [UInt8]
    let items: [Item]
    /// The number of items in the answer section; the others stand in the authority section.
    let answerCount: Int
    /// Whether the answer section ends with a record of the asked type.
    let hasData: Bool
    /// How long it may be kept, in seconds.
    public let ttl: UInt32
    /// When it came, in milliseconds.
    let stored: Int64
    /// Until when it is fresh, in milliseconds.
    let expires: Int64
    /// The hash of the key.
    let hash: UInt64
    /// How often it has been used.
    var hits: UInt32 = 0
    /// Until when it is used although it is no longer fresh, because a refresh has failed; milliseconds.
    var staleUntil: Int64 = 0
    /// Whether it has been asked for before its end.
    var isRefreshing = false
    /// What has been made of it and of the IPv4 addresses of the same name.
    var ready: ReadyAnswer?

    /// Lifetimes are cut to these, in seconds.
    static let maximumTTL: UInt32 = 86400
    /// Negative answers are kept no longer, in seconds (RFC 2308 §5).
    static let maximumNegativeTTL: UInt32 = 3600
    /// How long a failure is remembered, in seconds (RFC 2308 §7, RFC 9520).
    static let failureTTL: UInt32 = 2

    /// A failure to get an answer.
    public init(failure key: FactKey, code: DNSResponseCode = .serverFailure, now: Int64) {
        self.key = key
        self.code = code
        isAuthentic = false
        bytes = []
        items = []
        answerCount = 0
        hasData = false
        ttl = CachedAnswer.failureTTL
        stored = now
        expires = now + Int64(ttl) * 1000
        hash = key.hash
    }

    /// Reads the message that answers `key`; throws if it is malformed.
    ///
    /// Names in it may point to the question, which has been spelled at random; they are spelled as `key` is.
    public init(_ message: Span<UInt8>, for key: FactKey, now: Int64) throws(DNSError) {
        var respelled = (0..<message.count).map { message[$0] }
        let end = DNSHeader.size + key.name.count
        if end <= respelled.count, respelled[DNSHeader.size..<end].map(DNSName.folded) == key.name {
            respelled.replaceSubrange(DNSHeader.size..<end, with: key.name)
        }
        var reader = try DNSMessageReader(respelled.span)
        let header = reader.header
        for _ in 0..<header.questionCount { _ = try reader.readQuestion() }
        var parts = Parts(chain: DNSName(wire: key.name) ?? .root, type: key.type)
        for _ in 0..<header.answerCount { try parts.readAnswer(&reader) }
        let answers = parts.items.count
        for _ in 0..<header.authorityCount { try parts.readAuthority(&reader, isPositive: parts.hasData) }
        self.key = key
        let failed = header.flags.responseCode
        code = DNSResponseCode(rawValue: failed)
        isAuthentic = header.flags.contains(.authenticData)
        bytes = parts.bytes
        items = parts.items
        answerCount = answers
        hasData = parts.hasData
        hash = key.hash
        stored = now
        var ttl = min(parts.ttl, CachedAnswer.maximumTTL)
        switch code {
        case .noError where parts.hasData: break
        case .noError, .nameError:
            // Without a start of authority a negative answer is not to be kept (RFC 2308 §5).
            ttl = min(ttl, parts.negativeTTL ?? 0, CachedAnswer.maximumNegativeTTL)
        default: ttl = CachedAnswer.failureTTL
        }
        self.ttl = ttl
        expires = now + Int64(ttl) * 1000
    }

    /// The lifetime of the absence of records, as the start of authority says; nil if it says nothing.
    var negativeTTL: UInt32? {
        let bytes = bytes
        for index in answerCount..<items.count where items[index].type == DNSRecordType.soa.rawValue {
            let minimum = bytes.raw.load(UInt32.self, at: items[index].data.upperBound - 4)
            return min(minimum, items[index].ttl)
        }
        return nil
    }

    /// Whether it may be used after its end.
    public var canServeStale: Bool { !isFailure }

    /// Lets it be used for a while although it is no longer fresh, because a refresh has failed.
    public func serveStale(until time: Int64) {
        staleUntil = time
        isRefreshing = false
    }

    /// The memory that it takes, about.
    var cost: Int {
        256 + bytes.count + key.name.count + items.count * MemoryLayout<Item>.stride
            + (key.type == .aaaa && !hasData ? ReadyAnswer.cost : 0)
    }

    /// Whether it is a failure and not an answer.
    var isFailure: Bool { code != .noError && code != .nameError }
}

/// The records of a message that are kept.
private struct Parts {
    /// The name that the aliases so far have led to.
    var chain: DNSName
    let type: DNSRecordType
    var bytes: [UInt8] = []
    var items: [CachedAnswer.Item] = []
    var hasData = false
    var ttl = UInt32.max
    var negativeTTL: UInt32?

    /// Types that stand beside what they are about: DNAME and RRSIG.
    private static let companions: Set<UInt16> = [39, 46]

    init(chain: DNSName, type: DNSRecordType) {
        self.chain = chain
        self.type = type
    }

    @_lifetime(reader: copy reader)
    mutating func readAnswer(_ reader: inout DNSMessageReader) throws(DNSError) {
        var owner = DNSName()
        let record = try reader.skipRecord(owner: &owner)
        let data = try reader.readUncompressedData(record)
        guard record.dnsClass == .internet, record.type != .opt else { return }
        if owner == chain {
            append(record, [], data)
            if record.type == type || type == .any { hasData = true }
            if record.type == .cname, type != .cname, type != .any, let target = DNSName(wire: data) { chain = target }
        } else if Parts.companions.contains(record.type.rawValue), chain.isInside(owner) {
            append(record, owner.wire, data)
        } else if record.type.rawValue == 46 {
            append(record, owner.wire, data)  // the signature of an alias further up
        }
    }

    @_lifetime(reader: copy reader)
    mutating func readAuthority(_ reader: inout DNSMessageReader, isPositive: Bool) throws(DNSError) {
        var owner = DNSName()
        let record = try reader.skipRecord(owner: &owner)
        let data = try reader.readUncompressedData(record)
        // SOA, and what proves an absence: NSEC, NSEC3, RRSIG.
        guard !isPositive, record.dnsClass == .internet, [6, 46, 47, 50].contains(record.type.rawValue) else { return }
        append(record, owner.wire, data)
        guard record.type == .soa else { return }
        negativeTTL = min(record.ttl, data.suffix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }

    private mutating func append(_ record: RecordHeader, _ owner: [UInt8], _ data: [UInt8]) {
        let start = bytes.count
        bytes += owner
        bytes += data
        // A lifetime with its top bit set counts as zero (RFC 2181 §8).
        let lifetime = record.ttl > UInt32(Int32.max) ? 0 : record.ttl
        ttl = min(ttl, lifetime)
        items.append(
            CachedAnswer.Item(
                type: record.type.rawValue, ttl: lifetime, owner: start..<(start + owner.count),
                data: (start + owner.count)..<bytes.count))
    }
}
