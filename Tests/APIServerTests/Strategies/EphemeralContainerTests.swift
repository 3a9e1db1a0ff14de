import Foundation
import JSON
import KubernetesAPI
import NIOHTTP1
import Testing

/// Containers that are added to running pods.
@Suite struct EphemeralContainerTests {
    private let harness: StrategyHarness
    private let pod: JSONValue
    private static let none = "cannot be set for an Ephemeral Container"

    init() throws {
        harness = try StrategyHarness(.pods)
        pod = try harness.created(
            #"{"spec":{"initContainers":[{"name":"i","image":"i"}],"containers":[{"name":"c","image":"i"}],"#
                + #""volumes":[{"name":"v","emptyDir":{}}]}}"#)
    }

    private func adding(_ containers: String, to pod: JSONValue) throws -> JSONValue {
        try harness.updated(
            pod, #"{"spec":{"ephemeralContainers":\#(containers)}}"#, subresource: "ephemeralcontainers")
    }

    /// Columns: what is added to a pod, and what is wrong with it.
    @Test(
        arguments: [
            (#"[{"name":"d","image":"b"}]"#, []),
            (
                #"[{"name":"d","image":"b","command":["sh"],"tty":true,"stdin":true,"targetContainerName":"c","#
                    + #""volumeMounts":[{"name":"v","mountPath":"/v"}],"securityContext":{"privileged":true}}]"#, []
            ),
            (#"[{"name":"d"}]"#, ["spec.ephemeralContainers[0].image: Required value"]),
            (
                #"[{"name":"c","image":"b"}]"#, [#"spec.ephemeralContainers[0].name: Duplicate value: "c""#]
            ),
            (
                #"[{"name":"i","image":"b"}]"#, [#"spec.ephemeralContainers[0].name: Duplicate value: "i""#]
            ),
            (
                #"[{"name":"d","image":"b"},{"name":"d","image":"b"}]"#,
                [#"spec.ephemeralContainers[1].name: Duplicate value: "d""#]
            ),
            (
                #"[{"name":"d","image":"b","targetContainerName":"x"}]"#,
                [#"spec.ephemeralContainers[0].targetContainerName: Not found: "x""#]
            ),
            (
                #"[{"name":"d","image":"b","targetContainerName":"d"}]"#,
                [#"spec.ephemeralContainers[0].targetContainerName: Not found: "d""#]
            ),
            (
                #"[{"name":"d","image":"b","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"1"}},"#
                    + #""livenessProbe":{"tcpSocket":{"port":80}},"lifecycle":{"preStop":{"exec":{"command":["x"]}}}}]"#,
                [
                    "spec.ephemeralContainers[0].ports: Forbidden: \(none)",
                    "spec.ephemeralContainers[0].resources: Forbidden: \(none)",
                    "spec.ephemeralContainers[0].livenessProbe: Forbidden: \(none)",
                    "spec.ephemeralContainers[0].lifecycle: Forbidden: \(none)",
                ]
            ),
            (
                #"[{"name":"d","image":"b","volumeMounts":[{"name":"v","mountPath":"/v","subPath":"s"}]}]"#,
                ["spec.ephemeralContainers[0].volumeMounts[0].subPath: Forbidden: \(none)"]
            ),
        ] as [(String, [String])])
    func `what is added is checked`(containers: String, refusals: [String]) {
        #expect(harness.refusal { try adding(containers, to: pod) } == refusals)
    }

    @Test func `one that is there stays as it is`() throws {
        let first = try adding(#"[{"name":"d","image":"b"}]"#, to: pod)
        #expect(
            first.at("spec", "ephemeralContainers")
                == [
                    [
                        "name": "d", "image": "b", "resources": [:], "imagePullPolicy": "Always",
                        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                    ]
                ])
        let path = "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"d\" may not be"
        #expect(harness.refusal { try adding("[]", to: first) } == ["\(path) removed\n"])
        #expect(harness.refusal { try adding(#"[{"name":"d","image":"x"}]"#, to: first) } == ["\(path) changed\n"])
        let kept = try #require(first.at("spec", "ephemeralContainers")?[0])
        let second = try adding(#"[{"name":"e","image":"b"},\#(kept.text())]"#, to: first)
        #expect(second.at("spec", "ephemeralContainers")?.array?.count == 2)
    }

    @Test func `they come by their subresource alone, which changes nothing else`() throws {
        let containers = #"{"spec":{"ephemeralContainers":[{"name":"d","image":"b"}]}}"#
        #expect(
            harness.refusal {
                try harness.created(
                    #"{"spec":{"containers":[{"name":"c","image":"i"}],"ephemeralContainers":[{"name":"d","image":"b"}]}}"#
                )
            } == ["spec.ephemeralContainers: Forbidden: cannot be set on create"])
        #expect(
            harness.refusal { try harness.updated(pod, containers) }.first?
                .hasPrefix("spec: Forbidden: pod updates may not change fields other than") == true)
        let more =
            #"{"spec":{"hostname":"h","ephemeralContainers":[{"name":"d","image":"b"}]},"status":{"phase":"Failed"}}"#
        let changed = try harness.updated(
            pod, more, subresource: "ephemeralcontainers")
        #expect(changed.at("spec", "hostname") == nil)
        #expect(changed["status"] == pod["status"])
        let template = try StrategyHarness(.deployments)
        #expect(
            template.refusal {
                try template.created(
                    #"{"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"#
                        + #""spec":{"containers":[{"name":"c","image":"i"}],"#
                        + #""ephemeralContainers":[{"name":"d","image":"b"}]}}}}"#)
            } == ["spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template"]
        )
    }
}

/// The same through the server, in the forms that kubectl of either age sends.
@Suite(.serialized) struct EphemeralContainerRequestTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    @Test func `old clients send their own kind, current ones a patch of the pod`() async throws {
        try await ServerHarness.run { server in
            let pod: JSONValue = [
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p"],
                "spec": ["containers": [["name": "c", "image": "i"]]],
            ]
            #expect(try await server.send("POST", Self.pods, pod).code == 201)
            let path = Self.pods + "/p/ephemeralcontainers"
            let patched = try await server.send(
                "PATCH", path, ["spec": ["ephemeralContainers": [["name": "d", "image": "b"]]]],
                type: "application/strategic-merge-patch+json")
            #expect(patched.code == 200, "\(patched.text)")
            #expect(patched.json.at("metadata", "generation") == 2)
            // A client up to 1.21 does not see what is there, and does not mean to remove it.
            let old: JSONValue = [
                "apiVersion": "v1", "kind": "EphemeralContainers", "metadata": [:],
                "ephemeralContainers": [["name": "e", "image": "b", "resources": [:]]],
            ]
            let put = try await server.send("PUT", path, old)
            #expect(put.code == 200, "\(put.text)")
            let names = put.json.at("spec", "ephemeralContainers")?.array?.map { $0["name"] }
            #expect(names == ["d", "e"])
            let read = try await server.send("GET", path)
            #expect(read.json["kind"] == "Pod")
            #expect(read.json["spec"] == put.json["spec"])
            var other = old
            other.set("q", at: "metadata", "name")
            #expect(try await server.send("PUT", path, other).code == 400)
            #expect(try await server.send("PUT", Self.pods + "/q/ephemeralcontainers", old).code == 404)
            #expect(try await server.send("DELETE", path).code == 405)
            let resources = try await server.send("GET", "/api/v1").json["resources"]?.array ?? []
            let entry = resources.first { $0["name"] == "pods/ephemeralcontainers" }
            #expect(entry?["kind"] == "Pod")
            #expect(entry?["verbs"] == ["get", "patch", "update"])
        }
    }

    @Test func `every answer names the request`() async throws {
        try await ServerHarness.run { server in
            for path in ["/api/v1/namespaces", "/readyz", "/api/v1/namespaces/none", "/nothing"] {
                let made = try await server.send("GET", path).headers["audit-id"]
                #expect(made.count == 1)
                #expect(UUID(uuidString: made.first ?? "") != nil, "\(path)")
            }
            let mine = try await server.with(token: "wrong", headers: [("Audit-Id", "my-request")])
                .send("GET", "/api/v1/namespaces")
            #expect(mine.code == 401)
            #expect(mine.headers["audit-id"] == ["my-request"])
        }
    }
}
