/// What an authorizer has to say on a request.
public enum AccessDecision: Sendable, Hashable {
    /// It is allowed.
    case allowed
    /// This authorizer does not allow it; the text, which may be empty, says why.
    case noOpinion(String)
}

/// What a node may do: run the pods that are bound to it, and nothing else.
///
/// Follows the node authorizer of Kubernetes, except that nodes may read all nodes and EndpointSlices, because a node's
/// network is run under the node's own identity.
public enum NodeAccess {
    /// An object that may or may not have to do with a node's pods.
    public struct Related: Sendable, Hashable {
        /// The kind of object.
        public enum Kind: Sendable, Hashable {
            /// A pod bound to the node.
            case pod
            /// A Secret that such a pod names.
            case secret
            /// A ConfigMap that such a pod names.
            case configMap
            /// The service account of such a pod.
            case serviceAccount
        }

        /// The kind.
        public let kind: Kind
        /// Namespace.
        public let namespace: String
        /// Name.
        public let name: String

        /// Names an object.
        public init(_ kind: Kind, namespace: String, name: String) {
            self.kind = kind
            self.namespace = namespace
            self.name = name
        }
    }

    /// Reading that is the same for all nodes, and events.
    private static let rules = [
        PolicyRule(["get", "list", "watch"], groups: [""], resources: ["namespaces", "nodes", "services"]),
        PolicyRule(["get", "list", "watch"], groups: ["discovery.k8s.io"], resources: ["endpointslices"]),
        PolicyRule(["get"], groups: [""], resources: ["endpoints"]),
        PolicyRule(["list", "watch"], groups: ["networking.k8s.io"], resources: ["servicecidrs"]),
        PolicyRule(["get", "list", "watch"], groups: ["network.duet.dev"], resources: ["nodenetworks"]),
        // Admission limits these to the node's own object.
        PolicyRule(["create", "update", "patch"], groups: [""], resources: ["nodes"]),
        PolicyRule(["update", "patch"], groups: [""], resources: ["nodes/status"]),
        PolicyRule(["update", "patch"], groups: ["network.duet.dev"], resources: ["nodenetworks/status"]),
        PolicyRule(["create", "update", "patch"], groups: ["", "events.k8s.io"], resources: ["events"]),
        PolicyRule(["create"], groups: ["authentication.k8s.io"], resources: ["tokenreviews"]),
        PolicyRule(
            ["create"], groups: ["authorization.k8s.io"],
            resources: ["subjectaccessreviews", "localsubjectaccessreviews"]),
    ]

    /// Decides on a request of a node.
    ///
    /// - Parameter isRelated: True when the object has to do with a pod that is bound to the node.
    public static func decide(
        _ request: AccessRequest, of node: String, isRelated: (Related) -> Bool
    ) -> AccessDecision {
        switch (request.group, request.resource) {
        case ("", "secrets"): return read(request, .secret, node, isRelated)
        case ("", "configmaps"): return read(request, .configMap, node, isRelated)
        case ("", "serviceaccounts"): return token(request, node, isRelated)
        case ("", "pods"): return pod(request, node, isRelated)
        case ("coordination.k8s.io", "leases"): return lease(request, node)
        default: return rules.contains { $0.allows(request) } ? .allowed : .noOpinion("")
        }
    }

    private static func read(
        _ request: AccessRequest, _ kind: Related.Kind, _ node: String, _ isRelated: (Related) -> Bool
    ) -> AccessDecision {
        guard ["get", "list", "watch"].contains(request.verb) else {
            return .noOpinion("can only read resources of this type")
        }
        guard request.subresource.isEmpty else { return .noOpinion("cannot read subresource") }
        guard !request.namespace.isEmpty else {
            return .noOpinion("can only read namespaced object of this type")
        }
        return related(request, kind, node, isRelated)
    }

    private static func related(
        _ request: AccessRequest, _ kind: Related.Kind, _ node: String, _ isRelated: (Related) -> Bool
    ) -> AccessDecision {
        guard !request.name.isEmpty else { return .noOpinion("No Object name found") }
        guard isRelated(Related(kind, namespace: request.namespace, name: request.name)) else {
            return .noOpinion("no relationship found between node '\(node)' and this object")
        }
        return .allowed
    }

    private static func token(
        _ request: AccessRequest, _ node: String, _ isRelated: (Related) -> Bool
    ) -> AccessDecision {
        guard request.verb == "create", !request.name.isEmpty else {
            return .noOpinion("can only create tokens for individual service accounts")
        }
        guard request.subresource == "token" else {
            return .noOpinion("can only create token subresource of serviceaccount")
        }
        return related(request, .serviceAccount, node, isRelated)
    }

    private static func pod(
        _ request: AccessRequest, _ node: String, _ isRelated: (Related) -> Bool
    ) -> AccessDecision {
        switch (request.subresource, request.verb) {
        case ("", "get"): return related(request, .pod, node, isRelated)
        case ("", "list"), ("", "watch"):
            if request.selectedFields["spec.nodeName"] == node { return .allowed }
            guard request.name.isEmpty else { return related(request, .pod, node, isRelated) }
            return .noOpinion("can only list/watch pods with spec.nodeName field selector")
        // Admission limits these to pods bound to the node.
        case ("", "create"), ("", "delete"), ("status", "update"), ("status", "patch"), ("eviction", "create"):
            return .allowed
        default: return .noOpinion("")
        }
    }

    private static func lease(_ request: AccessRequest, _ node: String) -> AccessDecision {
        guard ["get", "create", "update", "patch", "delete"].contains(request.verb) else {
            return .noOpinion("can only get, create, update, patch, or delete a node lease")
        }
        guard request.namespace == WellKnownNamespace.nodeLease else {
            return .noOpinion("can only access leases in the \"\(WellKnownNamespace.nodeLease)\" system namespace")
        }
        // A creation names the lease in its body, where admission looks.
        guard request.verb == "create" || request.name == node else {
            return .noOpinion("can only access node lease with the same name as the requesting node")
        }
        return .allowed
    }
}

/// Namespaces that every cluster has.
public enum WellKnownNamespace {
    /// Where nodes renew their leases.
    public static let nodeLease = "kube-node-lease"
    /// Where the cluster's own components live.
    public static let system = "kube-system"
    /// What everybody who is known may read.
    public static let `public` = "kube-public"
}
