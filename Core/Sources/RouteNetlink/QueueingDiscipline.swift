internal import CLinux
internal import Netlink

/// What decides when a link sends its packets (linux/pkt_sched.h).
public struct QueueingDiscipline: Sendable, Hashable {
    /// A place in a link's tree of disciplines: a number above, one below.
    public struct Handle: RawRepresentable, Sendable, Hashable {
        /// Both numbers in one.
        public let rawValue: UInt32

        /// Wraps both numbers in one.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Joins both numbers.
        public init(_ major: UInt16, _ minor: UInt16 = 0) { rawValue = UInt32(major) << 16 | UInt32(minor) }

        /// The top of what is sent.
        public static let root = Handle(rawValue: 0xFFFF_FFFF)
        /// What is received.
        public static let ingress = Handle(rawValue: 0xFFFF_FFF1)
    }

    /// How a discipline works.
    public enum Kind: Sendable, Hashable {
        /// Sends no more than a rate in the long run.
        case tokenBucket(TokenBucket)
        /// Sends by classes, those of no filter by the class of that lower number.
        case hierarchy(defaultClass: UInt16)
        /// Sends in order, and lets no more bytes than that wait.
        case byteQueue(limit: UInt32)
        /// Does nothing but hold filters for what is received.
        case ingress
        /// Does nothing but hold filters for what is received and what is sent.
        case clsact
        /// One that is only known by its name.
        case other(String)
    }

    /// The link.
    public let link: Int32
    /// Its own handle.
    public let handle: Handle
    /// Where it stands.
    public let parent: Handle
    /// How it works.
    public let kind: Kind

    /// Describes a discipline.
    public init(link: Int32, handle: Handle, parent: Handle, _ kind: Kind) {
        self.link = link
        self.handle = handle
        self.parent = parent
        self.kind = kind
    }

    init?(_ reply: NetlinkReply) {
        guard reply.type == UInt16(RTM_NEWQDISC) else { return nil }
        let attributes = reply.attributes(after: Self.headerSize)
        let name = attributes[Int(TCA_KIND)]?.string ?? ""
        let options = attributes[Int(TCA_OPTIONS)]?.attributes
        let kind: Kind =
            switch name {
            case "tbf": options.flatMap(TokenBucket.init).map(Kind.tokenBucket) ?? .other(name)
            case "htb": options.flatMap(Self.hierarchy) ?? .other(name)
            case "ingress": .ingress
            case "clsact": .clsact
            default: .other(name)
            }
        self.init(
            link: reply.payload.integer(at: 4), handle: Handle(rawValue: reply.payload.integer(at: 8)),
            parent: Handle(rawValue: reply.payload.integer(at: 12)), kind)
    }

    private static func hierarchy(_ options: NetlinkAttributes) -> Kind? {
        guard let parameters = options[Int(TCA_HTB_INIT)]?.payload else { return nil }
        let defaultClass: UInt32 = parameters.integer(at: 8)
        return .hierarchy(defaultClass: UInt16(truncatingIfNeeded: defaultClass))
    }

    static let headerSize = 20

    /// `struct tcmsg` of linux/rtnetlink.h.
    static func header(link: Int32, handle: Handle, parent: Handle, information: UInt32 = 0) -> NetlinkWriter {
        var writer = NetlinkWriter()
        writer.append(UInt32(0))
        writer.append(link)
        writer.append(handle.rawValue)
        writer.append(parent.rawValue)
        writer.append(information)
        return writer
    }

    func encode() -> NetlinkWriter {
        var payload = Self.header(link: link, handle: handle, parent: parent)
        switch kind {
        case .tokenBucket(let bucket):
            payload.attribute(Int(TCA_KIND), string: "tbf")
            payload.nested(Int(TCA_OPTIONS)) { bucket.encode(to: &$0) }
        case .hierarchy(let defaultClass):
            payload.attribute(Int(TCA_KIND), string: "htb")
            payload.nested(Int(TCA_OPTIONS)) { options in
                // `struct tc_htb_glob`: version, bytes of rate for each of a turn, the class, two that only tell.
                var parameters = NetlinkWriter()
                for number in [3, 10, UInt32(defaultClass), 0, 0] { parameters.append(number) }
                options.attribute(Int(TCA_HTB_INIT), bytes: parameters.bytes)
            }
        case .byteQueue(let limit):
            payload.attribute(Int(TCA_KIND), string: "bfifo")
            // `struct tc_fifo_qopt`.
            payload.attribute(Int(TCA_OPTIONS), limit)
        case .ingress: payload.attribute(Int(TCA_KIND), string: "ingress")
        case .clsact: payload.attribute(Int(TCA_KIND), string: "clsact")
        case .other(let name): payload.attribute(Int(TCA_KIND), string: name)
        }
        return payload
    }
}
