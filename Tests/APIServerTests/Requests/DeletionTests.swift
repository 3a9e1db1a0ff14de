import Foundation
import JSON
import KubernetesAPI
import Testing

@Suite("Deletions and their options", .serialized)
struct DeletionTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"
    private static let pods = "/api/v1/namespaces/default/pods"

    private static func map(_ name: String, finalizers: [JSONValue] = []) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["name": .string(name), "finalizers": .array(finalizers)],
        ]
    }

    @Test("Options that contradict one another or mean nothing are refused, and nothing is deleted")
    func refusals() async throws {
        let invalid = #"DeleteOptions.meta.k8s.io "" is invalid: "#
        let supported = #"supported values: "Foreground", "Background", "Orphan", "nil""#
        let both = "orphanDependents and deletionPropagation cannot be both set"
        let rows: [(query: String, body: JSONValue?, code: Int, message: String)] = [
            (
                "", ["orphanDependents": true, "propagationPolicy": "Foreground"], 422,
                invalid + #"propagationPolicy: Invalid value: "Foreground": \#(both)"#
            ),
            (
                "?orphanDependents=false&propagationPolicy=Orphan", nil, 422,
                invalid + #"propagationPolicy: Invalid value: "Orphan": \#(both)"#
            ),
            (
                "", ["propagationPolicy": "Never"], 422,
                invalid + #"propagationPolicy: Unsupported value: "Never": \#(supported)"#
            ),
            (
                "", ["propagationPolicy": "Never", "orphanDependents": false, "dryRun": ["x"]], 422,
                invalid + #"[propagationPolicy: Invalid value: "Never": \#(both), propagationPolicy: "#
                    + #"Unsupported value: "Never": \#(supported), dryRun: Unsupported value: ["x"]: "#
                    + #"supported values: "All"]"#
            ),
            ("", ["kind": "Pod"], 400, "decoded object cannot be converted to DeleteOptions"),
            ("", [], 400, "decoded object cannot be converted to DeleteOptions"),
            (
                "", ["gracePeriodSeconds": "soon"], 400,
                #"DeleteOptions in version "v1" cannot be handled as a DeleteOptions: json: cannot unmarshal string "#
                    + "into Go struct field DeleteOptions.gracePeriodSeconds of type int64"
            ),
            (
                "", ["preconditions": ["uid": "u"]], 409,
                "the UID in the precondition (u) does not match the UID in record ("
            ),
            (
                "", ["preconditions": ["resourceVersion": "1"]], 409,
                "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record ("
            ),
        ]
        try await ServerHarness.run { server in
            #expect(try await server.send("POST", Self.maps, Self.map("a")).code == 201)
            for row in rows {
                let answer = try await server.send("DELETE", Self.maps + "/a" + row.query, row.body)
                #expect(answer.code == row.code, "\(answer.text)")
                #expect(answer.json["message"]?.string?.contains(row.message) ?? false, "\(answer.text)")
            }
            #expect(try await server.send("GET", Self.maps + "/a").code == 200)
            #expect(try await server.send("DELETE", "/api/v1/configmaps").code == 405, "Not in all namespaces at once")
            #expect(try await server.send("GET", Self.maps + "/a").code == 200)
            #expect(try await server.send("DELETE", Self.maps).code == 200)
            #expect(try await server.send("GET", Self.maps + "/a").code == 404)
        }
    }

    @Test("The answer tells what became of the object")
    func answers() async throws {
        let rows: [(finalizers: [JSONValue], options: JSONValue, code: Int, kind: JSONValue, left: [JSONValue])] = [
            ([], [:], 200, "Status", []), ([], ["propagationPolicy": "Background"], 200, "Status", []),
            ([], ["orphanDependents": false], 200, "Status", []),
            (["x.y/z"], [:], 200, "ConfigMap", ["x.y/z"]),
            (["x.y/z"], ["orphanDependents": false], 202, "ConfigMap", ["x.y/z"]),
            ([], ["orphanDependents": true], 200, "ConfigMap", ["orphan"]),
            ([], ["propagationPolicy": "Orphan"], 200, "ConfigMap", ["orphan"]),
            ([], ["propagationPolicy": "Foreground"], 200, "ConfigMap", ["foregroundDeletion"]),
            (["orphan"], ["propagationPolicy": "Foreground"], 200, "ConfigMap", ["foregroundDeletion"]),
            (["orphan"], ["propagationPolicy": "Background"], 200, "Status", []),
            (["foregroundDeletion"], [:], 200, "ConfigMap", ["foregroundDeletion"]),
        ]
        try await ServerHarness.run { server in
            for (index, row) in rows.enumerated() {
                let path = Self.maps + "/m\(index)"
                #expect(
                    try await server.send("POST", Self.maps, Self.map("m\(index)", finalizers: row.finalizers)).code
                        == 201)
                let answer = try await server.send("DELETE", path, row.options)
                #expect(answer.code == row.code, "row \(index): \(answer.text)")
                #expect(answer.json["kind"] == row.kind, "row \(index)")
                #expect((answer.json.at("metadata", "finalizers") ?? []) == .array(row.left), "row \(index)")
                guard row.kind == "ConfigMap" else { continue }
                #expect(answer.json.at("metadata", "deletionGracePeriodSeconds") == 0)
                let again = try await server.send("POST", Self.maps, Self.map("m\(index)"))
                #expect(
                    again.json["message"]?.string
                        == #"object is being deleted: configmaps "m\#(index)" already exists"#)
            }
            for (path, kind) in [("serviceaccounts/default", "ServiceAccount"), ("services/kubernetes", "Service")] {
                let account: JSONValue = [
                    "apiVersion": "v1", "kind": "ServiceAccount", "metadata": ["name": "default"],
                ]
                if kind == "ServiceAccount" {
                    _ = try await server.send("POST", "/api/v1/namespaces/default/serviceaccounts", account)
                }
                let answer = try await server.send("DELETE", "/api/v1/namespaces/default/" + path)
                #expect(answer.json["kind"]?.string == kind, "A \(kind) itself is the answer")
            }
        }
    }

    @Test("A pod's grace period can be shortened, and a negative one is a second")
    func grace() async throws {
        // What the pod says, and the periods that deletions ask for one after another with what is left afterwards.
        let rows: [(own: Int, asked: [(Int?, Int)])] = [
            (30, [(nil, 30), (60, 30), (nil, 30), (10, 10), (-5, 1)]), (5, [(60, 60), (nil, 60), (61, 60), (2, 2)]),
            (30, [(-1, 1), (1, 1)]),
        ]
        try await ServerHarness.run { server in
            for (index, row) in rows.enumerated() {
                let pod: JSONValue = [
                    "apiVersion": "v1", "kind": "Pod", "metadata": ["name": .string("p\(index)")],
                    "spec": [
                        "nodeName": "n", "terminationGracePeriodSeconds": .integer(Int64(row.own)),
                        "containers": [["name": "c", "image": "i"]],
                    ],
                ]
                #expect(try await server.send("POST", Self.pods, pod).code == 201)
                var began: Int64?
                for (asked, left) in row.asked {
                    let options: JSONValue? = asked.map { ["gracePeriodSeconds": .integer(Int64($0))] }
                    let answer = try await server.send("DELETE", Self.pods + "/p\(index)", options).json
                    #expect(answer.at("metadata", "deletionGracePeriodSeconds")?.int == left, "row \(index) \(left)")
                    #expect(answer.at("metadata", "generation") == 2)
                    let end = try #require(
                        answer.at("metadata", "deletionTimestamp")?.string.flatMap { Timestamp($0) })
                    #expect(began ?? (end.seconds - Int64(left)) == end.seconds - Int64(left))
                    began = end.seconds - Int64(left)
                }
                let removed = try await server.send("DELETE", Self.pods + "/p\(index)", ["gracePeriodSeconds": 0])
                #expect(removed.code == 200)
                #expect(try await server.send("GET", Self.pods + "/p\(index)").code == 404)
            }
        }
    }
}
