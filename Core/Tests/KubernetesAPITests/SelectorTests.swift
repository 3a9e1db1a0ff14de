import KubernetesAPI
import Testing

@Suite struct SelectorTests {
    static let labels = ["app": "web", "tier": "front", "size": "5"]

    @Test(arguments: [
        ("", true),
        ("app=web", true),
        ("app==web,tier=front", true),
        ("app!=web", false),
        ("none!=x", true),
        ("app in (db, web)", true),
        ("app in (db)", false),
        ("app notin (db),none notin (x)", true),
        ("app", true),
        ("!app", false),
        ("!none", true),
        ("size>4,size<6", true),
        ("size>5", false),
        ("app=", false),
    ])
    func `Label queries match`(text: String, expected: Bool) throws {
        #expect(try LabelQuery(text).matches(Self.labels) == expected)
    }

    @Test(arguments: [
        "=", "a=b,", "a in", "a in (b", "a in b", "size>x", "a b", "a=b=c", ",", "a,,b", "a===", "a=(", "a in (()",
        "a=b!",
    ])
    func `Malformed label queries are refused`(text: String) {
        #expect(throws: SelectorError.self) { try LabelQuery(text) }
    }

    @Test func `A selector holds when all of its parts do`() {
        let selector = LabelSelector(
            matchLabels: ["app": "web"],
            matchExpressions: [
                LabelSelectorRequirement(key: "tier", operator: "In", values: ["front", "back"]),
                LabelSelectorRequirement(key: "none", operator: "DoesNotExist"),
            ])
        #expect(selector.matches(Self.labels))
        #expect(!selector.matches(["app": "web", "tier": "other"]))
        #expect(LabelSelector().matches([:]))
    }

    @Test(arguments: [
        ("metadata.name=a", true),
        ("metadata.name!=a", false),
        ("metadata.name==a,spec.nodeName=", true),
        ("spec.nodeName!=", false),
        (#"status.text=x\,y\=z"#, true),
    ])
    func `Field selectors match`(text: String, expected: Bool) throws {
        let fields = ["metadata.name": "a", "status.text": "x,y=z"]
        #expect(try FieldSelector(text).matches { fields[$0] } == expected)
    }
}
