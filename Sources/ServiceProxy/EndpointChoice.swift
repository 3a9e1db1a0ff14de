internal import Addresses

/// The endpoints of one Service port: which take new connections, and which may keep those they have.
struct EndpointChoice: Hashable, Sendable {
    /// The backends that new connections are spread over.
    var backends: Set<Backend> = []
    /// The addresses that still serve: a datagram flow towards one of them is not stale.
    var serving: Set<IPAddress> = []

    /// Chooses among the endpoints of `slices` for a port: the ready ones, or, when none is ready, those
    /// that terminate but still serve.
    ///
    /// Slice ports are matched by name and protocol. An endpoint that stands in several slices counts once.
    init(port: ProxiedService.Port, slices: some Sequence<ProxiedSlice>) {
        var terminating: Set<Backend> = []
        for slice in slices {
            for target in slice.ports where target.name == port.name && target.transport == port.transport {
                for endpoint in slice.endpoints {
                    let backend = Backend(address: endpoint.address, port: target.port)
                    if endpoint.isReady { backends.insert(backend) }
                    if endpoint.isServing {
                        serving.insert(endpoint.address)
                        if endpoint.isTerminating { terminating.insert(backend) }
                    }
                }
            }
        }
        if backends.isEmpty { backends = terminating }
    }

    init() {}
}
