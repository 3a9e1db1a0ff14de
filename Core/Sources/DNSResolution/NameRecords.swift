public import Addresses
public import DNSMessage
import Wire

/// The records of one name of the zone, packed; immutable.
///
/// The name of a Service also holds the addresses of those of its endpoints that are named after them
/// (`10-0-0-7.web.default.svc…`): these names follow from the addresses, and take no memory of their own.
public final class NameRecords: Sendable {
    /// A record that is neither an A nor an AAAA record.
    struct Other: Sendable, Hashable {
        let type: UInt16
        let ttl: UInt32
        /// The data in wire form, names whole.
        let data: [UInt8]
    }

    /// What addresses mean.
    public struct Meaning: OptionSet, Sendable {
        /// The flags as a number.
        public let rawValue: UInt8

        /// Makes a meaning from its number.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The name's own addresses lead back to it.
        public static let leadBack = Meaning(rawValue: 1)
        /// The name is answered with its endpoints' addresses too: that of a headless Service.
        public static let endpointsAnswer = Meaning(rawValue: 2)
    }

    /// Where a port of all endpoints of another name is: an SRV record for each of them.
    public struct Location: Sendable {
        /// The name with the endpoints.
        public let service: NameRecords
        /// The port.
        public let port: UInt16
        /// The weight of each.
        public let weight: UInt16

        /// Describes a port.
        public init(service: NameRecords, port: UInt16, weight: UInt16) {
            self.service = service
            self.port = port
            self.weight = weight
        }
    }

    /// The name in lower case; then the name's own IPv4 addresses and its endpoints', sorted; then the same for IPv6.
    let bytes: [UInt8]
    let others: [Other]
    let location: Location?
    let hash: UInt64
    /// The lifetime of A, AAAA and located SRV records.
    let ttl: UInt32
    private let ends: Ends
    private let meaning: Meaning

    /// Where the parts of `bytes` end, in a form that suits many objects.
    private struct Ends: Hashable {
        let name: UInt32
        let ownIPv4: UInt32
        let endpointsIPv4: UInt32
        let ownIPv6: UInt32
    }

    /// A pointer to the name of the question.
    static let questionPointer = UInt16(0xC000) | UInt16(DNSHeader.size)

    /// Makes the records of a name.
    ///
    /// Repeated records count once; TXT records have a lifetime of their own.
    public init(
        name: DNSName, addresses: some Sequence<IPAddress> = [], endpoints: some Sequence<IPAddress> = [],
        meaning: Meaning = .leadBack, others: [DNSRecordData] = [], location: Location? = nil, ttl: UInt32,
        textTTL: UInt32 = 28800
    ) {
        let named = Set(endpoints)
        // What is answered must not hold an address twice.
        let own = meaning.contains(.endpointsAnswer) ? Set(addresses).subtracting(named) : Set(addresses)
        // No larger than it has to be: there are very many.
        var writer = ByteWriter(
            capacity: name.wire.count + (Array(own) + named).reduce(0) { $0 + $1.family.byteCount })
        let folded = name.wire.map(DNSName.folded)
        writer.append(contentsOf: folded)
        var ends: [UInt32] = []
        for family in IPFamily.allCases {
            for part in [own, named] {
                for address in part.filter({ $0.family == family }).sorted() {
                    switch address {
                    case .v4(let address): writer.append(address.rawValue)
                    case .v6(let address): writer.append(address.rawValue)
                    }
                }
                ends.append(UInt32(writer.count))
            }
        }
        bytes = writer.bytes
        self.ends = Ends(name: UInt32(folded.count), ownIPv4: ends[0], endpointsIPv4: ends[1], ownIPv6: ends[2])
        hash = NameHash.hash(folded.raw)
        self.ttl = ttl
        self.meaning = meaning
        self.location = location
        self.others = others.reduce(into: []) { result, data in
            let other = Other(
                type: data.type.rawValue, ttl: data.type == .txt ? textTTL : ttl, data: data.uncompressed)
            if !result.contains(other) { result.append(other) }
        }
    }

    /// A name without records, which exists because others lie below it.
    convenience init(empty name: DNSName) { self.init(name: name, ttl: 0) }

