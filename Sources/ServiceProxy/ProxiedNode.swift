package import Addresses

/// What the proxy of one family keeps of the node that it runs on.
package struct ProxiedNode: Hashable, Sendable {
    /// The zone of the node; nil when it is in none.
    package var zone: String?
    /// The blocks of its pods' addresses.
    package var podPrefixes: Set<IPPrefix>
    /// Its own addresses, the first one first.
    package var addresses: [IPAddress]

    package init(zone: String? = nil, podPrefixes: Set<IPPrefix> = [], addresses: [IPAddress] = []) {
        self.zone = zone
        self.podPrefixes = podPrefixes
        self.addresses = addresses
    }
}
