internal import Addresses
internal import Conntrack

/// Picks the tracked datagram flows that lead where no endpoint serves any more.
///
/// A datagram has no beginning, so the kernel keeps sending a flow that goes on to where its first packet went: to an
/// endpoint that is gone, or to the Service's own address when there was no endpoint. The next packet of a flow that is
/// forgotten is dispatched anew.
struct StaleFlows: Sendable {
    /// The frontends to look at, and the addresses that serve them.
    let serving: [Frontend: Set<IPAddress>]

    func contains(_ entry: ConntrackEntry) -> Bool {
        let original = entry.original
        guard original.transportProtocol == TransportProtocol.udp.rawValue else { return false }
        let called = Frontend(address: original.destination, transport: .udp, port: original.destinationPort)
        // Another host's port may have the number of a node port. Its flows would go on by another source port.
        if serving[called] == nil, entry.isMasqueradedOnly { return false }
        return contains(called, answeredBy: entry.reply.source)
    }

    /// Whether a flow to what a client called is stale when an endpoint answers it.
    func contains(_ called: Frontend, answeredBy endpoint: IPAddress) -> Bool {
        // A node port is known by its number alone: it answers on every address of the node.
        let addresses = serving[called] ?? serving[Frontend(address: nil, transport: .udp, port: called.port)]
        return addresses.map { !$0.contains(endpoint) } ?? false
    }
}

extension ConntrackEntry {
    /// Whether it goes where it was sent to, from elsewhere than where it came from: through this node to another host.
    fileprivate var isMasqueradedOnly: Bool {
        reply.source == original.destination
            && (reply.destination != original.source || reply.destinationPort != original.sourcePort)
    }
}
