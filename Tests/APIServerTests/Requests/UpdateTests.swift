import JSON
import NIOHTTP1
import Testing

@Suite("What an update needs, and what it makes", .serialized)
struct UpdateTests {
    private static let merge = "application/merge-patch+json"

    @Test("PUT makes an object that is not there, of the resources that Kubernetes lets it make")
    func creation() async throws {
        let rows: [(path: String, version: String, kind: String, body: JSONValue, code: Int)] = [
            ("/apis/coordination.k8s.io/v1/namespaces/default/leases", "coordination.k8s.io/v1", "Lease", [:], 201),
            ("/api/v1/namespaces/default/services", "v1", "Service", ["spec": ["ports": [["port": 80]]]], 201),
            ("/api/v1/namespaces/default/endpoints", "v1", "Endpoints", [:], 201),
            (
                "/api/v1/namespaces/default/events", "v1", "Event",
                ["involvedObject": ["namespace": "default"]], 201
            ),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles", "rbac.authorization.k8s.io/v1", "ClusterRole",
                ["rules": []], 201
            ),
            ("/api/v1/namespaces/default/configmaps", "v1", "ConfigMap", [:], 404),
            ("/api/v1/namespaces/default/serviceaccounts", "v1", "ServiceAccount", [:], 404),
            ("/api/v1/namespaces/default/secrets", "v1", "Secret", [:], 404),
        ]
        try await ServerHarness.run { server in
            for row in rows {
                var object = row.body
                object["apiVersion"] = .string(row.version)
                object["kind"] = .string(row.kind)
                object.set("made", at: "metadata", "name")
                object.set("77", at: "metadata", "resourceVersion")
                let path = row.path + "/made"
                let dry = try await server.send("PUT", path + "?dryRun=All", object)
                #expect(dry.code == row.code, "\(row.kind): \(dry.text)")
                #expect(try await server.send("GET", path).code == 404)
                let first = try await server.send("PUT", path, object)
                #expect(first.code == row.code, "\(row.kind): \(first.text)")
                guard row.code == 201 else { continue }
                let second = try await server.send("PUT", path, first.json)
                #expect(second.code == 200, "\(row.kind): \(second.text)")
                var other = object
                other.set("other", at: "metadata", "name")
                other.set("u", at: "metadata", "uid")
                let refused = try await server.send("PUT", row.path + "/other", other)
                #expect(refused.code == 409)
                #expect(
                    refused.json["message"]?.string?.hasSuffix(
                        "Precondition failed: UID in precondition: u, UID in object meta: ") ?? false)
            }
        }
    }

    @Test("A lease is replaced by those only who know its version; other objects by everyone")
    func versions() async throws {
        try await ServerHarness.run { server in
            let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
            var lease: JSONValue = [
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": ["name": "a"],
            ]
            #expect(try await server.send("POST", leases, lease).code == 201)
            lease["spec"] = ["holderIdentity": "me"]
            let refused = try await server.send("PUT", leases + "/a", lease)
            #expect(refused.code == 422)
            #expect(
                refused.json["message"]
                    == """
                    leases.coordination.k8s.io "a" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be \
                    specified for an update
                    """)
            #expect(refused.json.at("details", "causes")?[0]?["field"] == "metadata.resourceVersion")
            let unset = try await server.send(
                "PATCH", leases + "/a", ["metadata": ["resourceVersion": nil], "spec": ["holderIdentity": "me"]],
                type: Self.merge)
            #expect(unset.code == 422)
            let patched = try await server.send(
                "PATCH", leases + "/a", ["spec": ["holderIdentity": "me"]], type: Self.merge)
            #expect(patched.code == 200)
            #expect(try await server.send("PUT", leases + "/a", patched.json).code == 200)
            let maps = "/api/v1/namespaces/default/configmaps"
            let map: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"]]
            #expect(try await server.send("POST", maps, map).code == 201)
            #expect(try await server.send("PUT", maps + "/a", map).code == 200)
        }
    }

    @Test("Owners that are named twice are named once, with a warning")
    func owners() async throws {
        let maps = "/api/v1/namespaces/default/configmaps"
        func owner(_ uid: String, _ more: JSONObject = [:]) -> JSONValue {
            var owner: JSONObject = ["apiVersion": "v1", "kind": "Pod", "name": "p", "uid": .string(uid)]
            for (key, value) in more { owner[key] = value }
            return .object(owner)
        }
        let text = """
            API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your \
            requests; duplicate UID(s) observed: u, v
            """
        try await ServerHarness.run { server in
            let object: JSONValue = [
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": [
                    "name": "a",
                    "ownerReferences": [
                        owner("u"), owner("v"), owner("u"), owner("u"), owner("v"), owner("w"),
                        owner("w", ["controller": true]),
                    ],
                ],
            ]
            let created = try await server.send("POST", maps, object)
            let plain = #"299 - ".metadata.ownerReferences contains duplicate entries; \#(text)""#
            #expect(created.headers["warning"] == [plain])
            let kept = [owner("u"), owner("v"), owner("w"), owner("w", ["controller": true])]
            #expect(created.json.at("metadata", "ownerReferences") == .array(kept))
            let replaced = try await server.send("PUT", maps + "/a", object)
            #expect(replaced.headers["warning"] == [plain])
            let patched = try await server.send(
                "PATCH", maps + "/a",
                ["metadata": ["ownerReferences": [owner("u"), owner("v"), owner("u"), owner("v")]]], type: Self.merge)
            #expect(
                patched.headers["warning"] == [
                    #"299 - ".metadata.ownerReferences contains duplicate entries after mutating admission happens; "#
                        + #"\#(text)""#
                ])
            #expect(patched.json.at("metadata", "ownerReferences") == [owner("u"), owner("v")])
            let fine = try await server.send("PATCH", maps + "/a", ["data": ["k": "v"]], type: Self.merge)
            #expect(fine.headers["warning"].isEmpty)
        }
    }
}
