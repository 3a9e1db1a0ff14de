import JSON
import KubernetesAPI

extension ResourceRegistry {
    static func roles(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(.roles, columns: [.name, created], strategy: strategy) {
            $0.isCreatedByUpdate = true
        }
    }

    static func clusterRoles(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(.clusterRoles, columns: [.name, created], strategy: strategy) {
            $0.isCreatedByUpdate = true
        }
    }

    static func roleBindings(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(.roleBindings, columns: bindingColumns, strategy: strategy) {
            $0.isCreatedByUpdate = true
        }
    }

    static func clusterRoleBindings(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(.clusterRoleBindings, columns: bindingColumns, strategy: strategy) {
            $0.isCreatedByUpdate = true
        }
    }

    static let created = TableColumn("Created At", type: "date", "When the object was created.") { object, _ in
        object.at("metadata", "creationTimestamp") ?? ""
    }

    private static let bindingColumns: [TableColumn] = [
        .name,
        TableColumn("Role", "The role that is given.") { binding in
            "\(binding.at("roleRef", "kind")?.string ?? "")/\(binding.at("roleRef", "name")?.string ?? "")"
        },
        .age,
        subjects("Users", "User"), subjects("Groups", "Group"), subjects("ServiceAccounts", "ServiceAccount"),
    ]

    /// The subjects of a kind, shown with `-o wide`.
    private static func subjects(_ name: String, _ kind: String) -> TableColumn {
        TableColumn(name, priority: 1, "\(name) that the role is given to.") { binding in
            (binding["subjects"]?.array ?? []).filter { $0["kind"]?.string == kind }.map { subject in
                let namespace = subject["namespace"]?.string ?? ""
                return (namespace.isEmpty ? "" : "\(namespace)/") + (subject["name"]?.string ?? "")
            }.joined(separator: ", ")
        }
    }
}
