import JSON
package import KubernetesAPI
package import Logging
import Synchronization

/// The state of the cluster: read from immutable snapshots, written by one writer, durable before it is visible.
///
/// Writes that arrive while a batch goes to disk form the next batch and share its commit. A write is acknowledged, and
/// watchers see it, only after it is in the log; if the log refuses it, everything it did is undone.
package actor Store {
    /// The resources, in the order of their indices.
    nonisolated package let definitions: [ResourceDefinition]
    nonisolated private let published: Mutex<PublishedState>
    private let log: ObjectLog
    private let logger: Logger
    private var waiting: [Job] = []
    private var isDraining = false

    /// A request for a write: `run` admits it and returns what to do when the outcome is known.
    private struct Job: Sendable {
        let isDryRun: Bool
        let run: @Sendable (inout WriteTransaction) -> ((StatusError?) -> Void)?
    }

    /// Opens the store at a path and recovers the state.
    ///
    /// - Throws: `ConfigurationError` when the database cannot be used.
    package init(path: String, definitions: [ResourceDefinition], logger: Logger) throws {
        self.definitions = definitions
        self.logger = logger
        log = try ObjectLog(path: path)
        published = Mutex(try Self.recover(log, definitions, logger))
    }

    private static func recover(
        _ log: ObjectLog, _ definitions: [ResourceDefinition], _ logger: Logger
    ) throws -> PublishedState {
        let indices = Dictionary(
            definitions.enumerated().map { ($1.storageName, $0) }, uniquingKeysWith: { first, _ in first })
        var state = PublishedState(resourceCount: definitions.count)
        var unknown: Set<String> = []
        let compacted = try log.read { record in
            state.revision = max(state.revision, record.revision)
            guard let index = indices[record.resource] else {
                unknown.insert(record.resource)
                return
            }
            guard var value = try? JSONValue(parsing: record.text) else {
                logger.error("unreadable object in the database, left out", metadata: ["object": "\(record.key)"])
                return
            }
            definitions[index].strategy.defaultOnRead(&value)
            let object = StoredObject(
                value, key: record.key, revision: record.revision, fields: definitions[index].fields)
            let event = StoredEvent(
                resource: index, kind: record.kind, object: object, previous: state.trees[index][record.key])
            if record.kind == .deleted {
                state.trees[index].remove(record.key)
            } else {
                state.trees[index].insert(object)
            }
            state.histories[index].append(event)
        }
        for index in state.histories.indices {
            state.histories[index].raiseHorizon(to: compacted)
            state.trees[index].forEach { object in
                definitions[index].strategy.recover(object.value)
                return true
            }
        }
        if !unknown.isEmpty {
            logger.warning("stored objects of unknown resources", metadata: ["resources": "\(unknown.sorted())"])
        }
        return state
    }

    /// The index of a resource; nil for one that the server does not have.
    nonisolated package func index(of resource: Resource) -> Int? {
        definitions.firstIndex { $0.resource == resource }
    }

    // MARK: Reading

    /// The newest revision that readers see.
    nonisolated package var revision: Int64 { published.withLock { $0.revision } }

    /// An object as it is now.
    nonisolated package func object(_ resource: Int, _ key: ObjectKey) -> StoredObject? {
        published.withLock { $0.trees[resource] }[key]
    }

    /// The objects of a resource, and the revision as of which they are.
    nonisolated package func snapshot(_ resource: Int) -> (tree: ObjectTree, revision: Int64) {
        published.withLock { ($0.trees[resource], $0.revision) }
    }

    /// The objects of a resource as of a past revision; nil when that is too long ago.
    nonisolated package func snapshot(_ resource: Int, at revision: Int64) -> ObjectTree? {
        published.withLock { $0 }.tree(resource, at: revision)
    }

    /// What happened to some resources since a revision; nil when nothing did.
    nonisolated package func changes(in resources: [Int], since revision: Int64) -> StoreChanges? {
        published.withLock { $0.changes(in: resources, since: revision) }
    }

    /// What a watch starts with.
    package struct WatchStart: Sendable {
        /// The follower of what comes after.
        package let watcher: Watcher
        /// The objects now, when the watch did not name a revision; otherwise empty.
        package let objects: ObjectTree
        /// The events since the revision that the watch named.
        package let events: [StoredEvent]
        /// The revision that `objects` or `events` lead to.
        package let revision: Int64
    }

    /// Starts to follow a resource, from a revision or, with nil, from the present objects; nil when the revision is too old.
    nonisolated package func watch(_ resource: Int, after revision: Int64?) -> WatchStart? {
        published.withLock { state in
            var events: [StoredEvent] = []
            if let revision {
                guard let missed = state.histories[resource].events(after: revision) else { return nil }
                events = Array(missed)
            }
            let watcher = Watcher()
            state.watchers[resource][ObjectIdentifier(watcher)] = watcher
            return WatchStart(
                watcher: watcher, objects: revision == nil ? state.trees[resource] : ObjectTree(), events: events,
                revision: state.revision)
        }
    }

    /// Oldest revision from which a watch of the resource can start.
    nonisolated package func horizon(_ resource: Int) -> Int64 { published.withLock { $0.histories[resource].horizon } }

    /// Tells a watcher, in order with the events, how far it is.
    nonisolated package func reportProgress(to watcher: Watcher) {
        published.withLock { watcher.deliver(.progress($0.revision)) }
    }

    /// Forgets a watcher.
    nonisolated package func endWatch(_ resource: Int, _ watcher: Watcher) {
        watcher.cancel()
        _ = published.withLock { $0.watchers[resource].removeValue(forKey: ObjectIdentifier(watcher)) }
    }

    // MARK: Writing

    /// Runs `body` in its turn and returns once what it wrote is in the log.
    ///
    /// - Parameter isDryRun: Everything is undone afterwards; only the result remains.
    package func write<Result: Sendable>(
        isDryRun: Bool = false,
        _ body: @escaping @Sendable (inout WriteTransaction) throws(StatusError) -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            waiting.append(
                Job(isDryRun: isDryRun) { transaction in
                    do throws(StatusError) {
                        let result = try body(&transaction)
                        return { error in
                            if let error {
                                continuation.resume(throwing: error)
                            } else {
                                continuation.resume(returning: result)
                            }
                        }
                    } catch {
                        continuation.resume(throwing: error)
                        return nil
                    }
                })
            if !isDraining {
                isDraining = true
                Task { await drain() }
            }
        }
    }

    private func drain() async {
        while !waiting.isEmpty {
            let jobs = waiting
            waiting = []
            await commit(jobs)
        }
        isDraining = false
    }

    private func commit(_ jobs: [Job]) async {
        let (trees, revision) = published.withLock { ($0.trees, $0.revision) }
        var transaction = WriteTransaction(definitions: definitions, trees: trees, revision: revision)
        var acknowledgements: [(StatusError?) -> Void] = []
        for job in jobs {
            let savepoint = transaction.savepoint
            let acknowledge = job.run(&transaction)
            if acknowledge == nil || job.isDryRun {
                transaction.rollBack(to: savepoint)
            }
            if let acknowledge {
                acknowledgements.append(acknowledge)
            }
        }
        var failure: StatusError?
        if !transaction.events.isEmpty {
            do {
                try await log.append(
                    transaction.events.map {
                        LogRecord(
                            revision: $0.object.revision, resource: definitions[$0.resource].storageName,
                            key: $0.object.key, kind: $0.kind, text: $0.object.text)
                    })
                published.withLock { $0.publish(transaction) }
            } catch {
                failure = StatusError.internalError("the change could not be stored in \(log.path): \(error)")
                logger.error("cannot write the database", metadata: ["path": "\(log.path)", "error": "\(error)"])
            }
        }
        for reservation in failure == nil ? transaction.reservations : transaction.reservations.reversed() {
            if failure == nil {
                reservation.commit()
            } else {
                reservation.rollback()
            }
        }
        for acknowledge in acknowledgements {
            acknowledge(failure)
        }
    }

    /// Closes the database; nothing can be written afterwards.
    package func close() throws {
        try log.close()
    }
}
