import Addresses
package import JSON
package import KubernetesAPI

/// Nodes: pod ranges of each family are given once and for all.
package struct NodeStrategy: ObjectStrategy {
    package let resource = Resource.nodes
    package let hasStatus = true

    package init() {}

    package func setDefaults(_ object: inout JSONValue) {
        object.update("spec") { spec in
            FamilyPair.align(&spec, "podCIDR", "podCIDRs", wrap: { $0 }, unwrap: { $0 })
        }
        if let capacity = object.at("status", "capacity"), object.at("status", "allocatable") == nil {
            object.set(capacity, at: "status", "allocatable")
        }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        let path: FieldPath = "spec.podCIDRs"
        let ranges = object.at("spec", "podCIDRs")?.array ?? []
        var errors: [FieldError] = []
        for (index, range) in ranges.enumerated() {
            errors += AddressRules.prefix(range.string ?? "", at: path[index], tolerating: old?.podCIDRs ?? [])
            if ranges[..<index].contains(range) {
                errors.append(.duplicate(path[index], range))
            }
        }
        let families = ranges.compactMap { IPPrefix(masking: $0.string ?? "")?.family }
        if errors.isEmpty, !AddressRules.areOfDistinctFamilies(families) {
            errors.append(
                .invalid(path, .array(ranges), "may specify no more than one CIDR for each IP family"))
        }
        errors += taints(object.at("spec", "taints")?.array ?? [])
        guard let old else { return errors }
        let fixed = [("podCIDRs", "podCIDR"), ("providerID", "providerID")]
        for (field, name) in fixed {
            guard let value = old.at("spec", field), value != object.at("spec", field) else { continue }
            errors.append(
                .forbidden(
                    FieldPath("spec").child(field), "node updates may not change \(name) except from \"\" to valid"))
        }
        return errors
    }

    private func taints(_ taints: [JSONValue]) -> [FieldError] {
        var errors: [FieldError] = []
        var seen: Set<[String]> = []
        for (index, taint) in taints.enumerated() {
            let path = FieldPath("spec.taints")[index]
            errors += NameRules.qualifiedName(taint.text("key")).map {
                .invalid(path.child("key"), .string(taint.text("key")), $0)
            }
            errors += ValueRules.oneOf(
                taint.text("effect"), ["NoSchedule", "PreferNoSchedule", "NoExecute"], at: path.child("effect"))
            if !seen.insert([taint.text("key"), taint.text("effect")]).inserted {
                errors.append(.duplicate(path, taint))
            }
        }
        return errors
    }

    package func validateStatus(_ object: JSONValue, replacing old: JSONValue?) -> [FieldError] {
        let addresses = object.at("status", "addresses")?.array ?? []
        return addresses.enumerated().filter { addresses[..<$0.offset].contains($0.element) }.map {
            .duplicate(FieldPath("status.addresses")[$0.offset], $0.element)
        }
    }
}

extension JSONValue {
    fileprivate var podCIDRs: [String] { at("spec", "podCIDRs")?.array?.compactMap(\.string) ?? [] }
}
