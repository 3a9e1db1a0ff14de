import Addresses
import KubernetesAPI
import Logging
import ServiceProxy
import Testing

/// A `NodeLab` with the Services of a test in it, and the question whether the kernel does what the model says.
struct PolicyLab {
    let family: IPFamily
    let lab: NodeLab
    let table: TableReconciler
    /// Leads calls while they are made; nil when nftables does all.
    let balancer: ConnectTimeBalancer?

    static let places = ["client", "pod-1", "pod-2", "remote", "node"]

    /// - Parameters:
    ///   - atConnect: whether calls of the node and its pods are led while they are made.
    ///   - podCgroup: the cgroup of the pods, if that is not the lab's own.
    init(
        _ family: IPFamily, options: ProxyOptions = ProxyOptions(), zone: String? = nil, atConnect: Bool = false,
        podCgroup: String? = nil
    ) throws {
        let lab = try NodeLab(ownCgroup: atConnect, podCgroup: podCgroup)
        var options = options
        options.connectTime = lab.connectTimeOptions
        self.family = family
        self.lab = lab
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let table = try lab.run(in: "node") {
            try TableReconciler(family: family, nodeName: "node", options: options, logger: logger)
        }
        self.table = table
        balancer = try lab.run(in: "node") { ConnectTimeBalancer.following([table], options: options, logger: logger) }
        var own = node(NodeLab.podBlocks)
        own.metadata.labels = zone.map { [WellKnownLabel.zone: $0] }
        own.status = NodeStatus(
            addresses: [NodeAddress(type: "InternalIP", address: nodeAddress.description)])
        table.update(own)
    }

    /// The node's address on the link to the client.
    var nodeAddress: IPAddress { NodeLab.address(family, of: "client", nodeSide: true) }

    func address(_ place: String) -> IPAddress {
        place == "node" ? nodeAddress : NodeLab.address(family, of: place)
    }

    /// An address that leads to the node and that nobody has: `number` of the network for documentation.
    func external(_ number: UInt128) -> IPAddress {
        IPAddress(family: family, bits: (family == .ipv4 ? 0xc000_0200 : 0x2001_0db8 << 96) + number)
    }

    /// Gives a Service its endpoints: pods by name, "pod-1" and "pod-2" being on the node and "remote" on another.
    func update(_ service: Service, _ pods: [(name: String, conditions: EndpointConditions, zone: String?)]) {
        table.update(service)
        let transports = ["TCP", "UDP", "SCTP"]
        var object = slice(service.metadata.name ?? "", family, [])
        object.endpoints = pods.map { pod in
            Endpoint(
                addresses: [address(pod.name).description], conditions: pod.conditions,
                nodeName: pod.name == "remote" ? "other" : "node", zone: pod.zone,
                hints: pod.zone.map { EndpointHints(forZones: [ForName(name: $0)]) })
        }
        object.ports = transports.map { EndpointPort(name: $0.lowercased(), port: 8080, protocol: $0) }
        table.update(object)
    }

    func update(_ service: Service, ready pods: [String]) {
        update(service, pods.map { ($0, EndpointConditions(ready: true), nil) })
    }

    /// A Service with port 80 over TCP and UDP at a cluster address of a number.
    func service(_ name: String, number: UInt128, nodePort: Int? = nil) -> Service {
        Service(
            metadata: ObjectMeta(name: name, namespace: "default"),
            spec: ServiceSpec(
                type: nodePort == nil ? "ClusterIP" : "LoadBalancer",
                ports: ["TCP", "UDP"].map {
                    ServicePort(name: $0.lowercased(), protocol: $0, port: 80, nodePort: nodePort)
                },
                clusterIP: clusterIP(family, number).description,
                clusterIPs: [clusterIP(family, number).description], ipFamilies: [family.name]))
    }

    /// The answers that a caller may see where the model foresees `outcome`.
    private func answers(to call: Call, from place: String, _ outcome: CallOutcome) -> Set<String> {
        let isStopped = place == "node" && call.transport == .udp
        switch outcome {
        case .refused: return [isStopped ? "not permitted" : "refused"]
        case .dropped: return [isStopped ? "not permitted" : "timeout"]
        // Nobody has the address: the packets get lost behind the node, sooner or later.
        case .untouched: return ["timeout", "[Errno 113] No route to host"]
        case .delivered(let backends, let masqueraded):
            return Set(
                backends.map { backend -> String in
                    let name = Self.places.first { address($0) == backend.address } ?? "nobody"
                    let isHidden = masqueraded || place == "node" || backend.address == call.source
                    let seen = isHidden ? NodeLab.address(family, of: name, nodeSide: true) : call.source
                    return "\(name) \(seen)"
                }
                    // A pod whose call is led never appears as the node.
                    + backends.compactMap { backend -> String? in
                        guard balancer != nil, place.hasPrefix("pod"),
                            let name = Self.places.first(where: { address($0) == backend.address })
                        else { return nil }
                        return "\(name) \(call.source)"
                    })
        }
    }

    /// Makes calls from every place, and expects of each what the model says.
    func expectModel(of targets: [(IPAddress, UInt16)], _ remark: String) throws {
        let own = Set(Self.places.dropLast().map { NodeLab.address(family, of: $0, nodeSide: true) })
        let calls = Self.places.flatMap { place in
            targets.flatMap { target in
                [TransportProtocol.tcp, .udp].map {
                    (place, Call(from: address(place), isFromNode: place == "node", to: target.0, $0, target.1))
                }
            }
        }
        let expected = calls.map { place, call in
            answers(to: call, from: place, table.outcome(of: call, nodeAddresses: own))
        }
        let met = try lab.answers(
            to: zip(calls, expected).map { call, expected in
                // Silence is waited for no longer than an answer needs.
                (call.0, call.1, expected.contains("timeout") ? 0.4 : 4)
            })
        #expect(met.count == calls.count)
        for (index, answer) in met.enumerated() {
            let (place, call) = calls[index]
            #expect(
                expected[index].contains(answer),
                """
                \(remark): \(place) called \(call.destination) port \(call.port) over \(call.transport) and met \(answer), \
                not \(expected[index])
                """)
        }
    }
}
