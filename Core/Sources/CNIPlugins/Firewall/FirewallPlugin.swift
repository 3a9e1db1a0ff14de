import Addresses
public import CNI
import NFTables
import RouteNetlink

/// The firewall plugin: lets a pod's packets pass a host that forwards by permission only, and keeps bridges apart.
public struct FirewallPlugin: CNIPlugin {
    /// The name under which a runtime executes it.
    public let name = "firewall"

    /// Makes the plugin.
    public init() {}

    /// Adds the rules of the pod's addresses; none stays when one fails.
    public func add(_ request: CNIRequest) throws -> CNIResult {
        let configuration = try configuration(request)
        let result = try request.requiredPreviousResult("missing prevResult from earlier plugin")
        do {
            try add(configuration, result, AttachmentTag(request).comment)
        } catch {
            try? remove(request, configuration.backend, result)
            throw error
        }
        return result
    }

    /// Removes the rules of the pod's addresses; the chains stay, and so does what keeps bridges apart.
    ///
    /// Without a previous result, as after an ADD that failed, those that bear the attachment's name.
    public func delete(_ request: CNIRequest) throws {
        let backend = FirewallConfiguration.backend(
            request.configuration.json, isFirewalldRunning: Firewalld.isRunning)
        try remove(request, backend, try request.configuration.previousResult() ?? CNIResult())
    }

    /// Verifies that all rules are there.
    public func check(_ request: CNIRequest) throws {
        let configuration = try configuration(request)
        let result = try request.requiredPreviousResult("missing prevResult from earlier plugin")
        if case .firewalld(let zone) = configuration.backend {
            try Firewalld(zone: zone).check(result.podPrefixes)
            return
        }
        var socket = try NFTablesSocket()
        for family in result.families {
            let table = try FilterTable(family, &socket)
            for rule in [.entry, .admin(configuration.adminChain)] + Self.passes(result, family)
            where !table.contains(rule) {
                throw CNIError("expected \(rule.chain) rule [\(rule.words)] not found")
            }
        }
    }

    /// Removes the rules of attachments that are gone; those that the reference plugin made do not tell whose they are.
    public func collectGarbage(_ request: CNIRequest) throws {
        let isObsolete = try AttachmentTag.isObsolete(request)
        for family in IPFamily.allCases {
            try NFTablesSocket.update { socket throws(NFTablesError) in
                try FilterTable(family, &socket).removal(where: isObsolete)
            }
        }
    }

    /// Able to serve where nftables is.
    public func status(_ request: CNIRequest) throws {
        try Self.checkNFTables()
    }

    private func configuration(_ request: CNIRequest) throws(CNIError) -> FirewallConfiguration {
        try FirewallConfiguration(request.configuration.json, isFirewalldRunning: Firewalld.isRunning)
    }

    private static func passes(_ result: CNIResult, _ family: IPFamily) -> [FilterRule] {
        result.podPrefixes.filter { $0.family == family }.flatMap { FilterRule.pass($0.address) }
    }

    private func add(_ configuration: FirewallConfiguration, _ result: CNIResult, _ owner: String) throws {
        switch configuration.backend {
        case .firewalld(let zone): try Firewalld(zone: zone).add(result.podPrefixes)
        case .filter:
            for family in result.families {
                try NFTablesSocket.update { socket throws(NFTablesError) in
                    try FilterTable(family, &socket).addition(
                        chains: ["CNI-FORWARD", configuration.adminChain],
                        first: [.entry, .admin(configuration.adminChain)], last: Self.passes(result, family),
                        owner: owner)
                }
            }
        }
        if configuration.policy != .open { try isolate(configuration.policy, result) }
    }

    private func remove(
        _ request: CNIRequest, _ backend: FirewallConfiguration.Backend, _ result: CNIResult
    ) throws {
        if case .firewalld(let zone) = backend { try Firewalld(zone: zone).remove(result.podPrefixes) }
        let tag = AttachmentTag(request)
        // Rules may be there from before firewalld was.
        for family in result.families.isEmpty ? IPFamily.allCases : result.families {
            try NFTablesSocket.update { socket throws(NFTablesError) in
                try FilterTable(family, &socket).removal(of: Self.passes(result, family), where: tag.owns)
            }
        }
    }

    /// Keeps a bridge apart from others, and with `isolated` its ports from each other.
    private func isolate(_ policy: FirewallConfiguration.IngressPolicy, _ result: CNIResult) throws {
        guard let bridge = result.interfaces.first?.name, !bridge.isEmpty else {
            throw CNIError(
                "interface needs to be set for ingress policy \"\(policy.rawValue)\", "
                    + "make sure to chain \"firewall\" plugin with \"bridge\"")
        }
        for family in result.families {
            try NFTablesSocket.update { socket throws(NFTablesError) in
                try FilterTable(family, &socket).addition(
                    chains: [FilterTable.firstStage, FilterTable.secondStage],
                    first: [.isolationEntry, .leaving(bridge), .entering(bridge)]
                        + (policy == .isolated ? [.within(bridge)] : []),
                    last: [.end(FilterTable.firstStage), .end(FilterTable.secondStage)])
            }
        }
        guard policy == .isolated else { return }
        // Frames between ports pass the rules only where bridges hand them to the network layer's filters.
        var routes = try RouteSocket()
        for interface in result.interfaces.dropFirst() where interface.sandbox == nil {
            guard let link = try routes.link(named: interface.name), link.bridgePort != nil else { continue }
            try routes.setBridgePort(link.index, isolated: true)
        }
    }
}

extension CNIResult {
    /// The addresses, each alone.
    fileprivate var podPrefixes: [IPPrefix] {
        addresses.map { IPPrefix($0.address.address, length: $0.address.address.family.bitWidth) }
    }
}
