import AsyncHTTPClient
import JSON
import NIOCore
import Testing

@Suite("Lists and watches", .serialized)
struct WatchTests {
    private static let path = "/api/v1/namespaces/default/configmaps"

    @Test("A watch sees what a selector lets in and out, and resumes where it is told")
    func watchFollowsSelectors() async throws {
        try await ServerHarness.run { server in
            let start = try await server.send("GET", Self.path).json.at("metadata", "resourceVersion")?.string ?? ""
            try await Self.create(server, "a", labels: ["app": "x"])
            try await Self.create(server, "b", labels: [:])
            let label: JSONValue = ["metadata": ["labels": ["app": "y"]]]
            let merge = "application/merge-patch+json"
            #expect(try await server.send("PATCH", Self.path + "/a", label, type: merge).code == 200)
            #expect(try await server.send("DELETE", Self.path + "/b").code == 200)
            let all = try await Self.watch(server, "resourceVersion=\(start)")
            #expect(all.map(\.type) == ["ADDED", "ADDED", "MODIFIED", "DELETED"])
            let selected = try await Self.watch(server, "resourceVersion=\(start)&labelSelector=app%3Dx")
            #expect(selected.map(\.type) == ["ADDED", "DELETED"])
            let last = selected.last?.object
            #expect(last?.at("metadata", "labels", "app") == "x", "The last state that matched is told")
            #expect(last?.at("metadata", "resourceVersion") == all[2].object.at("metadata", "resourceVersion"))
            let named = try await Self.watch(server, "resourceVersion=\(start)&fieldSelector=metadata.name%3Db")
            #expect(named.map(\.type) == ["ADDED", "DELETED"])
            let unnamed = try await Self.watch(server, "")
            #expect(unnamed.map { $0.object.at("metadata", "name") } == ["a"], "Without a version, what there is")
        }
    }

    @Test("A streamed list ends with a marked bookmark")
    func initialEvents() async throws {
        try await ServerHarness.run { server in
            try await Self.create(server, "a", labels: [:])
            let events = try await Self.watch(
                server, "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true")
            #expect(events.prefix(2).map(\.type) == ["ADDED", "BOOKMARK"])
            #expect(events[1].object.at("metadata", "annotations", "k8s.io/initial-events-end") == "true")
        }
    }

    @Test("The pages of a list show one state, whatever happens between them")
    func pages() async throws {
        try await ServerHarness.run { server in
            for name in ["a", "b", "c", "d"] {
                try await Self.create(server, name, labels: [:])
            }
            let first = try await server.send("GET", Self.path + "?limit=2").json
            #expect(first["items"]?.array?.count == 2)
            #expect(first.at("metadata", "remainingItemCount") == 2)
            let token = first.at("metadata", "continue")?.string ?? ""
            _ = try await server.send("DELETE", Self.path + "/c")
            try await Self.create(server, "e", labels: [:])
            let second = try await server.send("GET", Self.path + "?limit=2&continue=\(token)").json
            #expect(second["items"]?.array?.map { $0.at("metadata", "name") } == ["c", "d"])
            #expect(second.at("metadata", "continue") == nil)
            #expect(second.at("metadata", "resourceVersion") == first.at("metadata", "resourceVersion"))
            let exact = first.at("metadata", "resourceVersion")?.string ?? ""
            let past = try await server.send(
                "GET", Self.path + "?resourceVersion=\(exact)&resourceVersionMatch=Exact")
            #expect(past.json["items"]?.array?.count == 4)
        }
    }

