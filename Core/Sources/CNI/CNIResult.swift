public import Addresses

/// What ADD achieved: interfaces, addresses, routes and resolver settings of one attachment.
public struct CNIResult: Hashable, Sendable {
    /// An interface that a plugin made or uses.
    public struct Interface: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Its hardware address, colon-separated hexadecimal.
        public var mac: String?
        /// Its MTU in bytes (since 1.1.0).
        public var mtu: Int?
        /// The path of the namespace it is in; nil for the host's.
        public var sandbox: String?
        /// The path of a socket, for interfaces made of one (since 1.1.0).
        public var socketPath: String?
        /// The PCI identifier of a device (since 1.1.0).
        public var pciID: String?

        /// Makes an interface.
        public init(name: String, mac: String? = nil, mtu: Int? = nil, sandbox: String? = nil) {
            self.name = name
            self.mac = mac
            self.mtu = mtu
            self.sandbox = sandbox
        }
    }

    /// An address given to an interface.
    public struct Address: Hashable, Sendable {
        /// The index into `interfaces`.
        public var interface: Int?
        /// The address with the length of its subnet.
        public var address: InterfaceAddress
        /// The gateway of the subnet.
        public var gateway: IPAddress?

        /// Makes an address entry.
        public init(_ address: InterfaceAddress, gateway: IPAddress? = nil, interface: Int? = nil) {
            self.address = address
            self.gateway = gateway
            self.interface = interface
        }
    }

    /// A route in the container.
    public struct Route: Hashable, Sendable {
        /// Where it leads.
        public var destination: IPPrefix
        /// The next hop; nil means the gateway of the family's first address.
        public var gateway: IPAddress?
        /// MTU and advertised segment size in bytes, metric, table and scope (since 1.1.0).
        public var mtu, advertisedMSS, priority, table, scope: Int?

        /// Makes a route.
        public init(_ destination: IPPrefix, gateway: IPAddress? = nil) {
            self.destination = destination
            self.gateway = gateway
        }
    }

    /// Resolver settings.
    public struct DNS: Hashable, Sendable {
        /// Addresses of resolvers, in order.
        public var nameservers: [String] = []
        /// The local domain.
        public var domain: String?
        /// Domains to search, in order.
        public var search: [String] = []
        /// Resolver options.
        public var options: [String] = []

        /// Makes empty settings.
        public init() {}

        /// Whether nothing is set.
        public var isEmpty: Bool { self == DNS() }
    }

    /// The interfaces, in the order that the addresses' indices count.
    public var interfaces: [Interface] = []
    /// The addresses, the primary family first.
    public var addresses: [Address] = []
    /// The routes.
    public var routes: [Route] = []
    /// The resolver settings.
    public var dns = DNS()

    /// Makes an empty result.
    public init() {}

    /// The families that the addresses have, in order of first appearance.
    public var families: [IPFamily] {
        var seen: [IPFamily] = []
        for address in addresses where !seen.contains(address.address.address.family) {
            seen.append(address.address.address.family)
        }
        return seen
    }

    /// The gateway of the first address of a family that has one.
    public func gateway(of family: IPFamily) -> IPAddress? {
        addresses.first { $0.address.address.family == family && $0.gateway != nil }?.gateway
    }
}
