import JSON
import KubernetesAPI

/// The roles and bindings that every cluster has, as Kubernetes names them, and those of Duet's own components.
enum DefaultRoles {
    /// A ClusterRole of every cluster.
    struct Role: Sendable {
        let name: String
        var rules: [PolicyRule] = []
        /// The roles that take up these rules: `admin`, `edit`, `view`.
        var feeds: [String] = []
        /// True for a role that is the sum of those that feed it.
        var isAggregated = false
    }

    /// A ClusterRoleBinding of every cluster, named like its role.
    struct Binding: Sendable {
        let role: String
        var users: [String] = []
        var groups: [String] = []
        /// Service accounts of `kube-system`.
        var accounts: [String] = []
    }

    /// The user as which the controllers in the server act.
    static let controllers = "duet:controllers"

    static let read = ["get", "list", "watch"]
    private static let write = ["create", "delete", "deletecollection", "patch", "update"]
    static let core = [""]

    static let roles: [Role] =
        [
            Role(name: "cluster-admin", rules: PolicyRule.everything),
            Role(name: "admin", isAggregated: true),
            Role(name: "edit", feeds: ["admin"], isAggregated: true),
            Role(name: "view", feeds: ["edit"], isAggregated: true),
            Role(name: "system:aggregate-to-admin", rules: administering, feeds: ["admin"]),
            Role(name: "system:aggregate-to-edit", rules: editing, feeds: ["edit"]),
            Role(name: "system:aggregate-to-view", rules: viewing, feeds: ["view"]),
            Role(
                name: "system:discovery",
                rules: [
                    PolicyRule(
                        ["get"],
                        urls: [
                            "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*",
                            "/readyz",
                            "/version", "/version/",
                        ])
                ]),
            Role(
                name: "system:basic-user",
                rules: [
                    PolicyRule(
                        ["create"], groups: ["authorization.k8s.io"],
                        resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
                    PolicyRule(["create"], groups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"]),
                ]),
            Role(
                name: "system:public-info-viewer",
                rules: [PolicyRule(["get"], urls: ["/healthz", "/livez", "/readyz", "/version", "/version/"])]),
            Role(
                name: "system:monitoring",
                rules: [
                    PolicyRule(
                        ["get"],
                        urls: [
                            "/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/metrics/slis", "/readyz",
                            "/readyz/*",
                        ])
                ]),
            Role(
                name: "system:auth-delegator",
                rules: [
                    PolicyRule(["create"], groups: ["authentication.k8s.io"], resources: ["tokenreviews"]),
                    PolicyRule(["create"], groups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"]),
                ]),
            Role(name: "system:node-proxier", rules: proxying),
            Role(name: "system:kube-scheduler", rules: scheduling),
            Role(name: controllers, rules: controlling),
        ] + componentRoles

    static let bindings: [Binding] =
        [
            Binding(role: "cluster-admin", groups: [User.masters]),
            Binding(role: "system:discovery", groups: [User.authenticated]),
            Binding(role: "system:basic-user", groups: [User.authenticated]),
            Binding(role: "system:public-info-viewer", groups: [User.authenticated, User.unauthenticated]),
            Binding(role: "system:monitoring", groups: ["system:monitoring"]),
            Binding(role: "system:node-proxier", users: ["system:kube-proxy"]),
            Binding(role: "system:kube-scheduler", users: ["system:kube-scheduler"]),
            Binding(role: controllers, users: [controllers]),
        ] + componentBindings

    // MARK: Rules

    private static let viewing = [
        PolicyRule(
            read, groups: core,
            resources: [
                "configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status", "pods",
                "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts", "services",
                "services/status", "bindings", "events", "limitranges", "namespaces/status", "pods/log", "pods/status",
                "replicationcontrollers/status", "resourcequotas", "resourcequotas/status", "namespaces",
            ]),
        PolicyRule(read, groups: ["discovery.k8s.io"], resources: ["endpointslices"]),
        PolicyRule(
            read, groups: ["apps"],
            resources: [
                "controllerrevisions", "daemonsets", "daemonsets/status", "deployments", "deployments/scale",
                "deployments/status", "replicasets", "replicasets/scale", "replicasets/status", "statefulsets",
                "statefulsets/scale", "statefulsets/status",
            ]),
        PolicyRule(
            read, groups: ["autoscaling"],
            resources: ["horizontalpodautoscalers", "horizontalpodautoscalers/status"]),
        PolicyRule(read, groups: ["batch"], resources: ["cronjobs", "cronjobs/status", "jobs", "jobs/status"]),
        PolicyRule(
            read, groups: ["networking.k8s.io"], resources: ["ingresses", "ingresses/status", "networkpolicies"]),
        PolicyRule(read, groups: ["policy"], resources: ["poddisruptionbudgets", "poddisruptionbudgets/status"]),
    ]

    private static let editing = [
        PolicyRule(
            read, groups: core,
            resources: ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"]),
        PolicyRule(["impersonate"], groups: core, resources: ["serviceaccounts"]),
        PolicyRule(
            write, groups: core,
            resources: ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"]),
        PolicyRule(["create"], groups: core, resources: ["pods/eviction"]),
        PolicyRule(
            write, groups: core,
            resources: [
                "configmaps", "events", "persistentvolumeclaims", "replicationcontrollers",
                "replicationcontrollers/scale", "secrets", "serviceaccounts", "services", "services/proxy",
            ]),
        PolicyRule(["create"], groups: core, resources: ["serviceaccounts/token"]),
        PolicyRule(
            write, groups: ["apps"],
            resources: [
                "daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets",
                "replicasets/scale", "statefulsets", "statefulsets/scale",
            ]),
        PolicyRule(write, groups: ["autoscaling"], resources: ["horizontalpodautoscalers"]),
        PolicyRule(write, groups: ["batch"], resources: ["cronjobs", "jobs"]),
        PolicyRule(write, groups: ["networking.k8s.io"], resources: ["ingresses", "networkpolicies"]),
        PolicyRule(write, groups: ["policy"], resources: ["poddisruptionbudgets"]),
        PolicyRule(read + write, groups: ["coordination.k8s.io"], resources: ["leases"]),
    ]

    private static let administering = [
        PolicyRule(["create"], groups: ["authorization.k8s.io"], resources: ["localsubjectaccessreviews"]),
        PolicyRule(read + write, groups: ["rbac.authorization.k8s.io"], resources: ["rolebindings", "roles"]),
    ]

    static let events = PolicyRule(
        ["create", "patch", "update"], groups: ["", "events.k8s.io"], resources: ["events"])

    private static let proxying = [
        PolicyRule(["list", "watch"], groups: core, resources: ["endpoints", "services"]),
        PolicyRule(read, groups: core, resources: ["nodes"]),
        PolicyRule(["list", "watch"], groups: ["discovery.k8s.io"], resources: ["endpointslices"]),
        PolicyRule(["list", "watch"], groups: ["networking.k8s.io"], resources: ["servicecidrs"]),
        events,
    ]

    private static let scheduling = [
        PolicyRule(["create"], groups: ["coordination.k8s.io"], resources: ["leases"]),
        PolicyRule(
            ["get", "list", "update", "watch"], groups: ["coordination.k8s.io"], resources: ["leases"],
            names: ["kube-scheduler"]),
        PolicyRule(read, groups: core, resources: ["namespaces", "nodes", "services"]),
        PolicyRule(["delete", "get", "list", "watch"], groups: core, resources: ["pods"]),
        PolicyRule(["create"], groups: core, resources: ["bindings", "pods/binding"]),
        PolicyRule(["patch", "update"], groups: core, resources: ["pods/status"]),
        PolicyRule(read, groups: ["apps"], resources: ["replicasets", "statefulsets"]),
        events,
    ]

    /// Ownership and the end of namespaces reach every resource; what is made anew is named.
    private static let controlling = [
        PolicyRule(
            read + ["delete", "deletecollection", "patch", "update"], groups: ["*"], resources: ["*"]),
        PolicyRule(
            ["create"], groups: core,
            resources: [
                "configmaps", "endpoints", "pods", "pods/binding", "pods/eviction", "serviceaccounts", "services",
            ]),
        PolicyRule(["create"], groups: ["apps"], resources: ["controllerrevisions", "replicasets"]),
        PolicyRule(["create"], groups: ["coordination.k8s.io"], resources: ["leases"]),
        PolicyRule(["create"], groups: ["discovery.k8s.io"], resources: ["endpointslices"]),
        PolicyRule(["create"], groups: ["networking.k8s.io"], resources: ["ipaddresses", "servicecidrs"]),
        PolicyRule(["create"], groups: ["network.duet.dev"], resources: ["addresspools", "nodenetworks"]),
        // The rules of an aggregated role are those of others.
        PolicyRule(["escalate"], groups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"]),
        events,
    ]
}

extension DefaultRoles.Role {
    private static let aggregationPrefix = "rbac.authorization.k8s.io/aggregate-to-"

    /// The role as an object, with the rules that it has when every role is as it comes.
    var object: JSONValue {
        var object: JSONValue = ["metadata": DefaultRoles.metadata(name)]
        for target in feeds {
            object.set("true", at: "metadata", "labels", Self.aggregationPrefix + target)
        }
        if isAggregated {
            object["aggregationRule"] = [
                "clusterRoleSelectors": [["matchLabels": [Self.aggregationPrefix + name: "true"]]]
            ]
        }
        object["rules"] = .array(allRules.map(\.json))
        return object
    }

    private var allRules: [PolicyRule] {
        guard isAggregated else { return rules }
        return DefaultRoles.roles.filter { $0.feeds.contains(name) }.flatMap(\.allRules)
    }
}

extension DefaultRoles.Binding {
    /// The binding as an object.
    var object: JSONValue {
        let group: JSONValue = .string(Resource.roles.group)
        let subjects = [("User", users), ("Group", groups)].flatMap { kind, names in
            names.map { JSONValue(object: ["apiGroup": group, "kind": .string(kind), "name": .string($0)]) }
        }
        let systemAccounts = accounts.map {
            JSONValue(object: ["kind": "ServiceAccount", "name": .string($0), "namespace": "kube-system"])
        }
        return [
            "metadata": DefaultRoles.metadata(role),
            "roleRef": ["apiGroup": group, "kind": "ClusterRole", "name": .string(role)],
            "subjects": .array(subjects + systemAccounts),
        ]
    }
}

extension DefaultRoles {
    /// The annotation by which an operator keeps an object as it is.
    static let autoUpdate = "rbac.authorization.kubernetes.io/autoupdate"

    fileprivate static func metadata(_ name: String) -> JSONValue {
        [
            "name": .string(name), "annotations": [autoUpdate: "true"],
            "labels": ["kubernetes.io/bootstrapping": "rbac-defaults"],
        ]
    }
}

extension JSONValue {
    fileprivate init(object: JSONObject) { self = .object(object) }
}
