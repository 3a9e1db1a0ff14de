internal import CLinux

/// Where a program runs, as the section of its object names it.
public struct ProgramKind: Hashable, Sendable {
    /// What the program is given and may do (`enum bpf_prog_type`).
    public let type: UInt32
    /// The only place that it may be attached to (`enum bpf_attach_type`); 0 where the kernel does not ask.
    public let attachType: UInt32

    /// Joins the kernel's two numbers.
    public init(type: UInt32, attachType: UInt32 = 0) {
        self.type = type
        self.attachType = attachType
    }

    /// On packets of a link, by a filter of its clsact discipline.
    public static let packets = ProgramKind(type: BPF_PROG_TYPE_SCHED_CLS.rawValue)

    /// The kind that the section `name` stands for: "tc…", or "cgroup/" and a hook such as "connect4".
    init?(section name: String) {
        if name == "tc" || name.hasPrefix("tc/") {
            self = .packets
            return
        }
        guard let hook = CgroupHook.allCases.first(where: { name == "cgroup/\($0.rawValue)" }) else { return nil }
        self = hook.kind
    }
}

/// A moment at which processes of a cgroup, and those below it, run a program.
public enum CgroupHook: String, Hashable, Sendable, CaseIterable {
    /// connect(2) to an IPv4 address.
    case connect4
    /// connect(2) on an IPv6 socket.
    case connect6
    /// sendmsg(2) of a datagram with an IPv4 destination.
    case sendmsg4
    /// sendmsg(2) of a datagram on an IPv6 socket.
    case sendmsg6
    /// recvmsg(2) of a datagram from an IPv4 sender.
    case recvmsg4
    /// recvmsg(2) of a datagram on an IPv6 socket.
    case recvmsg6
    /// getpeername(2) on an IPv4 socket.
    case getpeername4
    /// getpeername(2) on an IPv6 socket.
    case getpeername6
    /// The release of an internet socket.
    case sockRelease = "sock_release"

    /// What a program for this hook is.
    public var kind: ProgramKind {
        switch self {
        case .connect4: Self.address(BPF_CGROUP_INET4_CONNECT)
        case .connect6: Self.address(BPF_CGROUP_INET6_CONNECT)
        case .sendmsg4: Self.address(BPF_CGROUP_UDP4_SENDMSG)
        case .sendmsg6: Self.address(BPF_CGROUP_UDP6_SENDMSG)
        case .recvmsg4: Self.address(BPF_CGROUP_UDP4_RECVMSG)
        case .recvmsg6: Self.address(BPF_CGROUP_UDP6_RECVMSG)
        case .getpeername4: Self.address(BPF_CGROUP_INET4_GETPEERNAME)
        case .getpeername6: Self.address(BPF_CGROUP_INET6_GETPEERNAME)
        case .sockRelease:
            ProgramKind(
                type: BPF_PROG_TYPE_CGROUP_SOCK.rawValue, attachType: BPF_CGROUP_INET_SOCK_RELEASE.rawValue)
        }
    }

    private static func address(_ attachType: bpf_attach_type) -> ProgramKind {
        ProgramKind(type: BPF_PROG_TYPE_CGROUP_SOCK_ADDR.rawValue, attachType: attachType.rawValue)
    }
}

/// A program as it shall be, before the kernel has seen it.
public struct ProgramSpecification: Hashable, Sendable {
    /// A place in the instructions that takes a map, or the address of a variable in a map.
    public struct MapReference: Hashable, Sendable {
        /// The instruction's index.
        public let index: Int
        /// The map's name.
        public let map: String
        /// The variable's offset in the map's value; nil for the map itself.
        public let offset: UInt32?
    }

    /// The name of its function; the kernel keeps the first 15 bytes.
    public var name: String
    /// Where it runs.
    public var kind: ProgramKind
    /// What it does, with the functions that it calls after it.
    public var instructions: [Instruction]
    /// Where it uses maps.
    public var references: [MapReference]
    /// Its licence: the kernel gives some helpers to "GPL" and the like only.
    public var license: String

    /// Describes a program without maps; loading an object finds those with.
    public init(
        _ name: String, _ kind: ProgramKind, _ instructions: [Instruction], references: [MapReference] = [],
        license: String
    ) {
        self.name = name
        self.kind = kind
        self.instructions = instructions
        self.references = references
        self.license = license
    }
}
