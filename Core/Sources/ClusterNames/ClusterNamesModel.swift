public import Addresses
import DNSMessage
public import DNSResolution
public import KubernetesAPI

/// Keeps the objects that the zone is made of, and which Services have changed since it was last brought up to date.
public struct ClusterNamesModel: Sendable {
    /// The zone as of the last `update`.
    public private(set) var zone: ZoneSnapshot
    /// The key of the Service in front of the cluster's DNS.
    private let serverKey: ObjectKey
    private let options: ClusterNamesOptions
    private var services: [ObjectKey: NamedService] = [:]
    private var slices: [ObjectKey: [NamedEndpoints]] = [:]
    private var contributions: [ObjectKey: [NameRecords]] = [:]
    private var dirty: Set<ObjectKey> = []
    private var isChanged = false

    /// Makes a model without content.
    public init(settings: ZoneSettings, serverKey: ObjectKey, options: ClusterNamesOptions = ClusterNamesOptions()) {
        zone = ZoneSnapshot(settings: settings)
        self.serverKey = serverKey
        self.options = options
    }

    /// The Service in front of the cluster's DNS.
    public var server: NamedService? { services[serverKey] }

    /// The endpoints of that Service.
    public var serverSlices: [NamedEndpoints] { slices[serverKey] ?? [] }

    /// Notes a new, changed or vanished (nil) Service.
    public mutating func setService(_ key: ObjectKey, _ service: NamedService?) {
        services[key] = service
        dirty.insert(key)
    }

    /// Notes a new, changed or vanished slice; `old` is its former state.
    public mutating func setSlice(old: NamedEndpoints?, new: NamedEndpoints?) {
        if let old, let key = old.service {
            slices[key]?.removeAll { $0.key == old.key }
            if slices[key]?.isEmpty == true { slices[key] = nil }
            dirty.insert(key)
        }
        if let new, let key = new.service {
            slices[key, default: []].append(new)
            dirty.insert(key)
        }
    }

    /// Notes that a namespace exists, or no longer does.
    public mutating func setNamespace(_ name: String, exists: Bool) {
        let settings = zone.settings
        for parent in ["svc"] + (settings.pods == .disabled ? [] : ["pod"]) {
            guard let owner = settings.domain.prepending(parent)?.prepending(name.lowercased()) else { continue }
            if exists {
                if !zone.exists(owner) { zone.set(NameRecords(name: owner, ttl: settings.ttl)) }
                zone.keep(owner)
            } else {
                zone.remove(owner, releasing: true)
            }
        }
        isChanged = true
    }

    /// Notes a new, changed or vanished pod; `old` is its former state.
    ///
    /// Pods in their node's network are not told from it.
    public mutating func setPod(old: Pod?, new: Pod?) {
        let former = old.map(ClusterNamesModel.clientAddresses) ?? []
        let present = new.map(ClusterNamesModel.clientAddresses) ?? []
        for address in former where !present.contains(address) { zone.setClient(address, nil) }
        if let new, !present.isEmpty {
            let profile = ClientProfile(
                families: present.map(\.family), namespace: new.metadata.namespace, treatment: new.treatment)
            for address in present where zone.client(address) != profile { zone.setClient(address, profile) }
        }
        isChanged = true
    }

    /// Notes who the clients in a network are; nil for strangers.
    public mutating func setClients(in prefix: IPPrefix, _ network: ClientNetwork?) {
        zone.clientPrefixes.set(prefix, network)
        isChanged = true
    }

    /// Notes which families clients have unless more is known about them.
    public mutating func setClientFamilies(_ families: Set<IPFamily>) {
        guard families != zone.clientPrefixes.families else { return }
        zone.clientPrefixes.families = families
        isChanged = true
    }

    /// The addresses that a pod alone has.
    private static func clientAddresses(_ pod: Pod) -> [IPAddress] {
        guard pod.spec?.hostNetwork != true, !pod.isFinished else { return [] }
        return pod.addresses.compactMap { IPAddress($0) }
    }

    /// Brings the zone up to date as of `now`, in seconds; the cost follows the number of
    /// changed Services and their endpoints.
    ///
    /// - Returns: whether anything has changed.
    @discardableResult
    public mutating func update(isComplete: Bool, now: UInt32) -> Bool {
        var isChanged = isChanged || isComplete != zone.isComplete
        self.isChanged = false
        for key in dirty {
            let old = contributions.removeValue(forKey: key) ?? []
            var records: [NameRecords] = []
            if let service = services[key] {
                var names = ServiceNames(
                    service: service, slices: slices[key] ?? [], settings: zone.settings, options: options)
                if key == serverKey { names.addServer(service, settings: zone.settings) }
                records = names.records
                contributions[key] = records
            }
            if replace(old, with: records) { isChanged = true }
        }
        dirty.removeAll(keepingCapacity: dirty.count <= 64)
        if isChanged {
            zone.isComplete = isComplete
            zone.serial = now
        }
        return isChanged
    }

    /// Puts the new contribution of a Service in the place of its old one; false if nothing changes.
    private mutating func replace(_ old: [NameRecords], with new: [NameRecords]) -> Bool {
        var isChanged = false
        var left: [ArraySlice<UInt8>: NameRecords] = [:]
        for records in old { left[records.nameBytes] = records }
        // New names come first, so that names which stay are not removed and made again.
        for records in new where left.removeValue(forKey: records.nameBytes) != records {
            zone.set(records)
            isChanged = true
        }
        for name in left.keys {
            if let name = DNSName(wire: Array(name)) { zone.remove(name) }
            isChanged = true
        }
        return isChanged
    }
}

extension Pod {
    /// The annotation by which a pod chooses its treatment: `pass`, or `synthesize`, `filter`, or both.
    public static let treatmentAnnotation = "network.duet.dev/dns"

    /// The treatment that the pod asks for.
    var treatment: Treatment? { metadata.annotations?[Self.treatmentAnnotation].flatMap(Treatment.init(text:)) }
}
