package import KubernetesAPI

/// Who owns whom, kept up to date change by change, and what follows for an object.
package struct OwnerGraph: Sendable {
    /// What ownership needs to know of an object.
    package struct Vertex: Sendable, Hashable {
        /// Its resource.
        package let resource: Resource
        /// Its namespace and name.
        package let key: ObjectKey
        /// Its identity.
        package let uid: String
        /// Its owners.
        package let owners: [OwnerReference]
        /// Parties that hold it.
        package let finalizers: [String]
        /// True once deletion has begun.
        package let isBeingDeleted: Bool

        /// Takes what ownership needs from an object.
        package init(_ object: some KubernetesObject) {
            resource = type(of: object).resource
            key = object.key
            uid = object.metadata.uid ?? ""
            owners = object.metadata.ownerReferences ?? []
            finalizers = object.metadata.finalizers ?? []
            isBeingDeleted = object.isBeingDeleted
        }
    }

    /// What must be done about an object now.
    package enum Step: Sendable, Hashable {
        /// Nothing.
        case none
        /// Ask the server whether these owners exist; delete the object when none does.
        case verify([OwnerReference])
        /// Delete the dependents that hold the object, then look again.
        case deleteDependents([Vertex])
        /// Take the object out of these dependents' owners, then look again.
        case orphan([Vertex])
        /// Take this finalizer off: its work is done.
        case removeFinalizer(String)
    }

    /// Finalizer of an object whose dependents are deleted first.
    package static let foreground = "foregroundDeletion"
    /// Finalizer of an object whose dependents stay.
    package static let orphan = "orphan"

    private var vertices: [String: Vertex] = [:]
    private var dependents: [String: Set<String>] = [:]

    /// Creates an empty graph.
    package init() {}

    /// Adds an object or replaces what was known of it.
    package mutating func insert(_ vertex: Vertex) {
        remove(vertex.uid)
        vertices[vertex.uid] = vertex
        for owner in vertex.owners {
            dependents[owner.uid, default: []].insert(vertex.uid)
        }
    }

    /// Removes an object.
    package mutating func remove(_ uid: String) {
        for owner in vertices.removeValue(forKey: uid)?.owners ?? [] {
            dependents[owner.uid]?.remove(uid)
            if dependents[owner.uid]?.isEmpty == true {
                dependents[owner.uid] = nil
            }
        }
    }

    /// The object of an identity.
    package func vertex(_ uid: String) -> Vertex? {
        vertices[uid]
    }

    /// Identities of the objects that an object owns.
    package func dependents(of uid: String) -> Set<String> {
        dependents[uid] ?? []
    }

    /// Decides what must be done about an object.
    package func step(for uid: String) -> Step {
        guard let vertex = vertices[uid] else { return .none }
        if vertex.isBeingDeleted {
            return finalStep(vertex)
        }
        // An owner that is known exists, unless a foreground deletion waits for this very object.
        guard !vertex.owners.isEmpty, !vertex.owners.contains(where: { vertices[$0.uid].map(Self.remains) ?? false })
        else { return .none }
        return .verify(vertex.owners)
    }

    private func finalStep(_ vertex: Vertex) -> Step {
        let owned = dependents(of: vertex.uid).compactMap { vertices[$0] }.sorted { $0.uid < $1.uid }
        if vertex.finalizers.contains(Self.orphan) {
            return owned.isEmpty ? .removeFinalizer(Self.orphan) : .orphan(owned)
        }
        guard vertex.finalizers.contains(Self.foreground) else { return .none }
        let blocking = owned.filter { dependent in
            dependent.owners.contains { $0.uid == vertex.uid && $0.blockOwnerDeletion == true }
        }
        guard !blocking.isEmpty else { return .removeFinalizer(Self.foreground) }
        let pending = blocking.filter { !$0.isBeingDeleted }
        return pending.isEmpty ? .none : .deleteDependents(pending)
    }

    private static func remains(_ owner: Vertex) -> Bool {
        !(owner.isBeingDeleted && owner.finalizers.contains(foreground))
    }
}
