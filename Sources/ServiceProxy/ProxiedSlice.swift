package import Addresses

/// What the proxy of one family keeps of an EndpointSlice.
package struct ProxiedSlice: Hashable, Sendable {
    /// One port that every endpoint of the slice serves.
    package struct Port: Hashable, Sendable {
        package let name: String
        package let transport: TransportProtocol
        package let port: UInt16

        package init(name: String = "", transport: TransportProtocol = .tcp, port: UInt16) {
            self.name = name
            self.transport = transport
            self.port = port
        }
    }

    /// One endpoint; its conditions have their defaults filled in.
    package struct Endpoint: Hashable, Sendable {
        package let address: IPAddress
        package let isReady: Bool
        package let isServing: Bool
        package let isTerminating: Bool
        /// The node that it is on; nil when it says none.
        package var nodeName: String?
        /// The nodes and zones that it is meant for; empty without such hints.
        package var forNodes: [String] = []
        package var forZones: [String] = []
        /// What tells its pod from others, whatever the family; nil when it names none.
        package var pod: Int?

        package init(
            address: IPAddress, isReady: Bool = true, isServing: Bool? = nil, isTerminating: Bool = false
        ) {
            self.address = address
            self.isReady = isReady
            self.isServing = isServing ?? isReady
            self.isTerminating = isTerminating
        }
    }

    /// The Service that the slice belongs to, in the slice's namespace.
    package let service: ServiceName
    package let ports: [Port]
    package let endpoints: [Endpoint]

    package init(service: ServiceName, ports: [Port], endpoints: [Endpoint]) {
        self.service = service
        self.ports = ports
        self.endpoints = endpoints
    }
}
