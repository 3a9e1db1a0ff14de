import JSON
import KubernetesAPI
import Testing

@Suite struct SchemaTests {
    @Test(arguments: Resource.all)
    func `every resource has a type with metadata`(resource: Resource) throws {
        let type = try #require(Schema.node(for: resource)?.type)
        #expect(type.name == resource.kind)
        #expect(type["metadata"]?.node.type?.openAPIName == "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
    }

    @Test func `merge keys are known`() throws {
        let pod = try #require(Schema.type("PodSpec", group: ""))
        #expect(pod["containers"]?.mergeKey == "name")
        #expect(pod["volumes"]?.retainsKeys == true)
        #expect(pod["tolerations"]?.isMerged == false)
        let service = try #require(Schema.type("ServiceSpec", group: ""))
        #expect(service["ports"]?.mergeKey == "port")
        #expect(service["ports"]?.listKeys == ["port", "protocol"])
        #expect(Schema.type("DeploymentSpec", group: "apps")?["strategy"]?.retainsKeys == true)
        #expect(Schema.type("DeploymentSpec", group: "apps")?["template"]?.isRequired == true)
        #expect(Schema.type("EndpointPort", group: "discovery.k8s.io")?["port"]?.isRequired == false)
    }

    @Test(arguments: [
        (#"{"spec":{"foo":1,"ports":[{"port":80,"bar":{}}]},"x":null}"#, ["spec.foo", "spec.ports[0].bar", "x"]),
        (#"{"spec":{"selector":{"anything":"goes"}}}"#, []),
    ])
    func `unknown fields are named and dropped`(text: String, unknown: [String]) throws {
        let node = try #require(Schema.node(for: .services))
        var value = try JSONValue(text: text)
        #expect(try node.decode(&value, kind: "Service") == unknown)
        #expect(try node.decode(&value, kind: "Service") == [])
    }

    @Test(arguments: [
        (
            #"{"spec":{"ports":"x"}}"#,
            "json: cannot unmarshal string into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort"
        ),
        (
            #"{"spec":{"ports":[{"port":"x"}]}}"#,
            "json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32"
        ),
        (
            #"{"spec":{"ports":[{"port":4294967296}]}}"#,
            "json: cannot unmarshal number 4294967296 into Go struct field ServicePort.spec.ports.port of type int32"
        ),
        (
            #"{"spec":{"selector":{"a":1}}}"#,
            "json: cannot unmarshal number into Go struct field ServiceSpec.spec.selector.a of type string"
        ),
        (
            #"{"metadata":{"labels":["a"]}}"#,
            "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string"
        ),
        (#"[]"#, "json: cannot unmarshal array into Go value of type v1.Service"),
    ])
    func `wrong types are told as Kubernetes tells them`(text: String, message: String) throws {
        let node = try #require(Schema.node(for: .services))
        var value = try JSONValue(text: text)
        let error = #expect(throws: SchemaError.self) { try node.decode(&value, kind: "Service") }
        #expect(error?.description == message)
    }

    @Test func `nulls and empty optional values are dropped, other values keep their form`() throws {
        let node = try #require(Schema.node(for: .pods))
        var value = try JSONValue(
            text: """
                {"metadata":{"labels":{},"annotations":{"a":""},"creationTimestamp":null},"spec":{"hostname":"",
                "containers":[],"volumes":[{"name":"v","emptyDir":{}}],"overhead":{"cpu":1,"memory":"1Mi"}}}
                """)
        #expect(try node.decode(&value, kind: "Pod").isEmpty)
        #expect(
            try value
                == JSONValue(
                    text: """
                        {"metadata":{"annotations":{"a":""}},"spec":{"containers":[],
                        "volumes":[{"name":"v","emptyDir":{}}],"overhead":{"cpu":"1","memory":"1Mi"}}}
                        """))
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy"),
    ])
    func `base64 reads and writes the test vectors of RFC 4648`(plain: String, encoded: String) {
        #expect(Base64.encode(plain.utf8) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zg===", "Z===", "Zm9v=", "Zg==Zg==", "Zm9v!"])
    func `malformed base64 is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
