public import Addresses
internal import CLinux
internal import Glibc
public import Netlink

/// Who added a route (linux/rtnetlink.h).
public struct RouteProtocol: RawRepresentable, Sendable, Hashable {
    /// The number on the wire.
    public let rawValue: UInt8

    /// Wraps the number.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The kernel, with an address.
    public static let kernel = RouteProtocol(rawValue: UInt8(RTPROT_KERNEL))
    /// During boot; what `ip route add` uses.
    public static let boot = RouteProtocol(rawValue: UInt8(RTPROT_BOOT))
    /// The administrator.
    public static let `static` = RouteProtocol(rawValue: UInt8(RTPROT_STATIC))
    /// The kernel, from a router's advertisement (RFC 4861).
    public static let routerAdvertisement = RouteProtocol(rawValue: UInt8(RTPROT_RA))
    /// Duet: the routes between the nodes' pod ranges.
    public static let duet = RouteProtocol(rawValue: 0x44)
    /// Duet: the routes to translators, which those between pod ranges are not compared with.
    public static let duetTranslation = RouteProtocol(rawValue: 0x45)
}

/// A route of the kernel with one next hop.
public struct Route: Sendable, Hashable {
    /// Where it leads to.
    public var destination: IPPrefix
    /// The next hop, which may be of the other family; none for what is on the link.
    public var gateway: IPAddress?
    /// The link that it leaves through.
    public var interface: Int32?
    /// The source address that local senders get.
    public var source: IPAddress?
    /// Who added it.
    public var `protocol`: RouteProtocol
    /// How far the destination is.
    public var scope: RouteScope
    /// The table.
    public var table: UInt32
    /// The preference among routes to the same destination, lowest first; the kernel makes 0 to 1024 for IPv6.
    public var metric: UInt32
    /// The largest packet in bytes.
    public var mtu: Int?
    /// The largest TCP segment that the other end is told to send, in bytes.
    public var advertisedMSS: Int?
    /// Whether the gateway is taken to be on the link although no route says so.
    public var isOnLink: Bool

    /// The table that is looked at for ordinary routes.
    public static let mainTable = UInt32(RT_TABLE_MAIN.rawValue)

    /// Describes a route; the scope follows from the gateway unless it is given.
    public init(
        destination: IPPrefix, gateway: IPAddress? = nil, interface: Int32? = nil, source: IPAddress? = nil,
        protocol: RouteProtocol = .boot, scope: RouteScope? = nil, table: UInt32 = Route.mainTable,
        metric: UInt32 = 0, mtu: Int? = nil, advertisedMSS: Int? = nil, isOnLink: Bool = false
    ) {
        self.destination = destination
        self.gateway = gateway
        self.interface = interface
        self.source = source
        self.protocol = `protocol`
        // IPv6 routes have no scope: the kernel takes and tells "universe".
        self.scope = scope ?? (gateway == nil && destination.family == .ipv4 ? .link : .universe)
        self.table = table
        self.metric = metric
        self.mtu = mtu
        self.advertisedMSS = advertisedMSS
        self.isOnLink = isOnLink
    }
}

extension Route: CustomStringConvertible {
    /// The way `ip route` writes it.
    public var description: String {
        var text = "\(destination)"
        if let gateway { text += " via \(gateway)" }
        if let interface { text += " dev \(interface)" }
        if let source { text += " src \(source)" }
        if metric != 0 { text += " metric \(metric)" }
        if let mtu { text += " mtu \(mtu)" }
        if let advertisedMSS { text += " advmss \(advertisedMSS)" }
        if table != Self.mainTable { text += " table \(table)" }
        if isOnLink { text += " onlink" }
        return text
    }
}

extension Route {
    static let headerSize = 12

