import KubernetesAPI
import TestSupport
import Testing

@Suite("Rules of roles")
struct PolicyRuleTests {
    private static let podReader = PolicyRule(["get", "list"], groups: [""], resources: ["pods"])
    private static let everything = PolicyRule(["*"], groups: ["*"], resources: ["*"])
    private static let logs = PolicyRule(["get"], groups: [""], resources: ["pods/log", "*/scale"])
    private static let named = PolicyRule(
        ["get", "update"], groups: ["apps"], resources: ["deployments"], names: ["a"])
    private static let paths = PolicyRule(["get"], urls: ["/metrics", "/logs/*"])

    @Test(
        "A rule allows what it names",
        arguments: [
            (podReader, AccessRequest("get", group: "", resource: "pods", namespace: "n", name: "p"), true),
            (podReader, AccessRequest("watch", group: "", resource: "pods"), false),
            (podReader, AccessRequest("get", group: "apps", resource: "pods"), false),
            (podReader, AccessRequest("get", group: "", resource: "pods", subresource: "log"), false),
            (podReader, AccessRequest("get", path: "/metrics"), false),
            (everything, AccessRequest("eat", group: "x", resource: "y", subresource: "z"), true),
            (everything, AccessRequest("get", path: "/metrics"), false),
            (logs, AccessRequest("get", group: "", resource: "pods", subresource: "log"), true),
            (logs, AccessRequest("get", group: "", resource: "pods"), false),
            (logs, AccessRequest("get", group: "", resource: "podsx", subresource: "og"), false),
            (logs, AccessRequest("get", group: "", resource: "anything", subresource: "scale"), true),
            (logs, AccessRequest("get", group: "", resource: "scale"), false),
            (named, AccessRequest("get", group: "apps", resource: "deployments", name: "a"), true),
            (named, AccessRequest("get", group: "apps", resource: "deployments", name: "b"), false),
            (named, AccessRequest("get", group: "apps", resource: "deployments"), false),
            (paths, AccessRequest("get", path: "/metrics"), true),
            (paths, AccessRequest("get", path: "/metrics/x"), false),
            (paths, AccessRequest("get", path: "/logs/a/b"), true),
            (paths, AccessRequest("get", path: "/logs"), false),
            (paths, AccessRequest("post", path: "/metrics"), false),
            (PolicyRule(["*"], urls: ["*"]), AccessRequest("post", path: "/anything"), true),
        ])
    func allows(rule: PolicyRule, request: AccessRequest, expected: Bool) {
        #expect(rule.allows(request) == expected)
    }

    @Test(
        "Nobody grants what they do not hold",
        arguments: [
            ([podReader], [podReader], ""),
            ([podReader], [PolicyRule(["get"], groups: [""], resources: ["pods"], names: ["x"])], ""),
            ([everything], [podReader, logs, named], ""),
            (
                [everything], [paths],
                #"{NonResourceURLs:["/metrics"], Verbs:["get"]} {NonResourceURLs:["/logs/*"], Verbs:["get"]}"#
            ),
            ([PolicyRule(["*"], urls: ["*"])], [paths], ""),
            ([paths], [PolicyRule(["get"], urls: ["/logs/a", "/logs/b/*"])], ""),
            ([paths], [PolicyRule(["get"], urls: ["/lo*"])], #"{NonResourceURLs:["/lo*"], Verbs:["get"]}"#),
            ([], [podReader], #"{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}"#),
            (
                [podReader], [PolicyRule(["get", "delete", "list", "create"], groups: [""], resources: ["pods"])],
                #"{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}"#
            ),
            (
                [named], [PolicyRule(["get"], groups: ["apps"], resources: ["deployments"])],
                #"{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}"#
            ),
            (
                [named], [PolicyRule(["get"], groups: ["apps"], resources: ["deployments"], names: ["a", "b"])],
                #"{APIGroups:["apps"], Resources:["deployments"], ResourceNames:["b"], Verbs:["get"]}"#
            ),
            ([logs], [PolicyRule(["get"], groups: [""], resources: ["x/scale", "pods/log"])], ""),
            ([podReader], [everything], #"{APIGroups:["*"], Resources:["*"], Verbs:["*"]}"#),
            // What is held may be spread over several rules.
            (
                [
                    PolicyRule(["get"], groups: [""], resources: ["a"]),
                    PolicyRule(["get"], groups: [""], resources: ["b"]),
                ],
                [PolicyRule(["get"], groups: [""], resources: ["a", "b"])], ""
            ),
        ])
    func covering(held: [PolicyRule], wanted: [PolicyRule], missing: String) {
        let texts = PolicyRule.missing(from: held, toGrant: wanted).map(\.description)
        #expect(texts.joined(separator: " ") == missing)
    }

    @Test("What is covered allows no request that is not held")
    func coveringLaw() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let held = (0..<Int.random(in: 0...3, using: &random)).map { _ in Self.rule(&random) }
            let wanted = (0..<Int.random(in: 1...2, using: &random)).map { _ in Self.rule(&random) }
            guard PolicyRule.missing(from: held, toGrant: wanted).isEmpty else { continue }
            for _ in 0..<20 {
                let request = Self.request(&random)
                let isWanted = wanted.contains { $0.allows(request) }
                let isHeld = held.contains { $0.allows(request) }
                #expect(!isWanted || isHeld, "seed \(seed): \(held) \(wanted) \(request)")
            }
        }
    }

    @Test(
        "Refusals have the words of Kubernetes",
        arguments: [
            (
                AccessRequest("list", group: "", resource: "pods", namespace: "n"),
                #"User "u" cannot list resource "pods" in API group "" in the namespace "n""#
            ),
            (
                AccessRequest("get", group: "apps", resource: "deployments", subresource: "scale", name: "x"),
                #"User "u" cannot get resource "deployments/scale" in API group "apps" at the cluster scope"#
            ),
            (AccessRequest("get", path: "/metrics"), #"User "u" cannot get path "/metrics""#),
        ])
    func refusals(request: AccessRequest, text: String) {
        #expect(request.refusal(user: "u") == text)
    }

    static func rule(_ random: inout SeededGenerator) -> PolicyRule {
        func some(_ texts: [String]) -> [String] { texts.filter { _ in Bool.random(using: &random) } }
        if Int.random(in: 0..<4, using: &random) == 0 {
            return PolicyRule(some(["get", "post", "*"]), urls: some(["/a", "/a/*", "*", "/b"]))
        }
        return PolicyRule(
            some(["get", "list", "*"]), groups: some(["", "apps", "*"]),
            resources: some(["pods", "pods/log", "*", "*/log", "nodes"]), names: some(["x", "y"]))
    }

    static func request(_ random: inout SeededGenerator) -> AccessRequest {
        func one(_ texts: [String]) -> String { texts.randomElement(using: &random) ?? "" }
        if Int.random(in: 0..<4, using: &random) == 0 {
            return AccessRequest(one(["get", "post"]), path: one(["/a", "/a/b", "/b", "/c"]))
        }
        return AccessRequest(
            one(["get", "list", "watch"]), group: one(["", "apps", "z"]), resource: one(["pods", "nodes", "log"]),
            subresource: one(["", "log", "scale"]), namespace: one(["", "n"]), name: one(["", "x", "z"]))
    }
}
