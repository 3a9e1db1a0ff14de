import NIOCore
import Synchronization

/// A queue of keys to work on: a key waits at most once, is never worked on twice at a time, and failing ones wait longer
/// each time.
public final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private struct State {
        var order = CircularBuffer<Key>()
        /// Keys that wait or must be worked on again.
        var dirty: Set<Key> = []
        var processing: Set<Key> = []
        var failures: [Key: Int] = [:]
        var deadlines: [Key: ContinuousClock.Instant] = [:]
        var waiters: [(id: Int, continuation: CheckedContinuation<Key?, Never>)] = []
        var cancelled: Set<Int> = []
        var nextWaiter = 0

        mutating func enqueue(_ key: Key) -> (CheckedContinuation<Key?, Never>, Key)? {
            order.append(key)
            guard !waiters.isEmpty, let first = dequeue() else { return nil }
            return (waiters.removeFirst().continuation, first)
        }

        mutating func dequeue() -> Key? {
            guard let key = order.popFirst() else { return nil }
            // The backlog of a start is larger than any later one.
            if order.isEmpty, order.capacity > 64 { order = CircularBuffer() }
            dirty.remove(key)
            processing.insert(key)
            return key
        }
    }

    private let state = Mutex(State())
    private let minimumWait: Duration
    private let maximumWait: Duration

    /// Creates a queue whose failing keys wait from the shorter to the longer time, doubling.
    public init(minimumWait: Duration = .milliseconds(20), maximumWait: Duration = .seconds(30)) {
        self.minimumWait = minimumWait
        self.maximumWait = maximumWait
    }

    /// Adds a key, unless it waits already; one that is worked on is taken up again afterwards.
    public func add(_ key: Key) {
        let delivery = state.withLock { state -> (CheckedContinuation<Key?, Never>, Key)? in
            guard state.dirty.insert(key).inserted, !state.processing.contains(key) else { return nil }
            return state.enqueue(key)
        }
        delivery?.0.resume(returning: delivery?.1)
    }

    /// Adds a key after some time; an earlier appointment of the same key stays.
    public func add(_ key: Key, after delay: Duration) {
        guard delay > .zero else {
            add(key)
            return
        }
        let deadline = ContinuousClock.now + delay
        let isNew = state.withLock { state in
            if let present = state.deadlines[key], present <= deadline {
                return false
            }
            state.deadlines[key] = deadline
            return true
        }
        guard isNew else { return }
        Task { [weak self] in
            try? await Task.sleep(until: deadline)
            self?.fire(key, deadline)
        }
    }

    private func fire(_ key: Key, _ deadline: ContinuousClock.Instant) {
        let isDue = state.withLock { state in
            guard state.deadlines[key] == deadline else { return false }
            state.deadlines[key] = nil
            return true
        }
        if isDue {
            add(key)
        }
    }

    /// Adds a key again after a failure, later each time until `forget`.
    public func retry(_ key: Key) {
        let failures = state.withLock { state in
            let count = state.failures[key, default: 0]
            state.failures[key] = count + 1
            return count
        }
        add(key, after: min(maximumWait, minimumWait * (1 << min(failures, 20))))
    }

    /// Clears the failures of a key.
    public func forget(_ key: Key) {
        state.withLock { _ = $0.failures.removeValue(forKey: key) }
    }

    /// Number of failures in a row of a key.
    public func failures(of key: Key) -> Int {
        state.withLock { $0.failures[key] ?? 0 }
    }

    /// The next key, once there is one, to be given back by `done`; nil when the task is cancelled.
    public func next() async -> Key? {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> Key?? in
                    if state.cancelled.remove(id) != nil {
                        return .some(nil)
                    }
                    if let key = state.dequeue() {
                        return key
                    }
                    state.waiters.append((id, continuation))
                    return nil
                }
                if let ready {
                    continuation.resume(returning: ready)
                }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Key?, Never>? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.waiters.remove(at: index).continuation
            }
            waiter?.resume(returning: nil)
        }
    }

    /// Gives a key back; it is queued again when it was added meanwhile.
    public func done(_ key: Key) {
        let delivery = state.withLock { state -> (CheckedContinuation<Key?, Never>, Key)? in
            state.processing.remove(key)
            return state.dirty.contains(key) ? state.enqueue(key) : nil
        }
        delivery?.0.resume(returning: delivery?.1)
    }

    /// Works on keys, several at a time, until the task is cancelled; keys whose work throws are retried.
    public func run(
        workers: Int = 1, onError: @escaping @Sendable (Key, any Error) -> Void = { _, _ in },
        work: @escaping @Sendable (Key) async throws -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<workers {
                group.addTask {
                    while let key = await self.next() {
                        do {
                            try await work(key)
                            self.forget(key)
                        } catch {
                            if !Task.isCancelled {
                                onError(key, error)
                                self.retry(key)
                            }
                        }
                        self.done(key)
                    }
                }
            }
        }
    }
}
