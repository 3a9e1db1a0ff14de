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

    /// What a publication leaves to do when readers may look again.
    struct Publication: Sendable {
        /// The state that was replaced, most of which nobody else may hold: letting go of it takes a while.
        let replaced: [ObjectTree]
        /// Whom to tell.
        let watchers: [Watcher]
    }

    /// Makes a stored batch visible.
    mutating func publish(_ transaction: WriteTransaction) -> Publication {
        let replaced = trees
        trees = transaction.trees
        revision = transaction.revision
        for event in transaction.events {
            histories[event.resource].append(event)
        }
        let resources = Set(transaction.events.map(\.resource))
        return Publication(replaced: replaced, watchers: resources.flatMap { watchers[$0].values })
    }

    /// The objects of a resource as they were at a revision; nil when the history does not reach back that far.
    func tree(_ resource: Int, at revision: Int64) -> ObjectTree? {
        guard let past = histories[resource].events(after: revision) else { return nil }
        var tree = trees[resource]
        for event in past.events.reversed() {
            if let previous = event.previous {
                tree.insert(previous)
            } else {
                tree.remove(event.object.key)
            }
        }
        return tree
    }
}
