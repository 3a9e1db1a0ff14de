public import Addresses
public import DNSMessage
import Wire

/// The records of one name of the zone, ready to be copied into answers; immutable.
public final class NameRecords: Sendable {
    /// A record that is neither an A nor an AAAA record.
    struct Other: Sendable, Hashable {
        let type: UInt16
        let ttl: UInt32
        /// The data in wire form, names whole.
        let data: [UInt8]
    }

    /// The name in lower case, then its A records, then its AAAA records, each led by a pointer to the question.
    let bytes: [UInt8]
    let nameSize: Int
    let ipv4Count: Int
    let ipv6Count: Int
    let others: [Other]
    let hash: UInt64

    /// The size of an A record whose owner is a pointer.
    static let ipv4Size = 16
    /// The size of an AAAA record whose owner is a pointer.
    static let ipv6Size = 28
    /// A pointer to the name of the question.
    static let questionPointer = UInt16(0xC000) | UInt16(DNSHeader.size)

    /// Makes the records of a name.
    ///
    /// Repeated records count once; TXT records have a lifetime of their own.
    public init(
        name: DNSName, addresses: some Sequence<IPAddress> = [], others: [DNSRecordData] = [], ttl: UInt32,
        textTTL: UInt32 = 28800
    ) {
        var writer = ByteWriter(capacity: name.wire.count + 44)
        let folded = name.wire.map(DNSName.folded)
        writer.append(contentsOf: folded)
        nameSize = folded.count
        hash = NameHash.hash(folded.raw)
        let unique = Set(addresses).sorted()
        for address in unique {
            writer.append(NameRecords.questionPointer)
            writer.append((address.family == .ipv4 ? DNSRecordType.a : .aaaa).rawValue)
            writer.append(DNSClass.internet.rawValue)
            writer.append(ttl)
            writer.append(UInt16(address.family.byteCount))
            switch address {
            case .v4(let address): writer.append(address.rawValue)
            case .v6(let address): writer.append(address.rawValue)
            }
        }
        bytes = writer.bytes
        ipv4Count = unique.count { $0.family == .ipv4 }
        ipv6Count = unique.count - ipv4Count
        self.others = others.reduce(into: []) { result, data in
            let other = Other(
                type: data.type.rawValue, ttl: data.type == .txt ? textTTL : ttl, data: data.uncompressed)
            if !result.contains(other) { result.append(other) }
        }
    }

    /// A name without records, which exists because others lie below it.
    convenience init(empty name: DNSName) { self.init(name: name, ttl: 0) }

    /// The name in lower case.
    var nameBytes: ArraySlice<UInt8> { bytes[..<nameSize] }

    /// Where the ready records of a family lie in `bytes`.
    func range(of family: IPFamily) -> Range<Int> {
        let middle = nameSize + ipv4Count * NameRecords.ipv4Size
        return family == .ipv4 ? nameSize..<middle : middle..<bytes.count
    }

    /// The number of address records of a family.
    func count(of family: IPFamily) -> Int { family == .ipv4 ? ipv4Count : ipv6Count }

    /// The target of an alias in wire form; nil for a name that is none.
    var aliasTarget: [UInt8]? {
        guard !others.isEmpty, others[0].type == DNSRecordType.cname.rawValue else { return nil }
        return others[0].data
    }

    /// Whether there is no record at all.
    var isEmpty: Bool { bytes.count == nameSize && others.isEmpty }

    @inline(__always)
    func isNamed(_ folded: RawSpan) -> Bool {
        let bytes = bytes
        return bytes.raw.extracting(0..<nameSize).isEqual(to: folded)
    }
}

extension NameRecords: Hashable {
    /// Whether name and records are the same.
    public static func == (left: NameRecords, right: NameRecords) -> Bool {
        left === right
            || left.nameSize == right.nameSize && left.bytes == right.bytes && left.others == right.others
    }

    /// Feeds the name.
    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
