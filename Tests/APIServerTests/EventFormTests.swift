import JSON
import KubernetesAPI
import Testing

@Suite("Events in both groups that serve them", .serialized)
struct EventFormTests {
    private static let old = "/api/v1/namespaces/default/events"
    private static let new = "/apis/events.k8s.io/v1/namespaces/default/events"
    private static let merge = "application/merge-patch+json"
    private static let protobuf = "application/vnd.kubernetes.protobuf"

    /// The same event in both forms.
    private static let oldEvent: JSONValue = [
        "apiVersion": "v1", "kind": "Event", "metadata": ["name": "old"], "reason": "Started", "message": "it runs",
        "involvedObject": ["kind": "Pod", "name": "p", "namespace": "default"], "type": "Normal",
        "source": ["component": "kubelet", "host": "n1"], "count": 3, "firstTimestamp": "2026-01-02T03:04:05Z",
        "lastTimestamp": "2026-01-02T03:04:06Z",
    ]
    private static let newEvent: JSONValue = [
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": ["name": "new"], "reason": "Chosen",
        "note": "it goes there", "regarding": ["kind": "Pod", "name": "q", "namespace": "default"], "type": "Normal",
        "reportingController": "example.com/chooser", "reportingInstance": "chooser-1", "action": "Choosing",
        "eventTime": "2026-01-02T03:04:05.000006Z",
    ]

    @Test("What is written in one form is read, listed, watched and changed in the other")
    func conversion() async throws {
        try await ServerHarness.run { server in
            #expect(try await server.send("POST", Self.old, Self.oldEvent).code == 201)
            let made = try await server.send("POST", Self.new, Self.newEvent)
            #expect(made.code == 201, "\(made.text)")
            #expect(made.json["apiVersion"] == "events.k8s.io/v1")
            #expect(made.json["note"] == "it goes there")

            let asNew = try await server.send("GET", Self.new + "/old").json
            #expect(asNew["apiVersion"] == "events.k8s.io/v1")
            #expect(asNew["regarding"] == Self.oldEvent["involvedObject"])
            #expect(asNew["note"] == "it runs")
            #expect(asNew["deprecatedSource"] == Self.oldEvent["source"])
            #expect(asNew["deprecatedCount"] == 3)
            #expect(asNew["deprecatedFirstTimestamp"] == "2026-01-02T03:04:05Z")
            #expect(asNew["deprecatedLastTimestamp"] == "2026-01-02T03:04:06Z")
            for name in ["involvedObject", "message", "source", "count"] { #expect(asNew[name] == nil) }
            let asOld = try await server.send("GET", Self.old + "/new").json
            #expect(asOld["apiVersion"] == "v1")
            #expect(asOld["involvedObject"] == Self.newEvent["regarding"])
            #expect(asOld["message"] == "it goes there")
            #expect(asOld["reportingComponent"] == "example.com/chooser")
            #expect(asOld.at("metadata", "resourceVersion") == made.json.at("metadata", "resourceVersion"))

            let list = try await server.send("GET", Self.new).json
            #expect(list["kind"] == "EventList")
            #expect(list["apiVersion"] == "events.k8s.io/v1")
            #expect(list["items"]?.array?.compactMap { $0["note"]?.string } == ["it goes there", "it runs"])
            let all = try await server.send("GET", "/apis/events.k8s.io/v1/events").json
            #expect(all["items"]?.array?.count == 2)
            let watch = try await server.send(
                "GET", Self.new + "?watch=true&timeoutSeconds=1&fieldSelector=regarding.name%3Dq")
            #expect(watch.text.contains(#""note":"it goes there""#) && !watch.text.contains("it runs"))

            let patched = try await server.send(
                "PATCH", Self.new + "/old", ["note": "it walks", "deprecatedCount": 4], type: Self.merge)
            #expect(patched.code == 200, "\(patched.text)")
            let changed = try await server.send("GET", Self.old + "/old").json
            #expect(changed["message"] == "it walks")
            #expect(changed["count"] == 4)
            let applied = try await server.send(
                "PATCH", Self.new + "/old?fieldManager=m&force=true",
                ["apiVersion": "events.k8s.io/v1", "kind": "Event", "note": "it flies"],
                type: "application/apply-patch+yaml")
            #expect(applied.json["note"] == "it flies", "\(applied.text)")
            var whole = applied.json
            whole["note"] = "it stands"
            #expect(try await server.send("PUT", Self.new + "/old", whole).json["note"] == "it stands")
            #expect(try await server.send("DELETE", Self.new + "/old").json["status"] == "Success")
            #expect(try await server.send("GET", Self.old + "/old").code == 404)
        }
    }

    @Test("The binary form and tables know both groups")
    func formats() async throws {
        try await ServerHarness.run { server in
            #expect(try await server.send("POST", Self.old, Self.oldEvent).code == 201)
            let binary = try await server.send("GET", Self.new + "/old", accept: Self.protobuf)
            let decoded = try ProtobufBody.decode(binary.bytes)
            #expect(decoded["apiVersion"] == "events.k8s.io/v1")
            #expect(decoded["note"] == "it runs")
            var sent = Self.newEvent
            sent.set("sent", at: "metadata", "name")
            let bytes = try #require(ProtobufBody.encode(sent))
            let made = try await server.send("POST", Self.new, bytes: bytes, type: Self.protobuf)
            #expect(made.code == 201, "\(made.text)")
            #expect(made.json["eventTime"] == "2026-01-02T03:04:05.000006Z")
            let table = try await server.send(
                "GET", Self.new + "?includeObject=Object", accept: "application/json;as=Table;g=meta.k8s.io;v=v1")
            let rows = table.json["rows"]?.array ?? []
            #expect(rows.compactMap { $0["cells"]?[3]?.string } == ["pod/p", "pod/q"])
            #expect(rows.first?.at("object", "note") == "it runs")
        }
    }

    @Test("Both are discovered, and described")
    func discovery() async throws {
        try await ServerHarness.run { server in
            let groups = try await server.send("GET", "/apis").json["groups"]?.array ?? []
            #expect(groups.contains { $0["name"] == "events.k8s.io" })
            let resources = try await server.send("GET", "/apis/events.k8s.io/v1").json["resources"]?.array ?? []
            #expect(resources.map { $0["name"] } == ["events"])
            #expect(resources.first?["shortNames"] == ["ev"])
            let schema = try await server.send("GET", "/openapi/v3/apis/events.k8s.io/v1").json
            let event = schema.at("components", "schemas", "io.k8s.api.events.v1.Event")
            #expect(
                event?["x-kubernetes-group-version-kind"]
                    == [["group": "events.k8s.io", "kind": "Event", "version": "v1"]])
        }
    }

