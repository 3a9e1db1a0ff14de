public import Addresses
public import DNSMessage
import Synchronization

/// Where an answer came from.
public enum AnswerSource: Int, Sendable, CaseIterable {
    /// The cluster's zone.
    case cluster
    /// Another server's answer that was at hand.
    case cache
    /// Another server that was asked for this query.
    case upstream
    /// An answer whose time was over, since no server answered.
    case stale
    /// Addresses made of IPv4 addresses, and what is said about their prefixes.
    case synthesized
    /// Left out because the client does not have the family.
    case filtered
    /// A query that was not answered.
    case refusal
}

/// Counts answers, by one thread; any thread may read.
@safe
public final class ResolverMetrics: Sendable {
    /// The types that are counted by themselves.
    public static let types: [DNSRecordType] = [.a, .aaaa, .srv, .ptr, .cname, .txt, .soa, .ns]
    /// The outcomes that are counted by themselves; `NODATA` is the success without records.
    public static let outcomes = [
        "NOERROR", "NODATA", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "OTHER",
    ]

    private nonisolated(unsafe) let counters: UnsafeMutablePointer<Atomic<UInt64>>
    private static let sources = AnswerSource.allCases.count
    private static let size = 2 * (types.count + 1) * outcomes.count * sources
    private let missingNames = Mutex(FrequentNames())

    /// Makes counters at zero.
    public init() {
        unsafe counters = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: Self.size)
        for index in 0..<Self.size { unsafe (counters + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe counters.deinitialize(count: Self.size)
        unsafe counters.deallocate()
    }

    func count(
        _ family: IPFamily, _ type: DNSRecordType, _ code: DNSResponseCode, isNoData: Bool, _ source: AnswerSource
    ) {
        let outcome =
            switch code.rawValue {
            case 0: isNoData ? 1 : 0
            case let code where code <= 5: Int(code) + 1
            default: Self.outcomes.count - 1
            }
        let place = Self.place(family, Self.index(of: type), outcome, source.rawValue)
        unsafe counters[place].wrappingAdd(1, ordering: .relaxed)
    }

    private static func index(of type: DNSRecordType) -> Int {
        switch type {
        case .a: 0
        case .aaaa: 1
        case .srv: 2
        case .ptr: 3
        case .cname: 4
        case .txt: 5
        case .soa: 6
        case .ns: 7
        default: 8
        }
    }

    private static func place(_ family: IPFamily, _ type: Int, _ outcome: Int, _ source: Int) -> Int {
        (((family == .ipv4 ? 0 : 1) * 9 + type) * 8 + outcome) * sources + source
    }

    /// Notes a question for a family that the name does not have.
    func missing(_ family: IPFamily, _ name: RawSpan, _ hash: UInt64) {
        missingNames.withLock { $0.note(family, name, hash) }
    }

    /// The names most often asked for in a family that they do not have, with an upper bound of how often.
    public var frequentlyMissing: [(name: DNSName, family: IPFamily, count: UInt64)] {
        missingNames.withLock { $0.list }
    }

    /// Calls `body` with every counter that is not zero.
    public func forEach(
        _ body: (_ family: IPFamily, _ type: String, _ outcome: String, _ source: AnswerSource, _ count: UInt64) -> Void
    ) {
        let names = ["A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "SOA", "NS", "other"]
        for family in IPFamily.allCases {
            for (type, typeName) in names.enumerated() {
                for (outcome, outcomeName) in Self.outcomes.enumerated() {
                    for source in AnswerSource.allCases {
                        let place = Self.place(family, type, outcome, source.rawValue)
                        let count = unsafe counters[place].load(ordering: .relaxed)
                        if count > 0 { body(family, typeName, outcomeName, source, count) }
                    }
                }
            }
        }
    }
}

/// The most frequent of many names in a fixed number of places: a new name takes the place of the rarest one and inherits its
/// count, so that a count errs upwards only (Metwally et al., "space saving").
struct FrequentNames: Sendable {
    private struct Place: Sendable {
        var hash: UInt64 = 0
        var count: UInt64 = 0
        var family = IPFamily.ipv4
        var size = 0
        var bytes = [UInt8](repeating: 0, count: 256)
    }

    private var places = [Place](repeating: Place(), count: 64)

    init() {
        // Each place gets memory of its own now, so that noting a name never allocates.
        for index in places.indices { places[index].bytes[0] = 0 }
    }

    mutating func note(_ family: IPFamily, _ name: RawSpan, _ hash: UInt64) {
        var rarest = 0
        for index in places.indices {
            if places[index].hash == hash, places[index].family == family, places[index].count > 0 {
                places[index].count += 1
                return
            }
            if places[index].count < places[rarest].count { rarest = index }
        }
        places[rarest].hash = hash
        places[rarest].family = family
        places[rarest].count += 1
        places[rarest].size = name.byteCount
        for index in 0..<name.byteCount {
            places[rarest].bytes[index] = unsafe name.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        }
    }

    var list: [(name: DNSName, family: IPFamily, count: UInt64)] {
        places.filter { $0.count > 0 }.sorted { $0.count > $1.count }.compactMap { place in
            DNSName(wire: Array(place.bytes[..<place.size])).map { ($0, place.family, place.count) }
        }
    }
}
