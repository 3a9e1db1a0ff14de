extension Resource {
    /// Core `namespaces`.
    public static let namespaces = Resource(core: "namespaces", "Namespace", isNamespaced: false)
    /// Core `nodes`.
    public static let nodes = Resource(core: "nodes", "Node", isNamespaced: false)
    /// Core `pods`.
    public static let pods = Resource(core: "pods", "Pod")
    /// Core `bindings`: what is created there assigns a pod to a node, and is not kept.
    public static let bindings = Resource(core: "bindings", "Binding")
    /// Core `services`.
    public static let services = Resource(core: "services", "Service")
    /// Core `endpoints`.
    public static let endpoints = Resource(core: "endpoints", "Endpoints")
    /// Core `configmaps`.
    public static let configMaps = Resource(core: "configmaps", "ConfigMap")
    /// Core `secrets`.
    public static let secrets = Resource(core: "secrets", "Secret")
    /// Core `serviceaccounts`.
    public static let serviceAccounts = Resource(core: "serviceaccounts", "ServiceAccount")
    /// Core `events`.
    public static let events = Resource(core: "events", "Event")
    /// `endpointslices` of `discovery.k8s.io`.
    public static let endpointSlices = Resource("discovery.k8s.io", "endpointslices", "EndpointSlice")
    /// `leases` of `coordination.k8s.io`.
    public static let leases = Resource("coordination.k8s.io", "leases", "Lease")
    /// `deployments` of `apps`.
    public static let deployments = Resource("apps", "deployments", "Deployment")
    /// `replicasets` of `apps`.
    public static let replicaSets = Resource("apps", "replicasets", "ReplicaSet")
    /// `daemonsets` of `apps`.
    public static let daemonSets = Resource("apps", "daemonsets", "DaemonSet")

    /// `roles` of `rbac.authorization.k8s.io`.
    public static let roles = Resource(rbac, "roles", "Role")
    /// `rolebindings` of `rbac.authorization.k8s.io`.
    public static let roleBindings = Resource(rbac, "rolebindings", "RoleBinding")
    /// `clusterroles` of `rbac.authorization.k8s.io`.
    public static let clusterRoles = Resource(rbac, "clusterroles", "ClusterRole", isNamespaced: false)
    /// `clusterrolebindings` of `rbac.authorization.k8s.io`.
    public static let clusterRoleBindings = Resource(
        rbac, "clusterrolebindings", "ClusterRoleBinding", isNamespaced: false)
    private static let rbac = "rbac.authorization.k8s.io"
    /// `servicecidrs` of `networking.k8s.io`.
    public static let serviceCIDRs = Resource("networking.k8s.io", "servicecidrs", "ServiceCIDR", isNamespaced: false)
    /// `ipaddresses` of `networking.k8s.io`.
    public static let ipAddresses = Resource("networking.k8s.io", "ipaddresses", "IPAddress", isNamespaced: false)

    /// `addresspools` of `network.duet.dev`.
    public static let addressPools = Resource(duet: "addresspools", "AddressPool")
    /// `nodenetworks` of `network.duet.dev`.
    public static let nodeNetworks = Resource(duet: "nodenetworks", "NodeNetwork")

    /// Every resource above.
    public static let all: [Resource] = [
        .namespaces, .nodes, .pods, .services, .endpoints, .configMaps, .secrets, .serviceAccounts, .events,
        .endpointSlices, .leases, .deployments, .replicaSets, .daemonSets,
        .roles, .roleBindings, .clusterRoles, .clusterRoleBindings, .serviceCIDRs, .ipAddresses,
        .addressPools, .nodeNetworks,
    ]

    private init(duet plural: String, _ kind: String) {
        self.init(group: "network.duet.dev", version: "v1alpha1", plural: plural, kind: kind, isNamespaced: false)
    }

    private init(core plural: String, _ kind: String, isNamespaced: Bool = true) {
        self.init(group: "", version: "v1", plural: plural, kind: kind, isNamespaced: isNamespaced)
    }

    private init(_ group: String, _ plural: String, _ kind: String, isNamespaced: Bool = true) {
        self.init(group: group, version: "v1", plural: plural, kind: kind, isNamespaced: isNamespaced)
    }
}
