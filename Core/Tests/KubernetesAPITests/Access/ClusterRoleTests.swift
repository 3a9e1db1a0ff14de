import JSON
import KubernetesAPI
import Testing

@Suite("Roles that collect others")
struct ClusterRoleTests {
    private static func role(_ name: String, _ labels: [String: String], _ rules: String...) -> ClusterRole {
        ClusterRole(metadata: ObjectMeta(name: name, labels: labels), rules: rules.map { ["verbs": [.string($0)]] })
    }

    private static let roles = [
        role("z", ["to": "view"], "get", "list"), role("a", ["to": "view"], "watch", "get"),
        role("other", ["to": "edit"], "delete"), role("plain", [:], "patch"),
    ]

    private static func collecting(_ name: String, _ selectors: [LabelSelector]?) -> ClusterRole {
        ClusterRole(
            metadata: ObjectMeta(name: name, labels: ["to": "view"]), rules: [["verbs": ["old"]]],
            aggregationRule: AggregationRule(clusterRoleSelectors: selectors))
    }

    @Test(
        "Rules are collected by labels, by name and once",
        arguments: [
            ([LabelSelector(matchLabels: ["to": "view"])], ["watch", "get", "list"]),
            (
                [LabelSelector(matchLabels: ["to": "edit"]), LabelSelector(matchLabels: ["to": "view"])],
                ["watch", "get", "delete", "list"]
            ),
            ([LabelSelector(matchLabels: ["to": "nobody"])], []),
            (nil, []),
        ] as [([LabelSelector]?, [String])])
    func collected(selectors: [LabelSelector]?, verbs: [String]) {
        let role = Self.collecting("self", selectors)
        // The role carries the label itself and does not collect itself.
        let rules = role.collectedRules(from: Self.roles + [role])
        #expect(rules == verbs.map { ["verbs": [.string($0)]] })
    }
}
