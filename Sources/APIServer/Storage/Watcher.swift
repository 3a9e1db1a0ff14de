import Synchronization

/// One follower of a resource's events.
///
/// It has no queue: what it has not read yet lies in the history that all followers share, so a slow one costs no memory,
/// and learns that it is too late once the history has gone on without it.
package final class Watcher: Sendable {
    /// The resource.
    let resource: Int
    private let isProgressDue = Atomic(false)
    private let continuation: AsyncStream<Void>.Continuation
    /// One element whenever there may be news since the last element; ends when the watcher is cancelled.
    package let wakeUps: AsyncStream<Void>

    init(resource: Int) {
        self.resource = resource
        (wakeUps, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        // What happened before it followed is news too.
        wake()
    }

    /// Announces news.
    func wake() {
        continuation.yield()
    }

    /// Asks the follower to tell its client how far it is.
    package func requestProgress() {
        isProgressDue.store(true, ordering: .relaxed)
        wake()
    }

    func takeProgressRequest() -> Bool { isProgressDue.exchange(false, ordering: .relaxed) }

    /// Ends the news.
    package func cancel() {
        continuation.finish()
    }
}

/// What a follower has not seen yet.
package struct WatchNews: Sendable {
    /// The next events in order, a bounded number of them.
    package let events: [StoredEvent]
    /// The revision up to which nothing is missing after `events`.
    package let revision: Int64
    /// True when there is more right now.
    package let hasMore: Bool
    /// True when the client shall be told the revision.
    package let isProgressDue: Bool
}
