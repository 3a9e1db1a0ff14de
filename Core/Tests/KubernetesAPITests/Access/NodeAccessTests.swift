import JSON
import KubernetesAPI
import Testing

@Suite("What a node may do")
struct NodeAccessTests {
    private static let related: Set<NodeAccess.Related> = [
        .init(.pod, namespace: "a", name: "mine"), .init(.secret, namespace: "a", name: "key"),
        .init(.configMap, namespace: "a", name: "map"), .init(.serviceAccount, namespace: "a", name: "robot"),
    ]
    private static let unrelated = "no relationship found between node 'n' and this object"
    private static let otherLease = "can only access node lease with the same name as the requesting node"

    @Test(
        "Only what its pods need",
        arguments: [
            (AccessRequest("list", group: "", resource: "services"), nil),
            (AccessRequest("watch", group: "", resource: "nodes"), nil),
            (AccessRequest("watch", group: "discovery.k8s.io", resource: "endpointslices"), nil),
            (AccessRequest("create", group: "", resource: "services", namespace: "a"), ""),
            (AccessRequest("patch", group: "", resource: "nodes", subresource: "status", name: "n"), nil),
            (AccessRequest("delete", group: "", resource: "nodes", name: "n"), ""),
            (AccessRequest("get", group: "", resource: "nodes", subresource: "proxy", name: "m"), ""),
            (AccessRequest("create", group: "", resource: "events", namespace: "a"), nil),
            (AccessRequest("watch", group: "networking.k8s.io", resource: "servicecidrs"), nil),
            (AccessRequest("delete", group: "networking.k8s.io", resource: "servicecidrs", name: "a"), ""),
            (AccessRequest("watch", group: "network.duet.dev", resource: "nodenetworks"), nil),
            (
                AccessRequest(
                    "patch", group: "network.duet.dev", resource: "nodenetworks", subresource: "status", name: "n"), nil
            ),
            (AccessRequest("patch", group: "network.duet.dev", resource: "nodenetworks", name: "n"), ""),
            (AccessRequest("list", group: "network.duet.dev", resource: "addresspools"), ""),
            (AccessRequest("get", group: "", resource: "secrets", namespace: "a", name: "key"), nil),
            (AccessRequest("get", group: "", resource: "secrets", namespace: "b", name: "key"), unrelated),
            (AccessRequest("get", group: "", resource: "secrets", namespace: "a", name: "map"), unrelated),
            (AccessRequest("list", group: "", resource: "secrets"), "can only read namespaced object of this type"),
            (AccessRequest("list", group: "", resource: "secrets", namespace: "a"), "No Object name found"),
            (
                AccessRequest("update", group: "", resource: "secrets", namespace: "a", name: "key"),
                "can only read resources of this type"
            ),
            (AccessRequest("get", group: "", resource: "configmaps", namespace: "a", name: "map"), nil),
            (
                AccessRequest(
                    "create", group: "", resource: "serviceaccounts", subresource: "token", namespace: "a",
                    name: "robot"), nil
            ),
            (
                AccessRequest(
                    "create", group: "", resource: "serviceaccounts", subresource: "token", namespace: "a",
                    name: "other"), unrelated
            ),
            (
                AccessRequest("get", group: "", resource: "serviceaccounts", namespace: "a", name: "robot"),
                "can only create tokens for individual service accounts"
            ),
            (AccessRequest("get", group: "", resource: "pods", namespace: "a", name: "mine"), nil),
            (AccessRequest("get", group: "", resource: "pods", namespace: "a", name: "other"), unrelated),
            (
                AccessRequest("list", group: "", resource: "pods"),
                "can only list/watch pods with spec.nodeName field selector"
            ),
            (
                AccessRequest("patch", group: "", resource: "pods", subresource: "status", namespace: "a", name: "x"),
                nil
            ),
            (AccessRequest("get", group: "", resource: "pods", subresource: "exec", namespace: "a", name: "mine"), ""),
            (AccessRequest("update", group: "", resource: "pods", namespace: "a", name: "mine"), ""),
            (
                AccessRequest(
                    "update", group: "coordination.k8s.io", resource: "leases", namespace: "kube-node-lease", name: "n"),
                nil
            ),
            (
                AccessRequest(
                    "update", group: "coordination.k8s.io", resource: "leases", namespace: "kube-node-lease", name: "m"),
                otherLease
            ),
            (
                AccessRequest("get", group: "coordination.k8s.io", resource: "leases", namespace: "a", name: "n"),
                "can only access leases in the \"kube-node-lease\" system namespace"
            ),
            (
                AccessRequest("list", group: "coordination.k8s.io", resource: "leases", namespace: "kube-node-lease"),
                "can only get, create, update, patch, or delete a node lease"
            ),
            (AccessRequest("get", group: "rbac.authorization.k8s.io", resource: "clusterroles", name: "view"), ""),
            (AccessRequest("get", path: "/metrics"), ""),
        ] as [(AccessRequest, String?)])
    func table(request: AccessRequest, reason: String?) {
        let decision = NodeAccess.decide(request, of: "n") { Self.related.contains($0) }
        #expect(decision == reason.map(AccessDecision.noOpinion) ?? .allowed)
    }

    @Test("Pods are listed by their node")
    func selectedPods() {
        var request = AccessRequest("watch", group: "", resource: "pods")
        request.selectedFields = ["spec.nodeName": "n"]
        #expect(NodeAccess.decide(request, of: "n") { _ in false } == .allowed)
        #expect(NodeAccess.decide(request, of: "m") { _ in false } != .allowed)
    }

    @Test("A pod names Secrets and ConfigMaps in many places")
    func references() throws {
        let pod: JSONValue = [
            "spec": [
                "serviceAccountName": "robot", "imagePullSecrets": [["name": "s1"]],
                "containers": [
                    [
                        "envFrom": [["secretRef": ["name": "s2"]], ["configMapRef": ["name": "c1"]]],
                        "env": [["name": "A", "valueFrom": ["secretKeyRef": ["name": "s3", "key": "k"]]]],
                    ]
                ],
                "initContainers": [
                    ["env": [["name": "B", "valueFrom": ["configMapKeyRef": ["name": "c2", "key": "k"]]]]]
                ],
                "volumes": [
                    ["name": "a", "secret": ["secretName": "s4"]], ["name": "b", "configMap": ["name": "c3"]],
                    [
                        "name": "c",
                        "projected": ["sources": [["secret": ["name": "s5"]], ["configMap": ["name": "c4"]]]],
                    ],
                    ["name": "d", "csi": ["driver": "x", "nodePublishSecretRef": ["name": "s6"]]],
                ],
            ]
        ]
        let references = PodReferences(pod: pod)
        #expect(references.secrets == ["s1", "s2", "s3", "s4", "s5", "s6"])
        #expect(references.configMaps == ["c1", "c2", "c3", "c4"])
        #expect(references.serviceAccount == "robot")
    }
}
