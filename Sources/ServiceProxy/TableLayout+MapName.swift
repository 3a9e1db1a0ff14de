extension TableLayout {
    /// The maps and sets by number; their elements are all that changes with Services.
    enum MapName: Int, CaseIterable, Sendable {
        case services, nodePorts, outsiders, nodePortOutsiders, aliases, nodePortAliases, endpoints
        case stickyEndpoints, members, unserved, unservedNodePorts, guarded, admitted, clusterAddresses
        case serviceRanges, nodePortRanges, hairpins, localPods, unmasqueraded, translated, unanswered, standIns
    }
}

extension TableLayout.MapName {
    /// What the kernel knows it by.
    var name: String {
        switch self {
        case .services: "services"
        case .nodePorts: "node-ports"
        case .outsiders: "outsiders"
        case .nodePortOutsiders: "node-port-outsiders"
        case .aliases: "aliases"
        case .nodePortAliases: "node-port-aliases"
        case .endpoints: "endpoints"
        case .stickyEndpoints: "sticky-endpoints"
        case .members: "members"
        case .unserved: "unserved"
        case .unservedNodePorts: "unserved-node-ports"
        case .guarded: "guarded"
        case .admitted: "admitted"
        case .clusterAddresses: "cluster-addresses"
        case .serviceRanges: "service-ranges"
        case .nodePortRanges: "node-port-ranges"
        case .hairpins: "hairpins"
        case .localPods: "local-pods"
        case .unmasqueraded: "unmasqueraded"
        case .translated: "translated"
        case .unanswered: "unanswered"
        case .standIns: "stand-ins"
        }
    }

    /// Whether elements are ranges of addresses.
    var holdsRanges: Bool {
        switch self {
        case .admitted, .serviceRanges, .nodePortRanges, .localPods, .unmasqueraded, .translated, .unanswered: true
        default: false
        }
    }
}
