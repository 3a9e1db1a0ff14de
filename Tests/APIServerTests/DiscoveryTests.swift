import JSON
import NIOHTTP1
import Testing

@Suite struct DiscoveryTests {
    private static let aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

    @Test func `aggregated discovery tells everything, and is not sent twice`() async throws {
        try await ServerHarness.run { server in
            let accept = Self.aggregated + ",application/json"
            let core = try await server.send("GET", "/api", accept: accept)
            #expect(core.headers["content-type"] == [Self.aggregated])
            #expect(core.json["kind"] == "APIGroupDiscoveryList")
            let resources = core.json["items"]?[0]?["versions"]?[0]?["resources"]?.array ?? []
            let services = try #require(resources.first { $0["resource"] == "services" })
            #expect(services["singularResource"] == "service")
            #expect(services["scope"] == "Namespaced")
            #expect(services["shortNames"] == ["svc"])
            #expect(services["responseKind"] == ["group": "", "version": "v1", "kind": "Service"])

            let groups = try await server.send("GET", "/apis", accept: accept)
            let apps = groups.json["items"]?.array?.first { $0.at("metadata", "name") == "apps" }
            let deployments = apps?["versions"]?[0]?["resources"]?.array?.first { $0["resource"] == "deployments" }
            let scale = deployments?["subresources"]?.array?.first { $0["subresource"] == "scale" }
            #expect(scale?["responseKind"] == ["group": "autoscaling", "version": "v1", "kind": "Scale"])

            let beta = try await server.send(
                "GET", "/apis", accept: Self.aggregated.replacing("v=v2", with: "v=v2beta1"))
            #expect(beta.json["apiVersion"] == "apidiscovery.k8s.io/v2beta1")
            let plain = try await server.send("GET", "/apis")
            #expect(plain.json["kind"] == "APIGroupList")
            let tag = try #require(groups.headers["etag"].first)
            let again = try await server.sending("if-none-match", tag).send("GET", "/apis", accept: accept)
            #expect(again.code == 304)
            #expect(again.bytes.isEmpty)
        }
    }

    @Test func `storage versions have Kubernetes' own hashes`() async throws {
        try await ServerHarness.run { server in
            let list = try await server.send("GET", "/api/v1").json["resources"]?.array ?? []
            #expect(list.first { $0["name"] == "pods" }?["storageVersionHash"] == "xPOwRZ+Yhw8=")
        }
    }

    @Test func `schemas are for ever under their hash, and found under an old one`() async throws {
        try await ServerHarness.run { server in
            let index = try await server.send("GET", "/openapi/v3")
            let path = try #require(index.json.at("paths", "api/v1", "serverRelativeURL")?.string)
            let current = try await server.send("GET", path)
            #expect(current.headers["cache-control"].first?.contains("immutable") == true)
            let spec = current.json.at("components", "schemas", "io.k8s.api.core.v1.ServiceSpec", "properties")
            #expect(spec?.at("ipFamilies", "description")?.string?.contains("IPv4 or IPv6 or both") == true)
            let stale = try await server.send("GET", "/openapi/v3/api/v1?hash=0")
            #expect(stale.code == 301)
            #expect(stale.headers["location"] == [path])
            let unnamed = try await server.send("GET", "/openapi/v3/api/v1")
            #expect(unnamed.bytes == current.bytes)
            let tag = try #require(unnamed.headers["etag"].first)
            let again = try await server.sending("if-none-match", "W/\(tag)").send("GET", "/openapi/v3/api/v1")
            #expect(again.code == 304)
        }
    }

