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
}
