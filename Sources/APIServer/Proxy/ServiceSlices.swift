import KubernetesAPI

/// Which slices belong to which Service, by their label.
struct ServiceSlices: Sendable {
    private var services: [ObjectKey: ObjectKey] = [:]
    private var slices: [ObjectKey: Set<ObjectKey>] = [:]

    /// Takes in the new state of a slice; nil for one that is gone.
    mutating func set(_ key: ObjectKey, service: String?) {
        if let old = services.removeValue(forKey: key) {
            slices[old]?.remove(key)
            if slices[old]?.isEmpty == true { slices[old] = nil }
        }
        guard let service else { return }
        let owner = ObjectKey(namespace: key.namespace, name: service)
        services[key] = owner
        slices[owner, default: []].insert(key)
    }

    /// The slices of a Service.
    subscript(service: ObjectKey) -> Set<ObjectKey> { slices[service] ?? [] }
}
