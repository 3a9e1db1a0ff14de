public import Addresses
internal import CLinux
internal import Glibc
public import Netlink

/// Flags of an address on a link (linux/if_addr.h).
public struct AddressFlags: OptionSet, Sendable, Hashable {
    /// The bits on the wire.
    public let rawValue: UInt32

    /// Wraps the bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Usable at once, without duplicate address detection (IPv6).
    public static let noDAD = AddressFlags(rawValue: UInt32(IFA_F_NODAD))
    /// Made for privacy, and replaced now and then (RFC 8981).
    public static let temporary = AddressFlags(rawValue: UInt32(IFA_F_TEMPORARY))
    /// Past its preferred lifetime: not for new connections (RFC 4862).
    public static let deprecated = AddressFlags(rawValue: UInt32(IFA_F_DEPRECATED))
    /// Not yet known to be unique.
    public static let tentative = AddressFlags(rawValue: UInt32(IFA_F_TENTATIVE))
    /// Another station has it.
    public static let duplicate = AddressFlags(rawValue: UInt32(IFA_F_DADFAILED))
    /// Without a limited lifetime.
    public static let permanent = AddressFlags(rawValue: UInt32(IFA_F_PERMANENT))
    /// No route for its prefix is added with it.
    public static let noPrefixRoute = AddressFlags(rawValue: UInt32(IFA_F_NOPREFIXROUTE))
}

/// How far an address or the target of a route is known (linux/rtnetlink.h).
public struct RouteScope: RawRepresentable, Sendable, Hashable {
    /// The number on the wire.
    public let rawValue: UInt8

    /// Wraps the number.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Everywhere.
    public static let universe = RouteScope(rawValue: UInt8(RT_SCOPE_UNIVERSE.rawValue))
    /// On the link.
    public static let link = RouteScope(rawValue: UInt8(RT_SCOPE_LINK.rawValue))
    /// On this host.
    public static let host = RouteScope(rawValue: UInt8(RT_SCOPE_HOST.rawValue))
}

/// An address on a link as the kernel describes it.
public struct AddressEntry: Sendable, Hashable {
    /// The link.
    public let interface: Int32
    /// The address and the length of its prefix.
    public let address: InterfaceAddress
    /// The other end of a point-to-point address.
    public let peer: IPAddress?
    /// The flags.
    public let flags: AddressFlags
    /// How far it is known.
    public let scope: RouteScope
    /// Who added it, where that was told; kernels before 5.18 forget it.
    public let `protocol`: RouteProtocol?

    /// Whether others may know this machine under the address for long: a global one that is neither temporary nor
    /// deprecated nor in doubt.
    public var isLasting: Bool {
        scope == .universe && !address.address.isLinkLocalUnicast
            && flags.isDisjoint(with: [.temporary, .deprecated, .tentative, .duplicate])
    }

    static let headerSize = 8

    /// Reads an RTM_NEWADDR or RTM_DELADDR message; `nil` for other messages and families.
    public init?(_ reply: NetlinkReply) {
        guard reply.type == UInt16(RTM_NEWADDR) || reply.type == UInt16(RTM_DELADDR) else { return nil }
        var address: IPAddress?
        var local: IPAddress?
        var origin: UInt8 = 0
        var flags = UInt32(reply.payload.integer(at: 2, as: UInt8.self))
        for attribute in reply.attributes(after: Self.headerSize) {
            switch attribute.type {
            case Int(IFA_ADDRESS): address = IPAddress(bytes: attribute.payload)
            case Int(IFA_LOCAL): local = IPAddress(bytes: attribute.payload)
            case Int(IFA_PROTO): origin = attribute.integer()
            case Int(IFA_FLAGS): flags = attribute.integer()
            default: break
            }
        }
        // With both, `address` is the other end (linux/if_addr.h).
        guard let own = local ?? address else { return nil }
        self.address = InterfaceAddress(own, length: Int(reply.payload.integer(at: 1, as: UInt8.self)))
        peer = local != nil && address != local ? address : nil
        self.flags = AddressFlags(rawValue: flags)
        scope = RouteScope(rawValue: reply.payload.integer(at: 3))
        `protocol` = origin == 0 ? nil : RouteProtocol(rawValue: origin)
        interface = reply.payload.integer(at: 4)
    }
}
