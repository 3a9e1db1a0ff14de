package import Addresses

/// A connection that someone tries to make.
package struct Call: Hashable, Sendable {
    package let source: IPAddress
    /// Whether it begins on the node itself rather than in a pod or elsewhere.
    package let isFromNode: Bool
    package let destination: IPAddress
    package let transport: TransportProtocol
    package let port: UInt16

    package init(
        from source: IPAddress, isFromNode: Bool = false, to destination: IPAddress, _ transport: TransportProtocol,
        _ port: UInt16
    ) {
        self.source = source
        self.isFromNode = isFromNode
        self.destination = destination
        self.transport = transport
        self.port = port
    }
}

/// What becomes of a call.
package enum CallOutcome: Hashable, Sendable {
    /// It is none of the proxy's business.
    case untouched
    case refused
    case dropped
    /// It ends at one of these backends; one that calls itself is masqueraded in any case.
    case delivered(to: Set<Backend>, masqueraded: Bool)
}

extension ServiceProxyModel {
    /// What the kernel does with a call, as of the last flush; without the memory of affinity.
    /// - Parameter nodeAddresses: the addresses that the node has on its links.
    package func outcome(of call: Call, nodeAddresses: Set<IPAddress>) -> CallOutcome {
        let direct = Frontend(address: call.destination, transport: call.transport, port: call.port)
        if let admitted = frontends[direct]?.admitted, !admitted.contains(where: { $0.contains(call.source) }) {
            return .dropped
        }
        var candidates = [direct]
        if nodeAddresses.contains(call.destination), answersNodePorts(call.destination) {
            candidates.append(Frontend(address: nil, transport: call.transport, port: call.port))
        }
        for case (let frontend, let state?) in candidates.map({ ($0, frontends[$0]) }) {
            if let outcome = outcome(of: call, at: frontend, state) { return outcome }
        }
        if candidates.contains(where: { frontends[$0]?.action == .refuse }) { return .refused }
        if clusterAddressUses[call.destination] != nil { return .refused }
        return serviceRanges.contains { $0.contains(call.destination) } ? .dropped : .untouched
    }

    /// What becomes of a call to a frontend that has endpoints; nil for one that has none.
    private func outcome(of call: Call, at frontend: Frontend, _ state: FrontendState) -> CallOutcome? {
        let isFromLocalPod = isIn(call.source) { .localPods($0) }
        func delivered(_ balance: Balance, masqueraded: Bool) -> CallOutcome {
            .delivered(
                to: Set(ports[state.anchor ?? frontend]?.pools[balance.pool] ?? []),
                masqueraded: masqueraded
                    || clusterAddressUses[call.destination] != nil && !isIn(call.source) { .unmasqueraded($0) })
        }
        if let outsiders = state.outsiders, !isFromLocalPod, !call.isFromNode {
            return outsiders.count == 0 ? .dropped : delivered(outsiders, masqueraded: false)
        }
        switch state.action {
        case .refuse: return nil
        case .drop: return .dropped
        case .balance(let balance):
            switch balance.entry {
            case .cluster, .outsider: return delivered(balance, masqueraded: false)
            case .external: return delivered(balance, masqueraded: true)
            case .insider: return delivered(balance, masqueraded: !isFromLocalPod)
            }
        }
    }

    private func answersNodePorts(_ address: IPAddress) -> Bool {
        let layout = TableLayout(family, options)
        return (layout.answersOnLoopback || !layout.header.loopback.contains(address))
            && isIn(address) { .nodePortRange($0) }
    }

    /// Whether an address is in one of the node's ranges of a kind.
    private func isIn(_ address: IPAddress, _ entry: (IPPrefix) -> TableEntry) -> Bool {
        (0...family.bitWidth).contains { flushedRanges.contains(entry(IPPrefix(address, length: $0))) }
    }
}
