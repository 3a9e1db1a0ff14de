/// What happened to some resources since a revision.
package struct StoreChanges: Sendable {
    /// One resource's part.
    package struct Part: Sendable {
        /// The events in order; none when `objects` is set.
        package var events: [StoredEvent] = []
        /// All objects, when the events do not reach back to the revision.
        package var objects: ObjectTree?
    }

    /// The revision that the changes lead to.
    package let revision: Int64
    /// The resources' parts, in the order asked for.
    package let resources: [Part]

    /// True when every part has all objects, for a follower that begins anew.
    package var needsRestart: Bool { resources.contains { $0.objects != nil } }
}

extension PublishedState {
    /// The changes of resources since a revision; nil when there was no write at all.
    func changes(in resources: [Int], since revision: Int64) -> StoreChanges? {
        guard revision != self.revision else { return nil }
        let parts = resources.map { histories[$0].events(after: revision) }
        let isComplete = parts.allSatisfy { $0 != nil }
        return StoreChanges(
            revision: self.revision,
            resources: zip(resources, parts).map { resource, part in
                isComplete ? .init(events: part?.events ?? []) : .init(objects: trees[resource])
            })
    }
}
