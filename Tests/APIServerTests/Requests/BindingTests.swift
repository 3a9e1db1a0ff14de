import JSON
import KubernetesAPI
import Testing

/// Subresources of pods through the server, and the collection that assigns pods to nodes.
@Suite(.serialized) struct BindingTests {
    private static let namespace = "/api/v1/namespaces/default"

    private static func pod(_ name: String) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": .string(name)],
            "spec": ["containers": [["name": "c", "image": "i", "resources": ["requests": ["cpu": "1"]]]]],
        ]
    }

    private static func binding(_ pod: String?, _ target: JSONValue = ["kind": "Node", "name": "n1"]) -> JSONValue {
        var binding: JSONValue = ["apiVersion": "v1", "kind": "Binding", "metadata": [:], "target": target]
        if let pod { binding.set(.string(pod), at: "metadata", "name") }
        return binding
    }

    @Test func `a pod is assigned to a node through either path`() async throws {
        try await ServerHarness.run { server in
            for name in ["a", "b", "c"] {
                #expect(try await server.send("POST", Self.namespace + "/pods", Self.pod(name)).code == 201)
            }
            var annotated = Self.binding("a")
            annotated.set(["note": "x"], at: "metadata", "annotations")
            let collection = try await server.send("POST", Self.namespace + "/bindings", annotated)
            #expect(collection.code == 201)
            #expect(
                collection.json == [
                    "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201,
                ])
            let bound = try await server.send("GET", Self.namespace + "/pods/a").json
            #expect(bound.at("spec", "nodeName") == "n1")
            #expect(bound.at("metadata", "annotations", "note") == "x")
            #expect(bound.at("status", "conditions")?[0]?["type"] == "PodScheduled")
            // The pod's own path needs no name, and the binary form is as good.
            #expect(try await server.send("POST", Self.namespace + "/pods/b/binding", Self.binding(nil)).code == 201)
            let binary = "application/vnd.kubernetes.protobuf"
            let sent = try await server.send(
                "POST", Self.namespace + "/bindings", bytes: ProtobufBody.encode(Self.binding("c")), type: binary,
                accept: binary)
            #expect(sent.code == 201)
            #expect(try ProtobufBody.decode(sent.bytes)["status"] == "Success")
            for name in ["b", "c"] {
                #expect(
                    try await server.send("GET", Self.namespace + "/pods/\(name)").json.at("spec", "nodeName") == "n1")
            }
        }
    }

    @Test func `what cannot be assigned is refused`() async throws {
        try await ServerHarness.run { server in
            for name in ["a", "free"] { _ = try await server.send("POST", Self.namespace + "/pods", Self.pod(name)) }
            #expect(
                try await server.send("POST", Self.namespace + "/bindings?dryRun=All", Self.binding("free")).code == 201
            )
            #expect(try await server.send("POST", Self.namespace + "/bindings", Self.binding("a")).code == 201)
            var foreign = Self.binding("free")
            foreign.set("other", at: "metadata", "namespace")
            var former = Self.binding("free")
            former.set("former", at: "metadata", "uid")
            let rows: [(path: String, body: JSONValue, code: Int, message: String)] = [
                (
                    "/bindings", Self.binding("a"), 409,
                    #"Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n1""#
                ),
                ("/bindings", Self.binding("absent"), 404, #"pods "absent" not found"#),
                (
                    "/bindings", Self.binding(nil), 422,
                    #"Binding "" is invalid: metadata.name: Required value: name of the pod is required"#
                ),
                (
                    "/bindings", Self.binding("free", [:]), 422,
                    #"Binding "free" is invalid: target.name: Required value"#
                ),
                (
                    "/bindings", Self.binding("free", ["kind": "Pod", "name": "x"]), 422,
                    #"Binding "free" is invalid: target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>""#
                ),
                ("/pods/free/binding", Self.binding("a"), 400, "name in URL does not match name in Binding object"),
                (
                    "/bindings", foreign, 400,
                    "the namespace of the provided object does not match the namespace sent on the request"
                ),
                (
                    "/bindings", Self.pod("free"), 400,
                    "the API version in the data (v1, kind Pod) does not match the expected API version (v1, kind Binding)"
                ),
            ]
            for row in rows {
                let answer = try await server.send("POST", Self.namespace + row.path, row.body)
                #expect(answer.code == row.code, "\(row)")
                #expect(answer.json["message"]?.string == row.message)
            }
            let other = try await server.send("POST", Self.namespace + "/bindings", former)
            #expect(other.code == 409)
            #expect(other.json["message"]?.string?.contains("UID in precondition: former") == true)
            #expect(try await server.send("GET", Self.namespace + "/pods/free").json.at("spec", "nodeName") == nil)
            for method in ["GET", "DELETE"] {
                #expect(try await server.send(method, Self.namespace + "/bindings").code == 405)
            }
            let resources = try await server.send("GET", "/api/v1").json["resources"]?.array ?? []
            let entry = resources.first { $0["name"] == "bindings" }
            #expect(entry?["kind"] == "Binding")
            #expect(entry?["verbs"] == ["create"])
        }
    }

    @Test func `a pod is resized through its subresource alone`() async throws {
        try await ServerHarness.run { server in
            #expect(try await server.send("POST", Self.namespace + "/pods", Self.pod("p")).code == 201)
            let path = Self.namespace + "/pods/p/resize"
            let patch: JSONValue = ["spec": ["containers": [["name": "c", "resources": ["requests": ["cpu": "2"]]]]]]
            let type = "application/strategic-merge-patch+json"
            #expect(try await server.send("PATCH", Self.namespace + "/pods/p", patch, type: type).code == 422)
            let patched = try await server.send("PATCH", path, patch, type: type)
            #expect(patched.code == 200, "\(patched.text)")
            #expect(patched.json.at("metadata", "generation") == 2)
            var pod = try await server.send("GET", path).json
            #expect(pod == patched.json)
            pod.set([["name": "c", "image": "i", "resources": ["requests": ["cpu": "3"]]]], at: "spec", "containers")
            let put = try await server.send("PUT", path, pod)
            #expect(put.code == 200, "\(put.text)")
            #expect(put.json.at("spec", "containers")?[0]?.at("resources", "requests", "cpu") == "3")
            #expect(try await server.send("DELETE", path).code == 405)
            #expect(try await server.send("PATCH", Self.namespace + "/pods/q/resize", patch, type: type).code == 404)
        }
    }
}
