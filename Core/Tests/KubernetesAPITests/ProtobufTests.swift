import JSON
import KubernetesAPI
import TestSupport
import Testing

@Suite struct ProtobufTests {
    @Test(arguments: RecordedProtobufBodies.all)
    func `a recorded body is the object that kubectl shows`(recorded: RecordedProtobufBodies.Recorded) throws {
        let bytes = try #require(Base64.decode(recorded.base64))
        let decoded = try ProtobufBody.decode(bytes)
        let shown = try JSONValue(text: recorded.json)
        #expect(try stored(decoded) == stored(shown))
        // Go's encoder writes zeros and empty texts too, so only the meaning comes back.
        let encoded = try #require(ProtobufBody.encode(shown))
        #expect(try stored(ProtobufBody.decode(encoded)) == stored(shown))
    }

    @Test(arguments: Resource.all.filter(Schema.hasProtobuf))
    func `encoding and decoding any object of a resource changes nothing`(resource: Resource) throws {
        let node = try #require(Schema.node(for: resource))
        for seed in UInt64(1)...20 {
            var generator = SchemaValueGenerator(seed: seed)
            var object = generator.value(of: node, depth: 0)
            object["apiVersion"] = .string(resource.apiVersion)
            object["kind"] = .string(resource.kind)
            object = try stored(object)
            let encoded = try #require(ProtobufBody.encode(object))
            let decoded = try stored(ProtobufBody.decode(encoded))
            #expect(decoded == object, "\(resource.plural), seed \(seed)")
        }
    }

    @Test func `lists, statuses and partial metadata have a binary form`() throws {
        let values: [JSONValue] = [
            [
                "apiVersion": "v1", "kind": "ConfigMapList", "metadata": ["resourceVersion": "7", "continue": "x"],
                "items": [["metadata": ["name": "a"], "data": ["k": "v"]], ["metadata": ["name": "b"]]],
            ],
            StatusError.notFound(.pods, "a").status,
            [
                "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList",
                "metadata": ["resourceVersion": "7"], "items": [["metadata": ["name": "a", "uid": "u"]]],
            ],
        ]
        for value in values + Self.reviews {
            let encoded = try #require(ProtobufBody.encode(value))
            #expect(try ProtobufBody.decode(encoded) == value)
        }
        #expect(ProtobufBody.encode(["apiVersion": "v1", "kind": "Unheard"]) == nil)
    }

    private static let extra: JSONValue = ["scopes": ["read", "write"], "example.com/none": []]
    private static let reviews: [JSONValue] = [
        [
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "metadata": [:],
            "spec": ["token": "t", "audiences": ["a"]],
            "status": [
                "authenticated": true,
                "user": ["username": "u", "uid": "7", "groups": ["g"], "extra": extra], "audiences": ["a"],
            ],
        ],
        [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": [:],
            "spec": ["resourceAttributes": ["verb": "get"], "user": "u", "groups": ["g"], "extra": extra],
            "status": ["allowed": true],
        ],
        [
            "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": [:],
            "status": ["userInfo": ["username": "u", "extra": extra]],
        ],
    ]

