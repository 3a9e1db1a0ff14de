import APIServer
import Addresses
import Foundation
import JSON
import KubernetesAPI
import Logging
import Testing

/// Whatever is written, refused, tried or deleted, what is held is what Services say, and each thing is held once.
@Suite struct ServiceInvariantTests {
    /// A store with the strategies of a small cluster of both families.
    private struct Cluster {
        let store: Store
        let network: ServiceNetwork
        let services: Int
        let addresses: Int

        init(_ path: String) throws {
            let catalog = StrategyCatalog(
                serviceRanges: ["10.96.0.0/27", "fd00:10:96::/123"].compactMap { IPPrefix($0) },
                nodePorts: 30000...30040)
            network = catalog.network
            store = try Store(
                path: path, definitions: ResourceRegistry.definitions { catalog[$0] },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            services = try #require(store.index(of: .services))
            addresses = try #require(store.index(of: .ipAddresses))
        }

        func makeNamespace() async throws {
            let namespaces = try #require(store.index(of: .namespaces))
            _ = try await store.write { transaction throws(StatusError) in
                try transaction.create(["metadata": ["name": "default"]], namespaces, namespace: "", WriteOptions())
            }
        }

        /// What Services say that they hold; fails when two say the same.
        func claimed(_ seed: UInt64) -> Set<ServiceResources.Claim> {
            var all: Set<ServiceResources.Claim> = []
            store.snapshot(services).tree.forEach { object in
                for claim in ServiceResources.claims(of: ServiceObject(object.value)) {
                    #expect(all.insert(claim).inserted, "\(claim) is held twice, seed \(seed)")
                }
                return true
            }
            return all
        }

        func check(_ seed: UInt64) {
            let claimed = claimed(seed)
            #expect(network.state.held == claimed, "seed \(seed)")
            var named: Set<ServiceResources.Claim> = []
            store.snapshot(addresses).tree.forEach { object in
                if let address = IPAddress(object.key.name) { named.insert(.address(address)) }
                return true
            }
            #expect(
                named
                    == claimed.filter {
                        if case .address = $0 { true } else { false }
                    }, "seed \(seed)")
        }
    }

    private static func spec(_ generator: inout SeededGenerator) -> JSONValue {
        func one(_ values: [JSONValue?]) -> JSONValue? { values.randomElement(using: &generator) ?? nil }
        var spec: JSONValue = ["selector": ["a": "b"]]
        spec["type"] = one([nil, "NodePort", "LoadBalancer", "ExternalName"])
        spec["ipFamilyPolicy"] = one([nil, "SingleStack", "PreferDualStack", "RequireDualStack"])
        spec["ipFamilies"] = one([nil, nil, ["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"]])
        spec["clusterIP"] = one([nil, nil, nil, nil, "None", "10.96.0.5", "fd00:10:96::5", "10.96.0.0"])
        spec["externalName"] = one([nil, "a.example"])
        spec["externalTrafficPolicy"] = one([nil, nil, "Local"])
        let port = one([nil, 30005, 30006, 80]) ?? .null
        var first: JSONValue = ["name": "a", "port": 80]
        if !port.isNull { first["nodePort"] = port }
        spec["ports"] = .array([first, ["name": "b", "port": 80, "protocol": "UDP"]])
        return spec
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `nothing is held twice and nothing leaks`(seed: UInt64) async throws {
        let directory = NSTemporaryDirectory() + "dt-services-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let cluster = try Cluster(directory + "/state.sqlite")
        try await cluster.makeNamespace()
        var generator = SeededGenerator(seed: seed)
        var stored = 0
        for _ in 0..<150 {
            let name = "s\(Int.random(in: 0..<12, using: &generator))"
            let spec = Self.spec(&generator)
            let kind = Int.random(in: 0..<10, using: &generator)
            let (services, isDryRun) = (cluster.services, Int.random(in: 0..<5, using: &generator) == 0)
            var options = WriteOptions()
            options.isDryRun = isDryRun
            let chosen = options
            do {
                try await cluster.store.write(isDryRun: isDryRun) { transaction throws(StatusError) in
                    switch kind {
                    case 0..<4:
                        _ = try transaction.create(
                            ["metadata": ["name": .string(name)], "spec": spec], services, namespace: "default",
                            chosen)
                    case 4..<8:
                        _ = try transaction.update(services, .init(namespace: "default", name: name), chosen) { old in
                            var new = old
                            new.mergePatch(["spec": spec])
                            return new
                        }
                    default:
                        var deletion = DeleteOptions()
                        deletion.write = chosen
                        _ = try transaction.delete(
                            services, .init(namespace: "default", name: name), deletion)
                    }
                }
                stored += 1
            } catch is StatusError {
                // A refusal changes nothing, which the check below shows.
            }
            cluster.check(seed)
        }
        #expect(stored > 5, "seed \(seed)")
        let claimed = cluster.claimed(seed)
        try await cluster.store.close()
        let again = try Cluster(directory + "/state.sqlite")
        #expect(again.network.state.held == claimed, "seed \(seed)")
        again.check(seed)
        try await again.store.close()
    }
}
