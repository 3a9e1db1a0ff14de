package import Addresses
import RouteNetlink

/// Finds and checks the addresses under which a node is known.
package enum NodeAddresses {
    /// The configured addresses, or those found on the interfaces with the default routes: IPv4 first, unless an
    /// unspecified address alone is configured, whose family then is.
    package static func resolve(_ configured: [IPAddress]) throws -> [IPAddress] {
        let preferred = configured.count == 1 && configured[0].isUnspecified ? configured[0].family : nil
        guard configured.isEmpty || preferred != nil else {
            try check(configured)
            return configured
        }
        let found = try detect(preferring: preferred ?? .ipv4)
        guard !found.isEmpty else {
            throw NodeConfigurationError(
                description: "no interface with a default route has a usable address: give the node's addresses with "
                    + "--node-ip")
        }
        return found
    }

    /// At most one address of each family, and none that other nodes cannot reach.
    package static func check(_ addresses: [IPAddress]) throws(NodeConfigurationError) {
        guard addresses.count <= 2, Set(addresses.map(\.family)).count == addresses.count else {
            let text = addresses.map(\.description).joined(separator: ",")
            throw NodeConfigurationError(
                description: "bad --node-ip \"\(text)\"; must contain either a single IP or a dual-stack pair of IPs")
        }
        if addresses.count > 1, addresses.contains(where: \.isUnspecified) {
            let text = addresses.map(\.description).joined(separator: ",")
            throw NodeConfigurationError(
                description: "dual-stack --node-ip \"\(text)\" cannot include '0.0.0.0' or '::'")
        }
        for address in addresses where !isUsable(address) {
            throw NodeConfigurationError(
                description: "bad --node-ip \"\(address)\"; must not be an unspecified, loopback, link-local or "
                    + "multicast address")
        }
    }

    private static func isUsable(_ address: IPAddress) -> Bool {
        !address.isUnspecified && !address.isLoopback && !address.isLinkLocalUnicast && !address.isMulticast
    }

    private static func detect(preferring first: IPFamily) throws -> [IPAddress] {
        var socket = try RouteSocket()
        return try [first, first.other].compactMap { family in
            try socket.primaryAddress(family).flatMap { isUsable($0) ? $0 : nil }
        }
    }
}