    @Test("Versions of the future, and unknown fields, are refused with their reasons")
    func refusals() async throws {
        try await ServerHarness.run { server in
            let future = try await server.send("GET", Self.path + "?resourceVersion=999999")
            #expect(future.code == 504)
            #expect(future.json.at("details", "causes")?[0]?["reason"] == "ResourceVersionTooLarge")
            let field = try await server.send("GET", Self.path + "?fieldSelector=spec.x%3D1")
            #expect(field.code == 400)
            #expect(
                field.json["message"]
                    == "\"spec.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
            let service = try await server.send("GET", "/api/v1/services?fieldSelector=spec.x%3D1")
            #expect(service.json["message"] == "field label not supported: spec.x")
            #expect(try await server.send("GET", Self.path + "?labelSelector=a%20in%20(").code == 400)
            let accept = try await server.send("GET", Self.path, accept: "application/cbor")
            #expect(accept.code == 406)
        }
    }

    @Test("Tables have kubectl's columns")
    func tables() async throws {
        try await ServerHarness.run { server in
            let table = try await server.send(
                "GET", "/api/v1/namespaces/default/services",
                accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
            ).json
            #expect(table["kind"] == "Table")
            #expect(
                table["columnDefinitions"]?.array?.map { $0["name"] } == [
                    "Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector",
                ])
            #expect(table["rows"]?[0]?["cells"]?[2] == "10.96.0.1")
            #expect(table["rows"]?[0]?.at("object", "kind") == "PartialObjectMetadata")
        }
    }

    private static func create(_ server: ServerHarness, _ name: String, labels: JSONValue) async throws {
        let object: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name), "labels": labels],
        ]
        let answer = try await server.send("POST", path, object)
        #expect(answer.code == 201, "\(answer.text)")
    }

    /// The events of a watch of one second.
    private static func watch(
        _ server: ServerHarness, _ query: String
    ) async throws -> [(type: String, object: JSONValue)] {
        let answer = try await server.send("GET", "\(path)?watch=true&timeoutSeconds=1&\(query)")
        return try answer.text.split(separator: "\n").map { line in
            let event = try JSONValue(text: String(line))
            return (event["type"]?.string ?? "", event["object"] ?? .null)
        }
    }
}

@Suite struct ListOptionTests {
    private static let path = "/api/v1/namespaces/default/configmaps"

    @Test(arguments: [
        (
            "resourceVersionMatch=Exact", 422,
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        ),
        (
            "resourceVersion=0&resourceVersionMatch=Exact", 422,
            "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""
        ),
        (
            "resourceVersion=1&resourceVersionMatch=Roughly", 422,
            "resourceVersionMatch: Unsupported value: \"Roughly\": supported values: \"Exact\", \"NotOlderThan\", \"\""
        ),
        (
            "sendInitialEvents=true", 422,
            "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"
        ),
        (
            "watch=1&sendInitialEvents=true", 422,
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        ),
        (
            "watch=1&resourceVersionMatch=NotOlderThan", 422,
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        ),
        ("resourceVersion=new", 400, "invalid resource version \"new\""),
        ("continue=nonsense", 400, "continue key is not valid"),
        ("labelSelector=a%20in%20(", 400, "unable to parse requirement: "),
    ])
    func `options that make no sense are refused`(query: String, code: Int, text: String) async throws {
        try await ServerHarness.run { server in
            let answer = try await server.send("GET", "\(Self.path)?\(query)")
            #expect(answer.code == code)
            #expect(answer.json["message"]?.string?.contains(text) == true, "\(answer.text)")
        }
    }

    @Test func `a client that closes its connection ends its watch at once`() async throws {
        try await ServerHarness.run { server in
            var shortest = Duration.seconds(5)
            // A busy machine may be late once, and not each time.
            for _ in 0..<5 where shortest > .seconds(4) {
                let other = try server.another()
                let answer = try await other.open("GET", "/api/v1/namespaces?watch=true")
                var iterator = answer.body.makeAsyncIterator()
                #expect(try await iterator.next() != nil)
                // Waits for the server's part of the end of the TLS session, five seconds at most.
                shortest = min(shortest, try await ContinuousClock().measure { try await other.disconnect() })
            }
            #expect(shortest < .seconds(4))
        }
    }
}
