public import Addresses
public import CNI
import JSON

/// A run of addresses of one subnet from which to allocate, with the subnet's gateway.
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// The subnet whose length the allocated addresses get.
    public let subnet: IPPrefix
    /// The first address that may be allocated.
    public let first: IPAddress
    /// The last address that may be allocated.
    public let last: IPAddress
    /// The gateway, which is never allocated.
    public let gateway: IPAddress

    /// Makes a range; what is nil gets the reference plugin's default.
    ///
    /// Defaults: the gateway is the subnet's first address after its network address, and so is the start; the end is
    /// the last address, for IPv4 the one before broadcast. Errors carry the reference plugin's texts.
    public init(
        subnet text: String, first: IPAddress? = nil, last: IPAddress? = nil, gateway: IPAddress? = nil
    ) throws(CNIError) {
        guard let written = InterfaceAddress(text) else { throw CNIError("invalid CIDR address: \(text)") }
        guard written.address == written.address.unmapped else {
            throw CNIError("IPNet IP and Mask version mismatch")
        }
        let subnet = written.prefix
        guard subnet.hostBits >= 2 else { throw CNIError("Network \(subnet) too small to allocate from") }
        guard written.address == subnet.address else {
            throw CNIError(
                "Network has host bits set. For a subnet mask of length \(subnet.length) the network address is "
                    + "\(subnet.address)")
        }
        let isOrdered = first.flatMap { first in last.map { first <= $0 } } ?? true
        if let first, !subnet.contains(first) || !isOrdered {
            throw CNIError("RangeStart \(first) not in network \(subnet)")
        }
        if let last, !subnet.contains(last) { throw CNIError("RangeEnd \(last) not in network \(subnet)") }
        let reserved: UInt128 = subnet.family == .ipv4 ? 1 : 0
        self.subnet = subnet
        self.first = first ?? IPAddress(family: subnet.family, bits: subnet.address.bits + 1)
        self.last = last ?? IPAddress(family: subnet.family, bits: subnet.last.bits - reserved)
        self.gateway = gateway ?? IPAddress(family: subnet.family, bits: subnet.address.bits + 1)
    }

    /// Reads `{subnet, rangeStart, rangeEnd, gateway}`.
    init(json: JSONValue) throws(CNIError) {
        guard json.object != nil else { throw CNIError(.decodingFailure, "ipam.ranges: expected an object") }
        try self.init(
            subnet: try json.word("subnet"), first: try json.ipAddress("rangeStart"),
            last: try json.ipAddress("rangeEnd"), gateway: try json.ipAddress("gateway"))
    }

    /// Whether an address lies between the bounds.
    public func contains(_ address: IPAddress) -> Bool {
        address.family == subnet.family && first <= address && address <= last
    }

    /// Whether any address lies in both.
    public func overlaps(_ other: AddressRange) -> Bool {
        subnet.family == other.subnet.family && first <= other.last && other.first <= last
    }

    /// The bounds, joined by a hyphen.
    public var description: String { "\(first)-\(last)" }
}

/// Alternative ranges of one family; an attachment gets one address out of each set.
public struct RangeSet: Hashable, Sendable, CustomStringConvertible {
    /// The ranges, in the order in which they are used up.
    public let ranges: [AddressRange]

    /// Makes a set of ranges of one family that do not overlap; at least one.
    public init(_ ranges: [AddressRange]) throws(CNIError) {
        guard let family = ranges.first?.subnet.family else { throw CNIError("empty range set") }
        guard ranges.allSatisfy({ $0.subnet.family == family }) else { throw CNIError("mixed address families") }
        for (index, range) in ranges.enumerated() {
            if let other = ranges[(index + 1)...].first(where: { $0.overlaps(range) }) {
                throw CNIError("subnets \(range) and \(other) overlap")
            }
        }
        self.ranges = ranges
    }

    init(json: JSONValue) throws(CNIError) {
        guard let array = json.array else {
            throw CNIError(.decodingFailure, "ipam.ranges: expected an array of arrays of ranges")
        }
        var ranges: [AddressRange] = []
        for value in array { ranges.append(try AddressRange(json: value)) }
        try self.init(ranges)
    }

    /// The family of all its ranges.
    public var family: IPFamily { ranges[0].subnet.family }

    /// The range that an address lies in.
    public func range(of address: IPAddress) -> AddressRange? { ranges.first { $0.contains(address) } }

    /// Whether any address lies in both sets.
    public func overlaps(_ other: RangeSet) -> Bool {
        ranges.contains { range in other.ranges.contains { $0.overlaps(range) } }
    }

    /// The ranges, joined by commas.
    public var description: String { ranges.map(\.description).joined(separator: ",") }
}
