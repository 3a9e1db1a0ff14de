import Addresses
import JSON
package import KubernetesAPI

/// Compares what Services say they hold with IPAddress objects and allocators, and repairs what disagrees.
///
/// Writes keep them in line by themselves; this is for objects that an administrator removed or that older servers wrote.
package struct ServiceRepair: Sendable {
    /// Seconds for which an IPAddress may wait for its Service.
    private static let patience: Int64 = 60
    /// How often in turn something must be found held by nobody before it is given back.
    private static let sightings = 3

    /// The addresses and ports of the cluster.
    private let network: ServiceNetwork
    /// What was held by nobody in earlier rounds, and how often in turn.
    private var leaks: [ServiceResources.Claim: Int] = [:]

    /// Starts without findings.
    package init(network: ServiceNetwork) {
        self.network = network
    }

    /// Whether there is something to tell or to repair, by objects that may be a moment old.
    ///
    /// Reads everything, so that a round in which all is well keeps nobody from writing.
    package func isNeeded(services: ObjectTree, addresses: ObjectTree) -> Bool {
        var owners: [ServiceResources.Claim: ObjectKey] = [:]
        var isSound = true
        let state = network.state
        services.forEach { object in
            let service = ServiceObject(object.value)
            for claim in ServiceResources.claims(of: service) {
                isSound = isSound && owners.updateValue(object.key, forKey: claim) == nil
            }
            isSound = isSound && service.addresses.allSatisfy(state.addresses.isCovered)
            return isSound
        }
        guard isSound, leaks.isEmpty, state.held == Set(owners.keys) else { return true }
        var count = 0
        addresses.forEach { object in
            guard object.labels[IPAddressStrategy.managerLabel] == IPAddressStrategy.manager else { return true }
            count += 1
            guard let address = IPAddress(object.key.name), let owner = owners[.address(address)] else {
                isSound = false
                return false
            }
            let wanted = IPAddressStrategy.object(address, namespace: owner.namespace, service: owner.name)
            isSound =
                object.labels[IPAddressStrategy.familyLabel] == address.family.name
                && object.value.at("spec", "parentRef") == wanted.at("spec", "parentRef")
            return isSound
        }
        return !isSound || count != state.addresses.held.count
    }

    /// One round, within one write.
    package mutating func run(_ transaction: inout WriteTransaction, now: Timestamp = .now) throws(StatusError) {
        guard let services = transaction.index(of: .services) else { return }
        var owners: [ServiceResources.Claim: ObjectKey] = [:]
        for (key, value) in transaction.values(services) {
            check(value, key, &owners, &transaction)
        }
        try removeOrphans(&transaction, owners, now)
        settleAllocators(Set(owners.keys))
    }

    private func check(
        _ value: JSONValue, _ key: ObjectKey, _ owners: inout [ServiceResources.Claim: ObjectKey],
        _ transaction: inout WriteTransaction
    ) {
        let service = ServiceObject(value)
        let state = network.state
        func tell(_ reason: String, _ message: String) {
            transaction.record(ServerEvent(.services, value, reason, message))
        }
        for text in service.clusterIPs where service.needsClusterIP && text != ServiceObject.none {
            guard let address = IPAddress(sloppy: text) else {
                tell("ClusterIPNotValid", "Cluster IP \(text) is not a valid IP; please recreate Service")
                continue
            }
            let name = "[\(address.family.name)]"
            if owners.updateValue(key, forKey: .address(address)) != nil {
                tell(
                    "ClusterIPAlreadyAllocated",
                    "Cluster IP \(name):\(address) was assigned to multiple services; please recreate service")
                continue
            }
            if !state.addresses.isCovered(address) {
                tell(
                    "ClusterIPOutOfRange",
                    "Cluster IP \(name): \(address) is not within any configured Service CIDR; please recreate service")
            }
            repair(address, of: value, key, &transaction)
        }
        for port in ServiceResources.claims(of: service).compactMap(\.port).sorted() {
            if owners.updateValue(key, forKey: .port(port)) != nil {
                tell(
                    "PortAlreadyAllocated", "Port \(port) was assigned to multiple services; please recreate service")
            } else if !state.nodePorts.range.contains(port) {
                let range = state.nodePorts.range
                tell(
                    "PortOutOfRange",
                    "Port \(port) is not within the port range \(range.lowerBound)-\(range.upperBound); please recreate service"
                )
            } else if !state.nodePorts.held.contains(port) {
                tell("PortNotAllocated", "Port \(port) is not allocated; repairing")
            }
        }
    }

    /// Makes the IPAddress of a Service's address where it is missing or speaks of something else.
    private func repair(
        _ address: IPAddress, of value: JSONValue, _ key: ObjectKey, _ transaction: inout WriteTransaction
    ) {
        guard let index = transaction.index(of: .ipAddresses) else { return }
        let wanted = IPAddressStrategy.object(address, namespace: key.namespace, service: key.name)
        let objectKey = ObjectKey(name: address.description)
        let name = "[\(address.family.name)]: \(address)"
        if let stored = transaction.object(index, objectKey)?.value {
            let isLabelled = (wanted.at("metadata", "labels")?.object ?? [:]).allSatisfy {
                stored.at("metadata", "labels", $0.key) == $0.value
            }
            if isLabelled, stored.at("spec", "parentRef") == wanted.at("spec", "parentRef") { return }
            if stored.at("spec", "parentRef") != wanted.at("spec", "parentRef") {
                transaction.record(
                    ServerEvent(
                        .services, value, "ClusterIPNotAllocated",
                        "the ClusterIP \(name) for Service \(key.namespace)/\(key.name) has a wrong reference; repairing"
                    ))
            }
            _ = transaction.remove(stored, index, objectKey)
        } else {
            transaction.record(
                ServerEvent(
                    .services, value, "ClusterIPNotAllocated", "Cluster IP \(name) is not allocated; repairing"))
        }
        transaction.make(
            Companion(resource: .ipAddresses, namespace: "", name: address.description, content: wanted))
    }

    /// Removes the IPAddresses that the allocator keeps and that no Service stands for.
    private func removeOrphans(
        _ transaction: inout WriteTransaction, _ owners: [ServiceResources.Claim: ObjectKey], _ now: Timestamp
    ) throws(StatusError) {
        guard let index = transaction.index(of: .ipAddresses) else { return }
        for (key, value) in transaction.values(index) {
            guard value.at("metadata", "labels", IPAddressStrategy.managerLabel)?.string == IPAddressStrategy.manager,
                let address = IPAddress(key.name), owners[.address(address)] == nil
            else { continue }
            let parent = value.at("spec", "parentRef") ?? [:]
            guard parent.text("group").isEmpty, parent.text("resource") == "services" else {
                transaction.record(
                    ServerEvent(
                        .ipAddresses, value, "IPAddressNotAllocated",
                        "IPAddress \(key.name) appears to have been modified, not referencing a Service: cleaning up"))
                _ = try transaction.delete(index, key, DeleteOptions())
                continue
            }
            let owner = ObjectKey(namespace: parent.text("namespace"), name: parent.text("name"))
            let created = value.at("metadata", "creationTimestamp")?.string.flatMap { Timestamp($0)?.seconds } ?? 0
            let exists = transaction.index(of: .services).flatMap { transaction.object($0, owner) } != nil
            guard exists || now.seconds - created > Self.patience else { continue }
            transaction.record(
                exists
                    ? ServerEvent(
                        .ipAddresses, value, "IPAddressWrongReference",
                        "IPAddress: \(key.name) for Service \(owner.namespace)/\(owner.name) has a wrong reference; cleaning up"
                    )
                    : ServerEvent(
                        .ipAddresses, value, "IPAddressNotAllocated",
                        "IPAddress: \(key.name) for Service \(owner.namespace)/\(owner.name) is not allocated; cleaning up"
                    ))
            _ = try transaction.delete(index, key, DeleteOptions())
        }
    }

    /// Makes the allocators hold what Services hold; what nobody holds for several rounds is free again.
    private mutating func settleAllocators(_ claims: Set<ServiceResources.Claim>) {
        let unclaimed = network.update { resources in
            let held = resources.held
            for claim in claims.subtracting(held) { resources.occupy(claim) }
            return held.subtracting(claims)
        }
        leaks = Dictionary(uniqueKeysWithValues: unclaimed.map { ($0, (leaks[$0] ?? 0) + 1) })
        let lost = Set(leaks.filter { $0.value >= Self.sightings }.keys)
        network.release(lost)
        for claim in lost { leaks[claim] = nil }
    }
}

extension ServiceResources.Claim {
    /// The port, for a port.
    fileprivate var port: Int? {
        if case .port(let port) = self { port } else { nil }
    }
}
