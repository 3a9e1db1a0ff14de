import JSON
import KubernetesAPI
import TestSupport
import Testing

@Suite("Who may do what by roles and bindings")
struct RoleIndexTests {
    private static let reader: JSONValue = [
        "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]]
    ]

    private static func binding(_ kind: String, _ role: String, _ subjects: JSONValue...) -> JSONValue {
        ["roleRef": ["kind": .string(kind), "name": .string(role)], "subjects": .array(subjects)]
    }

    private static func pods(_ namespace: String) -> AccessRequest {
        AccessRequest("get", group: "", resource: "pods", namespace: namespace, name: "p")
    }

    @Test("Bindings hold where they stand, for whom they name")
    func scopes() {
        var index = RoleIndex()
        index.setRole(.init(name: "reader"), object: Self.reader)
        index.setRole(.init(namespace: "a", name: "reader"), object: Self.reader)
        index.setBinding(
            .init(namespace: "a", name: "x"),
            object: Self.binding("ClusterRole", "reader", ["kind": "User", "name": "alice"]))
        index.setBinding(
            .init(namespace: "b", name: "x"),
            object: Self.binding("Role", "reader", ["kind": "User", "name": "alice"]))
        index.setBinding(
            .init(name: "x"),
            object: Self.binding(
                "ClusterRole", "reader", ["kind": "Group", "name": "ops"],
                ["kind": "ServiceAccount", "namespace": "a", "name": "robot"]))
        #expect(index.allows(user: "alice", groups: [], Self.pods("a")))
        // The role of the binding in `b` would have to stand in `b`.
        #expect(!index.allows(user: "alice", groups: [], Self.pods("b")))
        #expect(!index.allows(user: "alice", groups: [], Self.pods("")))
        #expect(index.allows(user: "bob", groups: ["dev", "ops"], Self.pods("c")))
        #expect(index.allows(user: "bob", groups: ["ops"], Self.pods("")))
        #expect(!index.allows(user: "ops", groups: [], Self.pods("c")))
        #expect(index.allows(user: "system:serviceaccount:a:robot", groups: [], Self.pods("c")))
        #expect(!index.allows(user: "system:serviceaccount:b:robot", groups: [], Self.pods("c")))
        #expect(index.rules(user: "alice", groups: ["ops"], namespace: "a").count == 2)
        index.setRole(.init(name: "reader"), object: nil)
        #expect(!index.allows(user: "bob", groups: ["ops"], Self.pods("c")))
        #expect(!index.allows(user: "alice", groups: [], Self.pods("a")))
    }

    @Test("Followed change by change, the index says what a new one would")
    func increments() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var index = RoleIndex()
        var roles: [RoleIndex.Key: [PolicyRule]] = [:]
        var bindings: [RoleIndex.Key: RoleIndex.Binding] = [:]
        func one(_ texts: [String]) -> String { texts.randomElement(using: &random) ?? "" }
        for step in 0..<3_000 {
            let key = RoleIndex.Key(namespace: one(["", "a", "b"]), name: one(["x", "y", "z"]))
            let isGone = Int.random(in: 0..<3, using: &random) == 0
            if Bool.random(using: &random) {
                roles[key] = isGone ? nil : [PolicyRuleTests.rule(&random)]
                index.setRole(key, roles[key])
            } else {
                let role = RoleIndex.Key(namespace: one(["", key.namespace]), name: one(["x", "y", "z"]))
                let subjects: [RoleIndex.Subject] = [.user(one(["u", "v"])), .group(one(["g", "h"])), .user("u")]
                bindings[key] = isGone ? nil : .init(role: role, subjects: subjects)
                index.setBinding(key, bindings[key])
            }
            let request = PolicyRuleTests.request(&random)
            let groups = [one(["g", "h"])]
            let expected = bindings.contains { key, binding in
                (key.namespace.isEmpty || key.namespace == request.namespace)
                    && (binding.subjects.contains(.user("u")) || binding.subjects.contains(.group(groups[0])))
                    && (roles[binding.role] ?? []).contains { $0.allows(request) }
            }
            #expect(
                index.allows(user: "u", groups: groups, request) == expected, "seed \(seed), step \(step): \(request)")
        }
    }

    @Test(
        "Service accounts are users",
        arguments: [
            ("system:serviceaccount:a:b", "a", "b"), ("system:serviceaccount:a:", nil, nil),
            ("system:serviceaccount::b", nil, nil), ("system:serviceaccount:a", nil, nil), ("alice", nil, nil),
            ("system:serviceaccount:a:b:c", nil, nil),
        ] as [(String, String?, String?)])
    func names(user: String, namespace: String?, name: String?) {
        let account = ServiceAccountName(userName: user)
        #expect(account?.namespace == namespace)
        #expect(account?.name == name)
        if let account { #expect(account.userName == user) }
    }
}
