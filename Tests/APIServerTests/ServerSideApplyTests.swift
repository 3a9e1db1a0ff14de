import AsyncHTTPClient
import JSON
import KubernetesAPI
import NIOHTTP1
import Testing

@Suite("Server-side apply and the owners of fields", .serialized)
struct ServerSideApplyTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"
    private static let services = "/api/v1/namespaces/default/services"

    private static func map(_ data: JSONValue) -> JSONValue {
        ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"], "data": data]
    }

    @Test("Two managers share an object: created, taken along, refused, forced, let go")
    func managers() async throws {
        try await ServerHarness.run { server in
            func apply(_ data: JSONValue, _ query: String) async throws -> ServerHarness.Answer {
                try await server.send(
                    "PATCH", Self.maps + "/a?" + query, Self.map(data), type: "application/apply-patch+yaml")
            }
            let created = try await apply(["x": "1", "y": "1"], "fieldManager=one")
            #expect(created.code == 201, "\(created.text)")
            #expect(created.json.at("metadata", "managedFields")?[0]?["operation"] == "Apply")
            let again = try await apply(["x": "1", "y": "1"], "fieldManager=one")
            #expect(again.code == 200)
            #expect(again.json == created.json, "An apply without change leaves the version and the time")

            let conflict = try await apply(["x": "2"], "fieldManager=two")
            #expect(conflict.code == 409)
            #expect(conflict.json["message"] == #"Apply failed with 1 conflict: conflict with "one": .data.x"#)
            let cause: JSONValue = [
                "reason": "FieldManagerConflict", "message": #"conflict with "one""#, "field": ".data.x",
            ]
            #expect(conflict.json.at("details", "causes") == [cause])
            let both = try await apply(["x": "2", "y": "2"], "fieldManager=two")
            #expect(
                both.json["message"]
                    == .string("Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.x\n- .data.y"))

            let dry = try await apply(["x": "2"], "fieldManager=two&force=true&dryRun=All")
            #expect(dry.json["data"] == ["x": "2", "y": "1"])
            #expect(try await server.send("GET", Self.maps + "/a").json == created.json)
            #expect(try await apply(["x": "2"], "fieldManager=two&force=true").code == 200)
            let gone = try await apply(["z": "3"], "fieldManager=one")
            #expect(gone.json["data"] == ["x": "2", "z": "3"])
            #expect(gone.json.at("metadata", "managedFields")?.array?.count == 2)
        }
    }

    @Test("A plain write takes what it changes, and names the program that wrote")
    func writers() async throws {
        try await ServerHarness.run { server in
            func owners(_ object: JSONValue) -> [String] {
                (object.at("metadata", "managedFields")?.array ?? []).map { entry in
                    "\(entry["manager"]?.string ?? "") \(entry["operation"]?.string ?? "") "
                        + "\(entry["subresource"]?.string ?? "-") \(entry["fieldsV1"]?.text(sortedKeys: true) ?? "")"
                }
            }
            let service: JSONValue = [
                "apiVersion": "v1", "kind": "Service", "metadata": ["name": "s"], "spec": ["ports": [["port": 80]]],
            ]
            let created = try await server.send("POST", Self.services + "?fieldManager=me", service)
            #expect(
                owners(created.json) == [
                    #"me Update - {"f:spec":{"f:internalTrafficPolicy":{},"f:ports":{".":{},"#
                        + #""k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:protocol":{},"f:targetPort":{}}},"#
                        + #""f:sessionAffinity":{},"f:type":{}}}"#
                ])
            let condition: JSONValue = [
                "type": "Ready", "status": "True", "reason": "Ok", "message": "",
                "lastTransitionTime": "2030-01-01T00:00:00Z",
            ]
            let status = try await server.send(
                "PATCH", Self.services + "/s/status?fieldManager=lb", ["status": ["conditions": [condition]]],
                type: "application/merge-patch+json")
            let noted = owners(status.json).first { $0.hasPrefix("lb") } ?? status.text
            #expect(
                noted.hasPrefix(#"lb Update status {"f:status":{"f:conditions":{".":{},"k:{\"type\":\"Ready\"}":"#),
                "\(noted)")
            let taken = try await server.send(
                "PATCH", Self.services + "/s?fieldManager=you", ["spec": ["type": "NodePort"]],
                type: "application/strategic-merge-patch+json")
            #expect(owners(taken.json).contains(#"you Update - {"f:spec":{"f:externalTrafficPolicy":{},"f:type":{}}}"#))
            let same = try await server.send(
                "PATCH", Self.services + "/s?fieldManager=third", ["spec": ["type": "NodePort"]],
                type: "application/strategic-merge-patch+json")
            #expect(same.json == taken.json, "A write without change notes nobody")
            let forgotten = try await server.send(
                "PATCH", Self.services + "/s", ["metadata": ["managedFields": []]],
                type: "application/merge-patch+json")
            #expect(owners(forgotten.json) == [])
            let untracked = try await server.send(
                "PATCH", Self.services + "/s?fieldManager=you", ["metadata": ["labels": ["a": "b"]]],
                type: "application/merge-patch+json")
            #expect(owners(untracked.json) == [])
            let applied = try await server.send(
                "PATCH", Self.services + "/s?fieldManager=you",
                ["apiVersion": "v1", "kind": "Service", "metadata": ["labels": ["a": "c"]]],
                type: "application/apply-patch+yaml")
            #expect(
                applied.json["message"]
                    == #"Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .metadata.labels.a"#
            )
        }
    }

    @Test("The status is applied apart from the object")
    func status() async throws {
        try await ServerHarness.run { server in
            func service(_ other: JSONObject) -> JSONValue {
                var object: JSONObject = ["apiVersion": "v1", "kind": "Service", "metadata": ["name": "s"]]
                for (key, value) in other { object[key] = value }
                return .object(object)
            }
            let status: JSONValue = ["loadBalancer": ["ingress": [["ip": "192.0.2.1"]]]]
            let missing = try await server.send(
                "PATCH", Self.services + "/s/status?fieldManager=m", service(["status": status]),
                type: "application/apply-patch+yaml")
            #expect(missing.code == 404)
            let spec: JSONValue = ["ports": [["port": 80]], "type": "LoadBalancer"]
            let created = try await server.send(
                "PATCH", Self.services + "/s?fieldManager=m", service(["spec": spec, "status": status]),
                type: "application/apply-patch+yaml")
            #expect(created.code == 201, "\(created.text)")
            #expect(created.json.at("status", "loadBalancer", "ingress") == nil)
            let applied = try await server.send(
                "PATCH", Self.services + "/s/status?fieldManager=m",
                service(["spec": ["type": "NodePort"], "status": status]), type: "application/apply-patch+yaml")
            #expect(applied.json.at("status", "loadBalancer", "ingress")?[0]?["ip"] == "192.0.2.1", "\(applied.text)")
            #expect(applied.json.at("spec", "type") == "LoadBalancer")
            let entries = applied.json.at("metadata", "managedFields")?.array ?? []
            #expect(entries.compactMap { $0["subresource"]?.string } == ["status"])
        }
    }

    @Test(
        "What cannot be applied is refused in Kubernetes' words",
        arguments: [
            (
                "", ["metadata": ["name": "a"]], 422,
                #"PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch"#
            ),
            (
                "fieldManager=a%07", [:], 422,
                "invalid character U+0007 (at position 1)"
            ),
            ("fieldManager=m", ["kind": "Secret"], 400, "invalid object type: /v1, Kind=Secret"),
            ("fieldManager=m", ["apiVersion": "apps/v1"], 400, "invalid object type: apps/v1, Kind=ConfigMap"),
            (
                "fieldManager=m", ["metadata": ["name": "b"]], 400,
                "the name of the object (b) does not match the name on the URL (a)"
            ),
            (
                "fieldManager=m", ["metadata": ["namespace": "b"]], 400,
                "the namespace of the provided object does not match the namespace sent on the request"
            ),
            ("fieldManager=m", ["metadata": ["managedFields": [[:]]]], 400, "metadata.managedFields must be nil"),
            (
                "fieldManager=m", ["foo": 1], 400,
                "failed to create typed patch object (default/a; /v1, Kind=ConfigMap): .foo: field not declared in "
                    + "schema"
            ),
            (
                "fieldManager=m", ["metadata": ["uid": "u"]], 409,
                #"Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid u, "#
                    + "and no existing object was found"
            ),
        ] as [(String, JSONValue, Int, String)])
    func refusals(query: String, change: JSONValue, code: Int, message: String) async throws {
        try await ServerHarness.run { server in
            var body: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap"]
            body.mergePatch(change)
            if change["metadata"]?["managedFields"] != nil { body = Self.map([:]) }
            body.set(change.at("metadata", "managedFields"), at: "metadata", "managedFields")
            let answer = try await server.send(
                "PATCH", Self.maps + "/a?" + query, body, type: "application/apply-patch+yaml")
            #expect(answer.code == code)
            #expect(answer.json["message"]?.string?.hasSuffix(message) ?? false, "\(answer.text)")
        }
    }

    @Test("YAML is applied as JSON is, and kubectl's annotation follows")
    func yaml() async throws {
        try await ServerHarness.run { server in
            let name = "kubectl.kubernetes.io/last-applied-configuration"
            var object = Self.map(["x": "1"])
            object.set(.string(object.text()), at: "metadata", "annotations", name)
            #expect(
                try await server.send("POST", Self.maps + "?fieldManager=kubectl-client-side-apply", object).code == 201
            )
            let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: \"2\"\n"
            let answer = try await server.open(
                "PATCH", Self.maps + "/a?fieldManager=kubectl", Array(text.utf8), type: "application/apply-patch+yaml")
            #expect(answer.status.code == 200)
            let stored = try await server.send("GET", Self.maps + "/a").json
            #expect(stored["data"] == ["x": "2"])
            let annotation = stored.at("metadata", "annotations", name)?.string ?? ""
            #expect(annotation.contains(#""x":"2""#))
        }
    }
}

