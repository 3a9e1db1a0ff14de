package import Addresses

/// What the proxy of one family keeps of a Service.
package struct ProxiedService: Hashable, Sendable {
    /// One port of the Service.
    package struct Port: Hashable, Sendable {
        /// The name by which the ports of endpoint slices are matched; empty for a single unnamed port.
        package let name: String
        package let transport: TransportProtocol
        package let port: UInt16
        /// The port on every node; nil when the Service has none.
        package let nodePort: UInt16?

        package init(name: String = "", transport: TransportProtocol = .tcp, port: UInt16, nodePort: UInt16? = nil) {
            self.name = name
            self.transport = transport
            self.port = port
            self.nodePort = nodePort
        }
    }

    package let clusterIP: IPAddress
    package let ports: [Port]

    package init(clusterIP: IPAddress, ports: [Port]) {
        self.clusterIP = clusterIP
        self.ports = ports
    }

    /// The frontends through which a port of this Service is reached.
    func frontends(of port: Port) -> [Frontend] {
        let cluster = Frontend(address: clusterIP, transport: port.transport, port: port.port)
        guard let nodePort = port.nodePort else { return [cluster] }
        return [cluster, Frontend(address: nil, transport: port.transport, port: nodePort)]
    }
}
