internal import Addresses
internal import Wire

/// The fixed part of a record, and where its data lies.
public struct RecordHeader: Hashable, Sendable {
    /// The type.
    public let type: DNSRecordType
    /// The class, or the payload size of an OPT record.
    public let dnsClass: DNSClass
    /// The lifetime in seconds, or the flags of an OPT record.
    public let ttl: UInt32
    /// The position of the lifetime in the message.
    public let ttlOffset: Int
    /// The position of the data in the message.
    public let dataRange: Range<Int>

    /// What an OPT record says; nil for any other record.
    public var extendedDNS: ExtendedDNS? { type == .opt ? ExtendedDNS(dnsClass: dnsClass, ttl: ttl) : nil }
}

extension DNSMessageReader {
    /// Reads the owner of a record into an existing name, and its fixed part; goes on after its data.
    @_lifetime(self: copy self)
    public mutating func skipRecord(owner: inout DNSName) throws(DNSError) -> RecordHeader {
        try readName(into: &owner)
        let type = DNSRecordType(rawValue: try read(UInt16.self))
        let dnsClass = DNSClass(rawValue: try read(UInt16.self))
        let ttlOffset = offset
        let ttl = try read(UInt32.self)
        let length = Int(try read(UInt16.self))
        let data = offset..<(offset + length)
        try move(to: data.upperBound)
        if type == .opt, owner != .root { throw DNSError(.badOption, at: ttlOffset) }
        return RecordHeader(type: type, dnsClass: dnsClass, ttl: ttl, ttlOffset: ttlOffset, dataRange: data)
    }

    /// Reads a record and its data.
    @_lifetime(self: copy self)
    public mutating func readRecord() throws(DNSError) -> ResourceRecord {
        var owner = DNSName()
        let header = try skipRecord(owner: &owner)
        try move(to: header.dataRange.lowerBound)
        let data = try readData(header)
        guard offset == header.dataRange.upperBound else { throw DNSError(.badData, at: header.dataRange.lowerBound) }
        return ResourceRecord(name: owner, dnsClass: header.dnsClass, ttl: header.ttl, data: data)
    }

    @_lifetime(self: copy self)
    private mutating func readData(_ header: RecordHeader) throws(DNSError) -> DNSRecordData {
        let range = header.dataRange
        switch header.type {
        case .a:
            return .a(IPv4Address(rawValue: try read(UInt32.self)))
        case .aaaa:
            return .aaaa(IPv6Address(rawValue: try read(UInt128.self)))
        case .cname: return .cname(try readName())
        case .ns: return .ns(try readName())
        case .ptr: return .ptr(try readName())
        case .soa:
            return .soa(
                StartOfAuthority(
                    primary: try readName(), mailbox: try readName(), serial: try read(UInt32.self),
                    refresh: try read(UInt32.self), retry: try read(UInt32.self), expire: try read(UInt32.self),
                    minimum: try read(UInt32.self)))
        case .srv:
            return .srv(
                priority: try read(UInt16.self), weight: try read(UInt16.self), port: try read(UInt16.self),
                target: try readName())
        case .txt:
            var strings: [[UInt8]] = []
            while offset < range.upperBound { strings.append(try readBytes(Int(try read(UInt8.self)))) }
            return .txt(strings)
        default:
            return .other(header.type, try readBytes(range.count))
        }
    }
}
