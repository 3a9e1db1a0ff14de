import APIServer
import Addresses
import Foundation
import JSON
import KubernetesAPI
import Logging
import TestSupport
import Testing

/// Whatever is written, refused, tried or deleted, what is held is what Services say, and each thing is held once.
@Suite struct ServiceInvariantTests {
    /// A store with the strategies of a small cluster.
    private struct Cluster {
        let store: Store
        let network: ServiceNetwork
        let services: Int
        let addresses: Int

        /// - Parameter families: The cluster's families by their digits, the primary one first.
        init(_ path: String, _ families: String) throws {
            let catalog = StrategyCatalog(
                serviceRanges: families.compactMap {
                    IPPrefix($0 == "4" ? "10.96.0.0/27" : "fd00:10:96::/123")
                },
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
                try transaction.create(
                    ["metadata": ["name": "default"]], namespaces, namespace: "", WriteOptions())
            }
        }

        /// What Services say that they hold; fails when two say the same.
        func claimed(_ seed: UInt64) -> Set<ServiceResources.Claim> {
            var all: Set<ServiceResources.Claim> = []
            store.snapshot(services).tree.forEach { object in
                let service = ServiceObject(object.value)
                for claim in ServiceResources.claims(of: service) {
                    #expect(all.insert(claim).inserted, "\(claim) is held twice, seed \(seed)")
                }
                #expect(service.contradictions(on: network.families) == [], "seed \(seed)")
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

    /// A spec, or a merge patch of one, in which a null removes what was there.
    ///
    /// Most of it fits together, so that much is stored; any field may be one that does not.
    private static func spec(_ generator: inout SeededGenerator, isPatch: Bool, on families: String) -> JSONValue {
        func isOdd(_ share: Int) -> Bool { Int.random(in: 0..<share, using: &generator) == 0 }
        func one(_ values: [JSONValue?]) -> JSONValue? { values.randomElement(using: &generator) ?? nil }
        let (four, six): (JSONValue, JSONValue) = ("10.96.0.5", "fd00:10:96::5")
        let isDual = families.count == 2
        var spec: JSONValue = [:]
        let type: JSONValue? =
            isPatch && isOdd(2) ? nil : one(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])
        spec["type"] = type
        if !isPatch || isOdd(3) { spec["selector"] = one([["a": "b"], isPatch ? .null : nil]) }
        if type == "ExternalName" { spec["externalName"] = "a.example" }
        if type != "ExternalName" || isOdd(12) {
            let policies: [JSONValue?] =
                isDual ? ["SingleStack", "PreferDualStack", "RequireDualStack"] : ["PreferDualStack"]
            if isOdd(2) { spec["ipFamilyPolicy"] = one(isOdd(12) ? ["RequireDualStack", .null] : policies) }
            let fitting: [JSONValue?] = families.map { .array([.string("IPv\($0)")]) }
            if isOdd(4) {
                spec["ipFamilies"] = one(isOdd(3) ? [["IPv4", "IPv6"], ["IPv6", "IPv4"], .null] : fitting)
            }
            if isOdd(isPatch ? 8 : 4) { spec["clusterIP"] = one(["None", "None", four, six, "10.96.0.0"]) }
            if isOdd(12) { spec["clusterIPs"] = one([[four], [four, six], [six, four], ["10.96.0.6"], []]) }
        }
        if isOdd(8) { spec["externalIPs"] = one([["192.0.2.1", "2001:db8::1"], isPatch ? .null : nil]) }
        if type == "NodePort" || type == "LoadBalancer" || isOdd(12) {
            spec["externalTrafficPolicy"] = one([nil, "Local", "Cluster"])
        }
        if type == "LoadBalancer" || isOdd(20) {
            if isOdd(4) { spec["healthCheckNodePort"] = one([30005, 30007]) }
            spec["allocateLoadBalancerNodePorts"] = one([nil, false, true])
        }
        let names: [JSONValue] = ["a", "b", "c"].shuffled(using: &generator)
        let ports = [("TCP", 80), ("UDP", 80), ("TCP", 81)].prefix(Int.random(in: 1...3, using: &generator))
        let asksForNumbers = type == "NodePort" || type == "LoadBalancer" || isOdd(20)
        let list = zip(names, ports).map { name, port -> JSONValue in
            var entry: JSONValue = ["name": name, "protocol": .string(port.0), "port": .integer(Int64(port.1))]
            if asksForNumbers, isOdd(4) { entry["nodePort"] = one([30005, 30006, isOdd(4) ? 80 : 30008]) }
            return entry
        }
        if !isPatch || isOdd(3) { spec["ports"] = .array(list) }
        return spec
    }

    @Test(arguments: ["4", "6", "46", "64"], 1...6 as ClosedRange<UInt64>)
    func `nothing is held twice and nothing leaks`(families: String, seed: UInt64) async throws {
        let directory = NSTemporaryDirectory() + "dt-services-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let cluster = try Cluster(directory + "/state.sqlite", families)
        try await cluster.makeNamespace()
        var generator = SeededGenerator(seed: seed)
        var stored = 0
        for _ in 0..<150 {
            let name = "s\(Int.random(in: 0..<12, using: &generator))"
            let kind = Int.random(in: 0..<10, using: &generator)
            let spec = Self.spec(&generator, isPatch: (4..<8).contains(kind), on: families)
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
                        _ = try transaction.update(services, .init(namespace: "default", name: name), chosen) {
                            old in
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
        #expect(stored > 25, "seed \(seed)")
        let claimed = cluster.claimed(seed)
        try await cluster.store.close()
        let again = try Cluster(directory + "/state.sqlite", families)
        #expect(again.network.state.held == claimed, "seed \(seed)")
        again.check(seed)
        try await again.store.close()
    }
}

extension ServiceObject {
    /// What a stored Service must not say, on a cluster whose families never changed.
    fileprivate func contradictions(on configured: [IPFamily]) -> [String] {
        var found: [String] = []
        func expect(_ isTrue: Bool, _ what: String) {
            if !isTrue { found.append("\(what): \(json.at("spec")?.text() ?? "")") }
        }
        let fields = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]
        guard needsClusterIP else {
            expect(fields.allSatisfy { json.at("spec", $0) == nil }, "an ExternalName has no addresses")
            return found
        }
        expect(clusterIPs.first == clusterIP && !clusterIP.isEmpty, "the first address is the address")
        expect(
            Set(ipFamilies).count == ipFamilies.count && (1...2).contains(ipFamilies.count), "families")
        switch ipFamilyPolicy {
        case ServiceFamilies.singleStack: expect(ipFamilies.count == 1, "one family")
        case ServiceFamilies.preferDualStack:
            expect(ipFamilies.count == configured.count || !hasSelector, "the families that there are")
        case ServiceFamilies.requireDualStack: expect(ipFamilies.count == 2, "two families")
        default: expect(false, "a policy")
        }
        if isHeadless {
            expect(addresses.isEmpty, "no address")
        } else {
            expect(
                clusterIPs.compactMap { IPAddress($0)?.family.name } == ipFamilies,
                "an address of each family")
            expect(
                ipFamilies.allSatisfy { configured.map(\.name).contains($0) },
                "families that the cluster has")
        }
        let numbers = ports.map(\.nodePort)
        expect(needsNodePort || numbers.allSatisfy { $0 == 0 }, "no node ports")
        expect(!allocatesNodePorts || numbers.allSatisfy { $0 != 0 }, "a node port for every port")
        expect(
            needsHealthCheckNodePort == (healthCheckNodePort != 0),
            "a port for health checks where one is needed")
        expect(
            isExternallyAccessible != externalTrafficPolicy.isEmpty, "a policy for traffic from outside")
        return found
    }
}
