import Foundation
import JSON
import NIOHTTP1
import Testing

/// The checklist of edge cases (specification §12.4) and the upstream cases of §10.1, as a client meets them.
@Suite(.serialized) struct ServiceEdgeCaseTests {
    private static let services = "/api/v1/namespaces/default/services"
    private static let addresses = "/apis/networking.k8s.io/v1/ipaddresses"
    private static let merge = "application/merge-patch+json"
    private static let strategic = "application/strategic-merge-patch+json"

    private static func service(_ name: String, _ spec: JSONValue) -> JSONValue {
        var spec = spec
        if spec["ports"] == nil { spec["ports"] = [["port": 80]] }
        return ["apiVersion": "v1", "kind": "Service", "metadata": ["name": .string(name)], "spec": spec]
    }

    private static func held(_ server: ServerHarness) async throws -> [String] {
        (try await server.send("GET", addresses).json["items"]?.array ?? [])
            .compactMap { $0.at("metadata", "name")?.string }.sorted()
    }

    /// What a client sent once, it may send again (1); what it leaves out stays (2, 3).
    @Test(arguments: [
        #"{}"#, #"{"ipFamilyPolicy":"RequireDualStack"}"#, #"{"ipFamilyPolicy":"PreferDualStack","type":"NodePort"}"#,
        #"{"clusterIP":"None","selector":{"a":"b"},"ipFamilyPolicy":"RequireDualStack"}"#, #"{"clusterIP":"None"}"#,
        #"{"type":"LoadBalancer","externalTrafficPolicy":"Local"}"#, #"{"ipFamilies":["IPv6"]}"#,
        #"{"type":"ExternalName","externalName":"a.b"}"#,
    ])
    func `a client that says less than it reads changes nothing`(spec: String) async throws {
        try await ServerHarness.run { server in
            let path = Self.services + "/s"
            let original = Self.service("s", try JSONValue(text: spec))
            let made = try await server.send("POST", Self.services, original)
            #expect(made.code == 201, "\(made.text)")
            let before = made.json["spec"]
            let addresses = try await Self.held(server)
            #expect(try await server.send("PUT", path, original).json["spec"] == before)
            var old = made.json
            for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] { old.set(nil, at: "spec", field) }
            old.set(nil, at: "metadata", "resourceVersion")
            #expect(try await server.send("PUT", path, old).json["spec"] == before, "a client from before the plural")
            for patch: JSONValue in [["clusterIPs": nil], ["clusterIP": nil, "clusterIPs": nil], ["ipFamilies": nil]]
            where before?["clusterIP"] != nil {
                for type in [Self.merge, Self.strategic] {
                    let answer = try await server.send("PATCH", path, ["spec": patch], type: type)
                    #expect(answer.json["spec"] == before, "\(patch.text()): \(answer.text)")
                }
            }
            #expect(try await Self.held(server) == addresses)
        }
    }

    @Test func `what is only tried or fails holds nothing, and lets nothing go`() async throws {
        try await ServerHarness.run { server in
            let nobody = ["10.96.0.1", "fd00:10:96::1"]
            var named = Self.service("", ["ipFamilyPolicy": "RequireDualStack", "type": "NodePort"])
            named["metadata"] = ["generateName": "try-"]
            let tried = try await server.send("POST", Self.services + "?dryRun=All", named)
            #expect(tried.code == 201)
            #expect(tried.json.at("metadata", "name")?.string?.count == 9)
            #expect(try await Self.held(server) == nobody)

            // A second address that a failing update took is given back; the first stays (6).
            let single = try await server.send("POST", Self.services, Self.service("s", ["clusterIP": "10.96.0.50"]))
            #expect(single.code == 201)
            let refused = try await server.send(
                "PATCH", Self.services + "/s",
                ["spec": ["ipFamilyPolicy": "RequireDualStack", "type": "NodePort", "ports": [["port": 0]]]],
                type: Self.merge)
            #expect(refused.code == 422)
            #expect(try await Self.held(server) == ["10.96.0.1", "10.96.0.50", "fd00:10:96::1"])

            // Type and families change in one request (8), and a failing way back keeps the second (6).
            let both = try await server.send(
                "PATCH", Self.services + "/s",
                ["spec": ["ipFamilyPolicy": "PreferDualStack", "type": "NodePort"]], type: Self.merge)
            #expect(both.json.at("spec", "ipFamilies") == ["IPv4", "IPv6"])
            #expect(both.json.at("spec", "clusterIPs")?[0] == "10.96.0.50")
            #expect(both.json.at("spec", "ports")?[0]?["nodePort"] != nil)
            let all = try await Self.held(server)
            #expect(all.count == 4)
            let back = try await server.send(
                "PATCH", Self.services + "/s",
                ["spec": ["ipFamilyPolicy": "SingleStack", "ports": [["port": 80, "nodePort": 80]]]], type: Self.merge)
            #expect(back.code == 422)
            #expect(try await Self.held(server) == all)
            #expect(try await server.send("GET", Self.services + "/s").json["spec"] == both.json["spec"])
        }
    }

    @Test func `a finalizer keeps the addresses and ports until the object is gone`() async throws {
        try await ServerHarness.run { server in
            var first = Self.service(
                "a", ["clusterIP": "10.96.7.7", "type": "NodePort", "ports": [["port": 80, "nodePort": 30007]]])
            first.set(["example.com/wait"], at: "metadata", "finalizers")
            #expect(try await server.send("POST", Self.services, first).code == 201)
            #expect(try await server.send("DELETE", Self.services + "/a").code == 200)
            let sameAddress = Self.service("b", ["clusterIP": "10.96.7.7"])
            let samePort = Self.service("c", ["type": "NodePort", "ports": [["port": 80, "nodePort": 30007]]])
            for other in [sameAddress, samePort] {
                #expect(try await server.send("POST", Self.services, other).code == 422)
            }
            let freed = try await server.send(
                "PATCH", Self.services + "/a", ["metadata": ["finalizers": nil]], type: Self.merge)
            #expect(freed.code == 200)
            for other in [sameAddress, samePort] {
                #expect(try await server.send("POST", Self.services, other).code == 201)
            }
        }
    }

    @Test func `names, addresses as they are written, and transitions`() async throws {
        try await ServerHarness.run { server in
            let long = String(repeating: "a", count: 63)
            #expect(try await server.send("POST", Self.services, Self.service(long, [:])).code == 201)
            #expect(try await server.send("POST", Self.services, Self.service(long + "a", [:])).code == 422)

            // Stored as sent, with a warning; its object has the canonical name (23).
            let shouted = try await server.send(
                "POST", Self.services, Self.service("v6", ["clusterIP": "FD00:10:96::AB", "ipFamilies": ["IPv6"]]))
            #expect(shouted.code == 201, "\(shouted.text)")
            #expect(shouted.json.at("spec", "clusterIP") == "FD00:10:96::AB")
            #expect(shouted.headers.first(name: "warning")?.contains("fd00:10:96::ab") == true)
            #expect(try await server.send("GET", Self.addresses + "/fd00:10:96::ab").code == 200)
            let again = Self.service("again", ["clusterIP": "fd00:10:96::ab"])
            #expect(try await server.send("POST", Self.services, again).code == 422, "It is the same address")

            // ExternalName gets addresses of both families in one request (18), and loses them in one.
            let external = Self.service("e", ["type": "ExternalName", "externalName": "a.b"])
            #expect(try await server.send("POST", Self.services, external).code == 201)
            let headful = try await server.send(
                "PATCH", Self.services + "/e",
                ["spec": ["type": "ClusterIP", "externalName": nil, "ipFamilyPolicy": "RequireDualStack"]],
                type: Self.merge)
            #expect(headful.json.at("spec", "clusterIPs")?.array?.count == 2, "\(headful.text)")
            let name = try await server.send(
                "PATCH", Self.services + "/e", ["spec": ["type": "ExternalName", "externalName": "a.b"]],
                type: Self.strategic)
            for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                #expect(name.json.at("spec", field) == nil)
            }
            let headless = Self.service("h", ["clusterIP": "None", "selector": ["a": "b"]])
            #expect(try await server.send("POST", Self.services, headless).code == 201)
            let left = try await server.send(
                "PATCH", Self.services + "/h", ["spec": ["type": "ExternalName", "externalName": "foo.bar"]],
                type: Self.strategic)
            #expect(left.code == 200, "Test_ServiceChangeTypeHeadlessToExternalNameWithPatch: \(left.text)")
        }
    }

    @Test func `a headless Service without selector names both families on a cluster of one`() async throws {
        for (range, advertised, families) in [
            ("10.96.0.0/16", "192.0.2.10", ["IPv4", "IPv6"]), ("fd00:10:96::/112", "2001:db8::10", ["IPv6", "IPv4"]),
        ] as [(String, String, JSONValue)] {
            try await ServerHarness.run(ranges: [range], advertise: [advertised]) { server in
                let made = try await server.send("POST", Self.services, Self.service("h", ["clusterIP": "None"]))
                #expect(made.json.at("spec", "ipFamilies") == families)
                #expect(made.json.at("spec", "ipFamilyPolicy") == "RequireDualStack")
            }
        }
    }

    /// TestUpgradeServicePreferToDualStack and TestDowngradeServicePreferFromDualStack.
    @Test func `a cluster that gains or loses a family leaves the Services that it has`() async throws {
        let (one, two) = (["192.168.0.0/24"], ["192.168.0.0/24", "2001:db8:1::/112"])
        let prefer: JSONValue = ["ipFamilyPolicy": "PreferDualStack"]
        for (before, after, old, new) in [
            (one, two, ["IPv4"], ["IPv4", "IPv6"]), (two, one, ["IPv4", "IPv6"], ["IPv4"]),
        ] as [([String], [String], JSONValue, JSONValue)] {
            let directory = NSTemporaryDirectory() + "dt-apiserver-" + UUID().uuidString
            defer { try? FileManager.default.removeItem(atPath: directory) }
            try await ServerHarness.run(ranges: before, advertise: ["192.0.2.10"], directory: directory) { server in
                let made = try await server.send("POST", Self.services, Self.service("old", prefer))
                #expect(made.json.at("spec", "ipFamilies") == old)
            }
            try await ServerHarness.run(ranges: after, advertise: ["192.0.2.10"], directory: directory) { server in
                let kept = try await server.send("GET", Self.services + "/old").json
                #expect(kept.at("spec", "ipFamilies") == old)
                #expect(kept.at("spec", "clusterIPs")?.array?.count == old.array?.count)
                let put = try await server.send(
                    "PATCH", Self.services + "/old", ["metadata": ["labels": ["a": "b"]]], type: Self.merge)
                #expect(put.json["spec"] == kept["spec"])
                let made = try await server.send("POST", Self.services, Self.service("new", prefer))
                #expect(made.json.at("spec", "ipFamilies") == new, "\(made.text)")
            }
        }
    }

    @Test func `an address that is taken from a Service comes back at once`() async throws {
        try await ServerHarness.run { server in
            let made = try await server.send("POST", Self.services, Self.service("s", ["clusterIP": "10.96.0.77"]))
            #expect(made.code == 201)
            let path = Self.addresses + "/10.96.0.77"
            let uid = try await server.send("GET", path).json.at("metadata", "uid")
            #expect(try await server.send("DELETE", path).code == 200)
            let end = ContinuousClock.now + .seconds(60)
            var back: JSONValue?
            while back == nil, ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(20))
                let answer = try await server.send("GET", path)
                if answer.code == 200 { back = answer.json }
            }
            #expect(back?.at("spec", "parentRef", "name") == "s", "Repairs by the clock alone would take minutes")
            #expect(back?.at("metadata", "uid") != uid)
        }
    }
}
