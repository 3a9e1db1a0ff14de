import JSON
import Testing

@Suite("The scale of a workload", .serialized)
struct ScaleTests {
    private static let path = "/apis/apps/v1/namespaces/default/deployments"
    private static let apply = "application/apply-patch+yaml"
    private static let merge = "application/merge-patch+json"

    private static func scale(_ replicas: JSONValue?) -> JSONValue {
        var scale: JSONValue = ["apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": ["name": "web"]]
        if let replicas { scale["spec"] = ["replicas": replicas] }
        return scale
    }

    private static func run(_ body: @escaping (ServerHarness) async throws -> Void) async throws {
        try await ServerHarness.run { server in
            let labels: JSONValue = ["app": "web"]
            let deployment: JSONValue = [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web"],
                "spec": [
                    "replicas": 1, "selector": ["matchLabels": labels],
                    "template": [
                        "metadata": ["labels": labels], "spec": ["containers": [["name": "c", "image": "i"]]],
                    ],
                ],
            ]
            let made = try await server.send("PATCH", path + "/web?fieldManager=owner", deployment, type: apply)
            #expect(made.code == 201, "\(made.text)")
            try await body(server)
        }
    }

    @Test("It is applied, and conflicts with who owns the replicas")
    func applies() async throws {
        try await Self.run { server in
            let path = Self.path + "/web/scale"
            let refused = try await server.send("PATCH", path + "?fieldManager=hpa", Self.scale(3), type: Self.apply)
            #expect(refused.code == 409)
            #expect(refused.json["message"]?.string?.contains(#"conflict with "owner""#) ?? false, "\(refused.text)")
            #expect(refused.json.at("details", "causes")?[0]?["field"] == ".spec.replicas")
            let applied = try await server.send(
                "PATCH", path + "?fieldManager=hpa&force=true", Self.scale(3), type: Self.apply)
            #expect(applied.code == 200, "\(applied.text)")
            #expect(applied.json["kind"] == "Scale")
            #expect(applied.json.at("spec", "replicas") == 3)
            let deployment = try await server.send("GET", Self.path + "/web").json
            #expect(deployment.at("spec", "replicas") == 3)
            let entries = deployment.at("metadata", "managedFields")?.array ?? []
            let scaled = entries.first { $0["manager"] == "hpa" }
            #expect(scaled?["subresource"] == "scale")
            #expect(scaled?["operation"] == "Apply")
            #expect(scaled?["fieldsV1"] == ["f:spec": ["f:replicas": [:]]])
            let missing = try await server.send(
                "PATCH", Self.path + "/none/scale?fieldManager=hpa",
                ["apiVersion": "autoscaling/v1", "kind": "Scale", "spec": ["replicas": 1]], type: Self.apply)
            #expect(missing.code == 404)
        }
    }

    @Test("What makes no sense is refused and scales nothing")
    func refusals() async throws {
        let rows: [(method: String, query: String, body: JSONValue, type: String, code: Int)] = [
            ("PUT", "", Self.scale("many"), "application/json", 400),
            ("PUT", "", Self.scale(-1), "application/json", 422),
            ("PUT", "", ["kind": "Deployment", "apiVersion": "apps/v1"], "application/json", 400),
            ("PUT", "", ["kind": "Scale", "metadata": ["name": "other"]], "application/json", 400),
            ("PUT", "?fieldValidation=Strict", ["kind": "Scale", "foo": 1], "application/json", 400),
            ("PATCH", "", ["spec": ["replicas": "many"]], Self.merge, 422),
            ("PATCH", "", ["spec": ["replicas": -1]], Self.merge, 422),
            ("PATCH", "", ["metadata": ["resourceVersion": "1"]], Self.merge, 409),
            ("PATCH", "?fieldManager=hpa", ["kind": "Deployment", "apiVersion": "apps/v1"], Self.apply, 400),
            ("PATCH", "?fieldManager=hpa&force=true", Self.scale(-1), Self.apply, 422),
            ("PATCH", "", Self.scale(2), Self.apply, 422),
        ]
        try await Self.run { server in
            for row in rows {
                let answer = try await server.send(
                    row.method, Self.path + "/web/scale" + row.query, row.body, type: row.type)
                #expect(answer.code == row.code, "\(row): \(answer.text)")
            }
            #expect(try await server.send("GET", Self.path + "/web/scale").json.at("spec", "replicas") == 1)
            let put = try await server.send("PUT", Self.path + "/web/scale", Self.scale(2))
            #expect(put.json.at("spec", "replicas") == 2)
            let patched = try await server.send(
                "PATCH", Self.path + "/web/scale", ["spec": ["replicas": 4]], type: Self.merge)
            #expect(patched.json.at("spec", "replicas") == 4)
        }
    }
}
