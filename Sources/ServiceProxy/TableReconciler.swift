package import Addresses
package import KubernetesAPI
internal import Linux
package import Logging
internal import NFTables

/// Keeps the kernel's table of one family equal to what the model says: adopts what it finds, applies differences,
/// audits rarely, and repairs.
///
/// Its sockets, if it opens them itself, belong to the network namespace of the thread that makes it.
package final class TableReconciler {
    /// What a step did.
    package struct Report: Hashable, Sendable {
        /// Elements that were added, deleted or changed.
        package var elements = 0
        /// Operations of the transaction; zero when there was none.
        package var operations = 0
        /// Flows that the kernel was told to forget.
        package var forgottenFlows = 0
        /// Whether the table was made from nothing.
        package var isRebuilt = false
        /// Services that now wait for a frontend which another has.
        package var conflicts: Set<FrontendConflict> = []

        package init() {}
    }

    private let layout: TableLayout
    /// The table that answers while the other one is replaced.
    private let interim: TableLayout
    private let logger: Logger
    private(set) var model: ServiceProxyModel
    private let kernel: any KernelConnection
    /// The shapes that have chains.
    ///
    /// Chains are never deleted: they are few, and all Services share them.
    private var shapes: Set<ChainShape> = []
    /// Whether the kernel's table may differ from the last flush of the model.
    private(set) var isOutOfStep = true
    /// Whether the model was flushed at all: before, it says that nothing should be there, and the kernel may have what an
    /// earlier agent has left to be adopted.
    private var isFlushed = false
    /// The generation of the kernel's rule set at which the table was found whole.
    private var wholeGeneration: UInt32?
    private let commits: OwnCommits
    /// Leads calls before they are packets, where it can; follows what the table holds.
    package var balancer: ConnectTimeBalancer?
    /// Is told the endpoint behind each stand-in before the kernel leads connections there.
    var translator: ServiceTranslator?
    /// The Services of which that was told.
    private var reportedLack: Set<ServiceName> = []
    /// Datagram frontends whose flows are not yet looked at.
    private var pendingFlows: [Frontend: Set<IPAddress>] = [:]
    /// Those that were looked at, and are once more.
    private var settlingFlows: Set<Frontend> = []
    /// How many entries the kernel's table has, if it is in step.
    private(set) var entryCount = 0
    /// What was found so far by a comparison that is going on.
    var comparison: TableComparison?

    /// Adopts the slots of the table that the kernel has.
    /// - Parameters:
    ///   - kernel: the kernel to write to; nil opens sockets to that of the calling thread.
    ///   - commits: shared with other tables that this process keeps in the same network namespace.
    package init(
        family: IPFamily, nodeName: String, options: ProxyOptions = ProxyOptions(),
        kernel: (any KernelConnection)? = nil, commits: OwnCommits = OwnCommits(), logger: Logger
    ) throws {
        self.commits = commits
        layout = TableLayout(family, options)
        interim = TableLayout(family, options, named: TableLayout.interimName)
        var logger = logger
        logger[metadataKey: "family"] = "\(family.name)"
        self.logger = logger
        if layout.answersOnLoopback, let parameter = layout.header.loopbackRoutingParameter {
            try Sysctl.set(parameter, "1")
        }
        self.kernel = try kernel ?? LinuxConnection()
        let present = try KernelTable(reading: layout, from: self.kernel)
        // Of a family that a kernel lacks it lists nothing, as it does where nothing is; only who writes is told.
        if present == nil {
            let probe = Table(family: layout.table.family, name: Self.probeName)
            try self.kernel.commit(Transaction([.addTable(probe), .deleteTable(probe)]))
        }
        model = ServiceProxyModel(
            family: family, nodeName: nodeName, options: options, adoptingSlotsOf: present?.content)
    }

    private static let probeName = "duet-proxy-probe"

    /// What `open` makes for each family; one that the kernel lacks is told and left out, unless it lacks all.
    package static func openEach<Opened>(
        logger: Logger, _ open: (IPFamily) throws -> Opened
    ) throws -> [Opened] {
        var opened: [Opened] = []
        var failure: (any Error)?
        for family in IPFamily.allCases {
            do {
                opened.append(try open(family))
            } catch {
                failure = error
                logger.error(
                    "Services cannot be served in a family",
                    metadata: ["family": "\(family.name)", "error": "\(error)"])
            }
        }
        if opened.isEmpty, let failure { throw failure }
        return opened
    }

    package var family: IPFamily { layout.family }

    /// What balancers are told of Services, by node port, and the addresses that they ask at.
    var healthChecks: (checks: [UInt16: HealthCheck], addresses: [IPAddress]) {
        (model.healthChecks, model.healthAddresses)
    }

    /// Whether there is anything to flush.
    package var hasPendingChanges: Bool { isOutOfStep || model.hasPendingChanges }

    package func update(_ service: Service) { model.update(service) }
    package func remove(_ service: Service) { model.remove(service) }
    package func update(_ namespace: Namespace?, named name: String) -> Bool { model.update(namespace, named: name) }
    package func update(_ slice: EndpointSlice) { model.update(slice) }
    package func remove(_ slice: EndpointSlice) { model.remove(slice) }
    package func update(_ node: Node) { model.update(node) }
    package func update(_ network: NodeNetwork?) { model.update(network) }
    package func update(_ ranges: [ServiceCIDR]) { model.update(ranges) }

    /// Whether any Service is to reach endpoints of the other family, by which addresses, and what these stand for.
    var wantsTranslation: Bool { model.wantsTranslation }
    package var translationAddresses: TranslationAddresses? { model.translationAddresses }
    package var translations: [IPAddress: IPAddress] { model.translations }
    func set(isTranslating: Bool) { model.set(isTranslating: isTranslating) }

    /// What the kernel does with a call, if it holds what the last flush gave it.
    package func outcome(of call: Call, nodeAddresses: Set<IPAddress>) -> CallOutcome {
        model.outcome(of: call, nodeAddresses: nodeAddresses)
    }

    /// Applies what changed since the last flush, as one transaction; the first flush compares with all that the
    /// kernel has instead.
    ///
    /// A difference that the kernel refuses is followed by such a comparison too.
    /// - Parameter other: the other family's, for endpoints that have no address of this one.
    @discardableResult
    package func flush(seeing other: TableReconciler? = nil) throws -> Report {
        let flush = model.flush(seeing: other?.model, isComparedAfterwards: isOutOfStep)
        isFlushed = true
        translator?.set(model.translations)
        reportLack()
        pendingFlows.merge(flush.datagramFrontends) { $1 }
        var report = try bringAbout(flush.difference)
        report.conflicts = flush.conflicts
        return report
    }

    /// Tells of each Service once that endpoints of it are left out for want of addresses.
    private func reportLack() {
        let lacking = model.lacking
        for name in lacking.subtracting(reportedLack).sorted() {
            logger.error(
                "endpoints are left out: no address is free that could stand for them; give --stand-in-range more",
                metadata: ["service": "\(name)"])
        }
        reportedLack = lacking
    }

    private func bringAbout(_ difference: TableDifference) throws -> Report {
        guard !isOutOfStep else { return try synchronise() }
        do {
            return try apply(difference)
        } catch {
            logger.warning(
                "the kernel refuses a change of Services; comparing everything", metadata: ["error": "\(error)"])
            return try synchronise()
        }
    }

    /// Compares all that the kernel has with the model, and repairs what differs; nothing before the first flush.
    @discardableResult
    package func audit() throws -> Report {
        guard isFlushed else { return Report() }
        let report = try synchronise()
        if report.operations > 0 {
            logger.warning(
                "the kernel's Services were not as they should be and are repaired",
                metadata: [
                    "elements": "\(report.elements)", "rebuilt": "\(report.isRebuilt)",
                ])
        }
        return report
    }

    /// Whether chains and rules are still what they should be; `audit` repairs them, and looks at the elements too.
    ///
    /// Nearly free while nobody changes the rule set, and never dearer than a few hundred rules.
    package func isWhole() throws -> Bool {
        guard isFlushed else { return true }
        let generation = try kernel.generation()
        if let wholeGeneration, commits.lead(from: wholeGeneration, to: generation) { return true }
        guard try KernelTable.shapes(of: layout, from: kernel) == shapes else { return false }
        wholeGeneration = generation
        return true
    }

    private func synchronise() throws -> Report {
        isOutOfStep = true
        comparison = nil
        model.forgetAdoptedSlots()
        balancer?.synchronise(with: model.table)
        var report: Report
        if let present = try KernelTable(reading: layout, from: kernel) {
            shapes = present.shapes
            let target = model.table
            report = try apply(present.content.difference(to: target))
            entryCount = target.entries.count
        } else {
            report = try rebuild()
        }
        // Also what an agent left that ended in the middle of a replacement.
        try TableRemoval.remove([interim.table], from: kernel)
        isOutOfStep = false
        return report
    }

    /// Puts a new table in the place of whatever there is.
    ///
    /// If there is one that may answer, as after a change of its layout, an interim one does so meanwhile: the kernel asks
    /// the newer one first, so that no packet comes to the rules of a table that goes, see `PacketsInFlight`.
    private func rebuild() throws -> Report {
        if try !kernel.chains(of: layout.table).isEmpty {
            var shapes: Set<ChainShape> = []
            try kernel.commit(interim.transaction(rebuilding: model, shapes: &shapes).transaction)
            PacketsInFlight.wait()
        }
        var shapes: Set<ChainShape> = []
        let (transaction, count) = layout.transaction(rebuilding: model, shapes: &shapes)
        try kernel.commit(transaction)
        self.shapes = shapes
        entryCount = count
        var report = Report()
        report.elements = count
        report.operations = transaction.operations.count
        report.isRebuilt = true
        report.forgottenFlows = try forgetStaleFlows()
        return report
    }

    private func apply(_ difference: TableDifference) throws -> Report {
        balancer?.apply(difference)
        var report = Report()
        report.elements = difference.count
        if !difference.isEmpty {
            var shapes = shapes
            let transaction = layout.transaction(for: difference, shapes: &shapes)
            try kernel.commit(transaction)
            self.shapes = shapes
            entryCount += difference.growth
            comparison?.note(difference)
            noteOwnCommit()
            report.operations = transaction.operations.count
        }
        report.forgottenFlows = try forgetStaleFlows()
        return report
    }

    /// Tables are as whole as before if nobody but this process changed the rule set since.
    private func noteOwnCommit() {
        if let generation = try? kernel.generation() { commits.note(generation) }
    }

    private func forgetStaleFlows() throws -> Int {
        guard !pendingFlows.isEmpty else { return 0 }
        let count = try forget(StaleFlows(serving: pendingFlows))
        settlingFlows.formUnion(pendingFlows.keys)
        pendingFlows = [:]
        return count
    }

    /// Forgets the flows of datagrams that were on their way through the former rules while flows were forgotten.
    package func settleFlows() throws {
        guard !settlingFlows.isEmpty else { return }
        let serving = settlingFlows.map { ($0, model.frontends[$0]?.serving ?? []) }
        _ = try forget(StaleFlows(serving: Dictionary(serving) { $1 }))
        settlingFlows = []
    }

    private func forget(_ stale: StaleFlows) throws -> Int {
        let count = try kernel.forgetFlows(layout.family) { stale.contains($0) }
        balancer?.forgetFlows(stale)
        return count
    }
}
