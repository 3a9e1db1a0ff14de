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
    private let read: @Sendable (JSONValue) throws -> T
    private let logger: Logger

    /// Objects in one page of a list.
    private static var pageSize: Int { 500 }

    /// Creates an informer for the objects that the selectors match; it follows the server while `run` runs.
    /// - Parameter read: makes what is kept of an object from its JSON form.
    public init(
        client: KubernetesClient, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
        indexers: [String: InformerStore<T>.Indexer] = [:], logger: Logger = Logger(label: "duet.informer"),
        read: @escaping @Sendable (JSONValue) throws -> T
    ) {
        self.client = client
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
                    }
                } catch {
                    pages = []
                    action = failed(error, "list", &machine)
                }
            case .watch(let version):
                action = await watch(from: version, &machine)
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

    private func watch(from version: String, _ machine: inout ReflectorStateMachine) async
        -> ReflectorStateMachine.Action
    {
        let start = ContinuousClock.now
        let events = client.watchEvents(
            path: path, query: selectors + [("resourceVersion", version)],
            timeout: .seconds(Int.random(in: 300...600)))
        do {
            for try await event in events {
                try apply(event, &machine)
            }
        } catch {
            return failed(error, "watch", &machine)
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

    private func failed(_ error: any Error, _ operation: String, _ machine: inout ReflectorStateMachine)
        -> ReflectorStateMachine.Action
    {
        let failure: ReflectorStateMachine.Failure
        switch error {
        case let error as StatusError: failure = error.code == 410 ? .expired : .refused
        case let error as HTTPClientError where error == .remoteConnectionClosed: failure = .unreachable
        case is HTTPClientError, is WatchLineTooLong, is JSONError: failure = .refused
        default: failure = .unreachable
        }
        if !Task.isCancelled {
            logger.debug("\(operation) failed", metadata: ["error": "\(error)"])
        }
        return machine.failed(failure, jitter: Double.random(in: 0...1))
    }
}

extension Informer where T: KubernetesObject {
    /// Creates an informer for the objects that the selectors match; it follows the server while `run` runs.
    /// - Parameter trim: takes out of each object what its readers do not need, so that it does not stay in memory;
    ///   name, namespace, UID and version must stay.
    public convenience init(
        client: KubernetesClient, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
        indexers: [String: InformerStore<T>.Indexer] = [:], logger: Logger = Logger(label: "duet.informer"),
        trim: @escaping @Sendable (inout T) -> Void = { _ in }
    ) {
        self.init(
            client: client, namespace: namespace, labelSelector: labelSelector, fieldSelector: fieldSelector,
            indexers: indexers, logger: logger
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
