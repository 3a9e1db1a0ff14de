import JSON
import KubernetesAPI

/// Which pods are bound to which node, and what they name.
struct NodePods: Sendable {
    private var nodes: [ObjectKey: String] = [:]
    private var pods: [String: Set<ObjectKey>] = [:]
    /// What pods name, read when it is first asked for.
    private var references: [ObjectKey: PodReferences] = [:]

    /// Takes in the new state of a pod; nil for one that is gone.
    mutating func set(_ key: ObjectKey, node: String?) {
        references[key] = nil
        let node = node.flatMap { $0.isEmpty ? nil : $0 }
        let old = nodes[key]
        guard node != old else { return }
        if let old {
            pods[old]?.remove(key)
            if pods[old]?.isEmpty == true { pods[old] = nil }
        }
        nodes[key] = node
        if let node { pods[node, default: []].insert(key) }
    }

    /// True when the object has to do with a pod that is bound to the node.
    ///
    /// - Parameter read: The pod itself.
    mutating func isRelated(
        _ object: NodeAccess.Related, to node: String, _ read: (ObjectKey) -> JSONValue?
    ) -> Bool {
        if object.kind == .pod {
            return nodes[ObjectKey(namespace: object.namespace, name: object.name)] == node
        }
        for key in pods[node] ?? [] where key.namespace == object.namespace {
            let references = references(of: key, read)
            switch object.kind {
            case .secret where references.secrets.contains(object.name): return true
            case .configMap where references.configMaps.contains(object.name): return true
            case .serviceAccount where references.serviceAccount == object.name: return true
            default: continue
            }
        }
        return false
    }

    private mutating func references(of key: ObjectKey, _ read: (ObjectKey) -> JSONValue?) -> PodReferences {
        if let known = references[key] { return known }
        let found = PodReferences(pod: read(key) ?? [:])
        references[key] = found
        return found
    }
}