@Suite("Patches and what they are refused for", .serialized)
struct PatchTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"
    private static let json = "application/json-patch+json"
    private static let merge = "application/merge-patch+json"
    private static let strategic = "application/strategic-merge-patch+json"
    private static let refused = "the server rejected our request due to an error in our request"

    @Test(
        "Each refusal has its code and its words",
        arguments: [
            (json, "", [["op": "test", "path": "/data/x", "value": "2"]], 422, refused),
            (json, "", [["op": "remove", "path": "/data/y"]], 422, refused),
            (json, "", [["op": "jump", "path": "/data/y"]], 422, refused),
            (json, "", ["op": "remove"], 400, "error decoding patch: a JSON patch must be an array of operations"),
            (merge, "", [], 400, "error decoding patch: a merge patch must be an object"),
            (
                merge, "", ["metadata": ["name": "b"]], 400,
                "the name of the object (b) does not match the name on the URL (a)"
            ),
            (
                merge, "", ["metadata": ["namespace": "b"]], 400,
                "the namespace of the provided object does not match the namespace sent on the request"
            ),
            (
                merge, "", ["metadata": ["uid": "b"]], 409,
                "Precondition failed: UID in precondition: b, UID in object meta: "
            ),
            (
                merge, "", ["metadata": ["resourceVersion": "1"]], 409,
                "the object has been modified; please apply your changes to the latest version and try again"
            ),
            (
                merge, "force=true", [:], 422,
                #"PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch"#
            ),
            (merge, "dryRun=x", [:], 422, #"PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value"#),
            (merge, "", ["data": "x"], 422, #" "" is invalid: patch: Invalid value: "{"#),
            (merge, "fieldValidation=Strict", ["foo": 1], 422, #": strict decoding error: unknown field "foo""#),
            (
                strategic, "fieldValidation=Strict", ["foo": 1], 422,
                #" "" is invalid: patch: Invalid value: "{\"foo\":1}": strict decoding error: unknown field "foo""#
            ),
            (strategic, "", ["data": ["$patch": "jump"]], 400, "jump"),
            ("text/plain", "", [:], 415, "application/apply-patch+yaml"),
        ] as [(String, String, JSONValue, Int, String)])
    func refusals(type: String, query: String, patch: JSONValue, code: Int, message: String) async throws {
        try await ServerHarness.run { server in
            let object: JSONValue = [
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"], "data": ["x": "1"],
            ]
            let created = try await server.send("POST", Self.maps, object).json
            let answer = try await server.send("PATCH", Self.maps + "/a?" + query, patch, type: type)
            #expect(answer.code == code, "\(answer.text)")
            #expect(answer.json["message"]?.string?.contains(message) ?? false, "\(answer.text)")
            #expect(try await server.send("GET", Self.maps + "/a").json == created, "Nothing has changed")
        }
    }

    @Test("More than 10,000 operations are too many")
    func size() async throws {
        try await ServerHarness.run { server in
            let patch = JSONValue.array(Array(repeating: ["op": "test", "path": "/kind", "value": "x"], count: 10_001))
            let answer = try await server.send("PATCH", Self.maps + "/a", patch, type: Self.json)
            #expect(answer.code == 413)
            #expect(
                answer.json["message"]
                    == "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001")
        }
    }

    @Test("Unknown fields of a patch are warned of, and dropped")
    func warnings() async throws {
        try await ServerHarness.run { server in
            let object: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"]]
            _ = try await server.send("POST", Self.maps, object)
            let answer = try await server.send("PATCH", Self.maps + "/a", ["foo": 1], type: Self.merge)
            #expect(answer.code == 200)
            #expect(answer.json["foo"] == nil)
            #expect(answer.headers["warning"] == [#"299 - "unknown field \"foo\"""#])
        }
    }
}
