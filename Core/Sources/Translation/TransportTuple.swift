import Packet
import Wire

/// What a transport header says about the session that its packet belongs to.
struct TransportTuple {
    let kind: SessionKind
    /// The sender's port, or the identifier of an ICMP query.
    let source: UInt16
    /// The receiver's port, or the identifier of an ICMP query.
    let destination: UInt16
    /// The control bits of a whole TCP header.
    let flags: TCPFlags
    /// Whether the packet may open a session: anything but an echo reply.
    let isRequest: Bool

    /// Looks at a header of which `available` bytes are there; nil if that is too little, or the protocol has no ports.
    init?(_ buffer: borrowing MutableRawSpan, _ transport: Int, _ kind: IPProtocol, available: Int) {
        switch kind {
        case .tcp, .udp:
            guard available >= 4 else { return nil }
            source = buffer.load(UInt16.self, at: transport)
            destination = buffer.load(UInt16.self, at: transport + 2)
            self.kind = kind == .tcp ? .tcp : .udp
            flags = TCPFlags(
                rawValue: kind == .tcp && available >= 14 ? buffer.load(UInt8.self, at: transport + 13) : 0)
            isRequest = true
        case .icmpv4, .icmpv6:
            guard available >= 8 else { return nil }
            let type = buffer.load(UInt8.self, at: transport)
            isRequest =
                kind == .icmpv4 ? type == ICMPv4Type.echoRequest.rawValue : type == ICMPv6Type.echoRequest.rawValue
            let isReply =
                kind == .icmpv4 ? type == ICMPv4Type.echoReply.rawValue : type == ICMPv6Type.echoReply.rawValue
            guard isRequest || isReply else { return nil }
            source = buffer.load(UInt16.self, at: transport + 4)
            destination = source
            self.kind = .icmp
            flags = []
        default:
            return nil
        }
    }
}

extension IPv4Parts {
    /// What tells this packet's session, which is whole or a first fragment.
    func tuple(_ buffer: borrowing MutableRawSpan) -> TransportTuple? {
        fragment.isFirst ? TransportTuple(buffer, transport, header.protocol, available: available) : nil
    }
}

extension IPv6Parts {
    /// What tells this packet's session, which is whole or a first fragment.
    func tuple(_ buffer: borrowing MutableRawSpan) -> TransportTuple? {
        fragment.isFirst ? TransportTuple(buffer, transport, self.protocol, available: available) : nil
    }
}
