import JSON
import KubernetesAPI

extension ResourceRegistry {
    static func deployments(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(
            .deployments, shortNames: ["deploy"], columns: WorkloadColumns.deployments, strategy: strategy
        ) {
            $0.categories = ["all"]
            $0.subresources = [scale, .status(of: "Deployment")]
            $0.countsGenerations = true
        }
    }

    static func replicaSets(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(
            .replicaSets, shortNames: ["rs"], columns: WorkloadColumns.replicaSets, strategy: strategy
        ) {
            $0.categories = ["all"]
            $0.subresources = [scale, .status(of: "ReplicaSet")]
            $0.fields.append(SelectableField("status.replicas", absent: "0"))
            $0.countsGenerations = true
        }
    }

    static func daemonSets(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(
            .daemonSets, shortNames: ["ds"], columns: WorkloadColumns.daemonSets, strategy: strategy
        ) {
            $0.categories = ["all"]
            $0.subresources = [.status(of: "DaemonSet")]
            $0.countsGenerations = true
        }
    }

    static func endpointSlices(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(.endpointSlices, columns: EndpointColumns.slices, strategy: strategy) {
            $0.countsGenerations = true
        }
    }

    static func leases(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        let columns: [TableColumn] = [
            .name, TableColumn("Holder", "The holder of the lease.") { $0.at("spec", "holderIdentity")?.string ?? "" },
            .age,
        ]
        return ResourceDefinition(.leases, columns: columns, strategy: strategy) {
            $0.isCreatedByUpdate = true
            $0.needsVersionOnUpdate = true
        }
    }

    private static let scale = ResourceDefinition.Subresource(
        name: "scale", kind: "Scale", groupVersion: (group: "autoscaling", version: "v1"),
        verbs: [.get, .patch, .update])
}
