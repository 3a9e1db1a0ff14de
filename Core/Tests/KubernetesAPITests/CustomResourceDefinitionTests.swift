import Foundation
import JSON
import KubernetesAPI
import Testing

@Suite struct CustomResourceDefinitionTests {
    private static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../deploy/crds").standardized

    private static func manifest(_ resource: Resource) -> JSONValue? {
        switch resource {
        case .addressPools:
            CustomResourceDefinition.manifest(
                resource, shortNames: ["ap"],
                columns: [
                    .init("Purpose", path: ".spec.purpose"), .init("Prefixes", path: ".spec.prefixes[*].cidr"),
                    .init("IPv4", type: "integer", path: ".status.ipv4.allocated"),
                    .init("IPv6", type: "integer", path: ".status.ipv6.allocated"),
                ])
        default:
            CustomResourceDefinition.manifest(
                resource, shortNames: ["nn"],
                columns: [
                    .init("Blocks", path: ".spec.blocks[*].cidr"), .init("Used", path: ".status.blocks[*].used"),
                ])
        }
    }

    /// With `DUET_WRITE_CRDS=1` the manifests are written anew.
    @Test(arguments: [Resource.addressPools, .nodeNetworks])
    func `the manifests for other servers are those of the schema`(resource: Resource) throws {
        let text = try #require(Self.manifest(resource)).text(pretty: true) + "\n"
        let file = Self.directory.appendingPathComponent("\(resource.plural).json")
        if ProcessInfo.processInfo.environment["DUET_WRITE_CRDS"] != nil {
            try FileManager.default.createDirectory(at: Self.directory, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }

    @Test func `what every object has is left to the server`() throws {
        let manifest = try #require(Self.manifest(.addressPools))
        let schema = manifest.at("spec", "versions")?[0]?.at("schema", "openAPIV3Schema", "properties")
        #expect(schema?["metadata"] == ["type": "object"])
        let prefix = schema?.at("spec", "properties", "prefixes", "items", "properties", "state")
        #expect(prefix?["enum"] == ["Active", "Draining"])
        #expect(schema?.at("spec", "required") == ["prefixes", "purpose"])
    }
}
