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

    /// The cluster address; of the other family for a Service that has none of this one, and answers on other addresses
    /// by translation.
    package var clusterIP: IPAddress
    package let ports: [Port]
    /// Addresses outside the cluster's ranges that lead to this node somehow.
    package var externalIPs: [IPAddress] = []
    /// Addresses that a load balancer passes on untranslated.
    package var loadBalancerIPs: [IPAddress] = []
    /// The sources that may call the load balancer's addresses; nil when all may.
    package var admittedSources: Set<IPPrefix>?
    /// Whether callers from inside the cluster are served by endpoints of this node only.
    package var internalIsLocal = false
    /// Whether callers from outside are served by endpoints of this node only, and keep their address.
    package var externalIsLocal = false
    /// The port of the node at which a balancer asks for endpoints; nil when it need not.
    package var healthCheckPort: UInt16?
    /// For how many seconds a client keeps its endpoint; nil without affinity.
    package var stickySeconds: UInt32?
    /// Whether endpoints of the other family are wanted; nil when nothing is said.
    package var wantsTranslation: Bool?

    package init(clusterIP: IPAddress, ports: [Port]) {
        self.clusterIP = clusterIP
        self.ports = ports
    }

    /// A way to a port of a Service; where Services contend for a frontend, the lower one has it.
    enum Kind: Int, Comparable, Sendable {
        case cluster, loadBalancer, external, node

        static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    /// Whether it answers anywhere but on its cluster address.
    var answersElsewhere: Bool {
        !loadBalancerIPs.isEmpty || !externalIPs.isEmpty || ports.contains { $0.nodePort != nil }
    }

    /// The frontend on the cluster address, under which the slots of a port are kept.
    func anchor(of port: Port) -> Frontend {
        Frontend(address: clusterIP, transport: port.transport, port: port.port)
    }

    /// The frontends through which a port of this Service is reached.
    func frontends(of port: Port) -> [Frontend: Kind] {
        var kinds = [anchor(of: port): Kind.cluster]
        func add(_ address: IPAddress?, _ number: UInt16, _ kind: Kind) {
            let frontend = Frontend(address: address, transport: port.transport, port: number)
            kinds[frontend] = min(kinds[frontend] ?? kind, kind)
        }
        for address in loadBalancerIPs { add(address, port.port, .loadBalancer) }
        for address in externalIPs { add(address, port.port, .external) }
        if let nodePort = port.nodePort { add(nil, nodePort, .node) }
        return kinds
    }
}
