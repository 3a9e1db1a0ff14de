public import KubernetesAPI
import Synchronization

/// The present content of an informer, readable from any thread without waiting.
public final class InformerStore<T: WatchedObject>: Sendable {
    /// Gives the values under which an index finds an object.
    public typealias Indexer = @Sendable (T) -> [String]

    /// Holds an object by reference: large values would make the dictionary's free slots costly.
    final class Box: Sendable {
        let object: T
        init(_ object: T) { self.object = object }
    }

    struct State {
        var objects: [ObjectKey: Box] = [:]
        var namespaces: [String: Set<ObjectKey>] = [:]
        var indexes: [String: [String: Set<ObjectKey>]] = [:]
        var isSynced = false
        var subscriptions: [ObjectIdentifier: InformerSubscription<T>] = [:]
        var syncWaiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
    }

    private let indexers: [String: Indexer]
    private let state = Mutex(State())

    package init(indexers: [String: Indexer]) {
        self.indexers = indexers
    }

    /// The object of a name; namespaces of cluster-scoped objects are nil.
    public func get(_ namespace: String?, _ name: String) -> T? {
        get(ObjectKey(namespace: namespace, name: name))
    }

    /// The object of a key.
    public func get(_ key: ObjectKey) -> T? {
        state.withLock { $0.objects[key] }?.object
    }

    /// Every object, or every one of a namespace, in no order.
    public func list(namespace: String? = nil) -> [T] {
        let boxes = state.withLock { state -> [Box] in
            guard let namespace else { return Array(state.objects.values) }
            return (state.namespaces[namespace] ?? []).compactMap { state.objects[$0] }
        }
        return boxes.map(\.object)
    }

    /// The objects for which the named index gave the value, in no order.
    public func byIndex(_ index: String, _ value: String) -> [T] {
        let boxes = state.withLock { state in
            (state.indexes[index]?[value] ?? []).compactMap { state.objects[$0] }
        }
        return boxes.map(\.object)
    }

    /// Number of objects.
    public var count: Int { state.withLock { $0.objects.count } }

    /// True once the initial list is complete.
    public var isSynced: Bool { state.withLock { $0.isSynced } }

    /// Returns when the first list is in, or when the task is cancelled.
    func waitForSync() async {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    // Cancellation before this point found nobody to wake.
                    guard !state.isSynced, !Task.isCancelled else { return false }
                    state.syncWaiters[waiter] = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.syncWaiters.removeValue(forKey: waiter) }?.resume()
        }
    }

    /// Puts the object in and tells the subscribers; an unchanged version is no change.
    package func put(_ object: T) {
        state.withLock { put(object, &$0) }
    }

    /// Takes the object out and tells the subscribers.
    package func remove(_ object: T) {
        state.withLock { remove(object.key, last: object, &$0) }
    }

    /// Makes the content equal to a complete list and tells the subscribers the differences.
    package func replace(with objects: [T]) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            let present = Set(objects.map(\.key))
            for key in state.objects.keys where !present.contains(key) {
                remove(key, last: nil, &state)
            }
            for object in objects {
                put(object, &state)
            }
            guard !state.isSynced else { return [] }
            state.isSynced = true
            for subscription in state.subscriptions.values {
                subscription.append(.synced)
            }
            defer { state.syncWaiters = [:] }
            return Array(state.syncWaiters.values)
        }
        for waiter in waiters {
            waiter.resume()
        }
    }

    /// Begins a subscription with the present content.
    package func subscribe() -> InformerSubscription<T> {
        let subscription = InformerSubscription<T>()
        state.withLock { state in
            for box in state.objects.values {
                subscription.append(.added(box.object))
            }
            if state.isSynced {
                subscription.append(.synced)
            }
            state.subscriptions[ObjectIdentifier(subscription)] = subscription
        }
        return subscription
    }

    package func unsubscribe(_ subscription: InformerSubscription<T>) {
        state.withLock { _ = $0.subscriptions.removeValue(forKey: ObjectIdentifier(subscription)) }
    }

    private func put(_ object: T, _ state: inout State) {
        let key = object.key
        let old = state.objects.updateValue(Box(object), forKey: key)?.object
        if let old {
            if let version = old.resourceVersion, version == object.resourceVersion {
                return
            }
            updateIndexes(old, key, &state, isPresent: false)
        }
        updateIndexes(object, key, &state, isPresent: true)
        // A new UID under an old name is another object: its predecessor's end must not be missed.
        if let old, old.uid == object.uid {
            emit(.updated(old: old, new: object), state)
        } else {
            if let old {
                emit(.deleted(old), state)
            }
            emit(.added(object), state)
        }
    }

    private func remove(_ key: ObjectKey, last: T?, _ state: inout State) {
        guard let old = state.objects.removeValue(forKey: key)?.object else { return }
        updateIndexes(old, key, &state, isPresent: false)
        emit(.deleted(last ?? old), state)
    }

    private func emit(_ event: InformerEvent<T>, _ state: borrowing State) {
        for subscription in state.subscriptions.values {
            subscription.append(event)
        }
    }

    private func updateIndexes(_ object: T, _ key: ObjectKey, _ state: inout State, isPresent: Bool) {
        func update(_ keys: inout Set<ObjectKey>?) {
            // In place: a copy would make each change as dear as the content is large.
            if keys == nil { keys = [] }
            if isPresent { keys?.insert(key) } else { keys?.remove(key) }
            if keys?.isEmpty == true { keys = nil }
        }
        update(&state.namespaces[key.namespace])
        for (name, values) in indexers {
            for value in values(object) {
                update(&state.indexes[name, default: [:]][value])
            }
        }
    }
}

/// One subscriber's changes that it has not yet taken.
package final class InformerSubscription<T: WatchedObject>: Sendable {
    private struct State {
        var pending = PendingEvents<T>()
        var waiter: CheckedContinuation<InformerEvent<T>?, Never>?
        var isCancelled = false
    }

    private let state = Mutex(State())

    package func append(_ event: InformerEvent<T>) {
        let delivery = state.withLock {
            state -> (CheckedContinuation<InformerEvent<T>?, Never>, InformerEvent<T>)? in
            state.pending.append(event)
            guard let waiter = state.waiter, let first = state.pending.popFirst() else { return nil }
            state.waiter = nil
            return (waiter, first)
        }
        delivery?.0.resume(returning: delivery?.1)
    }

    /// The next change, for which one task at a time may wait; nil after cancellation.
    package func next() async -> InformerEvent<T>? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> InformerEvent<T>?? in
                    if state.isCancelled {
                        return .some(nil)
                    }
                    if let event = state.pending.popFirst() {
                        return event
                    }
                    state.waiter = continuation
                    return nil
                }
                if let ready {
                    continuation.resume(returning: ready)
                }
            }
        } onCancel: {
            cancel()
        }
    }

    package func cancel() {
        let waiter = state.withLock { state in
            state.isCancelled = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }
}
