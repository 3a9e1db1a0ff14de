internal import CLinux
internal import Netlink

/// An eBPF program that decides about the packets of a link, at its clsact discipline.
public struct ProgramFilter: Sendable, Hashable {
    /// Which of a link's packets.
    public enum Direction: Sendable, Hashable, CaseIterable {
        /// Those that the link receives.
        case ingress
        /// Those that the link sends.
        case egress

        var parent: QueueingDiscipline.Handle {
            QueueingDiscipline.Handle(0xffff, UInt16(self == .ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS))
        }
    }

    /// Which packets it sees.
    public let direction: Direction
    /// Its turn among the filters of the link: the lowest is first.
    public let priority: UInt16
    /// Its number among those of one priority.
    public let handle: UInt32
    /// What lists of filters call it.
    public let name: String

    /// Describes a filter.
    public init(_ direction: Direction, name: String, priority: UInt16 = 1, handle: UInt32 = 1) {
        self.direction = direction
        self.name = name
        self.priority = priority
        self.handle = handle
    }

    /// The header of a request about the filter on a link.
    func header(link: Int32) -> NetlinkWriter {
        // Every protocol.
        let information = UInt32(priority) << 16 | UInt32(UInt16(ETH_P_ALL).bigEndian)
        return QueueingDiscipline.header(
            link: link, handle: .init(rawValue: handle), parent: direction.parent, information: information)
    }
}

/// An eBPF program that a link has.
public struct AttachedProgramFilter: Sendable, Hashable {
    /// Where it is.
    public let filter: ProgramFilter
    /// The kernel's number of the program.
    public let program: UInt32

    init?(_ reply: NetlinkReply, _ direction: ProgramFilter.Direction) {
        let attributes = reply.attributes(after: QueueingDiscipline.headerSize)
        let handle: UInt32 = reply.payload.integer(at: 8)
        // The kernel tells of the classifier itself, too, without a handle.
        guard reply.type == UInt16(RTM_NEWTFILTER), attributes[Int(TCA_KIND)]?.string == "bpf", handle != 0,
            let options = attributes[Int(TCA_OPTIONS)]?.attributes
        else { return nil }
        let information: UInt32 = reply.payload.integer(at: 16)
        filter = ProgramFilter(
            direction, name: options[Int(TCA_BPF_NAME)]?.string ?? "", priority: UInt16(information >> 16),
            handle: handle)
        program = options[Int(TCA_BPF_ID)]?.integer() ?? 0
    }
}
