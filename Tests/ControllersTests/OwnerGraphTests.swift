import Controllers
import KubernetesAPI
import Testing

@Suite struct OwnerGraphTests {
    static func vertex(
        _ name: String, owners: [String] = [], blocking: Bool = true, finalizers: [String]? = nil,
        deleting: Bool = false
    ) -> OwnerGraph.Vertex {
        let references = owners.map {
            OwnerReference(
                apiVersion: "v1", kind: "ConfigMap", name: $0, uid: $0, controller: true, blockOwnerDeletion: blocking)
        }
        return OwnerGraph.Vertex(
            ConfigMap(
                metadata: ObjectMeta(
                    name: name, namespace: "n", uid: name, deletionTimestamp: deleting ? "2024-01-01T00:00:00Z" : nil,
                    ownerReferences: references.isEmpty ? nil : references, finalizers: finalizers)))
    }

    static func graph(_ vertices: OwnerGraph.Vertex...) -> OwnerGraph {
        var graph = OwnerGraph()
        for vertex in vertices {
            graph.insert(vertex)
        }
        return graph
    }

    @Test func `An object is verified when none of its owners is known`() {
        var graph = Self.graph(Self.vertex("a"), Self.vertex("b", owners: ["a", "x"]))
        #expect(graph.step(for: "b") == .none)
        #expect(graph.dependents(of: "a") == ["b"])
        graph.remove("a")
        #expect(graph.step(for: "b") == .verify(Self.vertex("b", owners: ["a", "x"]).owners))
        #expect(graph.step(for: "a") == .none)
    }

    @Test func `A foreground deletion deletes blocking dependents, waits for them and ends`() {
        let owner = Self.vertex("a", finalizers: [OwnerGraph.foreground], deleting: true)
        let dependent = Self.vertex("b", owners: ["a"])
        var graph = Self.graph(owner, dependent, Self.vertex("c", owners: ["a"], blocking: false))
        #expect(graph.step(for: "a") == .deleteDependents([dependent]))
        graph.insert(Self.vertex("b", owners: ["a"], deleting: true))
        #expect(graph.step(for: "a") == .none)
        graph.remove("b")
        #expect(graph.step(for: "a") == .removeFinalizer(OwnerGraph.foreground))
    }

    @Test func `An orphaning deletion frees the dependents first`() {
        let dependent = Self.vertex("b", owners: ["a"])
        var graph = Self.graph(Self.vertex("a", finalizers: [OwnerGraph.orphan], deleting: true), dependent)
        #expect(graph.step(for: "a") == .orphan([dependent]))
        graph.insert(Self.vertex("b"))
        #expect(graph.step(for: "a") == .removeFinalizer(OwnerGraph.orphan))
        #expect(graph.step(for: "b") == .none)
    }
}
