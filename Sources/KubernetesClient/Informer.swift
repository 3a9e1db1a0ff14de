import AsyncHTTPClient
public import JSON
public import KubernetesAPI
public import Logging
public import ServiceLifecycle

/// A cache of a resource's objects, or of what a component makes of them, that follows the server by list and watch.
public final class Informer<T: WatchedObject>: ServiceLifecycle.Service {
    /// The present content.
    public let store: InformerStore<T>
    private let client: KubernetesClient
    private let path: String
    private let selectors: [(String, String)]
    private let isOptional: Bool
    private let read: @Sendable (JSONValue) throws -> T
    private let logger: Logger

    /// Objects in one page of a list.
    private static var pageSize: Int { 500 }

    /// Creates an informer for the objects that the selectors match; it follows the server while `run` runs.
    /// - Parameters:
    ///   - isOptional: whether a server that does not know the resource counts as one without objects of it.
    ///   - read: makes what is kept of an object from its JSON form.
    public init(
        client: KubernetesClient, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
        indexers: [String: InformerStore<T>.Indexer] = [:], isOptional: Bool = false,
        logger: Logger = Logger(label: "duet.informer"), read: @escaping @Sendable (JSONValue) throws -> T
    ) {
        self.client = client
        self.isOptional = isOptional
        path = T.resource.path(namespace: namespace)
        selectors = KubernetesClient.selectors(labels: labelSelector, fields: fieldSelector)
        store = InformerStore(indexers: indexers)
        self.read = read
        var logger = logger
        logger[metadataKey: "resource"] = "\(T.resource.plural)"
        self.logger = logger
    }

    /// Changes, beginning with the present content as additions; `.synced` follows the initial list once.
    ///
    /// A slow subscriber finds several changes of one object joined into one, so the backlog never exceeds the content.
    public func events() -> AsyncStream<InformerEvent<T>> { events(as: { $0 }) }

    /// The same changes, with what a component makes of the objects in their place.
    public func events<Form: WatchedObject>(
        as form: @escaping @Sendable (T) -> Form
    ) -> AsyncStream<InformerEvent<Form>> {
        let subscription = store.subscribe()
        let lease = SubscriptionLease(store: store, subscription: subscription)
        return AsyncStream {
            await lease.subscription.next()?.map(form)
        }
    }

    /// Returns once the initial list is complete.
    public func waitForSync() async {
        await store.waitForSync()
    }

