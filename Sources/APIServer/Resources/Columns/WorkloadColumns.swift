import JSON
import KubernetesAPI

/// What `kubectl get` shows of Deployments, ReplicaSets and DaemonSets.
enum WorkloadColumns {
    static let deployments: [TableColumn] =
        [
            .name,
            TableColumn("Ready", "Pods that are ready, and those wanted.") {
                "\(status($0, "readyReplicas"))/\($0.at("spec", "replicas")?.int ?? 0)"
            },
            .number("Up-to-date", "Pods of the present template.") { status($0, "updatedReplicas") },
            .number("Available", "Pods that have been ready long enough.") { status($0, "availableReplicas") }, .age,
        ] + details

    static let replicaSets: [TableColumn] =
        [
            .name, .number("Desired", "Pods wanted.") { $0.at("spec", "replicas")?.int ?? 0 },
            .number("Current", "Pods there are.") { status($0, "replicas") },
            .number("Ready", "Pods that are ready.") { status($0, "readyReplicas") }, .age,
        ] + details

    static let daemonSets: [TableColumn] =
        [
            .name, .number("Desired", "Nodes that shall run it.") { status($0, "desiredNumberScheduled") },
            .number("Current", "Nodes that do.") { status($0, "currentNumberScheduled") },
            .number("Ready", "Nodes whose pod is ready.") { status($0, "numberReady") },
            .number("Up-to-date", "Nodes with a pod of the present template.") { status($0, "updatedNumberScheduled") },
            .number("Available", "Nodes whose pod has been ready long enough.") { status($0, "numberAvailable") },
            TableColumn("Node Selector", "The labels of its nodes.") {
                labelsText($0.at("spec", "template", "spec", "nodeSelector"))
            },
            .age,
        ] + details

    private static let details: [TableColumn] = [
        TableColumn("Containers", priority: 1, "Names of the containers.") { containers($0, "name") },
        TableColumn("Images", priority: 1, "Images of the containers.") { containers($0, "image") },
        TableColumn("Selector", priority: 1, "The labels of its pods.") {
            labelsText($0.at("spec", "selector", "matchLabels"))
        },
    ]

    private static func status(_ object: JSONValue, _ field: String) -> Int { object.at("status", field)?.int ?? 0 }

    private static func containers(_ object: JSONValue, _ field: String) -> String {
        (object.at("spec", "template", "spec", "containers")?.array ?? []).compactMap { $0[field]?.string }
            .joined(separator: ",")
    }
}
