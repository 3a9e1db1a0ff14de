public import Addresses
internal import CLinux
internal import Netlink

/// A rule that says which table of routes packets from some addresses are looked up in (linux/fib_rules.h).
public struct RoutingRule: Sendable, Hashable {
    /// What becomes of the packets.
    public enum Action: Sendable, Hashable {
        /// A table is looked at; where it has no route, later rules count.
        case lookUp(table: UInt32)
        /// They go nowhere, and their sender is told (ICMP "host unreachable").
        case unreachable
    }

    /// The turn among all rules, lowest first; the table of ordinary routes has 32766.
    public var priority: UInt32
    /// The source addresses that it is about.
    public var source: IPPrefix
    /// What becomes of the packets.
    public var action: Action
    /// Who added it; kernels before 4.17 do not know.
    public var `protocol`: RouteProtocol

    /// Describes a rule.
    public init(priority: UInt32, source: IPPrefix, action: Action, protocol: RouteProtocol) {
        self.priority = priority
        self.source = source
        self.action = action
        self.protocol = `protocol`
    }
}

extension RoutingRule: CustomStringConvertible {
    /// The way `ip rule` writes it.
    public var description: String {
        switch action {
        case .lookUp(let table): "\(priority): from \(source) lookup \(table)"
        case .unreachable: "\(priority): from \(source) unreachable"
        }
    }
}

extension RoutingRule {
    static let headerSize = 12

    /// Reads an RTM_NEWRULE message; `nil` for other messages and for rules that say more or less than a value of this
    /// type.
    init?(_ reply: NetlinkReply) {
        guard reply.type == UInt16(RTM_NEWRULE), let family = IPFamily(socketFamily: reply.payload.integer(at: 0))
        else { return nil }
        let sourceLength = Int(reply.payload.integer(at: 2, as: UInt8.self))
        let kind = reply.payload.integer(at: 7, as: UInt8.self)
        var table = UInt32(reply.payload.integer(at: 4, as: UInt8.self))
        var address = IPAddress.unspecified(family)
        var priority: UInt32 = 0
        var owner: UInt8 = 0
        for attribute in reply.attributes(after: Self.headerSize) {
            switch attribute.type {
            case Int(FRA_SRC):
                guard let source = IPAddress(bytes: attribute.payload) else { return nil }
                address = source
            case Int(FRA_PRIORITY): priority = attribute.integer()
            case Int(FRA_TABLE): table = attribute.integer()
            case Int(FRA_PROTOCOL): owner = attribute.integer()
            default: break
            }
        }
        let action: Action
        switch kind {
        case UInt8(FR_ACT_TO_TBL): action = .lookUp(table: table)
        case UInt8(FR_ACT_UNREACHABLE): action = .unreachable
        default: return nil
        }
        self.init(
            priority: priority, source: IPPrefix(address, length: sourceLength), action: action,
            protocol: RouteProtocol(rawValue: owner))
    }

    /// `struct fib_rule_hdr` of linux/fib_rules.h, and the attributes.
    func encode() -> NetlinkWriter {
        var writer = Self.header(source.family, sourceLength: source.length, kind: kind)
        if source.length > 0 { writer.attribute(Int(FRA_SRC), bytes: source.address.bytes) }
        writer.attribute(Int(FRA_PRIORITY), priority)
        if case .lookUp(let table) = action { writer.attribute(Int(FRA_TABLE), table) }
        writer.attribute(Int(FRA_PROTOCOL), `protocol`.rawValue)
        return writer
    }

    private var kind: UInt8 {
        switch action {
        case .lookUp: UInt8(FR_ACT_TO_TBL)
        case .unreachable: UInt8(FR_ACT_UNREACHABLE)
        }
    }

    static func header(_ family: IPFamily, sourceLength: Int = 0, kind: UInt8 = 0) -> NetlinkWriter {
        var writer = NetlinkWriter()
        writer.append(family.socketFamily)
        // The length of the destination, then that of the source.
        writer.append(UInt8(0))
        writer.append(UInt8(sourceLength))
        // The type of service; the table follows as an attribute, which holds 32 bits.
        writer.append(UInt8(0))
        writer.append(UInt8(0))
        writer.append(UInt16(0))
        writer.append(kind)
        writer.append(UInt32(0))
        return writer
    }
}
