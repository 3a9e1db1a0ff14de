import KubernetesAPI
import KubernetesClient
import Testing

@Suite(.serialized, .timeLimit(.minutes(2))) struct GarbageTests {
    @Test func `Dependents go with their last owner, and are let go by the others`() async throws {
        try await ControlPlane.run { plane in
            let client = plane.client
            func make(_ name: String, owners: [ConfigMap] = []) async throws -> ConfigMap {
                let references = owners.map {
                    OwnerReference(
                        apiVersion: "v1", kind: "ConfigMap", name: $0.metadata.name ?? "", uid: $0.metadata.uid ?? "",
                        blockOwnerDeletion: true)
                }
                return try await client.create(
                    ConfigMap(
                        metadata: ObjectMeta(
                            name: name, namespace: "default", ownerReferences: references.isEmpty ? nil : references)))
            }
            func names() async throws -> Set<String> {
                let items = try await client.list(ConfigMap.self, namespace: "default").items
                return Set(items.compactMap(\.metadata.name)).subtracting(["kube-root-ca.crt"])
            }
            func owners(_ name: String) async throws -> [String] {
                let object = try await client.get(ConfigMap.self, namespace: "default", name: name)
                return object.metadata.ownerReferences?.map(\.name) ?? []
            }
            let first = try await make("first")
            let second = try await make("second")
            _ = try await make("one", owners: [first])
            _ = try await make("both", owners: [first, second])
            try await client.delete(
                ConfigMap.resource, namespace: "default", name: "first", propagation: .foreground)
            try await plane.eventually("the owner goes after its dependent") {
                try await names() == ["second", "both"]
            }
            #expect(try await owners("both") == ["second"])

            try await client.delete(ConfigMap.resource, namespace: "default", name: "second", propagation: .orphan)
            try await plane.eventually("the orphan stays") { try await names() == ["both"] }
            #expect(try await owners("both") == [])
        }
    }
}
