internal import Addresses
internal import NFTables

/// What differs between the families in the rules of a Service.
struct HeaderLayout: Sendable {
    let family: IPFamily
    /// The code of an ICMP error that says that nobody listens on a port.
    let portUnreachable: UInt8
    /// Addresses that never leave the host.
    let loopback: IPPrefix
    /// The kernel parameter that lets packets leave the host although they come from a loopback address, and takes the
    /// answers; nil where the kernel never does the latter (`rt6_need_strict` of net/ipv6/route.c).
    let loopbackRoutingParameter: String?
    /// Whether a caller's address survives translation to the other family, because it fits into one of it.
    let isEmbedded: Bool

    init(_ family: IPFamily) {
        self.family = family
        switch family {
        case .ipv4:
            portUnreachable = 3
            loopback = IPPrefix(IPAddress(family: family, bits: 127 << 24), length: 8)
            loopbackRoutingParameter = "net/ipv4/conf/all/route_localnet"
            isEmbedded = true
        case .ipv6:
            portUnreachable = 4
            loopback = IPPrefix(IPAddress(family: family, bits: 1), length: 128)
            loopbackRoutingParameter = nil
            isEmbedded = false
        }
    }

    /// How many registers an address fills.
    var addressRegisters: UInt32 { UInt32(family.byteCount / 4) }

    /// The register behind an address and `fields` further fields that begin at register 0.
    func register(afterAddressAnd fields: UInt32) -> Register {
        Register(addressRegisters + fields)
    }

    /// Loads destination address, protocol and destination port into registers from `index` on.
    func frontendKey(from index: UInt32) -> [Expression] {
        [destination(Register(index))] + Self.destinationPort(from: index + addressRegisters)
    }

    func source(_ register: Register = Register(0)) -> Expression {
        .address(.source, family, register)
    }

    func destination(_ register: Register = Register(0)) -> Expression {
        .address(.destination, family, register)
    }

    /// Loads protocol and destination port into two registers from `index` on.
    static func destinationPort(from index: UInt32) -> [Expression] {
        [
            .meta(.transportProtocol, Register(index)),
            .payload(.transport, offset: 2, length: 2, Register(index + 1)),
        ]
    }
}
