internal import Addresses
package import KubernetesAPI
internal import Linux
package import Logging
internal import NFTables

/// Keeps one node's routes, masquerading and CNI configuration what the Nodes of the cluster call for.
package actor PodRouter {
    private let configuration: PodRoutingConfiguration
    private let logger: Logger
    private var plan: RoutePlan
    private var routes: RouteReconciler
    private var masquerade: MasqueradeReconciler
    private var nodes: [String: ClusterNode] = [:]
    private var networks: [String: NodeNetwork] = [:]
    private var knowsNodes = false
    private var knowsNetworks = false
    /// Whether the last attempt left something undone.
    package private(set) var needsRetry = false

    /// Works in the network namespace of the process.
    package init(configuration: PodRoutingConfiguration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        plan = RoutePlan(nodeName: configuration.nodeName)
        routes = try RouteReconciler()
        masquerade = try MasqueradeReconciler()
    }

    /// Takes a node's new state, `nil` when it is gone.
    ///
    /// Nothing is done before `synced`: half of the nodes would look as if the others' routes had to go.
    package func update(_ name: String, _ node: Node?) {
        nodes[name] = node.map(ClusterNode.init)
        update(name)
    }

    /// Takes the new state of a node's further blocks, `nil` when nothing is known of them.
    package func update(_ name: String, network: NodeNetwork?) {
        networks[name] = network
        update(name)
    }

    private func update(_ name: String) {
        let touched = plan.update(name, nodes[name]?.adding(networks[name]))
        guard isSynced else { return }
        report(routes.apply(plan, to: touched))
        applyMasquerade { (masquerade, plan) throws(NFTablesError) in try masquerade.apply(plan) }
        if name == configuration.nodeName { writeConfiguration() }
    }

    private var isSynced: Bool { knowsNodes && knowsNetworks }

    /// All nodes or all of their networks are known; with both, adopts what an earlier process left and applies the
    /// difference.
    package func synced(nodes: Bool = true, networks: Bool = true) {
        guard !isSynced else { return }
        knowsNodes = knowsNodes || nodes
        knowsNetworks = knowsNetworks || networks
        audit()
    }

    /// Compares everything with the kernel and repairs what differs.
    package func audit() {
        guard isSynced else { return }
        needsRetry = false
        do {
            report(try routes.audit(plan))
        } catch {
            fail("routes cannot be read", error)
        }
        applyMasquerade { (masquerade, plan) throws(NFTablesError) in try masquerade.audit(plan) }
        writeConfiguration()
    }

    private func applyMasquerade(
        _ body: (inout MasqueradeReconciler, MasqueradePlan) throws(NFTablesError) -> Bool
    ) {
        do throws(NFTablesError) {
            if try body(&masquerade, MasqueradePlan(own: plan.own, nodes: plan.allNodes)) {
                logger.debug("masquerading changed")
            }
        } catch {
            fail("masquerading cannot be set up", error)
        }
    }

    private func writeConfiguration() {
        guard let own = plan.own, !own.podPrefixes.isEmpty else { return }
        do {
            let text = CNIConfiguration.text(
                podPrefixes: CNIConfiguration.offered(own.podPrefixes, networks[own.name]),
                mtu: try routes.mtu(ofLinkWith: own.addresses))
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

    private func report(_ failures: [RouteFailure]) {
        for failure in failures { fail("a route is missing", failure) }
    }

    private func fail(_ message: Logger.Message, _ error: any Error) {
        needsRetry = true
        logger.error(message, metadata: ["error": "\(error)"])
    }
}
