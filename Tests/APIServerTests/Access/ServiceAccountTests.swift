import APIServer
import JSON
import KubernetesAPI
import Testing

@Suite("Service accounts and their tokens", .serialized)
struct ServiceAccountTests {
    private static let accounts = "/api/v1/namespaces/default/serviceaccounts"
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let tokens = """
        n1,system:node:n1,3,system:nodes
        n2,system:node:n2,4,system:nodes
        """

    private static func pod(_ name: String, account: String) -> JSONValue {
        [
            "metadata": ["name": .string(name)],
            "spec": [
                "nodeName": "n1", "serviceAccountName": .string(account), "containers": [["name": "c", "image": "i"]],
            ],
        ]
    }

    private static func request(_ pod: JSONValue, seconds: Int64 = 3607) -> JSONValue {
        [
            "spec": [
                "expirationSeconds": .integer(seconds),
                "boundObjectRef": [
                    "apiVersion": "v1", "kind": "Pod", "name": pod.at("metadata", "name") ?? "",
                    "uid": pod.at("metadata", "uid") ?? "",
                ],
            ]
        ]
    }

    @Test("A token is good while its account and its pod live")
    func life() async throws {
        try await ServerHarness.run(tokens: Self.tokens) { server in
            _ = try await server.send("POST", Self.accounts, ["metadata": ["name": "robot"]])
            let pod = try await server.send("POST", Self.pods, Self.pod("p", account: "robot")).json
            let path = Self.accounts + "/robot/token"
            func token(_ body: JSONValue) async throws -> String {
                let answer = try await server.send("POST", path, body)
                #expect(answer.code == 201, "\(answer.text)")
                return answer.json.at("status", "token")?.string ?? ""
            }
            func who(_ token: String) async throws -> (Int, JSONValue) {
                let answer = try await server.with(token: token).send(
                    "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", [:])
                return (answer.code, answer.json.at("status", "userInfo") ?? [:])
            }
            let free = try await token(["spec": [:]])
            let bound = try await token(Self.request(pod))
            let (code, user) = try await who(bound)
            #expect(code == 201)
            #expect(user["username"] == "system:serviceaccount:default:robot")
            #expect(
                user["groups"] == [
                    "system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated",
                ])
            #expect(user.at("extra", "authentication.kubernetes.io/pod-name") == ["p"])
            #expect(user.at("extra", "authentication.kubernetes.io/node-name") == ["n1"])

            let review = try await server.send(
                "POST", "/apis/authentication.k8s.io/v1/tokenreviews", ["spec": ["token": .string(free)]]
            ).json
            #expect(review.at("status", "authenticated") == true)
            let foreign = try await server.send(
                "POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                ["spec": ["token": .string(free), "audiences": ["vault"]]]
            ).json
            #expect(foreign.at("status", "authenticated") == nil)
            let elsewhere = try await token(["spec": ["audiences": ["vault"]]])
            #expect(try await who(elsewhere).0 == 401)
            #expect(try await who(free + "A").0 == 401)
            #expect(try await who(String(free.dropLast(20)) + "AAAAAAAAAAAAAAAAAAAA").0 == 401)

            _ = try await server.send("DELETE", Self.pods + "/p?gracePeriodSeconds=0")
            #expect(try await who(bound).0 == 401)
            #expect(try await who(free).0 == 201)
            _ = try await server.send("DELETE", Self.accounts + "/robot")
            #expect(try await who(free).0 == 401)
            // Another account of that name is another account.
            _ = try await server.send("POST", Self.accounts, ["metadata": ["name": "robot"]])
            #expect(try await who(free).0 == 401)
        }
    }

    @Test("Nodes get tokens for the pods that they run")
    func nodes() async throws {
        try await ServerHarness.run(tokens: Self.tokens) { server in
            _ = try await server.send("POST", Self.accounts, ["metadata": ["name": "robot"]])
            _ = try await server.send("POST", Self.accounts, ["metadata": ["name": "other"]])
            let pod = try await server.send("POST", Self.pods, Self.pod("p", account: "robot")).json
            let rows: [(String, String, JSONValue, Int)] = [
                ("n1", "robot", Self.request(pod), 201), ("n1", "robot", ["spec": [:]], 403),
                ("n2", "robot", Self.request(pod), 403), ("n1", "other", Self.request(pod), 403),
            ]
            for (node, account, body, expected) in rows {
                let answer = try await server.with(token: node).send("POST", "\(Self.accounts)/\(account)/token", body)
                #expect(answer.code == expected, "\(node) \(account): \(answer.text)")
            }
            let short = try await server.send("POST", Self.accounts + "/robot/token", Self.request(pod, seconds: 10))
            #expect(short.code == 422)
            #expect(
                short.json["message"]?.string?.hasSuffix(
                    "spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes")
                    == true)
            var renamed = pod
            renamed.set("other-uid", at: "metadata", "uid")
            #expect(try await server.send("POST", Self.accounts + "/robot/token", Self.request(renamed)).code == 409)
            #expect(try await server.send("POST", Self.accounts + "/none/token", Self.request(pod)).code == 404)
        }
    }

    @Test("A pod gets its token as a volume, unless it or its account says otherwise")
    func volume() async throws {
        try await ServerHarness.run { server in
            _ = try await server.send("POST", Self.accounts, ["metadata": ["name": "robot"]])
            _ = try await server.send(
                "POST", Self.accounts, ["metadata": ["name": "shy"], "automountServiceAccountToken": false])
            let pod = try await server.send("POST", Self.pods, Self.pod("p", account: "robot")).json
            let mount = pod.at("spec", "containers")?[0]?["volumeMounts"]?[0] ?? [:]
            #expect(mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount")
            #expect(mount["readOnly"] == true)
            let volume = pod.at("spec", "volumes")?[0] ?? [:]
            #expect(volume["name"] == mount["name"])
            #expect(volume["name"]?.string?.hasPrefix("kube-api-access-") == true)
            #expect(volume.at("projected", "sources")?.array?.count == 3)
            let shy = try await server.send("POST", Self.pods, Self.pod("q", account: "shy")).json
            #expect(shy.at("spec", "volumes") == nil)
            let unknown = try await server.send("POST", Self.pods, Self.pod("r", account: "none"))
            #expect(unknown.code == 403)
            #expect(
                unknown.json["message"]
                    == #"pods "r" is forbidden: error looking up service account default/none: serviceaccount "none" not found"#
            )
        }
    }

    @Test("A pod of a new namespace waits for the account that it needs, but not for ever")
    func newNamespace() async throws {
        try await ServerHarness.run { server in
            let namespace = "/api/v1/namespaces/new"
            _ = try await server.send("POST", "/api/v1/namespaces", ["metadata": ["name": "new"]])
            let early = try await server.send("POST", namespace + "/pods", Self.pod("p", account: "default"))
            #expect(early.code == 403)
            #expect(
                early.json["message"]
                    == #"pods "p" is forbidden: error looking up service account new/default: serviceaccount "default" not found"#
            )
            async let pod = server.send("POST", namespace + "/pods", Self.pod("p", account: "default"))
            _ = try await server.send("POST", namespace + "/serviceaccounts", ["metadata": ["name": "default"]])
            #expect(try await pod.code == 201)
            let nowhere = "/api/v1/namespaces/nowhere/pods"
            #expect(try await server.send("POST", nowhere, Self.pod("p", account: "default")).code == 404)
        }
    }
}
