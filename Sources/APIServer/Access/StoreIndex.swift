import KubernetesAPI
import Synchronization

/// What is derived from the objects of some resources; before each use it takes in what changed since the last.
///
/// A reader therefore sees the effect of every acknowledged write, and a write costs nothing here until someone asks.
final class StoreIndex<Content: Sendable>: Sendable {
    private struct State: Sendable {
        var content: Content
        /// The revision up to which the content is complete.
        var revision: Int64 = -1
    }

    private let store: Store
    private let resources: [Int]
    private let empty: Content
    private let apply: @Sendable (inout Content, Resource, ObjectKey, StoredObject?) -> Void
    private let state: Mutex<State>

    /// Derives `Content` from resources.
    ///
    /// - Parameter apply: Takes in the new state of an object, nil when it is gone.
    init(
        _ store: Store, _ resources: [Resource], empty: Content,
        apply: @escaping @Sendable (inout Content, Resource, ObjectKey, StoredObject?) -> Void
    ) {
        self.store = store
        self.resources = resources.compactMap(store.index(of:))
        self.empty = empty
        self.apply = apply
        state = Mutex(State(content: empty))
    }

    /// Reads the content as of now.
    func read<Result: Sendable>(_ body: (inout Content) -> Result) -> Result {
        state.withLock { state in
            update(&state)
            return body(&state.content)
        }
    }

    private func update(_ state: inout State) {
        guard let changes = store.changes(in: resources, since: state.revision) else { return }
        if changes.needsRestart {
            state.content = empty
        }
        for (index, change) in zip(resources, changes.resources) {
            let resource = store.definitions[index].resource
            for event in change.events {
                apply(
                    &state.content, resource, event.object.key, event.kind == .deleted ? nil : event.object)
            }
            change.objects?.forEach { object in
                apply(&state.content, resource, object.key, object)
                return true
            }
        }
        state.revision = changes.revision
    }
}