    @Test func `schemas of version 3 have a binary form under the same address`() async throws {
        try await ServerHarness.run { server in
            let text = try await server.send("GET", "/openapi/v3/apis/apps/v1")
            let index = try await server.send("GET", "/openapi/v3")
            let path = try #require(index.json.at("paths", "apis/apps/v1", "serverRelativeURL")?.string)
            let accept = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"
            let binary = try await server.send("GET", path, accept: accept)
            #expect(binary.headers["content-type"] == ["application/com.github.proto-openapi.spec.v3.v1.0+protobuf"])
            #expect(binary.headers["etag"] != text.headers["etag"])
            // Document.paths, Paths.path: as many as in the other form, under the same names.
            let paths = try Self.messages(4, in: binary.bytes[...]).flatMap { try Self.messages(1, in: $0) }
            let names = try paths.map { try Self.text(1, in: $0) }
            #expect(names == text.json["paths"]?.object.map { Array($0.keys) })
            // NamedPathItem.value, PathItem.patch, Operation.parameters, ParameterOrReference.parameter, Parameter.name
            let item = try #require(paths.first { try Self.text(1, in: $0).hasSuffix("/deployments/{name}") })
            var found = try Self.messages(2, in: item)
            for field in [10, 6, 1] { found = try found.flatMap { try Self.messages(field, in: $0) } }
            let parameters = try found.map { try Self.text(1, in: $0) }
            #expect(parameters.contains("fieldValidation"))
            // Document.components, Components.schemas, SchemasOrReferences.additional_properties
            var schemas = [binary.bytes[...]]
            for field in [5, 1, 1] { schemas = try schemas.flatMap { try Self.messages(field, in: $0) } }
            let spec = try #require(
                schemas.first { try Self.text(1, in: $0) == "io.k8s.api.apps.v1.DeploymentSpec" })
            // NamedSchemaOrReference.value, SchemaOrReference.schema, Schema.properties, the properties' names
            var properties = [spec]
            for field in [2, 1, 31, 1] { properties = try properties.flatMap { try Self.messages(field, in: $0) } }
            let fields = try properties.map { try Self.text(1, in: $0) }
            #expect(fields.contains("replicas"))
        }
    }

    @Test func `every path that the root names is answered`() async throws {
        try await ServerHarness.run { server in
            let paths = try await server.send("GET", "/").json["paths"]?.array?.compactMap(\.string) ?? []
            #expect(paths.count > 15)
            for path in paths {
                #expect(try await server.send("GET", path, accept: "*/*").code == 200, "\(path)")
            }
        }
    }

    @Test func `metrics count requests and objects under the names that Kubernetes has`() async throws {
        try await ServerHarness.run { server in
            let path = "/api/v1/namespaces/default/configmaps"
            for name in ["a", "b"] {
                _ = try await server.send(
                    "POST", path, ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)]])
            }
            _ = try await server.send("GET", path + "/absent")
            let answer = try await server.send("GET", "/metrics", accept: "*/*")
            #expect(answer.headers["content-type"] == ["text/plain; version=0.0.4; charset=utf-8"])
            let lines = answer.text.split(separator: "\n")
            let labels = #"group="",resource="configmaps""#
            #expect(
                lines.contains(
                    Substring(#"apiserver_request_total{code="201",\#(labels),verb="POST",version="v1"} 2"#)))
            #expect(
                lines.contains(Substring(#"apiserver_request_total{code="404",\#(labels),verb="GET",version="v1"} 1"#)))
            #expect(lines.contains(#"apiserver_storage_objects{resource="configmaps"} 2"#))
            let memory = lines.first { $0.hasPrefix("process_resident_memory_bytes ") }?.split(separator: " ").last
            #expect(memory.flatMap { Int($0) } ?? 0 > 1 << 20)
            // Every line is a comment, or a name with labels and a number.
            for line in lines where !line.hasPrefix("#") {
                #expect(line.wholeMatch(of: /[a-z_]+(\{[^{}]*\})? [0-9]+/) != nil, "\(line)")
            }
        }
    }

    /// The messages and texts in a field of a message that has no numbers.
    private static func messages(_ field: Int, in bytes: ArraySlice<UInt8>) throws -> [ArraySlice<UInt8>] {
        var rest = bytes
        func number() throws -> Int {
            var (value, shift) = (0, 0)
            while true {
                let next = rest.popFirst()
                let byte = try #require(next)
                value |= Int(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
        }
        var found: [ArraySlice<UInt8>] = []
        while !rest.isEmpty {
            let tag = try number()
            try #require(tag & 7 == 2)
            let length = try number()
            try #require(length <= rest.count)
            if tag >> 3 == field { found.append(rest.prefix(length)) }
            rest = rest.dropFirst(length)
        }
        return found
    }

    private static func text(_ field: Int, in bytes: ArraySlice<UInt8>) throws -> String {
        String(decoding: try messages(field, in: bytes).first ?? [], as: UTF8.self)
    }
}
