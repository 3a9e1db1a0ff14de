import Addresses
public import JSON

extension ClusterPlan {
    /// The plan for programs; numbers of 2^53 and more are texts.
    public var json: JSONValue {
        [
            "podsPerNode": .integer(Int64(request.podsPerNode)), "families": .array(families.map(\.json)),
            "limits": .array(limits.map(\.json)),
        ]
    }

    fileprivate static func json(_ number: UInt128) -> JSONValue {
        number < 1 << 53 ? .integer(Int64(number)) : .string("\(number)")
    }
}

extension ClusterPlan.Family {
    fileprivate var json: JSONValue {
        [
            "family": .string(family.name), "blockLength": .integer(Int64(blockLength)),
            "prefixes": .array(
                fragments.map { ["cidr": .string($0.prefix.description), "blocks": ClusterPlan.json($0.blocks)] }),
            "blocks": ClusterPlan.json(blocks), "podsPerBlock": ClusterPlan.json(podsPerBlock),
            "blocksPerNode": ClusterPlan.json(blocksPerNode), "fullNodes": ClusterPlan.json(fullNodes),
            "pods": ClusterPlan.json(pods), "services": ClusterPlan.json(services),
        ]
    }
}

extension ClusterPlan.Limit {
    fileprivate var json: JSONValue {
        [
            "resource": .string(resource.rawValue), "family": .string(family.name),
            "capacity": ClusterPlan.json(capacity), "used": ClusterPlan.json(used),
            "runsOutOnDay": day.map { .integer(Int64($0)) } ?? .null,
        ]
    }
}
