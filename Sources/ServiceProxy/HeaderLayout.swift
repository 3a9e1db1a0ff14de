internal import Addresses
internal import NFTables

/// Where the kernel finds the addresses of one family in a packet, and what differs with the family.
struct HeaderLayout: Sendable {
    let family: IPFamily
    /// Bytes from the start of the network header.
    let sourceOffset: UInt32
    let destinationOffset: UInt32
    /// The code of an ICMP error that says that nobody listens on a port.
    let portUnreachable: UInt8
    /// Addresses that never leave the host.
    let loopback: IPPrefix

    init(_ family: IPFamily) {
        self.family = family
        switch family {
        case .ipv4:
            (sourceOffset, destinationOffset, portUnreachable) = (12, 16, 3)
            loopback = IPPrefix(IPAddress(family: family, bits: 127 << 24), length: 8)
        case .ipv6:
            (sourceOffset, destinationOffset, portUnreachable) = (8, 24, 4)
            loopback = IPPrefix(IPAddress(family: family, bits: 1), length: 128)
        }
    }

    /// Bytes of an address.
    var addressSize: UInt32 { UInt32(family.bitWidth / 8) }

    /// The register behind an address and `fields` further fields that begin at register 0.
    func register(afterAddressAnd fields: UInt32) -> Register {
        Register(addressSize / 4 + fields)
    }

    func source(_ register: Register = Register(0)) -> Expression {
        .payload(.network, offset: sourceOffset, length: addressSize, register)
    }

    func destination(_ register: Register = Register(0)) -> Expression {
        .payload(.network, offset: destinationOffset, length: addressSize, register)
    }

    /// Loads protocol and destination port into two registers from `index` on.
    static func destinationPort(from index: UInt32) -> [Expression] {
        [
            .meta(.transportProtocol, Register(index)),
            .payload(.transport, offset: 2, length: 2, Register(index + 1)),
        ]
    }
}
