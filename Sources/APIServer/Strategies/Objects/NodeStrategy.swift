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
        var errors = podCIDRs(object.podCIDRs, tolerating: old?.podCIDRs ?? [])
        errors += taints(object.at("spec", "taints")?.array ?? [])
        guard let old else { return errors }
        let (before, after) = (old.podCIDRs, object.podCIDRs)
        if !before.isEmpty {
            let changes = before.count == after.count ? zip(before, after).count { $0 != $1 } : 1
            errors += Array(repeating: Self.fixed("podCIDRs", "podCIDR"), count: changes)
        }
        let provider = old.at("spec", "providerID")?.string ?? ""
        if !provider.isEmpty, provider != object.at("spec", "providerID")?.string ?? "" {
            errors.append(Self.fixed("providerID", "providerID"))
        }
        return errors
    }

    private static func fixed(_ field: String, _ name: String) -> FieldError {
        .forbidden(FieldPath("spec").child(field), "node updates may not change \(name) except from \"\" to valid")
    }

    private func podCIDRs(_ ranges: [String], tolerating old: [String]) -> [FieldError] {
        let path: FieldPath = "spec.podCIDRs"
        var errors = ranges.enumerated().flatMap {
            AddressRules.prefix($0.element, at: path[$0.offset], tolerating: old)
        }
        guard errors.isEmpty else { return errors }
        if !AddressRules.areOfDistinctFamilies(ranges.compactMap { AddressRules.family(ofPrefix: $0) }) {
            errors.append(
                .invalid(
                    path, .array(ranges.map { .string($0) }), "may specify no more than one CIDR for each IP family"))
        }
        for index in ranges.indices where ranges[..<index].contains(ranges[index]) {
            errors.append(.duplicate(path[index], .string(ranges[index])))
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
        return addresses.enumerated().filter { addresses[..<$0.offset].contains($0.element) }.map { index, address in
            // The fields' names in the text are those of Kubernetes' own types.
            .duplicate(
                FieldPath("status.addresses")[index],
                ["Type": address["type"] ?? "", "Address": address["address"] ?? ""])
        }
    }
}

extension JSONValue {
    fileprivate var podCIDRs: [String] { at("spec", "podCIDRs")?.array?.compactMap(\.string) ?? [] }
}
