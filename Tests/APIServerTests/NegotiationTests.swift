import JSON
import KubernetesAPI
import NIOHTTP1
import Testing

@Suite struct NegotiationTests {
    private static let protobuf = "application/vnd.kubernetes.protobuf"
    private static let path = "/api/v1/namespaces/default/configmaps"

    @Test func `objects are created, read, listed and deleted in the binary form`() async throws {
        let object: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "binary"], "data": ["k": "v"],
        ]
        try await ServerHarness.run { server in
            let created = try await server.send(
                "POST", Self.path, bytes: ProtobufBody.encode(object), type: Self.protobuf, accept: Self.protobuf)
            #expect(created.code == 201)
            #expect(created.headers["content-type"] == [Self.protobuf])
            #expect(try ProtobufBody.decode(created.bytes)["data"] == ["k": "v"])

            let read = try await server.send("GET", Self.path + "/binary", accept: Self.protobuf)
            #expect(read.bytes == created.bytes)
            let list = try await server.send("GET", Self.path, accept: Self.protobuf)
            let decoded = try ProtobufBody.decode(list.bytes)
            #expect(decoded["kind"] == "ConfigMapList")
            #expect(decoded["items"]?.array?.contains { $0.at("metadata", "name") == "binary" } == true)
            let partial = try await server.send(
                "GET", Self.path, accept: "\(Self.protobuf);as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
            #expect(try ProtobufBody.decode(partial.bytes)["kind"] == "PartialObjectMetadataList")
            let absent = try await server.send("GET", Self.path + "/absent", accept: Self.protobuf)
            #expect(absent.code == 404)
            #expect(try ProtobufBody.decode(absent.bytes)["reason"] == "NotFound")
            let deleted = try await server.send("DELETE", Self.path + "/binary", accept: Self.protobuf)
            #expect(try ProtobufBody.decode(deleted.bytes)["status"] == "Success")
        }
    }

    @Test func `bodies that cannot be read are refused and change nothing`() async throws {
        try await ServerHarness.run { server in
            let damaged = try await server.send(
                "POST", Self.path, bytes: Array("k8s\0".utf8) + [0x0A, 0x7F], type: Self.protobuf)
            #expect(damaged.code == 400)
            #expect(damaged.json["message"] == "the object provided is unrecognized: unexpected EOF")
            let unknown = try await server.send("POST", Self.path, bytes: [1], type: "application/cbor")
            #expect(unknown.code == 415)
            #expect(
                unknown.json["message"]
                    == """
                    the body of the request was in an unknown format - accepted media types include: \
                    application/json, application/yaml, application/vnd.kubernetes.protobuf
                    """)
            let unacceptable = try await server.send("GET", Self.path, accept: "text/csv")
            #expect(unacceptable.code == 406)
            let stream = try await server.send("GET", Self.path + "?watch=1", accept: "application/yaml")
            #expect(stream.code == 406)
            #expect(try await server.send("GET", Self.path).json["items"]?.array?.isEmpty == true)
        }
    }

    @Test func `a watch in the binary form is a series of frames`() async throws {
        try await ServerHarness.run { server in
            let object: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "seen"]]
            let created = try await server.send("POST", Self.path, object)
            let answer = try await server.send(
                "GET", Self.path + "?watch=true&timeoutSeconds=1", accept: Self.protobuf)
            #expect(answer.headers["content-type"] == ["\(Self.protobuf);stream=watch"])
            let length = answer.bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            #expect(answer.bytes.count == 4 + length)
            #expect(Array(answer.bytes.dropFirst(4).prefix(7)) == [0x0A, 5] + Array("ADDED".utf8))
            let start = try #require(answer.bytes.firstRange(of: Array("k8s\0".utf8))).lowerBound
            let seen = try ProtobufBody.decode(Array(answer.bytes[start...]))
            #expect(seen["metadata"] == created.json["metadata"])
        }
    }

    @Test func `YAML and pretty JSON are answers too`() async throws {
        try await ServerHarness.run { server in
            let yaml = try await server.send("GET", "/api/v1/namespaces/default", accept: "application/yaml")
            #expect(yaml.headers["content-type"] == ["application/yaml"])
            #expect(yaml.text.contains("\nkind: Namespace\n"))
            let pretty = try await server.send("GET", "/api/v1/namespaces/default?pretty=true")
            #expect(pretty.text.contains("\n  \"kind\": \"Namespace\""))
        }
    }

    @Test func `HEAD answers what GET does, without the body`() async throws {
        try await ServerHarness.run { server in
            let read = try await server.send("GET", "/api/v1/namespaces/default")
            let head = try await server.send("HEAD", "/api/v1/namespaces/default")
            #expect(head.code == 200)
            #expect(head.headers["content-length"] == read.headers["content-length"])
            #expect(head.bytes.isEmpty)
            #expect(try await server.send("HEAD", "/api/v1/namespaces?watch=true").code == 200)
        }
    }
}
