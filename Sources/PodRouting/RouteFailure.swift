package import Addresses

/// Why a destination has no route, or a wrong one.
package struct RouteFailure: Error, Hashable, CustomStringConvertible {
    /// The block of pod addresses; everything, for what leaves by a gateway.
    package let destination: IPPrefix
    /// What is in the way.
    package let reason: String

    /// The destination and what is in the way.
    package var description: String {
        destination.length == 0
            ? "no route for translated packets: \(reason)" : "no route to the pods of \(destination): \(reason)"
    }
}

/// Why a tunnel cannot carry packets.
package struct TunnelFailure: Error, Hashable, CustomStringConvertible {
    /// The tunnel.
    package let tunnel: Tunnel
    /// What is in the way.
    package let reason: String

    /// The tunnel's link and what is in the way.
    package var description: String {
        "the link \(tunnel.linkName) does not stand: \(reason)"
    }
}
