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

/// What becomes of a call, and by which of the rules.
package struct CallDecision: Hashable, Sendable {
    /// The rule that decides, or the one that decides about the source address.
    package enum Reason: Hashable, Sendable {
        /// The source is not in the ranges that the load balancer's address admits.
        case sourceNotAdmitted
        /// There is no endpoint anywhere.
        case noEndpoint
        /// There are endpoints, but none on this node, and the policy wants one there.
        case noLocalEndpoint
        /// The cluster address of a Service, on a port that it does not have.
        case noSuchPort
        /// An address out of a range for Services that no Service has.
        case noSuchAddress
        /// Not the address of a Service.
        case noService
        /// A pod of this node.
        case callerIsLocalPod
        /// Not a pod of this node, so that answers must return by here.
        case callerIsElsewhere
        /// The node itself.
        case callerIsNode
        /// From outside to all endpoints, so that answers must return by here.
        case externalTraffic
        /// From outside to endpoints of this node, which see the caller.
        case externalTrafficStaysLocal
    }

    package let outcome: CallOutcome
    package let reason: Reason
    /// The frontend that answers; nil when none does.
    package var frontend: Frontend?
    /// How the endpoint is drawn; nil when none is.
    package var balance: Balance?
}

extension ServiceProxyModel {
    /// What the kernel does with a call, as of the last flush; without the memory of affinity.
    /// - Parameter nodeAddresses: the addresses that the node has on its links.
    package func outcome(of call: Call, nodeAddresses: Set<IPAddress>) -> CallOutcome {
        decision(of: call, nodeAddresses: nodeAddresses).outcome
    }

    /// What the kernel does with a call, as of the last flush, and why.
    package func decision(of call: Call, nodeAddresses: Set<IPAddress>) -> CallDecision {
        let direct = Frontend(address: call.destination, transport: call.transport, port: call.port)
        if let admitted = frontends[direct]?.admitted, !admitted.contains(where: { $0.contains(call.source) }) {
            return CallDecision(outcome: .dropped, reason: .sourceNotAdmitted, frontend: direct)
        }
        var candidates = [direct]
        if nodeAddresses.contains(call.destination), answersNodePorts(call.destination) {
            candidates.append(Frontend(address: nil, transport: call.transport, port: call.port))
        }
        for case (let frontend, let state?) in candidates.map({ ($0, frontends[$0]) }) {
            if let decision = decision(of: call, at: frontend, state) { return decision }
        }
        if let unserved = candidates.first(where: { frontends[$0]?.action == .refuse }) {
            return CallDecision(outcome: .refused, reason: .noEndpoint, frontend: unserved)
        }
        if clusterAddressUses[call.destination] != nil {
            return CallDecision(outcome: .refused, reason: .noSuchPort)
        }
        return isIn(call.destination) { .serviceRange($0) } && !nodeAddresses.contains(call.destination)
            ? CallDecision(outcome: .dropped, reason: .noSuchAddress)
            : CallDecision(outcome: .untouched, reason: .noService)
    }

    /// What becomes of a call to a frontend that has endpoints; nil for one that has none.
    private func decision(of call: Call, at frontend: Frontend, _ state: FrontendState) -> CallDecision? {
        let isFromLocalPod = isIn(call.source) { .localPods($0) }
        func delivered(_ balance: Balance, masqueradedFor cause: CallDecision.Reason?) -> CallDecision {
            let isElsewhere = balance.entry == .cluster && !isIn(call.source) { .unmasqueraded($0) }
            let cause = cause ?? (isElsewhere ? .callerIsElsewhere : nil)
            let backends = Set(ports[state.anchor ?? frontend]?[balance.pool] ?? [])
            return CallDecision(
                outcome: .delivered(to: backends, masqueraded: cause != nil),
                reason: cause ?? (balance.entry == .outsider ? .externalTrafficStaysLocal : .callerIsLocalPod),
                frontend: frontend, balance: balance)
        }
        let dropped = CallDecision(outcome: .dropped, reason: .noLocalEndpoint, frontend: frontend)
        if let outsiders = state.outsiders, !isFromLocalPod, !call.isFromNode {
            return outsiders.range == 0 ? dropped : delivered(outsiders, masqueradedFor: nil)
        }
        switch state.action {
        case .refuse: return nil
        case .drop: return dropped
        case .balance(let balance):
            switch balance.entry {
            case .cluster, .outsider: return delivered(balance, masqueradedFor: nil)
            case .external: return delivered(balance, masqueradedFor: .externalTraffic)
            case .insider: return delivered(balance, masqueradedFor: isFromLocalPod ? nil : .callerIsNode)
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
