import Dispatch
package import KubernetesAPI
package import Logging
import Synchronization

/// The state of the cluster: read from immutable snapshots, written by one writer, durable before it is visible.
///
/// Writes that arrive while a batch goes to disk form the next batch and share its commit. A write is acknowledged, and
/// watchers see it, only after it is in the log; if the log refuses it, everything it did is undone.
package final class Store: Sendable {
    /// The resources, in the order of their indices.
    package let definitions: [ResourceDefinition]
    let selections: [ObjectSelection]
    let published: Mutex<PublishedState>
    let log: ObjectLog
    let compaction: Mutex<CompactionQueue>
    let logger: Logger
    let waiting = Mutex(WaitingWrites())
    /// The writer, which has a thread of its own since most of its time goes into waiting for the disk.
    let writer = DispatchQueue(label: "store")

    /// Opens the store at a path and recovers the state.
    ///
    /// - Throws: `ConfigurationError` when the database cannot be used.
    package init(path: String, definitions: [ResourceDefinition], logger: Logger) throws {
        self.definitions = definitions
        self.logger = logger
        log = try ObjectLog(path: path)
        selections = definitions.map { ObjectSelection($0.fields) }
        let recovered = try Recovery(definitions, selections, logger).run(log)
        published = Mutex(recovered.state)
        compaction = Mutex(recovered.compaction)
    }

    /// The index of a resource; nil for one that the server does not have.
    package func index(of resource: Resource) -> Int? {
        definitions.firstIndex { $0.resource == resource }
    }

    /// The newest revision that readers see.
    package var revision: Int64 { published.withLock { $0.revision } }

    /// Reads what selectors ask of the stored objects, so that the first list with a selector need not.
    package func readMembers() {
        for tree in published.withLock({ $0.trees }) {
            tree.forEach { object in
                _ = object.members
                return !Task.isCancelled
            }
        }
    }

    /// An object as it is now.
    package func object(_ resource: Int, _ key: ObjectKey) -> StoredObject? {
        published.withLock { $0.trees[resource] }[key]
    }

    /// The objects of a resource, and the revision as of which they are.
    package func snapshot(_ resource: Int) -> (tree: ObjectTree, revision: Int64) {
        published.withLock { ($0.trees[resource], $0.revision) }
    }

    /// The objects of a resource as of a past revision; nil when that is too long ago.
    package func snapshot(_ resource: Int, at revision: Int64) -> ObjectTree? {
        published.withLock { $0 }.tree(resource, at: revision)
    }

    /// What happened to some resources since a revision; nil when nothing did.
    package func changes(in resources: [Int], since revision: Int64) -> StoreChanges? {
        published.withLock { $0.changes(in: resources, since: revision) }
    }

    /// What a watch starts with.
    package struct WatchStart: Sendable {
        /// The follower of what comes after.
        package let watcher: Watcher
        /// The objects now, when the watch did not name a revision; otherwise empty.
        package let objects: ObjectTree
        /// The revision that `objects` show, or that the watch named: news begin after it.
        package let revision: Int64
    }

    /// Starts to follow a resource, from a revision or, with nil, from the present objects; nil when the revision is too old.
    package func watch(_ resource: Int, after revision: Int64?) -> WatchStart? {
        published.withLock { state in
            if let revision, revision < state.histories[resource].horizon { return nil }
            let watcher = Watcher(resource: resource)
            state.watchers[resource][ObjectIdentifier(watcher)] = watcher
            return WatchStart(
                watcher: watcher, objects: revision == nil ? state.trees[resource] : ObjectTree(),
                revision: revision ?? state.revision)
        }
    }

    /// Bytes of objects that one portion of news holds.
    private static let newsBytes = 256 << 10

    /// What a watcher that has seen everything up to a revision has not seen; nil when some of that is already gone.
    package func news(of watcher: Watcher, after revision: Int64) -> WatchNews? {
        let isProgressDue = watcher.takeProgressRequest()
        return published.withLock { state in
            guard
                let (events, isComplete) = state.histories[watcher.resource].events(
                    after: revision, maximumBytes: Self.newsBytes)
            else { return nil }
            let reached = isComplete ? state.revision : events.last?.object.revision ?? revision
            return WatchNews(
                events: events, revision: max(revision, reached), hasMore: !isComplete, isProgressDue: isProgressDue)
        }
    }

    /// Oldest revision from which a watch of the resource can start.
    package func horizon(_ resource: Int) -> Int64 { published.withLock { $0.histories[resource].horizon } }

    /// Forgets a watcher.
    package func endWatch(_ watcher: Watcher) {
        watcher.cancel()
        _ = published.withLock { $0.watchers[watcher.resource].removeValue(forKey: ObjectIdentifier(watcher)) }
    }

    /// Runs `body` in its turn and returns once what it wrote is in the log.
    ///
    /// - Parameter isDryRun: Everything is undone afterwards; only the result remains.
    package func write<Result: Sendable>(
        isDryRun: Bool = false,
        _ body: @escaping @Sendable (inout WriteTransaction) throws(StatusError) -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            add(
                WaitingWrites.Job(isDryRun: isDryRun) { transaction in
                    do throws(StatusError) {
                        let result = try body(&transaction)
                        return .admitted { error in
                            if let error {
                                continuation.resume(throwing: error)
                            } else {
                                continuation.resume(returning: result)
                            }
                        }
                    } catch {
                        return .refused { continuation.resume(throwing: error) }
                    }
                })
        }
    }
}
