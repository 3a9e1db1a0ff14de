import JSON
import KubernetesAPI
import Testing

@Suite struct FieldSetTests {
    @Test(arguments: [
        (
            "scalars and maps", "ConfigMap", #"{"data":{"a":"1"},"metadata":{"labels":{"x":"y"}}}"#,
            #"{"f:data":{"f:a":{}},"f:metadata":{"f:labels":{"f:x":{}}}}"#
        ),
        (
            "keyed elements, the default of a key included", "Service", #"{"spec":{"ports":[{"port":80,"name":"h"}]}}"#,
            #"{"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{}}}}}"#
        ),
        (
            "lists and maps owned as one", "Service",
            #"{"spec":{"selector":{"a":"b"},"clusterIPs":["10.0.0.1"],"ipFamilies":[]}}"#,
            #"{"f:spec":{"f:clusterIPs":{},"f:ipFamilies":{},"f:selector":{}}}"#
        ),
        (
            "sets", "Node", #"{"metadata":{"finalizers":["a/b"]},"spec":{"podCIDRs":["10.0.0.0/24"]}}"#,
            #"{"f:metadata":{"f:finalizers":{"v:\"a/b\"":{}}},"f:spec":{"f:podCIDRs":{"v:\"10.0.0.0/24\"":{}}}}"#
        ),
        (
            "an empty object is a field, an empty list of elements is none", "Pod",
            #"{"spec":{"containers":[],"securityContext":{},"volumes":[{"name":"v","emptyDir":{}}]}}"#,
            #"{"f:spec":{"f:securityContext":{},"f:volumes":{"k:{\"name\":\"v\"}":{".":{},"f:emptyDir":{},"f:name":{}}}}}"#
        ),
        (
            "references and label selectors are owned as one", "Deployment",
            #"{"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"spec":{"imagePullSecrets":[{"name":"s"}]}}}}"#,
            #"{"f:spec":{"f:selector":{},"f:template":{"f:spec":{"f:imagePullSecrets":{"k:{\"name\":\"s\"}":{}}}}}}"#
        ),
    ])
    func `a value gives a set of fields`(remark: String, kind: String, value: String, expected: String) throws {
        let shape = try Sample.shape(kind)
        #expect(FieldSet(of: try JSONValue(text: value), shape).json == (try JSONValue(text: expected)), "\(remark)")
    }

    @Test func `new containers belong to who made them`() throws {
        let value = try JSONValue(text: #"{"data":{"a":"1"},"metadata":{"finalizers":[]}}"#)
        let set = FieldSet(of: value, try Sample.shape("ConfigMap"), withContainers: true)
        #expect(
            set.json.text(sortedKeys: true)
                == #"{"f:data":{".":{},"f:a":{}},"f:metadata":{"f:finalizers":{}}}"#)
    }

    @Test(arguments: [
        (
            #"{"f:a":{},"f:b":{"f:c":{}}}"#, #"{"f:b":{}}"#, #"{"f:a":{},"f:b":{".":{},"f:c":{}}}"#, #"{}"#,
            #"{"f:a":{},"f:b":{"f:c":{}}}"#
        ),
        (
            #"{"f:b":{".":{},"f:c":{}}}"#, #"{"f:b":{".":{},"f:d":{}}}"#, #"{"f:b":{".":{},"f:c":{},"f:d":{}}}"#,
            #"{"f:b":{}}"#, #"{"f:b":{"f:c":{}}}"#
        ),
        (#"{"f:a":{}}"#, #"{"f:a":{}}"#, #"{"f:a":{}}"#, #"{"f:a":{}}"#, #"{}"#),
    ])
    func `sets are united, intersected and subtracted`(
        left: String, right: String, union: String, intersection: String, difference: String
    ) throws {
        let left = try Sample.set(left)
        let right = try Sample.set(right)
        #expect(left.union(right) == (try Sample.set(union)))
        #expect(right.union(left) == (try Sample.set(union)))
        #expect(left.intersection(right) == (try Sample.set(intersection)))
        #expect(right.intersection(left) == (try Sample.set(intersection)))
        #expect(left.subtracting(right) == (try Sample.set(difference)))
    }

    @Test func `all that is below a member can go with it`() throws {
        let set = try Sample.set(#"{"f:a":{".":{},"f:b":{}},"f:c":{"f:d":{}}}"#)
        #expect(set.subtractingAll(below: try Sample.set(#"{"f:a":{}}"#)) == (try Sample.set(#"{"f:c":{"f:d":{}}}"#)))
        #expect(set.subtractingAll(below: try Sample.set(#"{"f:c":{"f:x":{}}}"#)) == set)
    }

    @Test func `paths are told as Kubernetes tells them`() throws {
        let set = try Sample.set(
            #"{"f:spec":{"f:ports":{"k:{\"protocol\": \"TCP\", \"port\": 80}":{".":{},"f:name":{}}},"f:type":{}},"#
                + #""f:metadata":{"f:finalizers":{"v:\"a\"":{}}},"f:list":{"i:0":{}}}"#)
        #expect(
            set.paths == [
                ".list[0]", #".metadata.finalizers[="a"]"#, ".spec.type", #".spec.ports[port=80,protocol="TCP"]"#,
                #".spec.ports[port=80,protocol="TCP"].name"#,
            ])
    }

    @Test(arguments: [
        #"{"x:a":{}}"#, #"{"k:[]":{}}"#, #"{"k:{}":{}}"#, #"{"v:":{}}"#, #"{"i:x":{}}"#, #"{"f:a":1}"#, "[]",
    ])
    func `what is no set is refused`(text: String) throws {
        #expect(FieldSet(json: try JSONValue(text: text)) == nil)
    }
}

/// What the tests of ownership share.
enum Sample {
    static func shape(_ kind: String) throws -> OwnershipShape {
        .of(try #require(Resource.all.first { $0.kind == kind }))
    }

    static func set(_ text: String) throws -> FieldSet { try #require(FieldSet(json: try JSONValue(text: text))) }
}
