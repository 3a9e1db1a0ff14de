import APIServer
import AsyncHTTPClient
import Foundation
import JSON
import KubernetesAPI
import NIOHTTP1
import Testing

/// Servers whose users are known by tokens that are their names.
@Suite("Who may do what", .serialized)
struct AccessTests {
    private static let tokens = """
        root,root,1,system:masters
        alice,alice,2,"dev,ops"
        n1,system:node:n1,3,system:nodes
        n2,system:node:n2,4,system:nodes
        """
    private static let rbac = "/apis/rbac.authorization.k8s.io/v1"
    private static let pods = "/api/v1/namespaces/default/pods"

    private struct Clients {
        let server: ServerHarness

        /// Sends a request as the user of a token; gives the code and the body.
        @discardableResult
        func send(
            _ token: String, _ method: String, _ path: String, _ body: JSONValue? = nil, _ headers: (String, String)...
        ) async throws -> (code: Int, json: JSONValue) {
            let type = method == "PATCH" ? "application/merge-patch+json" : "application/json"
            let answer = try await server.with(token: token, headers: headers).send(method, path, body, type: type)
            return (answer.code, answer.json)
        }

        /// Why a request is refused; nil when it is not.
        func refusal(
            _ token: String, _ method: String, _ path: String, _ body: JSONValue? = nil, _ headers: (String, String)...
        ) async throws -> String? {
            let type = method == "PATCH" ? "application/merge-patch+json" : "application/json"
            let answer = try await server.with(token: token, headers: headers).send(method, path, body, type: type)
            return answer.code < 300 ? nil : answer.json["message"]?.string ?? "\(answer.code)"
        }

        func create(_ path: String, _ object: JSONValue) async throws -> JSONValue {
            let (code, json) = try await send("root", "POST", path, object)
            #expect(code == 201, "\(json)")
            return json
        }
    }

    private func run(_ body: @escaping (Clients) async throws -> Void) async throws {
        try await ServerHarness.run(tokens: Self.tokens) { try await body(Clients(server: $0)) }
    }

    private static func binding(_ kind: String, _ role: String, user: String) -> JSONValue {
        [
            "metadata": ["name": "b"], "roleRef": ["kind": .string(kind), "name": .string(role)],
            "subjects": [["kind": "User", "name": .string(user)]],
        ]
    }

    private static func pod(_ name: String, _ more: JSONValue = [:]) -> JSONValue {
        var spec: JSONValue = ["containers": [["name": "c", "image": "i"]]]
        for (key, value) in more.object ?? [:] { spec[key] = value }
        return ["metadata": ["name": .string(name)], "spec": spec]
    }

