import JSON
import KubernetesAPI

extension ResourceRegistry {
    static func serviceCIDRs(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        let columns: [TableColumn] = [
            .name,
            TableColumn("CIDRs", "The ranges.") {
                ($0.at("spec", "cidrs")?.array ?? []).compactMap(\.string).joined(separator: ",")
            },
            .age,
        ]
        return ResourceDefinition(.serviceCIDRs, columns: columns, strategy: strategy) {
            $0.subresources = [.status(of: "ServiceCIDR")]
        }
    }

    static func ipAddresses(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        let columns: [TableColumn] = [
            .name,
            TableColumn("ParentRef", "The object that holds the address.") { object in
                let parent = object.at("spec", "parentRef") ?? [:]
                return ["group", "resource", "namespace", "name"].map { parent[$0]?.string ?? "" }
                    .filter { !$0.isEmpty }.joined(separator: "/")
            },
            .age,
        ]
        return ResourceDefinition(.ipAddresses, shortNames: ["ip"], columns: columns, strategy: strategy) {
            $0.fields.append(SelectableField("spec.parentRef.name"))
        }
    }
}
