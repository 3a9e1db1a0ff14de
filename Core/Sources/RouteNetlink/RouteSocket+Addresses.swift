public import Addresses
internal import CLinux
internal import Glibc
internal import Linux
public import Netlink

extension RouteSocket {
    /// The addresses of one link, or of all.
    public mutating func addresses(_ index: Int32? = nil) throws(NetlinkError) -> [AddressEntry] {
        var payload = NetlinkWriter()
        payload.append(UInt32(0))
        payload.append(index ?? 0)
        return try netlink.dump(
            NetlinkRequest(type: UInt16(RTM_GETADDR), payload: payload),
            index.map { "list addresses of link \($0)" } ?? "list addresses", AddressEntry.init)
    }

    /// Adds an address to a link; one that is there already throws `Errno.exists`.
    ///
    /// - Parameters:
    ///   - flags: `noDAD` makes an IPv6 address usable at once.
    ///   - scope: how far the address is known.
    ///   - broadcast: the IPv4 broadcast address of the link.
    ///   - protocol: who adds it.
    public mutating func addAddress(
        _ address: InterfaceAddress, _ index: Int32, flags: AddressFlags = [], scope: RouteScope = .universe,
        broadcast: IPAddress? = nil, protocol: RouteProtocol? = nil
    ) throws(NetlinkError) {
        try netlink.execute(
            Self.addition(
                of: address, index, flags: flags, scope: scope, broadcast: broadcast, protocol: `protocol`),
            "add address \(address) to link \(index)")
    }

    static func addition(
        of address: InterfaceAddress, _ index: Int32, flags: AddressFlags, scope: RouteScope = .universe,
        broadcast: IPAddress?, protocol: RouteProtocol? = nil
    ) -> NetlinkRequest {
        var payload = header(address, index, scope)
        if let broadcast { payload.attribute(Int(IFA_BROADCAST), bytes: broadcast.bytes) }
        if let `protocol` { payload.attribute(Int(IFA_PROTO), `protocol`.rawValue) }
        if !flags.isEmpty { payload.attribute(Int(IFA_FLAGS), flags.rawValue) }
        return NetlinkRequest(type: UInt16(RTM_NEWADDR), flags: [.create, .exclusive], payload: payload)
    }

    /// Removes an address from a link; one that is not there throws `Errno.addressNotAvailable`.
    public mutating func removeAddress(_ address: InterfaceAddress, _ index: Int32) throws(NetlinkError) {
        try netlink.execute(
            NetlinkRequest(type: UInt16(RTM_DELADDR), payload: Self.header(address, index, .universe)),
            "remove address \(address) from link \(index)")
    }

    /// `struct ifaddrmsg` of linux/if_addr.h, and the address.
    private static func header(_ address: InterfaceAddress, _ index: Int32, _ scope: RouteScope) -> NetlinkWriter {
        var writer = NetlinkWriter()
        writer.append(address.address.family.socketFamily)
        writer.append(UInt8(address.length))
        writer.append(UInt8(0))
        writer.append(scope.rawValue)
        writer.append(index)
        writer.attribute(Int(IFA_LOCAL), bytes: address.address.bytes)
        writer.attribute(Int(IFA_ADDRESS), bytes: address.address.bytes)
        return writer
    }
}

extension IPFamily {
    /// The number of the family in socket and netlink interfaces.
    var socketFamily: UInt8 {
        self == .ipv4 ? UInt8(AF_INET) : UInt8(AF_INET6)
    }

    /// The family of such a number.
    init?(socketFamily: UInt8) {
        guard let family = IPFamily.allCases.first(where: { $0.socketFamily == socketFamily }) else { return nil }
        self = family
    }
}
