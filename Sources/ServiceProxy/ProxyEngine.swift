internal import Addresses
internal import KubernetesAPI
internal import KubernetesClient
internal import Logging

/// Feeds events to the tables of both families, and flushes them together.
actor ProxyEngine {
    private let tables: [TableReconciler]
    /// Read what the kernel has of each, for comparisons.
    private let readers: [TableReader]
    private var isAuditing = false
    private let balancer: ConnectTimeBalancer?
    /// Why there is no balancer although one is wanted.
    private let connectTimeFailure: ConnectTimeBalancer.State?
    private let nodeName: String
    private let health: ProxyHealth
    private let healthServers: HealthServers
    /// Lets Services reach endpoints of the other family; nil where that is not wanted.
    private let translation: TranslationKeeper?
    /// Tells the authors of Services what does not work.
    private let reporter: ServiceReporter
    /// The Services of a namespace, as they were seen last.
    private let servicesOfNamespace: @Sendable (String) -> [Service]
    private let logger: Logger
    private var serviceRanges: [String: ServiceCIDR] = [:]
    /// Whether the kernel has had all that the objects say, once.
    private var isProgrammed = false
    /// Whether kube-proxy may have rules that are to go: until a look finds none.
    private var mayHavePredecessor: Bool
    /// How many of the informers have yet to deliver their initial content; the kernel is left alone until then.
    private var informersToSync = 4
    private let wakeups: AsyncStream<Void>
    private let wakeup: AsyncStream<Void>.Continuation

    /// How long changes are gathered after a flush: one that comes alone goes at once, those that come in a row go together.
    private static let gatheringTime = Duration.milliseconds(1)
    private static let retryTime = Duration.seconds(1)

    /// Opens the tables; a family that the kernel lacks is left out unless it lacks both.
    init(
        nodeName: String, options: ProxyOptions, reporter: ServiceReporter,
        servicesOfNamespace: @escaping @Sendable (String) -> [Service],
        moreMetrics: @escaping @Sendable () -> String = { "" }, logger: Logger
    ) throws {
        self.servicesOfNamespace = servicesOfNamespace
        let commits = OwnCommits()
        let opened = try TableReconciler.openEach(logger: logger) { family in
            let table = try TableReconciler(
                family: family, nodeName: nodeName, options: options, commits: commits, logger: logger)
            return (table, try TableReader(family, options))
        }
        let tables = opened.map(\.0)
        options.tracking?.apply(logger: logger)
        balancer = ConnectTimeBalancer.following(tables, options: options, logger: logger)
        connectTimeFailure =
            options.connectTime == nil ? nil : .unavailable("the kernel does not tell network namespaces apart")
        translation = options.crossFamily.map { _ in TranslationKeeper(logger: logger) }
        self.tables = tables
        readers = opened.map(\.1)
        self.nodeName = nodeName
        self.logger = logger
        self.reporter = reporter
        mayHavePredecessor = options.replacesKubeProxy
        health = ProxyHealth(moreMetrics: moreMetrics)
        healthServers = HealthServers(health: health, ownPort: options.healthPort, logger: logger) {
            reporter.report($0, $1)
        }
        (wakeups, wakeup) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func take(_ event: InformerEvent<Service>) {
        switch event {
        case .added(let service), .updated(_, let service): take(service)
        case .deleted(let service):
            tables.forEach { $0.remove(service) }
            reporter.forget(service)
        case .synced: informersToSync -= 1
        }
        noteChange()
    }

    private func take(_ service: Service) {
        tables.forEach { $0.update(service) }
        reporter.review(service)
    }

    func take(_ event: InformerEvent<Namespace>) {
        switch event {
        case .added(let namespace), .updated(_, let namespace): take(namespace, named: namespace.name)
        case .deleted(let namespace): take(nil, named: namespace.name)
        case .synced:
            informersToSync -= 1
            noteChange()
        }
    }

    private func take(_ namespace: Namespace?, named name: String) {
        // Most changes of namespaces are about something else, and cost the Services nothing.
        guard tables.map({ $0.update(namespace, named: name) }).contains(true) else { return }
        servicesOfNamespace(name).forEach(take)
        noteChange()
    }

    func take(_ event: InformerEvent<ServiceCIDR>) {
        switch event {
        case .added(let range), .updated(_, let range): serviceRanges[range.name] = range
        case .deleted(let range): serviceRanges[range.name] = nil
        // Servers before 1.33 may have no such objects: then nothing is told, and not waited for.
        case .synced: return
        }
        tables.forEach { $0.update(Array(serviceRanges.values)) }
        noteChange()
    }

    func take(_ event: InformerEvent<EndpointSlice>) {
        switch event {
        case .added(let slice), .updated(_, let slice): tables.forEach { $0.update(slice) }
        case .deleted(let slice): tables.forEach { $0.remove(slice) }
        case .synced: informersToSync -= 1
        }
        noteChange()
    }

    func take(_ event: InformerEvent<Node>) {
        switch event {
        case .added(let node), .updated(_, let node):
            guard node.metadata.name == nodeName else { return }
            health.note(node)
            tables.forEach { $0.update(node) }
        case .deleted(let node):
            guard node.metadata.name == nodeName else { return }
            // The rules stay, so that its pods are served to their end; but nobody new should come.
            health.note(nil as Node?)
        case .synced: informersToSync -= 1
        }
        noteChange()
    }

    func take(_ event: InformerEvent<NodeNetwork>) {
        switch event {
        case .added(let network), .updated(_, let network):
            guard network.metadata.name == nodeName else { return }
            tables.forEach { $0.update(network) }
        case .deleted(let network):
            guard network.metadata.name == nodeName else { return }
            tables.forEach { $0.update(nil as NodeNetwork?) }
        // A cluster without such objects never tells that it has told them all, and is not waited for.
        case .synced: return
        }
        noteChange()
    }

    private func noteChange() {
        for table in tables { health.noteChange(table.family) }
        wakeup.yield()
    }

    /// Flushes after events until the task is cancelled.
    func run() async {
        var gatheredUntil = ContinuousClock.now
        for await _ in wakeups {
            try? await Task.sleep(until: gatheredUntil, clock: .continuous)
            let isDone = flush()
            gatheredUntil = .now + Self.gatheringTime
            await answerHealthChecks()
            if isDone {
                removePredecessor()
                continue
            }
            try? await Task.sleep(for: Self.retryTime)
            wakeup.yield()
        }
        await healthServers.close()
    }

    private func removePredecessor() {
        guard mayHavePredecessor, informersToSync == 0 else { return }
        do {
            mayHavePredecessor = try KubeProxyRules.remove(logger: logger) > 0
        } catch {
            logger.error("the rules of kube-proxy stay beside those of Duet", metadata: ["error": "\(error)"])
        }
    }

    private func answerHealthChecks() async {
        guard informersToSync == 0 else { return }
        var checks: [IPFamily: [UInt16: HealthCheck]] = [:]
        var addresses: [IPFamily: [IPAddress]] = [:]
        for table in tables { (checks[table.family], addresses[table.family]) = table.healthChecks }
        await healthServers.apply(checks, at: addresses)
    }

    /// Applies what changed; false when a family could not be brought up to date.
    private func flush() -> Bool {
        guard informersToSync == 0 else { return true }
        let start = ContinuousClock.now
        translation?.prepare(tables)
        let isDone = perform("cannot apply the Services") { table in
            guard table.hasPendingChanges else { return TableReconciler.Report() }
            return try table.flush(seeing: tables.first { $0.family != table.family })
        }
        translation?.finish(tables)
        health.note(translator: translation?.translator?.engine)
        if isDone, !isProgrammed {
            isProgrammed = true
            let milliseconds = Int(start.duration(to: .now) / .milliseconds(1))
            logger.info("the Services are in the kernel", metadata: ["milliseconds": "\(milliseconds)"])
        }
        return isDone
    }

    /// Compares all that the kernel has with what it should have, and repairs what differs.
    ///
    /// Changes are applied meanwhile: what is read is much, and looked at in parts that take less than a millisecond.
    func audit() async {
        guard informersToSync == 0, !isAuditing else { return }
        isAuditing = true
        defer { isAuditing = false }
        auditTranslation()
        var doubtful: Set<IPFamily> = []
        for (table, reader) in zip(tables, readers) where await !table.agreesWithKernel(by: reader) {
            doubtful.insert(table.family)
        }
        repair { doubtful.contains($0.family) }
        if await healthServers.lackPorts { wakeup.yield() }
    }

    private func auditTranslation() {
        translation?.audit()
        translation?.prepare(tables, isRetry: true)
    }

    /// Compares all of some tables in one step, and repairs what differs.
    private func repair(where isDoubtful: (TableReconciler) -> Bool) {
        let isDone = perform("cannot audit the Services") {
            isDoubtful($0) ? try $0.audit() : TableReconciler.Report()
        }
        if !isDone || tables.contains(where: \.hasPendingChanges) { wakeup.yield() }
    }

    /// Does what comes up between changes: repairs the tables if someone else's change took chains or rules of them, as
    /// flushing the rule set does, and looks after datagrams that a change overtook.
    func lookAfter() {
        guard informersToSync == 0 else { return }
        balancer?.followNode()
        if translation?.hasEnded == true { wakeup.yield() }
        for table in tables {
            do {
                try table.settleFlows()
            } catch {
                logger.warning(
                    "cannot look for datagram flows that lead nowhere; trying again",
                    metadata: ["family": "\(table.family.name)", "error": "\(error)"])
            }
        }
        // What cannot be read now is left to the next audit.
        guard tables.contains(where: { (try? $0.isWhole()) == false }) else { return }
        auditTranslation()
        repair { _ in true }
    }

    private func perform(_ failure: Logger.Message, _ step: (TableReconciler) throws -> TableReconciler.Report) -> Bool
    {
        var isDone = true
        for table in tables {
            do {
                let report = try step(table)
                health.noteApplied(table.family)
                for conflict in report.conflicts { reporter.report(conflict.loser, conflict.warning) }
                if report.operations > 0 {
                    logger.debug(
                        "Services applied",
                        metadata: [
                            "family": "\(table.family.name)", "elements": "\(report.elements)",
                            "forgottenFlows": "\(report.forgottenFlows)",
                        ])
                }
            } catch {
                isDone = false
                logger.error(failure, metadata: ["family": "\(table.family.name)", "error": "\(error)"])
            }
        }
        health.note(connectTime: balancer?.state ?? connectTimeFailure)
        return isDone
    }
}
