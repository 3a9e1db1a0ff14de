import JSON
import KubernetesAPI

/// What `kubectl get nodes` shows.
enum NodeColumns {
    private static let roleLabel = "node-role.kubernetes.io/"

    static let all: [TableColumn] = [
        .name,
        TableColumn("Status", "Whether the node is ready, and whether it takes new pods.") { node in
            let ready = (node.at("status", "conditions")?.array ?? []).first { $0["type"]?.string == "Ready" }
            var parts = [
                ready.map { $0["status"]?.string == "True" ? "Ready" : "NotReady" } ?? "Unknown"
            ]
            if node.at("spec", "unschedulable")?.bool ?? false {
                parts.append("SchedulingDisabled")
            }
            return parts.joined(separator: ",")
        },
        TableColumn("Roles", "The roles of the node.") { node in
            let labels = node.at("metadata", "labels")?.object ?? [:]
            let roles = labels.keys.filter { $0.hasPrefix(roleLabel) }.map { String($0.dropFirst(roleLabel.count)) }
            return roles.isEmpty ? "<none>" : roles.sorted().joined(separator: ",")
        },
        .age,
        TableColumn("Version", "The version of the node's agent.") {
            $0.at("status", "nodeInfo", "kubeletVersion")?.string ?? ""
        },
        TableColumn("Internal-IP", priority: 1, "The address within the cluster.") { address($0, "InternalIP") },
        TableColumn("External-IP", priority: 1, "The address outside.") { address($0, "ExternalIP") },
        TableColumn("OS-Image", priority: 1, "The operating system.") { information($0, "osImage") },
        TableColumn("Kernel-Version", priority: 1, "The kernel.") { information($0, "kernelVersion") },
        TableColumn("Container-Runtime", priority: 1, "The container runtime.") {
            information($0, "containerRuntimeVersion")
        },
    ]

    private static func address(_ node: JSONValue, _ type: String) -> String {
        (node.at("status", "addresses")?.array ?? []).first { $0["type"]?.string == type }?["address"]?.string
            ?? "<none>"
    }

    private static func information(_ node: JSONValue, _ field: String) -> String {
        node.at("status", "nodeInfo", field)?.string.orNone ?? "<unknown>"
    }
}
