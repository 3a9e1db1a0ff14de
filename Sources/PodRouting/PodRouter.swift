internal import Addresses
package import KubernetesAPI
internal import Linux
package import Logging
internal import NFTables
internal import Netlink
package import RouteNetlink
package import WireGuard

/// Keeps one node's routes, tunnels, masquerading and CNI configuration what the Nodes of the cluster call for.
package actor PodRouter {
    private let configuration: PodRoutingConfiguration
    private let logger: Logger
    private var plan: RoutePlan
    private var underlay: UnderlayReader
    private var tunnels: TunnelReconciler
    private var wireGuard: WireGuardReconciler?
    private var routes: RouteReconciler
    private var masqueradePlan: MasqueradePlan
    private var masquerade: MasqueradeReconciler
    /// The last that was known: an uplink may be down for a moment.
    private var podMTU: Int?
    private var reported: Set<RouteFailure> = []
    private var nodes: [String: ClusterNode] = [:]
    private var networks: [String: NodeNetwork] = [:]
    private var knowsNodes = false
    private var knowsNetworks = false
    /// Whether the last attempt left something undone.
    package private(set) var needsRetry = false

    /// Works in the network namespace of the calling thread; throws when the kernel has no WireGuard and that is asked for.
    package init(configuration: PodRoutingConfiguration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        plan = RoutePlan(
            nodeName: configuration.nodeName, policy: configuration.policy,
            gateways: configuration.gatewayRange.map { TranslationGateways(range: $0) })
        underlay = try UnderlayReader(interfaceName: configuration.underlayInterface)
        tunnels = try TunnelReconciler()
        wireGuard = configuration.routeMode == .wireguard ? try WireGuardReconciler() : nil
        routes = try RouteReconciler()
        masqueradePlan = MasqueradePlan(policy: configuration.masquerade)
        masquerade = try MasqueradeReconciler()
    }

    /// Takes a node's new state, `nil` when it is gone.
    ///
    /// Nothing is done before `synced`: half of the nodes would look as if the others' routes had to go.
    package func update(_ name: String, _ node: Node?) {
        nodes[name] = node.map { ClusterNode($0) }
        update(name)
    }

    /// Takes a node's new NodeNetwork, `nil` when it is gone.
    package func update(_ name: String, network: NodeNetwork?) {
        networks[name] = network
        update(name)
    }

    private func update(_ name: String) {
        var node = nodes[name]?.adding(networks[name])
        if let new = node, new.addresses.isEmpty, name == configuration.nodeName, let own = plan.own {
            // A Node that was made anew says a moment later what its addresses are.
            node = ClusterNode(
                name: name, podPrefixes: new.podPrefixes, addresses: own.addresses, wireGuardKey: new.wireGuardKey,
                gateway: new.gateway, created: new.created)
        }
        guard isSynced else {
            _ = plan.update(name, node)
            return
        }
        do {
            let isOwn = name == configuration.nodeName
            let paths = isOwn ? [:] : try underlay.paths(to: node?.addresses ?? [])
            let change = plan.update(name, node, paths: paths)
            if isOwn { return audit() }
            apply(change)
        } catch {
            fail("the way to a node cannot be looked up", error)
        }
    }

    private var isSynced: Bool {
        knowsNodes && knowsNetworks
    }

    /// All Nodes or NodeNetworks are known.
    ///
    /// Once both are, adopts what an earlier process left and applies the difference.
    package func synced(nodes: Bool = true, networks: Bool = true) {
        let wasSynced = isSynced
        knowsNodes = knowsNodes || nodes
        knowsNetworks = knowsNetworks || networks
        if !wasSynced { audit() }
    }

    /// Takes note of what changed in the kernel, `nil` when anything may have; repairs what that spoilt.
    ///
    /// Returns whether it had to be looked at.
    @discardableResult
    package func changed(_ changes: [RouteChange]?) -> Bool {
        guard isSynced else { return false }
        if let changes {
            let links = links
            let ownPorts: Set = [tunnels.port, routes.port]
            guard changes.contains(where: { plan.isAffected(by: $0, links: links, ownPorts: ownPorts) }) else {
                return false
            }
        }
        logger.debug("links, addresses or routes changed")
        audit()
        return true
    }

    /// Compares everything with the kernel and repairs what differs.
    package func audit() {
        guard isSynced else { return }
        needsRetry = false
        var superseded: [RouteFailure] = []
        do {
            _ = plan.update(try underlay.snapshot(own: plan.own, peers: plan.peerAddresses))
            report(try tunnels.audit(plan))
            try auditWireGuard()
            report(try routes.audit(plan, links: links))
            try tunnels.removeUnneeded(plan)
            superseded = routes.superseded()
        } catch {
            fail("routes cannot be set up", error)
        }
        let refusals = plan.refusals()
        report(refusals: refusals)
        report(refusals: superseded, "packets to another node's pods do not take Duet's way")
        reported.formIntersection(refusals + superseded)
        _ = masqueradePlan.update(own: plan.own)
        // Nodes that are gone were taken out when they went.
        for name in plan.nodeNames { _ = updateMasqueradePlan(name) }
        applyMasquerade { (masquerade, plan) throws(NFTablesError) in try masquerade.audit(plan) }
        writeConfiguration()
    }

    /// Puts back the masquerade table that somebody flushed or changed.
    package func keepMasquerading() {
        guard isSynced else { return }
        do throws(NFTablesError) {
            guard try masquerade.keep(masqueradePlan) else { return }
            logger.warning("masquerading had been changed by another program, and is as before")
        } catch {
            fail("masquerading cannot be set up", error)
        }
    }

    /// The node itself, once it is known with all that others tell of it.
    package var own: ClusterNode? {
        isSynced ? plan.own : nil
    }

    /// The key that other nodes must know; `nil` in other modes than `wireguard`.
    package var wireGuardKey: WireGuardKey? {
        wireGuard?.publicKey
    }

    private var links: [Tunnel: Int32] {
        var links = tunnels.links
        if let interface = wireGuard?.interface { links[.wireGuard] = interface }
        return links
    }

    private func apply(_ change: RoutePlanChange) {
        guard !change.isEmpty else { return }
        report(tunnels.apply(plan, to: change.peers))
        do throws(NetlinkError) {
            try wireGuard?.apply(plan, to: change.peers)
        } catch {
            fail("the WireGuard link cannot be set up", error)
        }
        report(routes.apply(plan, to: change.destinations, links: links))
        report(refusals: plan.refusals(of: change.peers))
        do throws(NetlinkError) {
            try tunnels.removeUnneeded(plan)
        } catch {
            fail("a tunnel link cannot be removed", error)
        }
        let touched = change.peers.reduce(into: Set<IPPrefix>()) { $0.formUnion(updateMasqueradePlan($1)) }
        applyMasquerade { (masquerade, plan) throws(NFTablesError) in try masquerade.apply(plan, to: touched) }
        writeConfiguration()
    }

    private func auditWireGuard() throws(NetlinkError) {
        try wireGuard?.audit(plan)
    }

    private func updateMasqueradePlan(_ name: String) -> Set<IPPrefix> {
        let node = plan.node(name)
        let isOwn = name == configuration.nodeName
        let addresses = isOwn ? Set(node?.addresses ?? []) : plan.peer(name)?.nativeAddresses ?? []
        return masqueradePlan.update(name, node, addresses: addresses)
    }

    private func applyMasquerade(
        _ body: (inout MasqueradeReconciler, MasqueradePlan) throws(NFTablesError) -> Bool
    ) {
        do throws(NFTablesError) {
            if try body(&masquerade, masqueradePlan) { logger.debug("masquerading changed") }
        } catch {
            fail("masquerading cannot be set up", error)
        }
    }

    private func writeConfiguration() {
        guard let own = plan.own, !own.podPrefixes.isEmpty else { return }
        do {
            podMTU = plan.podMTU ?? podMTU
            let text = CNIConfiguration.text(
                podPrefixes: CNIConfiguration.offered(own.podPrefixes, networks[own.name]), mtu: podMTU)
            let path = "\(configuration.cniConfDir)/\(CNIConfiguration.fileName)"
            // The runtime reads the directory again at every write.
            guard (try? FileSystem.readText(path)) != text else { return }
            try FileSystem.makeDirectory(configuration.cniConfDir)
            try FileSystem.writeFileAtomically(path, Array(text.utf8))
            logger.info(
                "pods get addresses", metadata: ["ranges": "\(own.podPrefixes)", "configuration": "\(path)"])
            for plugin in ["ptp", "host-local"] where !FileSystem.exists("\(configuration.cniBinDir)/\(plugin)") {
                logger.error(
                    "a CNI plugin is missing: run `duet-cni --install`",
                    metadata: ["plugin": "\(configuration.cniBinDir)/\(plugin)"])
            }
        } catch {
            fail("the CNI configuration cannot be written", error)
        }
    }

    private func report(_ failures: [some Error]) {
        for failure in failures { fail("pods of other nodes cannot be reached", failure) }
    }

    /// Trying again does not help against these: they are told once, and again when they differ.
    private func report(
        refusals: [RouteFailure], _ message: Logger.Message = "pods of another node cannot be reached"
    ) {
        for refusal in refusals where reported.insert(refusal).inserted {
            logger.error(message, metadata: ["error": "\(refusal)"])
        }
    }

    private func fail(_ message: Logger.Message, _ error: any Error) {
        needsRetry = true
        logger.error(message, metadata: ["error": "\(error)"])
    }
}
