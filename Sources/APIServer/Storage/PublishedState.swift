import Synchronization

/// What readers and watchers see: everything up to one revision, nothing beyond it.
struct PublishedState: Sendable {
    /// The newest revision.
    var revision: Int64 = 0
    /// The objects, per resource.
    var trees: [ObjectTree]
    /// The newest events, per resource.
    var histories: [EventHistory]
    /// Who follows the events, per resource.
    var watchers: [[ObjectIdentifier: Watcher]]

    init(resourceCount: Int) {
        trees = Array(repeating: ObjectTree(), count: resourceCount)
        histories = Array(repeating: EventHistory(horizon: 0), count: resourceCount)
        watchers = Array(repeating: [:], count: resourceCount)
    }

    /// Makes a stored batch visible.
    mutating func publish(_ transaction: WriteTransaction) {
        trees = transaction.trees
        revision = transaction.revision
        for event in transaction.events {
            histories[event.resource].append(event)
            for watcher in watchers[event.resource].values {
                watcher.deliver(.event(event))
            }
        }
    }

    /// The objects of a resource as they were at a revision; nil when the history does not reach back that far.
    func tree(_ resource: Int, at revision: Int64) -> ObjectTree? {
        guard let events = histories[resource].events(after: revision) else { return nil }
        var tree = trees[resource]
        for event in events.reversed() {
            if let previous = event.previous {
                tree.insert(previous)
            } else {
                tree.remove(event.object.key)
            }
        }
        return tree
    }
}

/// One follower of a resource's events, with a bounded queue.
package final class Watcher: Sendable {
    /// What a watcher receives.
    package enum Item: Sendable {
        /// A change.
        case event(StoredEvent)
        /// Every change up to this revision has been delivered.
        case progress(Int64)
    }

    /// Changes that may wait for a slow reader before it is dropped.
    private static let capacity = 2_048

    private let continuation: AsyncStream<Item>.Continuation
    /// The items; ends when the watcher is cancelled or too slow.
    package let items: AsyncStream<Item>

    init() {
        (items, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.capacity))
    }

    /// Queues an item; a reader that is too far behind is cut off, and resumes from its last revision.
    func deliver(_ item: Item) {
        if case .dropped = continuation.yield(item) {
            continuation.finish()
        }
    }

    /// Ends the items.
    package func cancel() {
        continuation.finish()
    }
}
