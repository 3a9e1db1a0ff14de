internal import CLinux
internal import Linux
public import Netlink

extension RouteSocket {
    /// Gives a link the discipline that holds program filters; one that is there stays, with its filters.
    ///
    /// Throws `Errno.exists` when the link has an ingress discipline, which takes the same place.
    public mutating func ensureFilterDiscipline(_ link: Int32) throws(NetlinkError) {
        let clsact = QueueingDiscipline(link: link, handle: .init(0xffff), parent: .ingress, .clsact)
        do throws(NetlinkError) {
            try addQueueingDiscipline(clsact)
        } catch  where error.errno == .exists {
            let found = try queueingDisciplines(link)
            guard found.contains(where: { $0.parent == .ingress && $0.kind == .clsact }) else { throw error }
        }
    }

    /// Lets a program decide about a link's packets, by what it returns (`TC_ACT_…`); one at the same direction,
    /// priority and handle is replaced without a packet in between.
    ///
    /// - Parameter program: the program's descriptor; the link keeps the program alive after it is closed.
    public mutating func setProgramFilter(
        _ filter: ProgramFilter, on link: Int32, program: Int32
    ) throws(NetlinkError) {
        var payload = filter.header(link: link)
        payload.attribute(Int(TCA_KIND), string: "bpf")
        payload.nested(Int(TCA_OPTIONS)) { options in
            options.attribute(Int(TCA_BPF_FD), UInt32(bitPattern: program))
            options.attribute(Int(TCA_BPF_NAME), string: filter.name)
            options.attribute(Int(TCA_BPF_FLAGS), UInt32(TCA_BPF_FLAG_ACT_DIRECT))
        }
        try netlink.execute(
            NetlinkRequest(type: UInt16(RTM_NEWTFILTER), flags: [.create], payload: payload),
            "set filter \(filter.name) on link \(link)")
    }

    /// Takes a program filter from a link; none is no error.
    public mutating func deleteProgramFilter(_ filter: ProgramFilter, on link: Int32) throws(NetlinkError) {
        var payload = filter.header(link: link)
        payload.attribute(Int(TCA_KIND), string: "bpf")
        do throws(NetlinkError) {
            try netlink.execute(
                NetlinkRequest(type: UInt16(RTM_DELTFILTER), payload: payload),
                "delete filter \(filter.name) of link \(link)")
        } catch {
            // A link without the discipline, or without the filter.
            guard error.errno == .noEntry || error.errno == .invalidArgument else { throw error }
        }
    }

    /// The program filters of a link in one direction.
    public mutating func programFilters(
        _ link: Int32, _ direction: ProgramFilter.Direction
    ) throws(NetlinkError) -> [AttachedProgramFilter] {
        let payload = QueueingDiscipline.header(
            link: link, handle: .init(rawValue: 0), parent: direction.parent)
        return try netlink.dump(
            NetlinkRequest(type: UInt16(RTM_GETTFILTER), payload: payload), "list filters of link \(link)"
        ) { AttachedProgramFilter($0, direction) }
    }
}
