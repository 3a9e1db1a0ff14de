package import KubernetesAPI

/// Keeps the Services and slices that the zone is made of, and which Services have changed since it was last brought up
/// to date.
package struct ClusterZoneModel: Sendable {
    /// The zone as of the last `update`.
    package private(set) var zone: ClusterZone
    /// The key of the Service in front of the cluster's DNS.
    private let serverKey: ObjectKey
    private var services: [ObjectKey: Service] = [:]
    private var slices: [ObjectKey: [String: EndpointSlice]] = [:]
    private var contributions: [ObjectKey: ServiceRecords] = [:]
    private var dirty: Set<ObjectKey> = []

    /// Makes a model without content.
    package init(zone: ClusterZone, serverKey: ObjectKey) {
        self.zone = zone
        self.serverKey = serverKey
    }

    /// The Service in front of the cluster's DNS.
    package var server: Service? { services[serverKey] }

    /// Notes a new, changed or vanished (nil) Service.
    package mutating func setService(_ key: ObjectKey, _ service: Service?) {
        services[key] = service
        dirty.insert(key)
    }

    /// Notes a new, changed or vanished slice; `old` is its former state.
    package mutating func setSlice(old: EndpointSlice?, new: EndpointSlice?) {
        if let old, let key = old.serviceKey {
            slices[key]?[old.name] = nil
            if slices[key]?.isEmpty == true { slices[key] = nil }
            dirty.insert(key)
        }
        if let new, let key = new.serviceKey {
            slices[key, default: [:]][new.name] = new
            dirty.insert(key)
        }
    }

    /// Brings the zone up to date as of `now`, in seconds; the cost follows the number of
    /// changed Services and their endpoints.
    ///
    /// - Returns: whether anything has changed.
    @discardableResult
    package mutating func update(isComplete: Bool, now: UInt32) -> Bool {
        var isChanged = isComplete != zone.isComplete
        for key in dirty {
            var records = ServiceRecords()
            if let service = services[key] {
                records = ServiceRecords(service: service, slices: slices[key, default: [:]].values, zone: zone)
                if key == serverKey { records.addServer(service, zone: zone) }
            }
            let old = contributions.removeValue(forKey: key) ?? ServiceRecords()
            if services[key] != nil { contributions[key] = records }
            guard records != old else { continue }
            zone.replace(old, with: records)
            isChanged = true
        }
        dirty.removeAll(keepingCapacity: dirty.count <= 64)
        if isChanged {
            zone.isComplete = isComplete
            zone.serial = now
        }
        return isChanged
    }
}

extension EndpointSlice {
    /// The Service that the slice belongs to.
    var serviceKey: ObjectKey? {
        metadata.labels?[WellKnownLabel.serviceName].map { ObjectKey(namespace: metadata.namespace, name: $0) }
    }
}
