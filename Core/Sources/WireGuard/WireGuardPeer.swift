public import Addresses

/// Another end of a WireGuard device.
public struct WireGuardPeer: Hashable, Sendable {
    /// What tells peers apart.
    public let publicKey: WireGuardKey
    /// Where its packets are sent to; `nil` when it is not known yet.
    public let endpoint: WireGuardEndpoint?
    /// The addresses behind it: packets from others are dropped, packets to them are sent to it.
    public let allowed: Set<IPPrefix>

    /// Describes a peer.
    public init(publicKey: WireGuardKey, endpoint: WireGuardEndpoint?, allowed: Set<IPPrefix>) {
        self.publicKey = publicKey
        self.endpoint = endpoint
        self.allowed = allowed
    }
}

/// The address and UDP port of a peer.
public struct WireGuardEndpoint: Hashable, Sendable {
    /// The address.
    public let address: IPAddress
    /// The UDP port.
    public let port: UInt16

    /// Describes an endpoint.
    public init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

/// A WireGuard device as the kernel describes it.
public struct WireGuardDevice: Hashable, Sendable {
    /// Its key; `nil` when it was given none.
    public let publicKey: WireGuardKey?
    /// The UDP port that it listens on.
    public let listenPort: UInt16
    /// Its peers.
    public let peers: Set<WireGuardPeer>

    /// The bytes that a packet grows by: WireGuard, UDP and IP headers (WireGuard protocol, 5.4.6).
    public static func overhead(_ underlay: IPFamily) -> Int {
        let messageAndUDP = 32 + 8
        return messageAndUDP + (underlay == .ipv4 ? 20 : 40)
    }
}