    @Test func `a user's further attributes are messages of texts`() throws {
        let encoded = try #require(
            ProtobufBody.encode([
                "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
                "status": ["userInfo": ["extra": ["k": ["v", "w"]]]],
            ]))
        let userInfo: [UInt8] =
            [0x22, 0x0B]  // UserInfo.extra, one entry
            + [0x0A, 0x01] + Array("k".utf8)  // key
            + [0x12, 0x06]  // value, an ExtraValue
            + [0x0A, 0x01] + Array("v".utf8) + [0x0A, 0x01] + Array("w".utf8)  // ExtraValue.items
        #expect(encoded.firstRange(of: userInfo) != nil)
    }

    @Test func `a body is laid out byte by byte as the format says`() throws {
        let port: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "c"], "binaryData": ["k": "/w=="],
        ]
        let expected: [UInt8] =
            [0x6B, 0x38, 0x73, 0x00]  // magic
            + [0x0A, 0x0F, 0x0A, 0x02] + Array("v1".utf8) + [0x12, 0x09] + Array("ConfigMap".utf8)  // TypeMeta
            + [0x12, 0x0D]  // raw
            + [0x0A, 0x03, 0x0A, 0x01] + Array("c".utf8)  // metadata.name
            + [0x1A, 0x06, 0x0A, 0x01] + Array("k".utf8) + [0x12, 0x01, 0xFF]  // binaryData["k"]
            + [0x1A, 0x00, 0x22, 0x00]  // contentEncoding, contentType
        #expect(ProtobufBody.encode(port) == expected)
        #expect(ProtobufBody.watchFrame("ADDED", port)?.prefix(11) == [0, 0, 0, 51, 0x0A, 5, 65, 68, 68, 69, 68])
    }

    @Test(
        arguments: [
            ([], "provided data does not appear to be a protobuf message, expected prefix k8s\\0"),
            ([0x0A, 0x05, 0x01], "unexpected EOF"),
            ([0x0B], "proto: illegal wireType 3"),
            ([0x10] + Array(repeating: 0xFF, count: 11), "proto: integer overflow"),
            ([0x0A, 0x04, 0x12, 0x02, 0xC3, 0x28], "proto: field 2 is not valid UTF-8"),
            ([0x0A, 0x04, 0x12, 0x02, 0x61, 0x62], "no kind \"ab\" is registered for version \"\""),
        ] as [([UInt8], String)])
    func `malformed bodies are refused`(envelope: [UInt8], text: String) throws {
        let error = #expect(throws: ProtobufError.self) {
            try ProtobufBody.decode(envelope.isEmpty ? [1, 2, 3, 4] : Array("k8s\0".utf8) + envelope)
        }
        #expect(error?.description == text)
    }

    @Test func `parts of a message add up`() throws {
        // Two metadata fields: a name, and twice one finalizer.
        let raw: [UInt8] =
            [0x0A, 0x03, 0x0A, 0x01, 0x61, 0x0A, 0x04, 0x72, 0x02, 0x78, 0x79, 0x0A, 0x04, 0x72, 0x02, 0x78, 0x79]
        let meta: [UInt8] = [0x0A, 0x0F, 0x0A, 0x02] + Array("v1".utf8) + [0x12, 0x09] + Array("ConfigMap".utf8)
        let decoded = try ProtobufBody.decode(Array("k8s\0".utf8) + meta + [0x12, UInt8(raw.count)] + raw)
        #expect(decoded["metadata"] == ["name": "a", "finalizers": ["xy", "xy"]])
    }

    @Test func `damaged bodies never crash and what is read can be written`() throws {
        for (index, recorded) in RecordedProtobufBodies.all.enumerated() {
            let original = try #require(Base64.decode(recorded.base64))
            for seed in UInt64(0)..<2_000 {
                var generator = SeededGenerator(seed: seed &* 31 &+ UInt64(index))
                var bytes = original
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let position = Int.random(in: 4..<bytes.count, using: &generator)
                    switch Int.random(in: 0...2, using: &generator) {
                    case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
                    case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: position)
                    default: bytes.removeSubrange(position..<min(bytes.count, position + 3))
                    }
                    if bytes.count < 8 { break }
                }
                if let value = try? ProtobufBody.decode(bytes) {
                    #expect(ProtobufBody.encode(value) != nil, "\(recorded.command), seed \(seed)")
                }
            }
        }
    }

    /// The object in the form in which servers keep it.
    private func stored(_ object: JSONValue) throws -> JSONValue {
        var object = object
        let version = object["apiVersion"]?.string
        let resource = try #require(
            Resource.all.first { $0.kind == object["kind"]?.string && $0.apiVersion == version })
        let node = try #require(Schema.node(for: resource))
        #expect(try node.decode(&object, kind: resource.kind) == [])
        return object
    }
}
