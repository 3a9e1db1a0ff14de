import Addresses
package import JSON
package import KubernetesAPI

/// AddressPools: disjoint prefixes for pods, Services or load balancers.
package struct AddressPoolStrategy: ObjectStrategy {
    package let resource = Resource.addressPools
    package let hasStatus = true

    /// Prefix lengths of blocks where a pool says nothing, as the flags of Kubernetes' controllers have them.
    private static let defaultBlockLengths: [IPFamily: Int] = [.ipv4: 24, .ipv6: 64]

    /// A block of fewer addresses than 2 to this power serves no node.
    private static let leastHostBits = 2

    /// Makes the strategy.
    package init() {}

    package func setDefaults(_ object: inout JSONValue) {
        let isForPods = object.at("spec", "purpose")?.string == AddressPoolSpec.pods
        object.update("spec") { spec in
            spec.updateEach("prefixes") { $0.setDefault("state", .string(AddressPoolPrefix.active)) }
            guard isForPods else { return }
            for prefix in Self.prefixes(of: spec) {
                guard let length = Self.defaultBlockLengths[prefix.family] else { continue }
                let field = prefix.family.name.lowercased()
                if spec.at("blockSize", field) == nil { spec.set(.integer(Int64(length)), at: "blockSize", field) }
            }
        }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        let spec = object["spec"] ?? [:]
        let purposes = [AddressPoolSpec.pods, AddressPoolSpec.services, AddressPoolSpec.loadBalancers]
        var errors = ValueRules.oneOf(spec.text("purpose"), purposes, at: "spec.purpose")
        if let old {
            errors += ValueRules.immutable(spec["purpose"], old.at("spec", "purpose"), at: "spec.purpose")
            errors += removals(from: old, to: spec)
        }
        errors += prefixes(spec)
        errors += blockSize(spec)
        errors += nodeSelector(spec["nodeSelector"])
        return errors
    }

    private static func prefixes(of spec: JSONValue) -> [IPPrefix] {
        spec.list("prefixes").compactMap { IPPrefix($0.text("cidr")) }
    }

    private func prefixes(_ spec: JSONValue) -> [FieldError] {
        let path: FieldPath = "spec.prefixes"
        guard !spec.list("prefixes").isEmpty else { return [.required(path, "at least one prefix required")] }
        var errors: [FieldError] = []
        var seen: [IPPrefix] = []
        for (index, entry) in spec.list("prefixes").enumerated() {
            let (text, place) = (entry.text("cidr"), path[index].child("cidr"))
            errors += ValueRules.oneOf(
                entry.text("state"), [AddressPoolPrefix.active, AddressPoolPrefix.draining],
                at: path[index].child("state"))
            let problems = AddressRules.prefix(text, at: place)
            guard problems.isEmpty, let prefix = IPPrefix(text) else {
                errors += problems
                continue
            }
            if prefix.description != text {
                errors.append(.invalid(place, .string(text), "must be in canonical form (\"\(prefix)\")"))
            }
            if prefix.holdsReservedAddresses {
                errors.append(
                    .invalid(place, .string(text), "must not hold loopback, link-local or multicast addresses"))
            }
            if let other = seen.first(where: { $0.overlaps(prefix) }) {
                errors.append(.invalid(place, .string(text), "overlaps \(other) of the same pool"))
            }
            seen.append(prefix)
        }
        return errors
    }

    /// Prefixes in use do not vanish: they are drained first.
    private func removals(from old: JSONValue, to spec: JSONValue) -> [FieldError] {
        let kept = Self.prefixes(of: spec)
        let usage = old.at("status", "prefixes")?.array ?? []
        return usage.compactMap { entry -> FieldError? in
            guard let prefix = IPPrefix(entry.text("cidr")), entry["allocated"]?.int ?? 0 > 0,
                !kept.contains(where: { $0.contains(prefix) })
            else { return nil }
            return .forbidden(
                "spec.prefixes",
                "\(prefix) has blocks in use: set its state to Draining and remove it once none is allocated")
        }
    }

    private func blockSize(_ spec: JSONValue) -> [FieldError] {
        let path: FieldPath = "spec.blockSize"
        guard spec.text("purpose") == AddressPoolSpec.pods else {
            return spec["blockSize"] == nil
                ? [] : [.forbidden(path, "only pools of the purpose Pods are handed out in blocks")]
        }
        return IPFamily.allCases.flatMap { family -> [FieldError] in
            let field = family.name.lowercased()
            guard let value = spec.at("blockSize", field), let length = value.int else { return [] }
            let longest = family.bitWidth - Self.leastHostBits
            let shortest = Self.prefixes(of: spec).filter { $0.family == family }.map(\.length).max() ?? 0
            guard length >= shortest, length <= longest else {
                return [
                    .invalid(
                        path.child(field), value,
                        "must be between \(shortest), the length of the smallest prefix, and \(longest)")
                ]
            }
            return []
        }
    }

    private func nodeSelector(_ selector: JSONValue?) -> [FieldError] {
        guard let selector else { return [] }
        let path: FieldPath = "spec.nodeSelector.nodeSelectorTerms"
        let terms = selector.list("nodeSelectorTerms")
        guard !terms.isEmpty else { return [.required(path, "must have at least one node selector term")] }
        return terms.enumerated().flatMap { index, term in
            term.list("matchExpressions").enumerated().flatMap {
                NodeSelectorRules.requirement($0.element, at: path[index].child("matchExpressions")[$0.offset])
            }
                + term.list("matchFields").enumerated().flatMap {
                    NodeSelectorRules.field($0.element, at: path[index].child("matchFields")[$0.offset])
                }
        }
    }
}
