import Addresses
package import JSON
package import KubernetesAPI

/// NodeNetworks: the blocks of a node, and what the node says of them.
package struct NodeNetworkStrategy: ObjectStrategy {
    package let resource = Resource.nodeNetworks
    package let hasStatus = true

    /// Makes the strategy.
    package init() {}

    package func setDefaults(_ object: inout JSONValue) {
        object.update("spec") { spec in
            spec.updateEach("blocks") { $0.setDefault("state", .string(NodeBlock.active)) }
        }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        let path: FieldPath = "spec.blocks"
        var seen: [IPPrefix] = []
        var errors: [FieldError] = []
        for (index, block) in (object.at("spec", "blocks")?.array ?? []).enumerated() {
            let (text, place) = (block.text("cidr"), path[index].child("cidr"))
            errors += AddressRules.prefix(text, at: place)
            errors += ValueRules.oneOf(
                block.text("state"), [NodeBlock.active, NodeBlock.releasing], at: path[index].child("state"))
            guard let prefix = IPPrefix(text) else { continue }
            if let other = seen.first(where: { $0.overlaps(prefix) }) {
                errors.append(.invalid(place, .string(text), "overlaps \(other) of the same node"))
            }
            seen.append(prefix)
        }
        return errors
    }

    package func validateStatus(_ object: JSONValue, replacing old: JSONValue?) -> [FieldError] {
        let path: FieldPath = "status.blocks"
        return (object.at("status", "blocks")?.array ?? []).enumerated().flatMap { index, block in
            AddressRules.prefix(block.text("cidr"), at: path[index].child("cidr"))
                + ValueRules.nonnegative(block["used"], at: path[index].child("used"))
                + ValueRules.nonnegative(block["capacity"], at: path[index].child("capacity"))
        }
    }
}
