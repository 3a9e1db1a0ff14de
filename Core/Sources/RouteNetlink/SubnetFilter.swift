public import Addresses
internal import CLinux
internal import Netlink

/// Which packets a link sends by which class: those from or to the addresses of a prefix (`tc-u32(8)`).
public struct SubnetFilter: Sendable, Hashable {
    /// The address of a packet that counts.
    public enum Field: Sendable, Hashable {
        /// Where the packet comes from.
        case source
        /// Where it goes.
        case destination
    }

    /// The link.
    public let link: Int32
    /// The discipline that has the class.
    public let parent: QueueingDiscipline.Handle
    /// The address that counts.
    public let field: Field
    /// Where it must lie.
    public let prefix: IPPrefix
    /// The class.
    public let target: QueueingDiscipline.Handle

    /// Describes a filter.
    public init(
        link: Int32, parent: QueueingDiscipline.Handle, _ field: Field, in prefix: IPPrefix,
        to target: QueueingDiscipline.Handle
    ) {
        self.link = link
        self.parent = parent
        self.field = field
        self.prefix = prefix
        self.target = target
    }

    func encode() -> NetlinkWriter {
        // Filters of one priority must be of one protocol.
        let (priority, ethernet): (UInt32, Int32) = prefix.family == .ipv4 ? (1, ETH_P_IP) : (2, ETH_P_IPV6)
        var payload = QueueingDiscipline.header(
            link: link, handle: .init(rawValue: 0), parent: parent,
            information: priority << 16 | UInt32(UInt16(ethernet).bigEndian))
        payload.attribute(Int(TCA_KIND), string: "u32")
        payload.nested(Int(TCA_OPTIONS)) { options in
            options.attribute(Int(TCA_U32_CLASSID), target.rawValue)
            options.attribute(Int(TCA_U32_SEL), bytes: selector)
        }
        return payload
    }

    /// `struct tc_u32_sel` of linux/pkt_cls.h: it decides alone, and compares each word of the address of which the prefix
    /// says something, at least one.
    private var selector: [UInt8] {
        let words = max(1, (prefix.length + 31) / 32)
        // Where the addresses are in the header (RFC 791, RFC 8200).
        let start: Int32
        switch (prefix.family, field) {
        case (.ipv4, .source): start = 12
        case (.ipv4, .destination): start = 16
        case (.ipv6, .source): start = 8
        case (.ipv6, .destination): start = 24
        }
        let bytes = prefix.address.bytes
        var writer = NetlinkWriter()
        writer.append(bytes: [UInt8(TC_U32_TERMINAL), 0, UInt8(words)] + [UInt8](repeating: 0, count: 13))
        for word in 0..<words {
            let length = min(32, prefix.length - 32 * word)
            let mask: UInt32 = length == 0 ? 0 : .max << UInt32(32 - length)
            writer.append(mask.bigEndian)
            writer.append(bytes: bytes[4 * word..<4 * word + 4])
            writer.append(start + Int32(4 * word))
            writer.append(Int32(0))
        }
        return writer.bytes
    }
}