    /// The size of the name in wire form.
    var nameSize: Int { Int(ends.name) }
    private var ownEnd: Int { Int(ends.ownIPv4) }
    private var middle: Int { Int(ends.endpointsIPv4) }
    private var ownEndIPv6: Int { Int(ends.ownIPv6) }

    /// The name in lower case.
    public var nameBytes: ArraySlice<UInt8> { bytes[..<nameSize] }

    /// Where the addresses of a family lie in `bytes` that the name is answered with.
    func range(of family: IPFamily) -> Range<Int> {
        let answers = meaning.contains(.endpointsAnswer)
        return family == .ipv4
            ? nameSize..<(answers ? middle : ownEnd) : middle..<(answers ? bytes.count : ownEndIPv6)
    }

    /// Where the addresses of a family lie in `bytes` after which endpoints are named.
    func endpoints(of family: IPFamily) -> Range<Int> {
        family == .ipv4 ? ownEnd..<middle : ownEndIPv6..<bytes.count
    }

    private func own(of family: IPFamily) -> Range<Int> {
        family == .ipv4 ? nameSize..<ownEnd : middle..<ownEndIPv6
    }

    /// The number of names that follow from addresses.
    public var endpointCount: Int {
        endpoints(of: .ipv4).count / IPFamily.ipv4.byteCount + endpoints(of: .ipv6).count / IPFamily.ipv6.byteCount
    }

    /// The target of an alias in wire form; nil for a name that is none.
    var aliasTarget: [UInt8]? {
        guard !others.isEmpty, others[0].type == DNSRecordType.cname.rawValue else { return nil }
        return others[0].data
    }

    /// Whether there is no record at all.
    var isEmpty: Bool { bytes.count == nameSize && others.isEmpty && location == nil }

    @inline(__always)
    func isNamed(_ folded: RawSpan) -> Bool {
        let bytes = bytes
        return bytes.raw.extracting(0..<nameSize).isEqual(to: folded)
    }
}

extension NameRecords {
    /// The address of a family at a place in `bytes`.
    func address(at place: Int, _ family: IPFamily) -> IPAddress {
        let bytes = bytes
        return switch family {
        case .ipv4: .v4(IPv4Address(rawValue: bytes.raw.load(UInt32.self, at: place)))
        case .ipv6: .v6(IPv6Address(rawValue: bytes.raw.load(UInt128.self, at: place)))
        }
    }

    /// Whether an endpoint is named after this address.
    func hasEndpoint(_ address: IPAddress) -> Bool { contains(address, endpoints(of: address.family)) }

    /// Whether the address leads back to the name itself.
    func owns(_ address: IPAddress) -> Bool {
        meaning.contains(.leadBack) && contains(address, own(of: address.family))
    }

    /// Whether the address leads back to the name, or to that of an endpoint below it.
    func leadsBack(_ address: IPAddress) -> Bool { owns(address) || hasEndpoint(address) }

    /// Calls `body` with every address that leads back.
    func forEachPointer(_ body: (IPAddress) -> Void) {
        for family in IPFamily.allCases {
            for range in [meaning.contains(.leadBack) ? own(of: family) : 0..<0, endpoints(of: family)] {
                for place in stride(from: range.lowerBound, to: range.upperBound, by: family.byteCount) {
                    body(address(at: place, family))
                }
            }
        }
    }

    private func contains(_ address: IPAddress, _ range: Range<Int>) -> Bool {
        let family = address.family
        let size = family.byteCount
        var low = 0
        var high = range.count / size
        while low < high {
            let middle = (low + high) / 2
            let bits = self.address(at: range.lowerBound + middle * size, family).bits
            if bits == address.bits { return true }
            if bits < address.bits { low = middle + 1 } else { high = middle }
        }
        return false
    }
}

extension NameRecords: Equatable {
    /// Whether name and records are the same.
    public static func == (left: NameRecords, right: NameRecords) -> Bool {
        left === right
            || left.bytes == right.bytes && left.others == right.others && left.ttl == right.ttl
                && left.meaning == right.meaning && left.location == right.location && left.ends == right.ends
    }
}

extension NameRecords.Location: Equatable {}
