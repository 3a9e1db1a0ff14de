import JSON
import KubernetesAPI
import KubernetesClient
import Testing

@Suite(.serialized, .timeLimit(.minutes(2))) struct ControlPlaneTests {
    static func deployment(_ name: String, replicas: Int, image: String = "web:1") -> Deployment {
        Deployment(
            metadata: ObjectMeta(name: name, namespace: "default"),
            spec: DeploymentSpec(
                replicas: replicas, selector: LabelSelector(matchLabels: ["app": name]),
                template: [
                    "metadata": ["labels": ["app": .string(name)]],
                    "spec": ["containers": [["name": "c", "image": .string(image)]]],
                ]))
    }

    @Test func `A Deployment runs, spreads, is published on both families, is rolled out and goes`() async throws {
        try await ControlPlane.run { plane in
            let client = plane.client
            try await plane.addNode("a")
            try await plane.addNode("b")
            try await plane.eventually("the nodes have blocks of both families") {
                let nodes = try await client.list(Node.self).items
                return Set(nodes.flatMap(\.podCIDRs)) == [
                    "10.244.0.0/24", "10.244.1.0/24", "fd00:10:244::/64", "fd00:10:244:1::/64",
                ]
            }
            try await client.create(Self.deployment("web", replicas: 4))
            try await plane.eventually("four pods are available") {
                let status = try await client.get(Deployment.self, namespace: "default", name: "web").status
                return status?.availableReplicas == 4 && status?.conditions?.isTrue("Available") ?? false
            }
            let pods = try await client.list(Pod.self, namespace: "default", labelSelector: "app=web").items
            #expect(pods.count == 4)
            #expect(pods.filter { $0.spec?.nodeName == "a" }.count == 2)
            #expect(pods.allSatisfy { $0.metadata.controllerOwner?.kind == "ReplicaSet" })

            try await client.create(
                Service(
                    metadata: ObjectMeta(name: "web", namespace: "default"),
                    spec: ServiceSpec(
                        type: "ClusterIP", selector: ["app": "web"], ports: [ServicePort(port: 80)],
                        ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack")))
            try await plane.eventually("slices of both families") {
                let slices = try await client.list(
                    EndpointSlice.self, namespace: "default", labelSelector: "kubernetes.io/service-name=web"
                ).items
                let ready = slices.map { $0.endpoints?.count { $0.conditions?.ready == true } }
                return Set(slices.map(\.addressType)) == ["IPv4", "IPv6"] && ready == [4, 4]
            }
            try await plane.eventually("Endpoints of the primary family") {
                let endpoints = try await client.get(Endpoints.self, namespace: "default", name: "web")
                return endpoints.subsets?.first?.addresses?.count == 4
            }

            let _: Deployment = try await client.patch(
                Deployment.self, namespace: "default", name: "web",
                patch: [
                    "spec": ["template": Self.deployment("web", replicas: 4, image: "web:2").spec?.template ?? .null]
                ])
            try await plane.eventually("the rollout is complete") {
                let deployment = try await client.get(Deployment.self, namespace: "default", name: "web")
                let status = deployment.status
                return status?.observedGeneration == deployment.metadata.generation && status?.updatedReplicas == 4
                    && status?.replicas == 4 && status?.availableReplicas == 4
                    && status?.conditions?["Progressing"]?.reason == "NewReplicaSetAvailable"
            }
            let sets = try await client.list(ReplicaSet.self, namespace: "default").items
            #expect(sets.compactMap(\.spec?.replicas).sorted() == [0, 4])

            try await client.delete(Deployment.self, namespace: "default", name: "web", propagation: .background)
            try await client.delete(Service.self, namespace: "default", name: "web")
            try await plane.eventually("nothing remains of it") {
                let sets = try await client.list(ReplicaSet.self, namespace: "default").items
                let pods = try await client.list(Pod.self, namespace: "default").items
                let slices = try await client.list(
                    EndpointSlice.self, namespace: "default", labelSelector: "kubernetes.io/service-name=web"
                ).items
                return sets.isEmpty && pods.isEmpty && slices.isEmpty
            }
        }
    }

    @Test func `Namespaces are filled and emptied, and the cluster has its DNS Service`() async throws {
        try await ControlPlane.run { plane in
            let client = plane.client
            try await plane.eventually("the DNS Service has its fixed addresses") {
                let service = try await client.get(Service.self, namespace: "kube-system", name: "kube-dns")
                return service.spec?.clusterIPs == ["10.96.0.10", "fd00:10:96::a"]
            }
            try await client.create(Namespace(metadata: ObjectMeta(name: "team")))
            try await plane.eventually("account and certificate are there") {
                _ = try await client.get(ServiceAccount.self, namespace: "team", name: "default")
                let map = try await client.get(ConfigMap.self, namespace: "team", name: "kube-root-ca.crt")
                return map.data?["ca.crt"]?.contains("BEGIN CERTIFICATE") ?? false
            }
            try await plane.addNode("a")
            var deployment = Self.deployment("web", replicas: 2)
            deployment.metadata.namespace = "team"
            try await client.create(deployment)
            try await plane.eventually("pods run") {
                try await client.list(Pod.self, namespace: "team").items.count { $0.isReady } == 2
            }
            try await client.delete(Namespace.self, namespace: nil, name: "team")
            try await plane.eventually("the namespace is gone") {
                try await !client.list(Namespace.self).items.contains { $0.name == "team" }
            }
        }
    }

    @Test func `A namespace that others hold keeps what it has, and goes when they let go`() async throws {
        try await ControlPlane.run { plane in
            let client = plane.client
            let metadata = ObjectMeta(
                name: "held", labels: ["team": "x"], annotations: ["note": "y"], finalizers: ["example.com/hold"])
            try await client.create(Namespace(metadata: metadata))
            try await client.delete(Namespace.self, namespace: nil, name: "held")
            try await plane.eventually("the controller has emptied it") {
                let namespace = try await client.get(Namespace.self, namespace: nil, name: "held")
                return namespace.spec?.finalizers?.isEmpty ?? true
            }
            let held = try await client.get(Namespace.self, namespace: nil, name: "held")
            #expect(held.isBeingDeleted)
            #expect(held.metadata.finalizers == ["example.com/hold"])
            #expect(held.metadata.labels?["team"] == "x")
            #expect(held.metadata.annotations?["note"] == "y")
            let refusal = await #expect(throws: StatusError.self) {
                try await client.create(ConfigMap(metadata: ObjectMeta(name: "late", namespace: "held")))
            }
            #expect(refusal?.code == 403)
            #expect(refusal?.details?.causes.map(\.reason) == ["NamespaceTerminating"])
            let _: Namespace = try await client.patch(
                Namespace.self, namespace: nil, name: "held", patch: ["metadata": ["finalizers": .null]])
            try await plane.eventually("the namespace is gone") {
                try await !client.list(Namespace.self).items.contains { $0.name == "held" }
            }
        }
    }

    @Test func `A DaemonSet follows the nodes, foreground deletion ends with the dependents`() async throws {
        try await ControlPlane.run { plane in
            let client = plane.client
            try await plane.addNode("a")
            try await client.create(
                DaemonSet(
                    metadata: ObjectMeta(name: "d", namespace: "default"),
                    spec: DaemonSetSpec(
                        selector: LabelSelector(matchLabels: ["app": "d"]),
                        template: Self.deployment("d", replicas: 1).spec?.template)))
            func ready() async throws -> Int {
                try await client.get(DaemonSet.self, namespace: "default", name: "d").status?.numberReady ?? 0
            }
            try await plane.eventually("one pod on the first node") { try await ready() == 1 }
            try await plane.addNode("b")
            try await plane.eventually("one more on the second") { try await ready() == 2 }
            let pods = try await client.list(Pod.self, namespace: "default").items
            #expect(Set(pods.compactMap(\.spec?.nodeName)) == ["a", "b"])
            try await client.delete(DaemonSet.self, namespace: "default", name: "d", propagation: .foreground)
            try await plane.eventually("set and pods are gone") {
                let sets = try await client.list(DaemonSet.self, namespace: "default").items
                let pods = try await client.list(Pod.self, namespace: "default").items
                return sets.isEmpty && pods.isEmpty
            }
        }
    }

    @Test func `A pod that fits nowhere says why and is bound when it fits`() async throws {
        try await ControlPlane.run { plane in
            let client = plane.client
            try await client.create(
                [
                    "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p"],
                    "spec": ["containers": [["name": "c", "image": "i"]], "nodeSelector": ["zone": "x"]],
                ], in: .pods, namespace: "default")
            try await plane.addNode("a")
            try await plane.eventually("the reason is in the status") {
                let pod = try await client.get(Pod.self, namespace: "default", name: "p")
                return pod.status?.conditions?["PodScheduled"]?.message?.contains("node affinity/selector") ?? false
            }
            try await plane.eventually("an event says it too") {
                try await client.list(Event.self, namespace: "default").items.contains {
                    $0.reason == "FailedScheduling"
                }
            }
            let _: Node = try await client.patch(
                Node.self, namespace: nil, name: "a", patch: ["metadata": ["labels": ["zone": "x"]]])
            try await plane.eventually("the pod runs") {
                try await client.get(Pod.self, namespace: "default", name: "p").isReady
            }
        }
    }
}