    @Test("Roles and bindings count from the next request on")
    func roles() async throws {
        try await run { clients in
            let text =
                #"pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default""#
            #expect(try await clients.refusal("alice", "GET", Self.pods) == text)
            #expect(
                try await clients.refusal("alice", "GET", "/metrics")
                    == #"forbidden: User "alice" cannot get path "/metrics""#)
            #expect(try await clients.refusal("alice", "GET", "/apis") == nil)
            let bindings = Self.rbac + "/namespaces/default/rolebindings"
            let made = try await clients.create(bindings, Self.binding("ClusterRole", "view", user: "alice"))
            #expect(made.at("roleRef", "apiGroup") == "rbac.authorization.k8s.io")
            #expect(try await clients.refusal("alice", "GET", Self.pods) == nil)
            #expect(try await clients.refusal("alice", "POST", Self.pods, Self.pod("p")) != nil)
            #expect(try await clients.refusal("alice", "GET", "/api/v1/pods") != nil)
            #expect(try await clients.refusal("alice", "GET", "/api/v1/namespaces/default") == nil)
            #expect(try await clients.refusal("alice", "GET", "/api/v1/namespaces/default/secrets") != nil)
            var changed = made
            changed.set("edit", at: "roleRef", "name")
            #expect(
                try await clients.refusal("root", "PUT", bindings + "/b", changed)?.hasSuffix("cannot change roleRef")
                    == true)
            try await clients.send("root", "DELETE", bindings + "/b")
            #expect(try await clients.refusal("alice", "GET", Self.pods) == text)
        }
    }

    @Test("Applying what is not there needs the right to create it")
    func applying() async throws {
        try await run { clients in
            let role: JSONValue = [
                "metadata": ["name": "patcher"],
                "rules": [["apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "patch"]]],
            ]
            _ = try await clients.create(Self.rbac + "/namespaces/default/roles", role)
            _ = try await clients.create(
                Self.rbac + "/namespaces/default/rolebindings", Self.binding("Role", "patcher", user: "alice"))
            let path = "/api/v1/namespaces/default/configmaps/c"
            let map: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "c"]]
            func apply() async throws -> Int {
                try await clients.server.with(token: "alice").send(
                    "PATCH", path + "?fieldManager=m", map, type: "application/apply-patch+yaml"
                ).code
            }
            #expect(try await apply() == 403)
            _ = try await clients.create("/api/v1/namespaces/default/configmaps", map)
            #expect(try await apply() == 200)
        }
    }

    @Test("Nobody gives away rights that they do not have")
    func escalation() async throws {
        try await run { clients in
            _ = try await clients.create(
                Self.rbac + "/namespaces/default/rolebindings", Self.binding("ClusterRole", "admin", user: "alice"))
            let roles = Self.rbac + "/namespaces/default/roles"
            let modest: JSONValue = [
                "metadata": ["name": "modest"],
                "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]]],
            ]
            #expect(try await clients.refusal("alice", "POST", roles, modest) == nil)
            let greedy: JSONValue = [
                "metadata": ["name": "greedy"],
                "rules": [["apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["get"]]],
            ]
            #expect(
                try await clients.refusal("alice", "POST", roles, greedy)
                    == #"roles.rbac.authorization.k8s.io "greedy" is forbidden: user "alice" (groups=["dev" "ops" "#
                    + #""system:authenticated"]) is attempting to grant RBAC permissions not currently held:"# + "\n"
                    + #"{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}"#)
            #expect(
                try await clients.refusal("alice", "PATCH", roles + "/modest", ["rules": greedy["rules"] ?? []]) != nil)
            var binding = Self.binding("ClusterRole", "cluster-admin", user: "alice")
            binding.set("mine", at: "metadata", "name")
            let bindings = Self.rbac + "/namespaces/default/rolebindings"
            #expect(
                try await clients.refusal("alice", "POST", bindings, binding)?.contains("not currently held") == true)
            #expect(try await clients.refusal("alice", "POST", Self.rbac + "/clusterrolebindings", binding) != nil)
        }
    }

    @Test(
        "Malformed roles and bindings are refused field by field",
        arguments: [
            (
                "namespaces/default/roles", #"{"rules":[{"verbs":[],"apiGroups":[""],"resources":["pods"]}]}"#,
                "rules[0].verbs: Required value: verbs must contain at least one value"
            ),
            (
                "namespaces/default/roles", #"{"rules":[{"verbs":["get"],"nonResourceURLs":["/x"]}]}"#,
                #"rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs"#
            ),
            (
                "clusterroles", #"{"rules":[{"verbs":["get"]}]}"#,
                "rules[0].apiGroups: Required value: resource rules must supply at least one api group, rules[0].resources: "
                    + "Required value: resource rules must supply at least one resource"
            ),
            (
                "clusterrolebindings", #"{"roleRef":{"kind":"Role","name":"x"}}"#,
                #"roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole""#
            ),
            (
                "clusterrolebindings",
                #"{"roleRef":{"kind":"ClusterRole","name":"x"},"subjects":[{"kind":"ServiceAccount","name":"a"}]}"#,
                "subjects[0].namespace: Required value"
            ),
            (
                "namespaces/default/rolebindings",
                #"{"roleRef":{"kind":"ClusterRole","name":"a/b"},"subjects":[{"kind":"Robot","name":"a"}]}"#,
                #"roleRef.name: Invalid value: "a/b": may not contain '/', subjects[0].kind: Unsupported value: "Robot": "#
                    + #"supported values: "ServiceAccount", "User", "Group""#
            ),
        ])
    func validation(path: String, object: String, text: String) async throws {
        try await run { clients in
            var body = try JSONValue(parsing: Array(object.utf8))
            body["metadata"] = ["name": "x"]
            let (code, json) = try await clients.send("root", "POST", "\(Self.rbac)/\(path)", body)
            #expect(code == 422)
            let message = json["message"]?.string ?? ""
            #expect(message.contains(text), "\(message)")
        }
    }

    @Test("A node writes itself, its lease and its pods' status, and reads what its pods name")
    func nodes() async throws {
        try await run { clients in
            let nodes = "/api/v1/nodes"
            let leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
            #expect(try await clients.refusal("n1", "POST", nodes, ["metadata": ["name": "n1"]]) == nil)
            #expect(
                try await clients.refusal("n1", "POST", nodes, ["metadata": ["name": "n2"]])
                    == #"nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2""#)
            #expect(try await clients.refusal("n2", "PATCH", nodes + "/n1/status", ["status": ["phase": "x"]]) != nil)
            #expect(
                try await clients.refusal("n1", "PATCH", nodes + "/n1/status", ["status": ["phase": "Running"]]) == nil)
            #expect(
                try await clients.refusal(
                    "n1", "PATCH", nodes + "/n1", ["spec": ["taints": [["key": "a", "effect": "NoSchedule"]]]])
                    == #"nodes "n1" is forbidden: node "n1" is not allowed to modify taints"#)
            let label: JSONValue = ["metadata": ["labels": ["node-role.kubernetes.io/control-plane": ""]]]
            #expect(try await clients.refusal("n1", "PATCH", nodes + "/n1", label) != nil)
            #expect(try await clients.refusal("n1", "DELETE", nodes + "/n1") != nil)
            #expect(try await clients.refusal("n1", "POST", leases, ["metadata": ["name": "n1"]]) == nil)
            #expect(try await clients.refusal("n2", "PATCH", leases + "/n1", ["spec": ["holderIdentity": "n2"]]) != nil)
            #expect(try await clients.refusal("n2", "POST", leases, ["metadata": ["name": "n3"]]) != nil)

            for name in ["named", "other"] {
                _ = try await clients.create(
                    "/api/v1/namespaces/default/secrets", ["metadata": ["name": .string(name)]])
            }
            let volume: JSONValue = [["name": "v", "secret": ["secretName": "named"]]]
            _ = try await clients.create(Self.pods, Self.pod("p", ["nodeName": "n1", "volumes": volume]))
            let secrets = "/api/v1/namespaces/default/secrets"
            #expect(try await clients.refusal("n1", "GET", secrets + "/named") == nil)
            #expect(
                try await clients.refusal("n1", "GET", secrets + "/other")
                    == #"secrets "other" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in "#
                    + #"the namespace "default": no relationship found between node 'n1' and this object"#)
            #expect(try await clients.refusal("n2", "GET", secrets + "/named") != nil)
            #expect(try await clients.refusal("n1", "GET", secrets) != nil)
            #expect(try await clients.refusal("n1", "GET", "/api/v1/pods") != nil)
            #expect(try await clients.refusal("n1", "GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1") == nil)
            #expect(try await clients.refusal("n2", "GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1") != nil)
            let status: JSONValue = ["status": ["phase": "Running"]]
            #expect(try await clients.refusal("n1", "PATCH", Self.pods + "/p/status", status) == nil)
            #expect(
                try await clients.refusal("n2", "PATCH", Self.pods + "/p/status", status)
                    == #"pods "p" is forbidden: node "n2" can only update pod status for pods with spec.nodeName set to itself"#
            )
            #expect(try await clients.refusal("n2", "DELETE", Self.pods + "/p?gracePeriodSeconds=0") != nil)
            #expect(try await clients.refusal("n1", "POST", Self.pods, Self.pod("q", ["nodeName": "n1"])) != nil)
            #expect(try await clients.refusal("n1", "DELETE", Self.pods + "/p?gracePeriodSeconds=0") == nil)
            // What its pod named is no longer its own.
            #expect(try await clients.refusal("n1", "GET", secrets + "/named") != nil)
            #expect(
                try await clients.refusal(
                    "n1", "POST", "/api/v1/namespaces/default/services", ["metadata": ["name": "s"]]) != nil)
        }
    }

    @Test("Reviews say who may do what, and who one is")
    func reviews() async throws {
        try await run { clients in
            let authorization = "/apis/authorization.k8s.io/v1"
            let authentication = "/apis/authentication.k8s.io/v1"
            func asked(_ user: String, _ verb: String, _ resource: String) async throws -> JSONValue? {
                let attributes: JSONValue = [
                    "namespace": "default", "verb": .string(verb), "resource": .string(resource),
                ]
                let (code, json) = try await clients.send(
                    user, "POST", authorization + "/selfsubjectaccessreviews",
                    ["spec": ["resourceAttributes": attributes]])
                #expect(code == 201)
                return json.at("status", "allowed")
            }
            _ = try await clients.create(
                Self.rbac + "/namespaces/default/rolebindings", Self.binding("ClusterRole", "view", user: "alice"))
            #expect(try await asked("alice", "get", "pods") == true)
            #expect(try await asked("alice", "create", "pods") == false)
            #expect(try await asked("root", "create", "pods") == true)
            let other: JSONValue = [
                "spec": ["user": "alice", "nonResourceAttributes": ["verb": "get", "path": "/metrics"]]
            ]
            let reviewed = try await clients.create(authorization + "/subjectaccessreviews", other)
            #expect(reviewed.at("status", "allowed") == false)
            #expect(try await clients.refusal("alice", "POST", authorization + "/subjectaccessreviews", other) != nil)
            let rules = try await clients.send(
                "alice", "POST", authorization + "/selfsubjectrulesreviews", ["spec": ["namespace": "default"]]
            ).json
            #expect(
                rules.at("status", "resourceRules")?.array?.contains {
                    $0["resources"]?.array?.contains("pods") == true && $0["verbs"]?.array?.contains("list") == true
                } == true)
            let who = try await clients.send("alice", "POST", authentication + "/selfsubjectreviews", [:]).json
            #expect(who.at("status", "userInfo", "username") == "alice")
            #expect(who.at("status", "userInfo", "groups") == ["dev", "ops", "system:authenticated"])
            let bad = try await clients.send("root", "POST", authorization + "/selfsubjectaccessreviews", ["spec": [:]])
            #expect(bad.code == 422)
            #expect(try await clients.send("root", "GET", authorization + "/subjectaccessreviews").code == 405)
        }
    }

    @Test("Who may act for another is seen as the other")
    func impersonation() async throws {
        try await run { clients in
            let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
            let other = try await clients.send(
                "root", "POST", path, [:], ("Impersonate-User", "bob"), ("Impersonate-Group", "x"),
                ("Impersonate-Extra-scopes", "read")
            ).json
            #expect(other.at("status", "userInfo", "username") == "bob")
            #expect(other.at("status", "userInfo", "groups") == ["x", "system:authenticated"])
            #expect(other.at("status", "userInfo", "extra", "scopes") == ["read"])
            #expect(try await clients.refusal("root", "GET", Self.pods, nil, ("Impersonate-User", "bob")) != nil)
            #expect(
                try await clients.refusal("alice", "GET", "/apis", nil, ("Impersonate-User", "root"))
                    == #"users "root" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the "#
                    + "cluster scope")
            #expect(try await clients.send("root", "GET", "/apis", nil, ("Impersonate-Group", "x")).code == 500)
        }
    }

    @Test("What is said of a user besides name and groups is in the binary form too")
    func binaryUsers() async throws {
        let binary = "application/vnd.kubernetes.protobuf"
        try await run { clients in
            func ask(_ path: String, _ object: JSONValue) async throws -> JSONValue {
                let headers = [
                    ("Impersonate-User", "bob"), ("Impersonate-Group", "system:masters"), ("Impersonate-Uid", "7"),
                    ("Impersonate-Extra-Scopes", "read"), ("Impersonate-Extra-Scopes", "write"),
                    ("Impersonate-Extra-example.com%2Fkey", "v"),
                ]
                let answer = try await clients.server.with(token: "root", headers: headers).send(
                    "POST", path, bytes: ProtobufBody.encode(object), type: binary, accept: binary)
                #expect(answer.code == 201)
                #expect(answer.headers["content-type"] == [binary])
                return try ProtobufBody.decode(answer.bytes)
            }
            let who: JSONValue = ["apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"]
            let user = try await ask("/apis/authentication.k8s.io/v1/selfsubjectreviews", who)
                .at("status", "userInfo")
            #expect(user?["username"] == "bob")
            #expect(user?["uid"] == "7")
            #expect(user?["groups"] == ["system:masters", "system:authenticated"])
            #expect(user?["extra"] == ["example.com/key": ["v"], "scopes": ["read", "write"]])
            let review: JSONValue = [
                "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                "spec": [
                    "user": "eve", "groups": ["system:masters"], "uid": "8",
                    "extra": ["scopes": ["a", "b"], "none": []],
                    "resourceAttributes": ["verb": "get", "resource": "pods"],
                ],
            ]
            let reviewed = try await ask("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
            #expect(reviewed.at("status", "allowed") == true)
            #expect(reviewed.at("spec", "extra") == ["scopes": ["a", "b"], "none": []])
            #expect(reviewed.at("spec", "uid") == "8")
        }
    }

    @Test("Every attribute of the other needs a right of its own, and pods' accounts have their groups")
    func impersonatedAttributes() async throws {
        let rules: JSONValue = [
            ["apiGroups": [""], "resources": ["users"], "resourceNames": ["bob"], "verbs": ["impersonate"]],
            ["apiGroups": [""], "resources": ["groups"], "resourceNames": ["x"], "verbs": ["impersonate"]],
            [
                "apiGroups": ["authentication.k8s.io"], "resources": ["uids"], "resourceNames": ["7"],
                "verbs": ["impersonate"],
            ],
            [
                "apiGroups": ["authentication.k8s.io"], "resources": ["userextras/scopes"], "resourceNames": ["read"],
                "verbs": ["impersonate"],
            ],
        ]
        let user = ("Impersonate-User", "bob")
        let rows: [(headers: [(String, String)], refusal: String?)] = [
            ([user], nil), ([user, ("Impersonate-Group", "x")], nil), ([user, ("Impersonate-Uid", "7")], nil),
            ([user, ("Impersonate-Extra-Scopes", "read")], nil),
            ([("Impersonate-User", "eve")], #"users "eve" is forbidden"#),
            ([user, ("Impersonate-Group", "y")], #"groups "y" is forbidden"#),
            ([user, ("Impersonate-Uid", "8")], #"uids.authentication.k8s.io "8" is forbidden"#),
            (
                [user, ("Impersonate-Extra-Scopes", "read"), ("Impersonate-Extra-Scopes", "write")],
                #"userextras.authentication.k8s.io "write" is forbidden"#
            ),
            ([user, ("Impersonate-Extra-other", "read")], #"userextras.authentication.k8s.io "read" is forbidden"#),
            (
                [("Impersonate-User", "system:serviceaccount:default:robot")],
                #"serviceaccounts "robot" is forbidden"#
            ),
        ]
        try await run { clients in
            _ = try await clients.create(Self.rbac + "/clusterroles", ["metadata": ["name": "act"], "rules": rules])
            _ = try await clients.create(
                Self.rbac + "/clusterrolebindings", Self.binding("ClusterRole", "act", user: "alice"))
            let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
            for row in rows {
                let answer = try await clients.server.with(token: "alice", headers: row.headers)
                    .send("POST", path, [:])
                #expect(answer.code == (row.refusal == nil ? 201 : 403), "\(row): \(answer.text)")
                if let refusal = row.refusal {
                    #expect(answer.json["message"]?.string?.hasPrefix(refusal) ?? false, "\(answer.text)")
                }
            }
            let whole = try await clients.send(
                "root", "POST", path, [:], user, ("Impersonate-Uid", "7"), ("Impersonate-Extra-a%2fb", "c")
            ).json
            #expect(whole.at("status", "userInfo", "uid") == "7")
            #expect(whole.at("status", "userInfo", "extra", "a/b") == ["c"])
            let robot = try await clients.send(
                "root", "POST", path, [:], ("Impersonate-User", "system:serviceaccount:default:robot")
            ).json
            #expect(
                robot.at("status", "userInfo", "groups")
                    == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"])
        }
    }

    @Test("The roles that operators expect are there, and those of nodes are nobody's by role")
    func defaultRoles() async throws {
        try await run { clients in
            let list = try await clients.send("root", "GET", Self.rbac + "/clusterroles").json["items"]?.array ?? []
            let names = Set(list.compactMap { $0.at("metadata", "name")?.string })
            let expected: Set = [
                "cluster-admin", "admin", "edit", "view", "system:aggregate-to-admin", "system:aggregate-to-edit",
                "system:aggregate-to-view", "system:auth-delegator", "system:basic-user", "system:discovery",
                "system:kube-controller-manager", "system:kube-dns", "system:kube-scheduler",
                "system:kubelet-api-admin", "system:monitoring", "system:node", "system:node-problem-detector",
                "system:node-proxier", "system:public-info-viewer", "system:service-account-issuer-discovery",
            ]
            #expect(expected.subtracting(names).isEmpty)
            let bindings =
                try await clients.send("root", "GET", Self.rbac + "/clusterrolebindings").json["items"]?.array ?? []
            for binding in bindings {
                let role = binding.at("roleRef", "name")?.string ?? ""
                #expect(names.contains(role), "\(role) is bound and does not exist")
                #expect((role == "system:node") == (binding["subjects"]?.array ?? []).isEmpty, "\(role)")
            }
        }
    }

    @Test("Others can verify the tokens of service accounts")
    func issuer() async throws {
        try await run { clients in
            let described = try await clients.send("root", "GET", "/.well-known/openid-configuration").json
            #expect(described["issuer"] == "https://kubernetes.default.svc.cluster.local")
            #expect(described["jwks_uri"]?.string?.hasSuffix("/openid/v1/jwks") ?? false)
            let keys = try await clients.server.with(token: "root").send("GET", "/openid/v1/jwks")
            #expect(keys.headers["content-type"] == ["application/jwk-set+json"])
            let key = try #require(keys.json["keys"]?[0])
            #expect(key["kty"] == "EC")
            for coordinate in ["x", "y"] {
                let text = try #require(key[coordinate]?.string)
                #expect(Base64.decodeURL(Array(text.utf8))?.count == 32)
            }
            _ = try await clients.create(
                "/api/v1/namespaces/default/serviceaccounts", ["metadata": ["name": "robot"]])
            let token = try await clients.send(
                "root", "POST", "/api/v1/namespaces/default/serviceaccounts/robot/token", ["spec": ["audiences": []]]
            ).json.at("status", "token")?.string
            let text = try #require(token)
            #expect(JSONWebToken(text)?.keyID == key["kid"]?.string)
            let robot = clients.server.with(token: text)
            #expect(try await robot.send("GET", "/openid/v1/jwks").code == 200)
            #expect(try await clients.send("alice", "GET", "/openid/v1/jwks").code == 403)
        }
    }

    @Test(
        "A certificate that is revoked is nobody's from the next second on, and ends what it began",
        .timeLimit(.minutes(2)))
    func revocation() async throws {
        try await ServerHarness.run(tokens: Self.tokens) { server in
            #expect(try await server.send("GET", "/api/v1/namespaces").code == 200)
            let watch = try await server.open("GET", "/api/v1/namespaces?watch=true&timeoutSeconds=600")
            let certificate = try String(contentsOfFile: server.directory + "/pki/admin.crt", encoding: .utf8)
            let serial = try ServerHarness.serial(ofPEM: certificate)
            let file = server.directory + "/pki/revoked"
            try "# was lost\n\nserial=\(serial)  # a laptop\n".write(toFile: file, atomically: true, encoding: .utf8)
            var code = 200
            for _ in 0..<50 where code != 401 {
                try await Task.sleep(for: .milliseconds(100))
                code =
                    (try? await server.another().closing { try await $0.send("GET", "/api/v1/namespaces").code }) ?? 0
            }
            #expect(code == 401)
            // The watch ends with the connection, long before its own time; how depends on what its client notices first.
            _ = await Task { for try await _ in watch.body {} }.result
            #expect(try await server.with(token: "root").send("GET", "/api/v1/namespaces").code == 200)
            try FileManager.default.removeItem(atPath: file)
            for _ in 0..<50 where code != 200 {
                try await Task.sleep(for: .milliseconds(100))
                code =
                    (try? await server.another().closing { try await $0.send("GET", "/api/v1/namespaces").code }) ?? 0
            }
            #expect(code == 200)
        }
    }

    @Test(
        "A line of the file is a serial number as people write it, or it is told",
        arguments: [
            ("0A1b", [[0x0A, 0x1B]], []), ("a1b", [[0x0A, 0x1B]], []), ("serial=0A1B\n", [[0x0A, 0x1B]], []),
            ("00:0a:1b # old", [[0x0A, 0x1B]], []), ("# a\n\n 0a\r\n0b\n", [[0x0A], [0x0B]], []),
            ("xyz\n0a", [[0x0A]], [1]), ("0a\nserial=\n+1", [[0x0A]], [2, 3]), ("", [], []),
        ] as [(String, Set<[UInt8]>, [Int])])
    func revokedSerials(text: String, serials: Set<[UInt8]>, problems: [Int]) {
        let read = RevokedCertificates.read(text)
        #expect(read.serials == serials)
        #expect(read.problems == problems)
    }
}
