internal import Addresses
internal import Wire

extension DNSRecordData {
    /// The data in wire form, names written whole: it means the same in every message.
    public var uncompressed: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .a(let address): writer.append(address.rawValue)
        case .aaaa(let address): writer.append(address.rawValue)
        case .cname(let name), .ns(let name), .ptr(let name): return name.wire
        case .soa(let soa):
            writer.append(contentsOf: soa.primary.wire)
            writer.append(contentsOf: soa.mailbox.wire)
            for number in [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum] { writer.append(number) }
        case .srv(let priority, let weight, let port, let target):
            for number in [priority, weight, port] { writer.append(number) }
            writer.append(contentsOf: target.wire)
        case .txt(let strings):
            for string in strings {
                writer.append(UInt8(truncatingIfNeeded: min(string.count, 255)))
                writer.append(contentsOf: string.prefix(255))
            }
        case .other(_, let bytes): return bytes
        }
        return writer.bytes
    }
}

extension DNSMessageReader {
    /// Appends a record's data with every name in it written whole, and goes on after it.
    ///
    /// The types that may hold compressed names are known (RFC 1035 §3.3, RFC 3597 §4); others are read as they are.
    @_lifetime(self: copy self)
    public mutating func readUncompressedData(_ header: RecordHeader, into bytes: inout [UInt8]) throws(DNSError) {
        let range = header.dataRange
        let start = bytes.count
        try move(to: range.lowerBound)
        if let layout = DNSMessageReader.layout(of: header.type) {
            try readBytes(layout.leading, into: &bytes)
            for _ in 0..<layout.names { bytes += try readName().wire }
            // SOA ends with five numbers, all others with a name.
            guard range.upperBound - offset == (header.type == .soa ? 20 : 0) else {
                throw DNSError(.badData, at: range.lowerBound)
            }
        }
        try readBytes(range.upperBound - offset, into: &bytes)
        try DNSMessageReader.check(bytes[start...], header)
    }

    /// Whether strings led by their length fill the data exactly.
    private static func isFilledByStrings(_ bytes: ArraySlice<UInt8>) -> Bool {
        var position = bytes.startIndex
        while position < bytes.endIndex { position += 1 + Int(bytes[position]) }
        return position == bytes.endIndex
    }

    /// The bytes before the names in the data of a type, and how many names there are; nil for types without.
    private static func layout(of type: DNSRecordType) -> (leading: Int, names: Int)? {
        switch type.rawValue {
        case 2, 3, 4, 5, 7, 8, 9, 12, 39: (0, 1)  // NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME
        case 6, 14, 17: (0, 2)  // SOA, MINFO, RP
        case 15, 18, 21, 36: (2, 1)  // MX, AFSDB, RT, KX
        case 26: (2, 2)  // PX
        case 33: (6, 1)  // SRV
        default: nil
        }
    }

    /// Throws for data whose size does not fit its type.
    private static func check(_ bytes: ArraySlice<UInt8>, _ header: RecordHeader) throws(DNSError) {
        let isGood =
            switch header.type {
            case .a: bytes.count == 4
            case .aaaa: bytes.count == 16
            case .txt: DNSMessageReader.isFilledByStrings(bytes)
            default: true
            }
        guard isGood else { throw DNSError(.badData, at: header.dataRange.lowerBound) }
    }
}
