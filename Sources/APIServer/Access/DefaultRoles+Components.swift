import KubernetesAPI

extension DefaultRoles {
    /// Roles for components that Duet does not start itself, by which those of others find what they know.
    static let componentRoles: [Role] = [
        Role(name: "system:node", rules: node),
        Role(name: "system:kubelet-api-admin", rules: nodeAdministration),
        Role(name: "system:node-problem-detector", rules: nodeDiagnosis),
        Role(
            name: "system:kube-dns",
            rules: [PolicyRule(["list", "watch"], groups: core, resources: ["endpoints", "services"])]),
        Role(name: "system:kube-controller-manager", rules: controllerManagement),
        Role(
            name: "system:service-account-issuer-discovery",
            rules: [PolicyRule(["get"], urls: [IssuerDiscovery.configurationPath, IssuerDiscovery.keysPath])]),
    ]

    /// Nodes get their rights by name and not by role, so nobody is bound to theirs.
    static let componentBindings: [Binding] = [
        Binding(role: "system:node"), Binding(role: "system:kube-dns", accounts: ["kube-dns"]),
        Binding(role: "system:kube-controller-manager", users: ["system:kube-controller-manager"]),
        Binding(role: "system:service-account-issuer-discovery", groups: ["system:serviceaccounts"]),
    ]

    private static let node = [
        PolicyRule(["create"], groups: ["authentication.k8s.io"], resources: ["tokenreviews"]),
        PolicyRule(
            ["create"], groups: ["authorization.k8s.io"],
            resources: ["localsubjectaccessreviews", "subjectaccessreviews"]),
        PolicyRule(read, groups: core, resources: ["services"]),
        PolicyRule(["create"] + read, groups: core, resources: ["nodes"]),
        PolicyRule(["patch", "update"], groups: core, resources: ["nodes", "nodes/status", "pods/status"]),
        PolicyRule(["create", "delete"] + read, groups: core, resources: ["pods"]),
        PolicyRule(["create"], groups: core, resources: ["pods/eviction", "serviceaccounts/token"]),
        PolicyRule(read, groups: core, resources: ["configmaps", "secrets"]),
        PolicyRule(["get"], groups: core, resources: ["endpoints", "serviceaccounts"]),
        PolicyRule(read, groups: ["discovery.k8s.io"], resources: ["endpointslices"]),
        PolicyRule(
            ["create", "delete", "get", "patch", "update"], groups: ["coordination.k8s.io"], resources: ["leases"]),
        events,
    ]

    private static let nodeAdministration = [
        PolicyRule(read + ["proxy"], groups: core, resources: ["nodes"]),
        PolicyRule(
            ["*"], groups: core,
            resources: [
                "nodes/checkpoint", "nodes/configz", "nodes/healthz", "nodes/log", "nodes/metrics", "nodes/pods",
                "nodes/proxy", "nodes/stats",
            ]),
    ]

    private static let nodeDiagnosis = [
        PolicyRule(["get"], groups: core, resources: ["nodes"]),
        PolicyRule(["patch"], groups: core, resources: ["nodes/status"]), events,
    ]

    private static let controllerManagement = [
        PolicyRule(["create"], groups: ["coordination.k8s.io"], resources: ["leases"]),
        PolicyRule(
            ["get", "list", "update", "watch"], groups: ["coordination.k8s.io"], resources: ["leases"],
            names: ["kube-controller-manager"]),
        PolicyRule(["create"], groups: core, resources: ["secrets", "serviceaccounts", "serviceaccounts/token"]),
        PolicyRule(["delete"], groups: core, resources: ["secrets"]),
        PolicyRule(["get"], groups: core, resources: ["configmaps", "namespaces", "secrets", "serviceaccounts"]),
        PolicyRule(["update"], groups: core, resources: ["secrets", "serviceaccounts"]),
        PolicyRule(["create"], groups: ["authentication.k8s.io"], resources: ["tokenreviews"]),
        PolicyRule(["create"], groups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"]),
        PolicyRule(["list", "watch"], groups: ["*"], resources: ["*"]),
        events,
    ]
}
