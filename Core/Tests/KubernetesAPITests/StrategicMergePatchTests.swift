import JSON
import KubernetesAPI
import Testing

@Suite struct StrategicMergePatchTests {
    /// A patch of a Pod's spec, and what becomes of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let remark: String
        let original: String
        let patch: String
        let result: String
        var testDescription: String { remark }
    }

    static let cases: [Case] = [
        Case(
            remark: "members merge, null removes",
            original: #"{"nodeName":"a","hostname":"h"}"#, patch: #"{"hostname":null,"subdomain":"s"}"#,
            result: #"{"nodeName":"a","subdomain":"s"}"#),
        Case(
            remark: "null of what is not there means nothing",
            original: "{}", patch: #"{"hostname":null,"securityContext":{"runAsUser":null,"fsGroup":1}}"#,
            result: #"{"securityContext":{"fsGroup":1}}"#),
        Case(
            remark: "lists with a key merge, and the patch's elements come in its order",
            original: #"{"containers":[{"name":"a","image":"1"},{"name":"b"}]}"#,
            patch: #"{"containers":[{"name":"a","image":"2"}]}"#,
            result: #"{"containers":[{"name":"a","image":"2"},{"name":"b"}]}"#),
        Case(
            remark: "new elements lose directives and come before those that the patch does not mention",
            original: #"{"containers":[{"name":"a"}]}"#,
            patch: #"{"containers":[{"name":"b","image":null,"env":[{"name":"x","$patch":"delete"}]}]}"#,
            result: #"{"containers":[{"name":"b","env":[]},{"name":"a"}]}"#),
        Case(
            remark: "$patch: delete removes an element",
            original: #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
            patch: #"{"containers":[{"name":"a","$patch":"delete"}]}"#,
            result: #"{"containers":[{"name":"b"}]}"#),
        Case(
            remark: "$patch: replace replaces a list",
            original: #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
            patch: #"{"containers":[{"$patch":"replace"},{"name":"c"}]}"#,
            result: #"{"containers":[{"name":"c"}]}"#),
        Case(
            remark: "$patch: replace replaces a map",
            original: #"{"nodeSelector":{"a":"1"}}"#, patch: #"{"nodeSelector":{"$patch":"replace","b":"2"}}"#,
            result: #"{"nodeSelector":{"b":"2"}}"#),
        Case(
            remark: "$patch: delete empties a map",
            original: #"{"nodeSelector":{"a":"1"}}"#, patch: #"{"nodeSelector":{"$patch":"delete"}}"#,
            result: #"{"nodeSelector":{}}"#),
        Case(
            remark: "lists without a key are replaced",
            original: #"{"tolerations":[{"key":"a"}]}"#, patch: #"{"tolerations":[{"key":"b"}]}"#,
            result: #"{"tolerations":[{"key":"b"}]}"#),
        Case(
            remark: "$retainKeys keeps only these keys of a volume",
            original: #"{"volumes":[{"name":"v","emptyDir":{}}]}"#,
            patch: #"{"volumes":[{"name":"v","$retainKeys":["name","hostPath"],"hostPath":{"path":"/"}}]}"#,
            result: #"{"volumes":[{"name":"v","hostPath":{"path":"/"}}]}"#),
        Case(
            remark: "$setElementOrder orders, and unlisted elements stay before what followed them",
            original: #"{"containers":[{"name":"a"},{"name":"x"},{"name":"b"},{"name":"y"}]}"#,
            patch:
                #"{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"b","image":"2"}]}"#,
            result: #"{"containers":[{"name":"x"},{"name":"b","image":"2"},{"name":"a"},{"name":"y"}]}"#),
        Case(
            remark: "$setElementOrder alone reorders",
            original: #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
            patch: #"{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}"#,
            result: #"{"containers":[{"name":"b"},{"name":"a"}]}"#),
        Case(
            remark: "nested lists merge too",
            original: #"{"containers":[{"name":"a","env":[{"name":"x","value":"1"},{"name":"y","value":"2"}]}]}"#,
            patch: #"{"containers":[{"name":"a","env":[{"name":"y","value":"3"}]}]}"#,
            result: #"{"containers":[{"name":"a","env":[{"name":"x","value":"1"},{"name":"y","value":"3"}]}]}"#),
        Case(
            remark: "a scalar replaces a map",
            original: #"{"affinity":{"nodeAffinity":{}}}"#, patch: #"{"affinity":"x"}"#, result: #"{"affinity":"x"}"#),
    ]

    @Test(arguments: cases)
    func `a patch of a Pod's spec`(row: Case) throws {
        #expect(try patched(row.original, row.patch, in: .pods) == JSONValue(text: row.result))
    }

    static let finalizers: [(live: String, added: String?, removed: String?, result: String)] = [
        (#"["a","b"]"#, #"["b","c"]"#, nil, #"["a","b","c"]"#),
        (#"["a","b"]"#, nil, #"["a"]"#, #"["b"]"#),
        (#"["a","b"]"#, #"["c"]"#, #"["b"]"#, #"["c","a"]"#),
    ]

    @Test(arguments: finalizers)
    func `finalizers merge as a set`(live: String, added: String?, removed: String?, result: String) throws {
        var patch: JSONValue = ["metadata": [:]]
        patch.set(try added.map(JSONValue.init(text:)), at: "metadata", "finalizers")
        patch.set(try removed.map(JSONValue.init(text:)), at: "metadata", "$deleteFromPrimitiveList/finalizers")
        var object: JSONValue = ["metadata": ["finalizers": try JSONValue(text: live)]]
        try StrategicMergePatch.apply(patch, to: &object, schema: try #require(Schema.node(for: .pods)))
        #expect(object.at("metadata", "finalizers") == (try JSONValue(text: result)))
    }

    @Test(arguments: [
        #"{"containers":[{"image":"1"}]}"#,
        #"{"containers":[{"name":"a","$patch":"merge"}]}"#,
        #"{"nodeSelector":{"$patch":"bogus"}}"#,
        #"{"nodeSelector":{"$retainKeys":["a"],"b":"1"}}"#,
        #"{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"b"}]}"#,
        #"{"$deleteFromPrimitiveList/x":1}"#,
    ])
    func `a patch without sense is refused`(patch: String) {
        #expect(throws: StatusError.self) {
            try patched(#"{"containers":[{"name":"a"}],"nodeSelector":{"a":"1"}}"#, patch, in: .pods)
        }
    }

    private func patched(_ spec: String, _ patch: String, in resource: Resource) throws -> JSONValue {
        var object: JSONValue = ["spec": try JSONValue(text: spec)]
        try StrategicMergePatch.apply(
            ["spec": try JSONValue(text: patch)], to: &object, schema: try #require(Schema.node(for: resource)))
        return object["spec"] ?? .null
    }
}
