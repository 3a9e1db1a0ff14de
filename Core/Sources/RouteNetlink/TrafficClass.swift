internal import CLinux
internal import Netlink

/// A class of a hierarchy of token buckets (`tc-htb(8)`): the packets of a class take tokens, which come at a rate and
/// gather up to a burst.
public struct TrafficClass: Sendable, Hashable {
    /// The link.
    public let link: Int32
    /// Its own handle; the upper number is that of the discipline.
    public let handle: QueueingDiscipline.Handle
    /// The discipline, or the class above.
    public let parent: QueueingDiscipline.Handle
    /// Bytes a second.
    public let rate: UInt64
    /// The time in which a full bucket's worth is sent, in the kernel's ticks (`TokenBucket.tickNanoseconds`).
    public let bufferTicks: UInt32

    /// Bytes that a class may send before it is another one's turn; the kernel's own choice follows from the rate, and
    /// it complains of those of fast classes.
    private static let quantum: UInt32 = 60_000

    /// Describes a class.
    public init(
        link: Int32, handle: QueueingDiscipline.Handle, parent: QueueingDiscipline.Handle, rate: UInt64,
        bufferTicks: UInt32
    ) {
        self.link = link
        self.handle = handle
        self.parent = parent
        self.rate = rate
        self.bufferTicks = bufferTicks
    }

    init?(_ reply: NetlinkReply) {
        let attributes = reply.attributes(after: QueueingDiscipline.headerSize)
        guard reply.type == UInt16(RTM_NEWTCLASS), attributes[Int(TCA_KIND)]?.string == "htb",
            let options = attributes[Int(TCA_OPTIONS)]?.attributes,
            let parameters = options[Int(TCA_HTB_PARMS)]?.payload
        else { return nil }
        // `struct tc_htb_opt`: the rate stands at the end of the first `struct tc_ratespec` of 12 bytes.
        let short: UInt32 = parameters.integer(at: 8)
        self.init(
            link: reply.payload.integer(at: 4), handle: .init(rawValue: reply.payload.integer(at: 8)),
            parent: .init(rawValue: reply.payload.integer(at: 12)),
            rate: options[Int(TCA_HTB_RATE64)]?.integer() ?? UInt64(short), bufferTicks: parameters.integer(at: 24))
    }

    func encode() -> NetlinkWriter {
        var payload = QueueingDiscipline.header(link: link, handle: handle, parent: parent)
        payload.attribute(Int(TCA_KIND), string: "htb")
        payload.nested(Int(TCA_OPTIONS)) { options in
            var parameters = NetlinkWriter()
            // Nothing is borrowed from others: the ceiling is the rate.
            for _ in 0..<2 {
                parameters.append(UInt64(0))
                parameters.append(UInt32(clamping: rate))
            }
            parameters.append(bufferTicks)
            parameters.append(bufferTicks)
            parameters.append(Self.quantum)
            parameters.append(UInt64(0))
            options.attribute(Int(TCA_HTB_PARMS), bytes: parameters.bytes)
            guard rate > UInt64(UInt32.max) else { return }
            options.attribute(Int(TCA_HTB_RATE64), rate)
            options.attribute(Int(TCA_HTB_CEIL64), rate)
        }
        return payload
    }
}
