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
    /// The hash of all of it.
    let hash: UInt64

    /// Describes a question.
    public init(name: [UInt8], type: DNSRecordType, wantsDNSSEC: Bool = false, isCheckingDisabled: Bool = false) {
        self.name = name
        self.type = type
        self.wantsDNSSEC = wantsDNSSEC
        self.isCheckingDisabled = isCheckingDisabled
        hash = FactKey.hash(NameHash.hash(name.raw), type, FactKey.options(wantsDNSSEC, isCheckingDisabled))
    }

    /// Feeds the hash that is known already.
    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }

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
        var respelled = unsafe message.withUnsafeBufferPointer { unsafe Array($0) }
        let end = DNSHeader.size + key.name.count
        if end <= respelled.count,
            key.name.indices.allSatisfy({ DNSName.folded(respelled[DNSHeader.size + $0]) == key.name[$0] })
        {
            for index in key.name.indices { respelled[DNSHeader.size + index] = key.name[index] }
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
    private var owner = DNSName()
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
        let record = try reader.skipRecord(owner: &owner)
        let isLink = owner == chain
        let keepsOwner =
            Parts.companions.contains(record.type.rawValue) && chain.isInside(owner)
            || record.type.rawValue == 46  // the signature of an alias further up
        let item = try append(record, owner: isLink ? [] : owner.wire, &reader)
        guard record.dnsClass == .internet, record.type != .opt, isLink || keepsOwner else { return drop(item) }
        keep(item)
        guard isLink else { return }
        if record.type == type || type == .any { hasData = true }
        if record.type == .cname, type != .cname, type != .any, let target = DNSName(wire: Array(bytes[item.data])) {
            chain = target
        }
    }

    @_lifetime(reader: copy reader)
    mutating func readAuthority(_ reader: inout DNSMessageReader, isPositive: Bool) throws(DNSError) {
        let record = try reader.skipRecord(owner: &owner)
        let item = try append(record, owner: owner.wire, &reader)
        // SOA, and what proves an absence: NSEC, NSEC3, RRSIG.
        guard !isPositive, record.dnsClass == .internet, [6, 46, 47, 50].contains(record.type.rawValue) else {
            return drop(item)
        }
        keep(item)
        guard record.type == .soa else { return }
        negativeTTL = min(record.ttl, bytes[item.data].suffix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }

    /// Appends the bytes of a record; they are read whether it is kept or not, since a message must be whole.
    @_lifetime(reader: copy reader)
    private mutating func append(_ record: RecordHeader, owner: [UInt8], _ reader: inout DNSMessageReader)
        throws(DNSError) -> CachedAnswer.Item
    {
        let start = bytes.count
        bytes += owner
        try reader.readUncompressedData(record, into: &bytes)
        // A lifetime with its top bit set counts as zero (RFC 2181 §8).
        let lifetime = record.ttl > UInt32(Int32.max) ? 0 : record.ttl
        return CachedAnswer.Item(
            type: record.type.rawValue, ttl: lifetime, owner: start..<(start + owner.count),
            data: (start + owner.count)..<bytes.count)
    }

    private mutating func keep(_ item: CachedAnswer.Item) {
        ttl = min(ttl, item.ttl)
        items.append(item)
    }

    private mutating func drop(_ item: CachedAnswer.Item) { bytes.removeSubrange(item.owner.lowerBound...) }
}
