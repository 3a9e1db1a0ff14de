import APIServer
import JSON
import KubernetesAPI
import Testing

@Suite("What requests ask for")
struct RequestTests {
    @Test(
        "A path names a resource",
        arguments: [
            ("/api/v1/pods", nil, "pods", nil, nil),
            ("/api/v1/namespaces/a/pods/b/log", "a", "pods", "b", "log"),
            ("/api/v1/namespaces", nil, "namespaces", nil, nil),
            ("/api/v1/namespaces/a", nil, "namespaces", "a", nil),
            ("/api/v1/namespaces/a/finalize", nil, "namespaces", "a", "finalize"),
            ("/apis/apps/v1/namespaces/a/deployments/b%2Fc/scale", "a", "deployments", "b/c", "scale"),
            ("/api/v1/watch/namespaces/a/pods", "a", "pods", nil, nil),
            ("/api/v1/nodes/n/proxy/logs/x", nil, "nodes", "n", "proxy"),
        ] as [(String, String?, String, String?, String?)])
    func paths(path: String, namespace: String?, plural: String, name: String?, subresource: String?) throws {
        guard case .resource(let target) = RequestTarget(path: path) else {
            Issue.record("\(path) is no resource")
            return
        }
        #expect(target.namespace == namespace)
        #expect(target.plural == plural)
        #expect(target.name == name)
        #expect(target.subresource == subresource)
        #expect(target.isWatch == path.contains("/watch/"))
    }

    @Test(
        "The first acceptable type wins",
        arguments: [
            ("", "json object"), ("*/*", "json object"), ("application/yaml", "yaml object"),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "json table v1"),
            ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", "json object"),
            ("application/vnd.kubernetes.protobuf,application/json", "protobuf object"),
            ("application/vnd.kubernetes.protobuf;q=0.5,application/json", "json object"),
            ("application/json;q=0, application/yaml", "yaml object"),
            ("application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/json", "json object"),
            ("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", "protobuf metadata v1"),
            ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "json metadata v1"),
            ("application/cbor", "none"),
        ])
    func negotiation(accept: String, expected: String) {
        guard let format = OutputFormat.negotiate(accept: accept) else {
            #expect(expected == "none")
            return
        }
        let shape =
            switch format.shape {
            case .object: "object"
            case .table(let version): "table \(version)"
            case .metadata(let version): "metadata \(version)"
            }
        #expect("\(format.encoding) \(shape)" == expected)
    }

    @Test(
        "Ages are told as kubectl tells them",
        arguments: [
            (0, "0s"), (119, "119s"), (120, "2m"), (200, "3m20s"), (600, "10m"), (3 * 3600, "3h"),
            (4 * 3600 + 60, "4h1m"), (9 * 3600, "9h"), (52 * 3600, "2d4h"), (30 * 86400, "30d"),
            (3 * 365 * 86400, "3y"), (-1, "0s"), (-5, "<invalid>"),
        ])
    func ages(seconds: Int, text: String) {
        #expect(Age.text(seconds: seconds) == text)
    }

    @Test("YAML says what JSON says, text that looks like something else included")
    func yaml() throws {
        let value: JSONValue = [
            "a": ["1", 1, true, "true", nil, "", "null", "2001-01-01", "~", "0x1f", "on", "a: b", "- c", "x\ny"],
            "empty": [[:], []], "deep": [["k": ["v"]]], "n": 1.5,
        ]
        let text = YAMLText.write(value)
        let again = try YAMLText.read(text)
        #expect(again == value, "\(text) is read as \(again)")
    }

    @Test("A few lines of YAML cannot stand for more than a body may hold; anchors that do not are read")
    func aliases() throws {
        var lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        for level in 1..<10 {
            let all = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            lines.append("a\(level): &a\(level) [\(all)]")
        }
        let error = #expect(throws: StatusError.self) { try YAMLText.read(lines.joined(separator: "\n")) }
        #expect(error?.code == 400)
        #expect(error?.message == "yaml: document contains excessive aliasing")
        let long = String(repeating: "x", count: 1_000_000)
        let repeated = Array(repeating: "*a", count: 50).joined(separator: ", ")
        #expect(throws: StatusError.self) { try YAMLText.read("a: &a \(long)\nb: [\(repeated)]") }
        let value = try YAMLText.read(lines[..<3].joined(separator: "\n"))
        #expect(value["a2"]?[9]?[9]?[9] == "x")
    }
}
