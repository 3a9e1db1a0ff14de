internal import CLinux
internal import Linux
public import Netlink

extension RouteSocket {
    /// The queueing disciplines of a link.
    public mutating func queueingDisciplines(_ link: Int32) throws(NetlinkError) -> [QueueingDiscipline] {
        let payload = QueueingDiscipline.header(
            link: link, handle: .init(rawValue: 0), parent: .init(rawValue: 0))
        // The kernel lists those of all links.
        return try netlink.dump(
            NetlinkRequest(type: UInt16(RTM_GETQDISC), payload: payload), "list queueing disciplines of link \(link)"
        ) { reply in
            QueueingDiscipline(reply).flatMap { $0.link == link ? $0 : nil }
        }
    }

    /// Gives a link a queueing discipline; throws `Errno.exists` when its place is taken.
    public mutating func addQueueingDiscipline(_ discipline: QueueingDiscipline) throws(NetlinkError) {
        try netlink.execute(
            NetlinkRequest(type: UInt16(RTM_NEWQDISC), flags: [.create, .exclusive], payload: discipline.encode()),
            "add queueing discipline to link \(discipline.link)")
    }

    /// Takes the queueing discipline at a place from a link, with all that hangs on it; none is no error.
    public mutating func deleteQueueingDiscipline(
        _ link: Int32, at parent: QueueingDiscipline.Handle
    ) throws(NetlinkError) {
        let payload = QueueingDiscipline.header(link: link, handle: .init(rawValue: 0), parent: parent)
        do throws(NetlinkError) {
            try netlink.execute(
                NetlinkRequest(type: UInt16(RTM_DELQDISC), payload: payload),
                "delete queueing discipline of link \(link)")
        } catch {
            guard error.errno == .noEntry || error.errno == .invalidArgument else { throw error }
        }
    }

    /// Adds a class to a link's hierarchy; throws `Errno.exists` when its handle is taken.
    public mutating func addTrafficClass(_ value: TrafficClass) throws(NetlinkError) {
        try netlink.execute(
            NetlinkRequest(type: UInt16(RTM_NEWTCLASS), flags: [.create, .exclusive], payload: value.encode()),
            "add traffic class to link \(value.link)")
    }

    /// The classes of a link's hierarchy.
    public mutating func trafficClasses(_ link: Int32) throws(NetlinkError) -> [TrafficClass] {
        let payload = QueueingDiscipline.header(link: link, handle: .init(rawValue: 0), parent: .init(rawValue: 0))
        return try netlink.dump(
            NetlinkRequest(type: UInt16(RTM_GETTCLASS), payload: payload), "list traffic classes of link \(link)",
            TrafficClass.init)
    }

    /// Adds a filter to a link's hierarchy, behind those of the same family.
    public mutating func addSubnetFilter(_ filter: SubnetFilter) throws(NetlinkError) {
        try netlink.execute(
            NetlinkRequest(type: UInt16(RTM_NEWTFILTER), flags: [.create, .exclusive], payload: filter.encode()),
            "add filter for \(filter.prefix) to link \(filter.link)")
    }

    /// Sends all that a link receives out of another link instead.
    ///
    /// - Parameter parent: the handle of the link's ingress discipline.
    public mutating func redirectIncoming(
        of link: Int32, to target: Int32, parent: QueueingDiscipline.Handle
    ) throws(NetlinkError) {
        // The first priority, and every protocol.
        let information = 1 << 16 | UInt32(UInt16(ETH_P_ALL).bigEndian)
        var payload = QueueingDiscipline.header(
            link: link, handle: .init(rawValue: 0), parent: parent, information: information)
        payload.attribute(Int(TCA_KIND), string: "u32")
        payload.nested(Int(TCA_OPTIONS)) { options in
            options.attribute(Int(TCA_U32_CLASSID), QueueingDiscipline.Handle(1, 1).rawValue)
            options.attribute(Int(TCA_U32_SEL), bytes: Self.matchAll)
            options.nested(Int(TCA_U32_ACT)) { actions in
                actions.nested(1) { action in
                    action.attribute(Int(TCA_ACT_KIND), string: "mirred")
                    action.nested(Int(TCA_ACT_OPTIONS)) {
                        $0.attribute(Int(TCA_MIRRED_PARMS), bytes: Self.redirection(target))
                    }
                }
            }
        }
        try netlink.execute(
            NetlinkRequest(type: UInt16(RTM_NEWTFILTER), flags: [.create, .exclusive], payload: payload),
            "redirect what link \(link) receives to link \(target)")
    }

    /// `struct tc_u32_sel` of linux/pkt_cls.h: it decides alone, and has one key, which compares no bit.
    private static let matchAll: [UInt8] =
        [UInt8(TC_U32_TERMINAL), 0, 1] + [UInt8](repeating: 0, count: 13 + 16)

    /// `struct tc_mirred` of linux/tc_act/tc_mirred.h.
    private static func redirection(_ target: Int32) -> [UInt8] {
        var writer = NetlinkWriter()
        writer.append(UInt32(0))
        writer.append(UInt32(0))
        writer.append(Int32(TC_ACT_STOLEN))
        writer.append(Int32(0))
        writer.append(Int32(0))
        writer.append(Int32(TCA_EGRESS_REDIR))
        writer.append(target)
        return writer.bytes
    }
}
