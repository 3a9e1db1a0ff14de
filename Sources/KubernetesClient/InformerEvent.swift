public import KubernetesAPI
import NIOCore

/// A change of an informer's content.
///
/// Objects are held by reference: a backlog is a dictionary, whose free slots would cost as much as objects.
public indirect enum InformerEvent<T: WatchedObject>: Sendable {
    /// An object is new to the subscriber.
    case added(T)
    /// An object has changed since the subscriber last heard of it.
    case updated(old: T, new: T)
    /// An object is gone; its last known state.
    case deleted(T)
    /// The content of the initial list has been delivered; sent once.
    case synced

    /// The change, with what a component makes of the objects in their place.
    func map<Form>(_ form: (T) -> Form) -> InformerEvent<Form> {
        switch self {
        case .added(let object): .added(form(object))
        case .updated(let old, let new): .updated(old: form(old), new: form(new))
        case .deleted(let object): .deleted(form(object))
        case .synced: .synced
        }
    }
}

/// Changes that a subscriber has not yet taken: at most one for each object, in the order of the first change.
package struct PendingEvents<T: WatchedObject>: Sendable {
    private enum Entry {
        case object(ObjectKey)
        case synced
    }

    private var events: [ObjectKey: InformerEvent<T>] = [:]
    private var order = CircularBuffer<Entry>()

    /// Creates an empty backlog.
    package init() {}

    /// Adds a change, joined with the pending one of the same object.
    package mutating func append(_ event: InformerEvent<T>) {
        let key: ObjectKey
        switch event {
        case .synced:
            order.append(.synced)
            return
        case .added(let object), .updated(_, let object), .deleted(let object):
            key = object.key
        }
        guard let pending = events[key] else {
            events[key] = event
            order.append(.object(key))
            return
        }
        switch (pending, event) {
        case (.added, .updated(_, let new)): events[key] = .added(new)
        case (.updated(let old, _), .updated(_, let new)): events[key] = .updated(old: old, new: new)
        case (.added, .deleted): events[key] = nil
        case (.deleted(let old), .added(let new)): events[key] = .updated(old: old, new: new)
        default: events[key] = event
        }
    }

    /// Removes the oldest change.
    package mutating func popFirst() -> InformerEvent<T>? {
        defer {
            // The backlog of an initial list is larger than any later one.
            if order.isEmpty, order.capacity > 64 { self = PendingEvents() }
        }
        while let entry = order.popFirst() {
            switch entry {
            case .synced: return .synced
            case .object(let key):
                // An object that came and went, then came again, stands twice in the order.
                if let event = events.removeValue(forKey: key) { return event }
            }
        }
        return nil
    }
}
