public import Addresses

extension Expression {
    /// An address field of the network header.
    public enum AddressField: Sendable, Hashable {
        /// Where the packet comes from.
        case source
        /// Where it goes.
        case destination
    }

    /// Where an address of a family stands in the network header.
    private static func offset(_ field: AddressField, _ family: IPFamily) -> UInt32 {
        let source: UInt32 = family == .ipv4 ? 12 : 8
        return field == .source ? source : source + UInt32(family.byteCount)
    }

    /// Loads an address of the network header (RFC 791 §3.1, RFC 8200 §3) into a register.
    ///
    /// In an `inet` table the packet's family must have been checked before.
    public static func address(
        _ field: AddressField, _ family: IPFamily, _ register: Register = Register(0)
    ) -> Expression {
        .payload(.network, offset: offset(field, family), length: UInt32(family.byteCount), register)
    }

    /// Replaces an address of the network header by what a register holds, whatever connection the packet belongs to.
    ///
    /// The checksums of the header and of the transport follow. As with `address(_:_:_:)` the family must be known.
    public static func setAddress(_ field: AddressField, _ family: IPFamily, _ register: Register) -> Expression {
        .setPayload(
            .network, offset: offset(field, family), length: UInt32(family.byteCount), register,
            checksum: family == .ipv4 ? 10 : nil, isInPseudoHeader: true)
    }

    /// Goes on only for packets of the family; an `ip` or `ip6` table needs no such check.
    public static func isFamily(_ family: IPFamily) -> [Expression] {
        [.meta(.networkProtocol, Register(0)), .compare(Register(0), .equal, [Table.Family(family).rawValue])]
    }

    /// Goes on only when an address of the network header lies in a prefix, or with `.notEqual` when it does not.
    public static func address(
        _ field: AddressField, _ comparison: Comparison = .equal, in prefix: IPPrefix
    ) -> [Expression] {
        var expressions: [Expression] = [.address(field, prefix.family)]
        if prefix.hostBits > 0 {
            let zero = [UInt8](repeating: 0, count: prefix.family.byteCount)
            expressions.append(.bitwise(Register(0), mask: prefix.mask.bytes, xor: zero, Register(0)))
        }
        return expressions + [.compare(Register(0), comparison, prefix.address.bytes)]
    }
}
