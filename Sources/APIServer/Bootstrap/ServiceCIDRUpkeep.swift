package import Addresses
import JSON
package import KubernetesAPI

/// Keeps the ServiceCIDRs: the server's own in line with its configuration, deleted ones until nothing depends on them.
package struct ServiceCIDRUpkeep: Sendable {
    /// Seconds between a deletion and the end, in which addresses in flight arrive.
    package static let gracePeriod: Int64 = 10

    /// The configured ranges, the primary one first.
    private let configured: [IPPrefix]

    /// Describes a server by its ranges, the primary one first.
    package init(configured: [IPPrefix]) {
        self.configured = configured
    }

    /// One round, within one write.
    package func run(_ transaction: inout WriteTransaction, now: Timestamp = .now) throws(StatusError) {
        guard let index = transaction.index(of: .serviceCIDRs) else { return }
        try alignDefault(&transaction, index)
        let all = transaction.values(index)
        let deleted = all.filter { $0.value.isTerminating }
        guard !deleted.isEmpty else { return }
        let staying = all.filter { !$0.value.isTerminating }.map {
            ($0.key.name, ServiceCIDRStrategy.prefixes(of: $0.value))
        }
        let deletion = ServiceCIDRDeletion(
            remaining: Dictionary(staying, uniquingKeysWith: { $1 }), held: transaction.heldAddresses())
        for (key, value) in deleted {
            if deletion.isBlocked(key.name, ranges: ServiceCIDRStrategy.prefixes(of: value)) {
                try report(value, &transaction, index, key, now)
            } else if now.seconds - value.deletionSeconds >= Self.gracePeriod {
                _ = try transaction.update(index, key, WriteOptions()) { _ in
                    var value = value
                    let rest = value.finalizers.filter { $0 != ServiceCIDRStrategy.finalizer }
                    value.set(
                        rest.isEmpty ? nil : .array(rest.map { .string($0) }), at: "metadata", "finalizers")
                    return value
                }
            }
        }
    }

    /// Adds the second family where the configuration gained it; otherwise the stored object has the say.
    private func alignDefault(_ transaction: inout WriteTransaction, _ index: Int) throws(StatusError) {
        let key = ObjectKey(name: ServiceNetwork.defaultCIDR)
        let wanted = configured.map(\.description)
        guard let value = transaction.object(index, key)?.value, !value.isTerminating else { return }
        let present = (value.at("spec", "cidrs")?.array ?? []).map { $0.string ?? "" }
        guard present != wanted else { return }
        if present.count == 1, wanted.count == 2, present[0] == wanted[0] {
            _ = try transaction.update(index, key, WriteOptions()) { _ in
                var value = value
                value.set(.array(wanted.map { .string($0) }), at: "spec", "cidrs")
                return value
            }
            return
        }
        let texts = [present, wanted].map { "[\($0.joined(separator: " "))]" }
        transaction.recordOnce(
            ServerEvent(
                .serviceCIDRs, value, "KubernetesDefaultServiceCIDRInconsistent",
                "The default ServiceCIDR \(texts[0]) does not match the controller flag configurations \(texts[1])"))
    }

    private func report(
        _ value: JSONValue, _ transaction: inout WriteTransaction, _ index: Int, _ key: ObjectKey, _ now: Timestamp
    ) throws(StatusError) {
        let isKnown = (value.at("status", "conditions")?.array ?? []).contains { $0["reason"] == "Terminating" }
        guard !isKnown else { return }
        _ = try transaction.update(index, key, subresource: "status", WriteOptions()) { _ in
            var value = value
            let others = (value.at("status", "conditions")?.array ?? []).filter { $0["type"] != "Ready" }
            value.set(
                .array(others + [ServiceCIDRStrategy.condition(isReady: false, since: now)]), at: "status", "conditions"
            )
            return value
        }
    }
}

extension WriteTransaction {
    /// The objects of a resource with their keys.
    func values(_ resource: Int) -> [(key: ObjectKey, value: JSONValue)] {
        var values: [(key: ObjectKey, value: JSONValue)] = []
        tree(resource).forEach { object in
            values.append((object.key, object.value))
            return true
        }
        return values
    }

    /// The addresses that IPAddress objects of Services name.
    fileprivate func heldAddresses() -> [IPAddress] {
        guard let index = index(of: .ipAddresses) else { return [] }
        var addresses: [IPAddress] = []
        tree(index).forEach { object in
            if object.labels[IPAddressStrategy.managerLabel] == IPAddressStrategy.manager,
                let address = IPAddress(object.key.name)
            {
                addresses.append(address)
            }
            return true
        }
        return addresses
    }
}

extension JSONValue {
    /// When the object was deleted, in seconds since 1970.
    fileprivate var deletionSeconds: Int64 {
        at("metadata", "deletionTimestamp")?.string.flatMap { Timestamp($0)?.seconds } ?? 0
    }
}
