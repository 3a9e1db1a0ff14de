public import Packet

/// The side of a translator that a packet comes from.
@frozen
public enum Side: Hashable, Sendable {
    /// The IPv4 hosts.
    case ipv4
    /// The IPv6 clients.
    case ipv6
}

/// How far a TCP session is, by what has passed through the translator (RFC 6146 §3.5.2.2).
///
/// A closed session has no entry, and so no state.
@frozen
public enum TCPSessionState: UInt8, Hashable, Sendable {
    /// The IPv4 host has sent a SYN.
    case ipv4Init = 1
    /// The IPv6 host has sent a SYN.
    case ipv6Init
    /// Both have.
    case established
    /// The IPv4 host has sent a FIN.
    case ipv4Finished
    /// The IPv6 host has sent a FIN.
    case ipv6Finished
    /// Both have.
    case finished
    /// The session was reset, or silent for too long.
    case transitory

    /// How long a session lives on after a packet.
    @frozen
    public enum Lifetime: Hashable, Sendable {
        /// As long as it would have without the packet.
        case unchanged
        /// As long as a session that begins or ends.
        case transitory
        /// As long as an open session.
        case established
    }

    /// The state after a packet, and how long the session then lives on.
    public func after(_ flags: TCPFlags, from side: Side) -> (state: TCPSessionState, lifetime: Lifetime) {
        switch self {
        case .ipv4Init:
            return flags.contains(.syn) && side == .ipv6 ? (.established, .established) : (self, .unchanged)
        case .ipv6Init:
            guard flags.contains(.syn) else { return (self, .unchanged) }
            return side == .ipv4 ? (.established, .established) : (self, .transitory)
        case .established:
            if flags.contains(.rst) { return (.transitory, .transitory) }
            guard flags.contains(.fin) else { return (self, .established) }
            return (side == .ipv4 ? .ipv4Finished : .ipv6Finished, .established)
        case .ipv4Finished, .ipv6Finished:
            let isLast = side == (self == .ipv4Finished ? .ipv6 : .ipv4)
            if flags.contains(.fin), isLast { return (.finished, .transitory) }
            // After a reset there is nothing to wait for, as long as nothing comes (RFC 7857 §2.2).
            return (self, flags.contains(.rst) ? .transitory : .established)
        case .finished:
            // The hosts may use the same ports for their next connection before this session ends, which would break it.
            guard flags.contains(.syn), flags.isDisjoint(with: [.ack, .rst, .fin]) else { return (self, .unchanged) }
            return (side == .ipv4 ? .ipv4Init : .ipv6Init, .transitory)
        case .transitory:
            return flags.contains(.rst) ? (self, .unchanged) : (.established, .established)
        }
    }
}
