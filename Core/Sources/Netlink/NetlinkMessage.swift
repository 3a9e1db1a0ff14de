internal import CLinux

/// Flags of a netlink message header (linux/netlink.h).
public struct NetlinkFlags: OptionSet, Sendable, Hashable {
    /// The bits on the wire.
    public let rawValue: UInt16

    /// Wraps the bits.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The message asks for something.
    public static let request = NetlinkFlags(rawValue: UInt16(NLM_F_REQUEST))
    /// The kernel shall confirm.
    public static let acknowledge = NetlinkFlags(rawValue: UInt16(NLM_F_ACK))
    /// The answer is a list.
    public static let dump = NetlinkFlags(rawValue: UInt16(NLM_F_DUMP))
    /// Create the object when it does not exist.
    public static let create = NetlinkFlags(rawValue: UInt16(NLM_F_CREATE))
    /// Fail when the object exists.
    public static let exclusive = NetlinkFlags(rawValue: UInt16(NLM_F_EXCL))
    /// Replace an object that exists.
    public static let replace = NetlinkFlags(rawValue: UInt16(NLM_F_REPLACE))
    /// Add at the end.
    public static let append = NetlinkFlags(rawValue: UInt16(NLM_F_APPEND))
    /// The list changed while it was read.
    static let interrupted = NetlinkFlags(rawValue: UInt16(NLM_F_DUMP_INTR))
    /// The error carries attributes.
    static let errorAttributes = NetlinkFlags(rawValue: UInt16(NLM_F_ACK_TLVS))
    /// The error does not repeat the request.
    static let capped = NetlinkFlags(rawValue: UInt16(NLM_F_CAPPED))
}

/// A message to the kernel.
public struct NetlinkRequest: Sendable, Hashable {
    /// The size of a message header in bytes.
    public static let headerSize = 16

    /// What is asked for, such as RTM_NEWLINK.
    public var type: UInt16
    /// The flags beside `request`.
    public var flags: NetlinkFlags
    /// The fixed header of the type and the attributes.
    public var payload: NetlinkWriter

    /// Builds a message.
    public init(type: UInt16, flags: NetlinkFlags = [], payload: NetlinkWriter) {
        self.type = type
        self.flags = flags
        self.payload = payload
    }

    /// Appends the message with its header to `bytes`.
    public func encode(to bytes: inout [UInt8], flags extra: NetlinkFlags = [], sequence: UInt32) {
        var header = NetlinkWriter()
        header.append(UInt32(Self.headerSize + payload.count))
        header.append(type)
        header.append(flags.union(extra).union(.request).rawValue)
        header.append(sequence)
        header.append(UInt32(0))
        bytes += header.bytes
        bytes += payload.bytes
        while bytes.count & 3 != 0 { bytes.append(0) }
    }
}

/// A message from the kernel.
public struct NetlinkReply: Sendable {
    /// What the message tells, such as RTM_NEWLINK.
    public let type: UInt16
    /// The header's flags.
    public let flags: NetlinkFlags
    /// The number of the request that it answers; zero for a notification.
    public let sequence: UInt32
    /// The port that asked; zero for the kernel itself.
    public let port: UInt32
    /// What follows the header.
    public let payload: ArraySlice<UInt8>

    /// The attributes that follow a fixed header of `size` bytes.
    public func attributes(after size: Int) -> NetlinkAttributes {
        NetlinkAttributes(payload.dropFirst((size + 3) & ~3))
    }

    /// Splits what one receive call returned.
    public static func parse(_ bytes: ArraySlice<UInt8>) -> [NetlinkReply] {
        var replies: [NetlinkReply] = []
        var rest = bytes
        while rest.count >= NetlinkRequest.headerSize {
            let length = Int(rest.integer(at: 0, as: UInt32.self))
            guard length >= NetlinkRequest.headerSize, length <= rest.count else { break }
            replies.append(
                NetlinkReply(
                    type: rest.integer(at: 4), flags: NetlinkFlags(rawValue: rest.integer(at: 6)),
                    sequence: rest.integer(at: 8), port: rest.integer(at: 12),
                    payload: rest.prefix(length).dropFirst(NetlinkRequest.headerSize)))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return replies
    }
}
