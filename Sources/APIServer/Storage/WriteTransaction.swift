package import JSON
import KubernetesAPI

/// One request's changes, applied to a working copy of the state that nobody else sees yet.
package struct WriteTransaction {
    let definitions: [ResourceDefinition]
    private let selections: [ObjectSelection]
    /// When the batch is written.
    let now = Timestamp(seconds: Timestamp.now.seconds)
    /// The same as objects say it.
    let nowText: String
    private(set) var trees: [ObjectTree]
    private(set) var revision: Int64
    private(set) var events: [StoredEvent] = []
    private(set) var reservations: [Reservation] = []

    init(
        definitions: [ResourceDefinition], selections: [ObjectSelection], trees: [ObjectTree], revision: Int64
    ) {
        self.definitions = definitions
        self.selections = selections
        nowText = now.description
        self.trees = trees
        self.revision = revision
    }

    /// The state of an object, earlier writes of the same batch included.
    package func object(_ resource: Int, _ key: ObjectKey) -> StoredObject? { trees[resource][key] }

    /// The objects of a resource.
    package func tree(_ resource: Int) -> ObjectTree { trees[resource] }

    /// Read access for strategies, as of now.
    package var lookup: ObjectLookup {
        let trees = trees
        let definitions = definitions
        return ObjectLookup { resource, namespace, name in
            guard let index = definitions.firstIndex(where: { $0.resource == resource }) else { return nil }
            return trees[index][ObjectKey(namespace: namespace ?? "", name: name)]?.value
        }
    }

    /// Keeps what an admission allocated until the outcome of the write is known.
    package mutating func hold(_ reservation: Reservation) {
        reservations.append(reservation)
    }

    /// Stores an object under its key with the next revision.
    package mutating func put(_ value: JSONValue, _ resource: Int, _ key: ObjectKey) -> StoredObject {
        revision += 1
        let object = StoredObject(value, key: key, revision: revision, written: now.seconds, selections[resource])
        let previous = trees[resource].insert(object)
        events.append(
            StoredEvent(
                resource: resource, kind: previous == nil ? .added : .modified, object: object, previous: previous))
        follow(value, replacing: previous, resource)
        return object
    }

    /// Removes an object; its last state is `value`, with the next revision.
    package mutating func remove(_ value: JSONValue, _ resource: Int, _ key: ObjectKey) -> StoredObject {
        revision += 1
        let object = StoredObject(value, key: key, revision: revision, written: now.seconds, selections[resource])
        let previous = trees[resource].remove(key)
        events.append(StoredEvent(resource: resource, kind: .deleted, object: object, previous: previous))
        let strategy = definitions[resource].strategy
        hold(Reservation(commit: { strategy.didDelete(value) }))
        follow(nil, replacing: previous, resource)
        return object
    }

    /// A point to return to.
    struct Savepoint {
        fileprivate let revision: Int64
        fileprivate let eventCount: Int
        fileprivate let reservationCount: Int
    }

    var savepoint: Savepoint {
        Savepoint(revision: revision, eventCount: events.count, reservationCount: reservations.count)
    }

    /// Undoes everything since the point, allocations included, newest first.
    mutating func rollBack(to point: Savepoint) {
        for reservation in reservations[point.reservationCount...].reversed() {
            reservation.rollback()
        }
        reservations.removeSubrange(point.reservationCount...)
        // A copy of the trees as they were would make every change to them copy a list of all chunks.
        for event in events[point.eventCount...].reversed() {
            if let previous = event.previous {
                trees[event.resource].insert(previous)
            } else {
                trees[event.resource].remove(event.object.key)
            }
        }
        events.removeSubrange(point.eventCount...)
        revision = point.revision
    }
}
