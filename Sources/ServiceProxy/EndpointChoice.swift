internal import Addresses

/// The endpoints of one Service port: which take new connections, and which may keep those they have.
struct EndpointChoice: Hashable, Sendable {
    /// The backends that new connections are spread over, by pool.
    var pools: [Pool: Set<Backend>] = [:]
    /// Whether any endpoint in the cluster can take a connection.
    var hasEndpoints = false
    /// The addresses that still serve: a datagram flow towards one of them is not stale.
    var serving: Set<IPAddress> = []

    /// Chooses among the endpoints of `slices` for a port, as seen from a node: the ready ones, or, when none is
    /// ready, those that terminate but still serve.
    ///
    /// Slice ports are matched by name and protocol. Of an endpoint that stands in several slices a ready one counts.
    /// Hints narrow the ready endpoints of all nodes to those of this node or zone, if every one of them has a hint and
    /// at least one is for here.
    init(
        port: ProxiedService.Port, slices: some Sequence<ProxiedSlice>, nodeName: String, zone: String?
    ) {
        let endpoints = Self.merged(port: port, slices: slices)
        serving = Set(endpoints.lazy.filter(\.value.isServing).map(\.key.address))
        let local = endpoints.filter { $0.value.nodeName == nodeName }
        pools[.local] = Self.usable(local, narrow: { $0 })
        pools[.everywhere] = Self.usable(endpoints) { Self.near($0, nodeName: nodeName, zone: zone) }
        hasEndpoints = endpoints.contains { $0.value.isReady || $0.value.isServing && $0.value.isTerminating }
    }

    private typealias Endpoints = [Backend: ProxiedSlice.Endpoint]

    /// The endpoints of a port, each once.
    static func merged(
        port: ProxiedService.Port, slices: some Sequence<ProxiedSlice>
    ) -> [Backend: ProxiedSlice.Endpoint] {
        var endpoints: Endpoints = [:]
        for slice in slices {
            for target in slice.ports where target.name == port.name && target.transport == port.transport {
                for endpoint in slice.endpoints {
                    let backend = Backend(address: endpoint.address, port: target.port)
                    if endpoints[backend]?.isReady != true { endpoints[backend] = endpoint }
                }
            }
        }
        return endpoints
    }

    private static func usable(_ endpoints: Endpoints, narrow: (Endpoints) -> Endpoints) -> Set<Backend> {
        let ready = endpoints.filter(\.value.isReady)
        if !ready.isEmpty { return Set(narrow(ready).keys) }
        return Set(endpoints.filter { $0.value.isServing && $0.value.isTerminating }.keys)
    }

    /// Those of `ready` that are meant for this node, else those for its zone, else all.
    private static func near(_ ready: Endpoints, nodeName: String, zone: String?) -> Endpoints {
        if ready.values.allSatisfy({ !$0.forNodes.isEmpty }) {
            let near = ready.filter { $0.value.forNodes.contains(nodeName) }
            if !near.isEmpty { return near }
        }
        if let zone, ready.values.allSatisfy({ !$0.forZones.isEmpty }) {
            let near = ready.filter { $0.value.forZones.contains(zone) }
            if !near.isEmpty { return near }
        }
        return ready
    }
}