    /// Reads an RTM_NEWROUTE or RTM_DELROUTE message; `nil` for other messages, families and kinds than unicast.
    public init?(_ reply: NetlinkReply) {
        guard reply.type == UInt16(RTM_NEWROUTE) || reply.type == UInt16(RTM_DELROUTE),
            let family = IPFamily(socketFamily: reply.payload.integer(at: 0)),
            reply.payload.integer(at: 7, as: UInt8.self) == UInt8(RTN_UNICAST)
        else { return nil }
        let flags: UInt32 = reply.payload.integer(at: 8)
        let length = Int(reply.payload.integer(at: 1, as: UInt8.self))
        self.init(
            destination: IPPrefix(.unspecified(family), length: length),
            protocol: RouteProtocol(rawValue: reply.payload.integer(at: 5)),
            scope: RouteScope(rawValue: reply.payload.integer(at: 6)),
            table: UInt32(reply.payload.integer(at: 4, as: UInt8.self)),
            isOnLink: flags & UInt32(RTNH_F_ONLINK) != 0)
        for attribute in reply.attributes(after: Self.headerSize) {
            switch attribute.type {
            case Int(RTA_DST.rawValue):
                guard let address = IPAddress(bytes: attribute.payload) else { return nil }
                destination = IPPrefix(address, length: length)
            case Int(RTA_GATEWAY.rawValue): gateway = IPAddress(bytes: attribute.payload)
            case Int(RTA_VIA.rawValue): gateway = IPAddress(bytes: attribute.payload.dropFirst(2))
            case Int(RTA_OIF.rawValue): interface = attribute.integer()
            case Int(RTA_PREFSRC.rawValue): source = IPAddress(bytes: attribute.payload)
            case Int(RTA_TABLE.rawValue): table = attribute.integer()
            case Int(RTA_PRIORITY.rawValue): metric = attribute.integer()
            case Int(RTA_METRICS.rawValue):
                mtu = (attribute.attributes[Int(RTAX_MTU)]?.integer(as: UInt32.self)).map(Int.init)
                advertisedMSS = (attribute.attributes[Int(RTAX_ADVMSS)]?.integer(as: UInt32.self)).map(Int.init)
            default: break
            }
        }
    }

    /// The route by each of the next hops of the message that it was read from (`struct rtnexthop`); itself where there is one.
    func ways(_ reply: NetlinkReply) -> [Route] {
        guard let hops = reply.attributes(after: Self.headerSize)[Int(RTA_MULTIPATH.rawValue)] else { return [self] }
        var ways: [Route] = []
        var rest = hops.payload
        while rest.count >= 8 {
            let length = Int(rest.integer(at: 0, as: UInt16.self))
            guard length >= 8, length <= rest.count else { break }
            var way = self
            way.interface = rest.integer(at: 4)
            let attributes = NetlinkAttributes(rest.prefix(length).dropFirst(8))
            if let gateway = attributes[Int(RTA_GATEWAY.rawValue)] {
                way.gateway = IPAddress(bytes: gateway.payload)
            } else if let via = attributes[Int(RTA_VIA.rawValue)] {
                way.gateway = IPAddress(bytes: via.payload.dropFirst(2))
            }
            ways.append(way)
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return ways
    }

    /// `struct rtmsg` of linux/rtnetlink.h, and the attributes.
    func encode() -> NetlinkWriter {
        var writer = Self.header(
            family: destination.family, length: destination.length, protocol: `protocol`, scope: scope,
            type: UInt8(RTN_UNICAST), flags: isOnLink ? UInt32(RTNH_F_ONLINK) : 0)
        writer.attribute(Int(RTA_TABLE.rawValue), table)
        if destination.length > 0 { writer.attribute(Int(RTA_DST.rawValue), bytes: destination.address.bytes) }
        if let gateway {
            if gateway.family == destination.family {
                writer.attribute(Int(RTA_GATEWAY.rawValue), bytes: gateway.bytes)
            } else {
                writer.attribute(Int(RTA_VIA.rawValue), bytes: [gateway.family.socketFamily, 0] + gateway.bytes)
            }
        }
        if let interface { writer.attribute(Int(RTA_OIF.rawValue), interface) }
        if let source { writer.attribute(Int(RTA_PREFSRC.rawValue), bytes: source.bytes) }
        if metric != 0 { writer.attribute(Int(RTA_PRIORITY.rawValue), metric) }
        if mtu != nil || advertisedMSS != nil {
            writer.nested(Int(RTA_METRICS.rawValue)) { metrics in
                if let mtu { metrics.attribute(Int(RTAX_MTU), UInt32(clamping: mtu)) }
                if let advertisedMSS { metrics.attribute(Int(RTAX_ADVMSS), UInt32(clamping: advertisedMSS)) }
            }
        }
        return writer
    }

    static func header(
        family: IPFamily, length: Int = 0, protocol: RouteProtocol? = nil, scope: RouteScope = .universe,
        type: UInt8 = 0, flags: UInt32 = 0
    ) -> NetlinkWriter {
        var writer = NetlinkWriter()
        writer.append(family.socketFamily)
        writer.append(UInt8(length))
        // Source length and type of service; the table follows as an attribute, which holds 32 bits.
        writer.append(UInt16(0))
        writer.append(UInt8(0))
        writer.append(`protocol`?.rawValue ?? 0)
        writer.append(scope.rawValue)
        writer.append(type)
        writer.append(flags)
        return writer
    }
}
