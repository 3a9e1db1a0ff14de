internal import Addresses

/// An endpoint of a Service port, and whether it takes a connection.
package struct EndpointAccount: Hashable, Sendable {
    /// Why an endpoint takes no connection.
    package enum Exclusion: Hashable, Sendable {
        /// It is not ready.
        case notReady
        /// It terminates and serves no more.
        case ended
        /// It terminates, and others are ready.
        case terminating
        /// It is on another node, and the policy wants one on this node.
        case onOtherNode
        /// Its hints name other nodes, and others are meant for this one.
        case meantForNodes([String])
        /// Its hints name other zones, and others are meant for this one.
        case meantForZones([String])
    }

    package let backend: Backend
    /// The node that it is on; nil when it says none.
    package let nodeName: String?
    /// Why it takes no connection; nil when it does.
    package let exclusion: Exclusion?
}

extension EndpointChoice {
    /// Every endpoint that was to be chosen from, in the order of addresses, and why it is not in a pool.
    func accounts(
        port: ProxiedService.Port, slices: some Sequence<ProxiedSlice>, pool: Pool, nodeName: String, zone: String?
    ) -> [EndpointAccount] {
        let endpoints = Self.merged(port: port, slices: slices)
        let areAnyReady = endpoints.contains {
            $0.value.isReady && (pool == .everywhere || $0.value.nodeName == nodeName)
        }
        let chosen = pools[pool] ?? []
        return endpoints.sorted { $0.key < $1.key }.map { backend, endpoint in
            EndpointAccount(
                backend: backend, nodeName: endpoint.nodeName,
                exclusion: chosen.contains(backend)
                    ? nil : Self.exclusion(of: endpoint, areAnyReady, pool, nodeName: nodeName))
        }
    }

    private static func exclusion(
        of endpoint: ProxiedSlice.Endpoint, _ areAnyReady: Bool, _ pool: Pool, nodeName: String
    ) -> EndpointAccount.Exclusion {
        if pool == .local, endpoint.nodeName != nodeName { return .onOtherNode }
        guard endpoint.isReady else {
            guard endpoint.isTerminating else { return .notReady }
            return endpoint.isServing && areAnyReady ? .terminating : .ended
        }
        if !endpoint.forNodes.isEmpty, !endpoint.forNodes.contains(nodeName) {
            return .meantForNodes(endpoint.forNodes)
        }
        return .meantForZones(endpoint.forZones)
    }
}

extension ServiceProxyModel {
    /// The endpoints of the Service port that a decision is about, with the reason for each that is left out.
    package func endpoints(of frontend: Frontend, _ balance: Balance?) -> [EndpointAccount] {
        guard let (owner, port) = servicePort(of: frontend) else { return [] }
        let slices = endpoints(of: owner)
        let choice = EndpointChoice(port: port, slices: slices, nodeName: nodeName, zone: node.zone)
        // Where none is drawn from, the policy that leaves none is what matters.
        let wantsLocal = frontends[frontend]?.action == .drop || frontends[frontend]?.outsiders?.range == 0
        return choice.accounts(
            port: port, slices: slices, pool: balance?.pool ?? (wantsLocal ? .local : .everywhere),
            nodeName: nodeName, zone: node.zone)
    }

    /// The Service that has a frontend, and the port behind it.
    package func servicePort(of frontend: Frontend) -> (ServiceName, ProxiedService.Port)? {
        guard let state = frontends[frontend], let service = served(state.owner),
            let port = service.ports.first(where: { service.anchor(of: $0) == state.anchor ?? frontend })
        else { return nil }
        return (state.owner, port)
    }
}
