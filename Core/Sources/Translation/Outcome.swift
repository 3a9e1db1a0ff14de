public import Addresses
import Packet

/// What becomes of a packet.
///
/// Ranges are places in the buffer that the packet was given in.
@frozen
public enum Outcome: Sendable {
    /// The packet was translated, and is to be sent as one of the family.
    case forward(Range<Int>, IPFamily)
    /// The packet was translated, and is to be sent in the pieces that the fragmenter makes.
    case fragments(Fragmenter)
    /// The packet was dropped, and the ICMP error in the range is to be sent to its sender, in the packet's own family.
    case reply(Range<Int>, DropReason)
    /// The packet, which stands for several segments of TCP, was translated, and is to be sent as one of the family in
    /// segments whose headers of TCP and payload have no more than `length` bytes: its own are longer, and may be
    /// fragmented.
    case segments(Range<Int>, IPFamily, length: Int)
    /// The packet waits: a fragment for the first one of its datagram, a TCP SYN from outside for one of the client.
    case held
    /// The packet was translated to IPv4, and is to be accepted by the translator that holds its public port
    /// (`NAT64.accept`).
    case handOver(Range<Int>)
    /// The packet was dropped.
    case drop(DropReason)
}

/// What the device that a packet comes from has left to be done later (a virtio header's segmentation and checksum
/// offload); the translated packet is left in the same state.
@frozen
public struct PacketOffload: Hashable, Sendable {
    /// Whether the transport's checksum field holds only the sum of the pseudo-header.
    public var hasPartialChecksum: Bool
    /// The transport header and payload of each packet that this one is to be cut into; nil if it is not.
    public var segmentLength: Int?

    /// Makes a state.
    @inlinable
    public init(hasPartialChecksum: Bool = false, segmentLength: Int? = nil) {
        self.hasPartialChecksum = hasPartialChecksum
        self.segmentLength = segmentLength
    }

    /// A packet as it is on the wire.
    @inlinable public static var none: PacketOffload { PacketOffload() }
}

/// A packet cannot be translated.
struct Refusal: Error {
    let reason: DropReason
    /// What its sender is told, in the packet's own family.
    let answer: ICMPAnswer?

    init(_ reason: DropReason, _ answer: ICMPAnswer? = nil) {
        self.reason = reason
        self.answer = answer
    }
}

/// The first eight bytes of an ICMP error, without its checksum.
struct ICMPAnswer: Hashable, Sendable {
    let type: UInt8
    let code: UInt8
    /// The second word: pointer, MTU, length of the original datagram.
    var rest: UInt32 = 0

    /// That policy forbids a packet, which is what a sender hears where nothing says more (RFC 7915 §4.4).
    static let prohibitedIPv4 = ICMPAnswer(type: ICMPv4Type.destinationUnreachable.rawValue, code: 13)
    /// The same for a packet of IPv6 (RFC 7915 §5.4).
    static let prohibitedIPv6 = ICMPAnswer(type: ICMPv6Type.destinationUnreachable.rawValue, code: 1)

    /// Type and code as they stand in the message.
    var firstWord: UInt16 { UInt16(type) << 8 | UInt16(code) }
}
