package import Addresses
package import JSON
package import KubernetesAPI

/// ServiceCIDRs: the ranges that cluster IPs come from (KEP-1880).
package struct ServiceCIDRStrategy: ObjectStrategy {
    /// Keeps a ServiceCIDR while addresses depend on it.
    package static let finalizer = "networking.k8s.io/service-cidr-finalizer"

    package let resource = Resource.serviceCIDRs
    package let hasStatus = true
    package let isFollowed = true
    private let network: ServiceNetwork

    /// Makes the strategy of a cluster.
    package init(network: ServiceNetwork) {
        self.network = network
    }

    /// The prefixes of a ServiceCIDR; texts that are none are left out.
    package static func prefixes(of object: JSONValue) -> [IPPrefix] {
        (object.at("spec", "cidrs")?.array ?? []).compactMap { $0.string.flatMap { IPPrefix(masking: $0) } }
    }

    /// Whether new addresses may come from a ServiceCIDR.
    package static func isReady(_ object: JSONValue) -> Bool {
        guard !object.isTerminating else { return false }
        let conditions = object.at("status", "conditions")?.array ?? []
        return conditions.first { $0.text("type") == "Ready" }.map { $0.text("status") == "True" } ?? true
    }

    /// The condition `Ready`.
    package static func condition(isReady: Bool, since time: Timestamp) -> JSONValue {
        [
            "type": "Ready", "status": isReady ? "True" : "False",
            "lastTransitionTime": .string(Timestamp(seconds: time.seconds).description),
            "reason": isReady ? "" : "Terminating",
            "message": isReady
                ? "Kubernetes Service CIDR is ready"
                : "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
                ,
        ]
    }

    package func begin(_ object: inout JSONValue) {
        let finalizers = object.finalizers
        if !finalizers.contains(Self.finalizer) {
            object.set(
                .array((finalizers + [Self.finalizer]).map { .string($0) }), at: "metadata", "finalizers")
        }
        object["status"] = ["conditions": [Self.condition(isReady: true, since: .now)]]
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        let path: FieldPath = "spec.cidrs"
        let texts = (object.at("spec", "cidrs")?.array ?? []).map { $0.string ?? "" }
        let known = (old?.at("spec", "cidrs")?.array ?? []).map { $0.string ?? "" }
        if old != nil, texts != known, !(known.count == 1 && texts.count == 2 && texts[0] == known[0]) {
            return [.invalid(path, .array(texts.map { .string($0) }), "field is immutable")]
        }
        if texts.isEmpty { return [.required(path, "at least one CIDR required")] }
        let value: JSONValue = ["CIDRs": .array(texts.map { .string($0) })]
        if texts.count > 2 { return [.invalid(path, value, "may only hold up to 2 values")] }
        let families = Set(texts.compactMap { AddressRules.family(ofPrefix: $0) })
        if texts.count == 2, families.count != 2 {
            return [
                .invalid(
                    path, value,
                    "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64")
            ]
        }
        return texts.enumerated().flatMap { index, text -> [FieldError] in
            let errors = AddressRules.prefix(text, at: path[index], tolerating: known)
            guard errors.isEmpty, let prefix = IPPrefix(text), prefix.description != text else { return errors }
            return [.invalid(path[index], .string(text), "must be in canonical form (\"\(prefix)\")")]
        }
    }

    package func recover(_ object: JSONValue) { didStore(object) }

    package func didStore(_ object: JSONValue) {
        let (prefixes, isReady) = (Self.prefixes(of: object), Self.isReady(object))
        let name = object.at("metadata", "name")?.string ?? ""
        network.update { $0.addresses.setRanges(prefixes, isReady: isReady, of: name) }
    }

    package func didDelete(_ object: JSONValue) {
        let name = object.at("metadata", "name")?.string ?? ""
        network.update { $0.addresses.removeRanges(of: name) }
    }
}