    @Test(
        "New events must be complete, and in the new group they must be new",
        arguments: [
            ("events.k8s.io/v1", ["eventTime": nil], "eventTime: Required value"),
            ("events.k8s.io/v1", ["type": "Odd"], #"type: Invalid value: "": has invalid value: Odd"#),
            ("events.k8s.io/v1", ["deprecatedCount": 2], #"count: Invalid value: "": needs to be unset"#),
            (
                "events.k8s.io/v1", ["series": ["count": 1, "lastObservedTime": "2026-01-02T03:04:05.000006Z"]],
                #"series.count: Invalid value: "": should be at least 2"#
            ),
            ("events.k8s.io/v1", ["action": nil], "action: Required value"),
            ("v1", ["reportingComponent": nil], "reportingComponent: Required value"),
            ("v1", ["reportingInstance": nil], "reportingInstance: Required value"),
            ("v1", ["reason": nil], "reason: Required value"),
            (
                "v1", ["action": .string(String(repeating: "a", count: 129))],
                #"action: Invalid value: "": can have at most 128 characters"#
            ),
            (
                "v1", ["message": .string(String(repeating: "a", count: 1_025))],
                #"message: Invalid value: "": can have at most 1024 characters"#
            ),
            (
                "v1", ["involvedObject": ["namespace": "other"]],
                nil
            ),
        ] as [(String, JSONValue, String?)])
    func refusals(version: String, change: JSONValue, message: String?) async throws {
        try await ServerHarness.run { server in
            var event = Self.newEvent
            if version == "v1" {
                for (new, old) in [
                    ("note", "message"), ("regarding", "involvedObject"), ("reportingController", "reportingComponent"),
                ] {
                    event[old] = event[new]
                    event[new] = nil
                }
                event["apiVersion"] = "v1"
            }
            event.mergePatch(change)
            let answer = try await server.send("POST", version == "v1" ? Self.old : Self.new, event)
            #expect(answer.code == (message == nil ? 201 : 422), "\(answer.text)")
            if let message { #expect(answer.json["message"]?.string?.contains(message) ?? false, "\(answer.text)") }
        }
    }

    @Test("An unknown field selector is refused in either form")
    func selectors() async throws {
        try await ServerHarness.run { server in
            let rows = [
                (Self.new, "involvedObject.name", 400), (Self.old, "regarding.name", 400),
                (Self.old, "involvedObject.name", 200), (Self.new, "regarding.name", 200),
                (Self.new, "reportingController", 200),
            ]
            for (path, field, code) in rows {
                let answer = try await server.send("GET", path + "?fieldSelector=\(field)%3Dx")
                #expect(answer.code == code, "\(path) \(field)")
            }
        }
    }
}