    /// Follows the server until the task is cancelled.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.follow()
        }
    }

    private func follow() async {
        var machine = ReflectorStateMachine()
        var action = machine.start()
        var report = FailureReport()
        var pages: [T] = []
        while !Task.isCancelled {
            switch action {
            case .list(let next):
                if next == nil {
                    pages = []
                }
                do {
                    let list = try await page(continuing: next)
                    pages += list.items
                    action = machine.listed(version: list.version, next: list.next)
                    if case .watch = action {
                        store.replace(with: pages)
                        pages = []
                        succeeded(&report)
                    }
                } catch {
                    pages = []
                    action = failed(error, "list", &machine, &report)
                }
            case .watch(let version):
                action = await watch(from: version, &machine, &report)
            case .wait(let milliseconds):
                try? await Task.sleep(for: .milliseconds(milliseconds))
                action = machine.waited()
            }
        }
    }

    private func page(continuing next: String?) async throws -> (items: [T], version: String, next: String?) {
        var query = selectors + [("limit", "\(Self.pageSize)")]
        if let next {
            query.append(("continue", next))
        }
        let list = try await client.request(.get, path: path, query: query)
        let items = (list["items"]?.array ?? []).compactMap(decode)
        let metadata = list["metadata"]
        return (items, metadata?["resourceVersion"]?.string ?? "", metadata?["continue"]?.string)
    }

    private func watch(
        from version: String, _ machine: inout ReflectorStateMachine, _ report: inout FailureReport
    ) async -> ReflectorStateMachine.Action {
        let start = ContinuousClock.now
        do {
            let events = try await client.watch(
                path: path, query: selectors + [("resourceVersion", version)],
                timeout: .seconds(Int.random(in: 300...600)))
            succeeded(&report)
            for try await event in events {
                try apply(event, &machine)
            }
        } catch {
            return failed(error, "watch", &machine, &report)
        }
        let lasted = start.duration(to: .now)
        return machine.watchEnded(
            afterMilliseconds: Int(lasted / .milliseconds(1)), jitter: Double.random(in: 0...1))
    }

    private func apply(_ event: JSONValue, _ machine: inout ReflectorStateMachine) throws {
        guard let object = event["object"] else { return }
        let type = event["type"]?.string
        if type == "ERROR" {
            throw StatusError(status: object) ?? .internalError("a watch failed without a Status")
        }
        machine.received(version: object.at("metadata", "resourceVersion")?.string)
        switch type {
        case "ADDED", "MODIFIED":
            if let object = decode(object) {
                store.put(object)
            }
        case "DELETED":
            if let object = decode(object) {
                store.remove(object)
            }
        default:
            break
        }
    }

    private func decode(_ json: JSONValue) -> T? {
        do {
            return try read(json)
        } catch {
            logger.error(
                "an object cannot be understood and is left out",
                metadata: ["name": "\(json.at("metadata", "name")?.string ?? "")", "error": "\(error)"])
            return nil
        }
    }

    private func failed(
        _ error: any Error, _ operation: String, _ machine: inout ReflectorStateMachine,
        _ report: inout FailureReport
    ) -> ReflectorStateMachine.Action {
        let failure: ReflectorStateMachine.Failure
        switch error {
        case let error as StatusError: failure = error.code == 410 ? .expired : .refused
        case let error as HTTPClientError where error == .remoteConnectionClosed: failure = .unreachable
        case is HTTPClientError, is WatchLineTooLong, is JSONError: failure = .refused
        default: failure = .unreachable
        }
        if !Task.isCancelled, failure != .expired { tell(error, operation, &report) }
        return machine.failed(failure, jitter: Double.random(in: 0...1))
    }

    private func tell(_ error: any Error, _ operation: String, _ report: inout FailureReport) {
        guard let error = error as? StatusError else {
            guard report.failed(.noAnswer), client.loses() else { return }
            return logger.error(
                "no answer from the API server, trying again",
                metadata: [
                    "server": "\(client.configuration.serverURL)", "error": "\(TransportFailure.text(of: error))",
                ])
        }
        let isMissing = isOptional && error.code == 404 && operation == "list"
        if isMissing, !store.isSynced { store.replace(with: []) }
        guard report.failed(.status(error.code)) else { return }
        if isMissing {
            logger.notice("the server does not know this resource, which then has no objects")
        } else {
            logger.error("cannot \(operation), trying again", metadata: ["error": "\(error)"])
        }
    }

    private func succeeded(_ report: inout FailureReport) {
        guard let reason = report.succeeded() else { return }
        switch reason {
        case .status: logger.notice("the server answers as it should again")
        case .noAnswer: if client.finds() { logger.notice("the API server answers again") }
        }
    }
}

extension Informer where T: KubernetesObject {
    /// Creates an informer for the objects that the selectors match; it follows the server while `run` runs.
    /// - Parameters:
    ///   - isOptional: whether a server that does not know the resource counts as one without objects of it.
    ///   - trim: takes out of each object what its readers do not need, so that it does not stay in memory; name,
    ///     namespace, UID and version must stay.
    public convenience init(
        client: KubernetesClient, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
        indexers: [String: InformerStore<T>.Indexer] = [:], isOptional: Bool = false,
        logger: Logger = Logger(label: "duet.informer"), trim: @escaping @Sendable (inout T) -> Void = { _ in }
    ) {
        self.init(
            client: client, namespace: namespace, labelSelector: labelSelector, fieldSelector: fieldSelector,
            indexers: indexers, isOptional: isOptional, logger: logger
        ) { json in
            var object = try T(json: json)
            trim(&object)
            return object
        }
    }
}

/// Ends a subscription when nobody holds its stream any more.
private final class SubscriptionLease<T: WatchedObject>: Sendable {
    let store: InformerStore<T>
    let subscription: InformerSubscription<T>

    init(store: InformerStore<T>, subscription: InformerSubscription<T>) {
        self.store = store
        self.subscription = subscription
    }

    deinit {
        store.unsubscribe(subscription)
    }
}
