public import Addresses
internal import CLinux
internal import Linux
public import Netlink

/// The connections that the kernel tracks in the network namespace of the thread that opens the socket.
public struct ConntrackSocket: ~Copyable, Sendable {
    private var netlink: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace; it stays there.
    public init() throws(NetlinkError) {
        netlink = try NetlinkSocket(.netfilter)
    }

    /// The connections of a family that `isIncluded` picks; O(all connections of the family).
    public mutating func entries(
        _ family: IPFamily, where isIncluded: (ConntrackEntry) -> Bool = { _ in true }
    ) throws(NetlinkError) -> [ConntrackEntry] {
        try entries(Self.header(family), family, where: isIncluded)
    }

    /// The connections of a family and a transport protocol that began to a port, those of them that `isIncluded` picks.
    ///
    /// Kernels since 5.8 pick by protocol and port themselves; older ones list all connections of the family.
    public mutating func entries(
        _ family: IPFamily, transportProtocol: UInt8, destinationPort: UInt16,
        where isIncluded: (ConntrackEntry) -> Bool = { _ in true }
    ) throws(NetlinkError) -> [ConntrackEntry] {
        var payload = Self.header(family)
        payload.nested(Int(CTA_TUPLE_ORIG.rawValue)) { tuple in
            tuple.nested(Int(CTA_TUPLE_PROTO.rawValue)) { ports in
                ports.attribute(Int(CTA_PROTO_NUM.rawValue), transportProtocol)
                ports.attribute(Int(CTA_PROTO_DST_PORT.rawValue), bigEndian: destinationPort)
            }
        }
        payload.nested(Int(CTA_FILTER.rawValue)) { filter in
            filter.attribute(Int(CTA_FILTER_ORIG_FLAGS.rawValue), Self.protocolNumberBit | Self.destinationPortBit)
            filter.attribute(Int(CTA_FILTER_REPLY_FLAGS.rawValue), UInt32(0))
        }
        return try entries(payload, family) { entry in
            entry.original.transportProtocol == transportProtocol
                && entry.original.destinationPort == destinationPort && isIncluded(entry)
        }
    }

    /// Bits of a filter that say which fields of a direction it compares (net/netfilter/nf_internals.h,
    /// `CTA_FILTER_FLAG`).
    private static let protocolNumberBit: UInt32 = 1 << 3
    private static let destinationPortBit: UInt32 = 1 << 5

    private mutating func entries(
        _ payload: NetlinkWriter, _ family: IPFamily, where isIncluded: (ConntrackEntry) -> Bool
    ) throws(NetlinkError) -> [ConntrackEntry] {
        let request = NetlinkRequest(type: Self.type(IPCTNL_MSG_CT_GET), payload: payload)
        return try netlink.dump(request, "list \(family) connections") { reply in
            ConntrackEntry(reply).flatMap { isIncluded($0) ? $0 : nil }
        }
    }

    /// Forgets a connection; `false` when it has ended already.
    @discardableResult
    public mutating func delete(_ entry: ConntrackEntry) throws(NetlinkError) -> Bool {
        var payload = Self.header(entry.original.source.family)
        payload.nested(Int(CTA_TUPLE_ORIG.rawValue)) { $0.append(bytes: entry.originalBytes) }
        if let zone = entry.zone { payload.attribute(Int(CTA_ZONE.rawValue), bigEndian: zone) }
        if let identifier = entry.identifier { payload.attribute(Int(CTA_ID.rawValue), bigEndian: identifier) }
        do throws(NetlinkError) {
            try netlink.execute(
                NetlinkRequest(type: Self.type(IPCTNL_MSG_CT_DELETE), payload: payload), "forget connection \(entry)")
            return true
        } catch  where error.errno == .noEntry {
            return false
        }
    }

    /// Forgets the connections of a family that `isIncluded` picks, and returns how many there were.
    @discardableResult
    public mutating func deleteEntries(
        _ family: IPFamily, where isIncluded: (ConntrackEntry) -> Bool
    ) throws(NetlinkError) -> Int {
        try delete(try entries(family, where: isIncluded))
    }

    /// Forgets the connections of a family and a transport protocol that began to a port, those of them that
    /// `isIncluded` picks, and returns how many there were.
    @discardableResult
    public mutating func deleteEntries(
        _ family: IPFamily, transportProtocol: UInt8, destinationPort: UInt16,
        where isIncluded: (ConntrackEntry) -> Bool = { _ in true }
    ) throws(NetlinkError) -> Int {
        try delete(
            try entries(
                family, transportProtocol: transportProtocol, destinationPort: destinationPort, where: isIncluded))
    }

    private mutating func delete(_ entries: [ConntrackEntry]) throws(NetlinkError) -> Int {
        var count = 0
        for entry in entries where try delete(entry) {
            count += 1
        }
        return count
    }

    private static func type(_ message: cntl_msg_types) -> UInt16 {
        UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | UInt16(message.rawValue)
    }

    /// `struct nfgenmsg` of linux/netfilter/nfnetlink.h.
    private static func header(_ family: IPFamily) -> NetlinkWriter {
        var writer = NetlinkWriter()
        writer.append(UInt8(family == .ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6))
        writer.append(UInt8(NFNETLINK_V0))
        writer.append(UInt16(0))
        return writer
    }
}
