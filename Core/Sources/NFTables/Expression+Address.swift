public import Addresses

extension Expression {
    /// An address field of the network header.
    public enum AddressField: Sendable, Hashable {
        /// Where the packet comes from.
        case source
        /// Where it goes.
        case destination
    }

    /// Loads an address of the network header (RFC 791, RFC 8200) into a register.
    ///
    /// In an `inet` table the packet's family must have been checked before.
    public static func address(_ field: AddressField, _ family: IPFamily, _ register: Register) -> Expression {
        let length = UInt32(family.bitWidth / 8)
        let source: UInt32 = family == .ipv4 ? 12 : 8
        return .payload(.network, offset: field == .source ? source : source + length, length: length, register)
    }

    /// Goes on only for packets of the family; an `ip` or `ip6` table needs no such check.
    public static func isFamily(_ family: IPFamily) -> [Expression] {
        [.meta(.networkProtocol, Register(0)), .compare(Register(0), .equal, [Table.Family(family).rawValue])]
    }

    /// Goes on only when an address of the network header lies in a prefix.
    public static func address(_ field: AddressField, in prefix: IPPrefix) -> [Expression] {
        let mask = IPPrefix(IPAddress(family: prefix.family, bits: UInt128.max), length: prefix.length).address.bytes
        return [
            .address(field, prefix.family, Register(0)),
            .bitwise(Register(0), mask: mask, xor: Array(repeating: 0, count: mask.count), Register(0)),
            .compare(Register(0), .equal, prefix.address.bytes),
        ]
    }
}
