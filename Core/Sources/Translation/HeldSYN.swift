import Addresses
import Packet

/// What tells a TCP SYN from outside that waits for the client to open the same connection (RFC 6146 §3.5.2.2).
struct HeldSYN: BitwiseCopyable, Hashable {
    private let remote: UInt32
    private let remotePort: UInt16
    private let publicAddress: UInt16
    private let publicPort: UInt16

    /// The SYN that a packet from outside is, if it may wait after it was refused.
    init?(_ parts: IPv4Parts, _ tuple: TransportTuple, _ reason: DropReason, _ poolIndex: Int) {
        guard reason == .noMapping || reason == .filtered, tuple.kind == .tcp, parts.fragment.isWhole,
            tuple.flags.contains(.syn), tuple.flags.isDisjoint(with: [.ack, .rst, .fin])
        else { return nil }
        remote = parts.header.source.rawValue
        remotePort = tuple.source
        publicAddress = UInt16(poolIndex)
        publicPort = tuple.destination
    }

    /// The SYN that would meet a client's.
    init(_ mapping: Mapping, _ remote: IPv4Address, _ tuple: TransportTuple) {
        self.remote = remote.rawValue
        remotePort = tuple.destination
        publicAddress = mapping.publicAddress
        publicPort = mapping.publicPort
    }
}
