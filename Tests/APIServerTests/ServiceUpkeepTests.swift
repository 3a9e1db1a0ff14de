import APIServer
import Addresses
import Foundation
import JSON
import KubernetesAPI
import Logging
import Testing

/// What the server puts right by itself.
@Suite struct ServiceUpkeepTests {
    private struct Cluster {
        let store: Store
        let network: ServiceNetwork

        /// Runs `body` with a store of its own that has a namespace and a Service `web` with 10.96.0.5.
        static func run(_ body: (Cluster) async throws -> Void) async throws {
            let directory = NSTemporaryDirectory() + "dt-upkeep-" + UUID().uuidString
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let catalog = StrategyCatalog(
                serviceRanges: ["10.96.0.0/24"].compactMap { IPPrefix($0) }, nodePorts: 30000...30040)
            let store = try Store(
                path: directory + "/state.sqlite", definitions: ResourceRegistry.definitions { catalog[$0] },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let cluster = Cluster(store: store, network: catalog.network)
            _ = try await cluster.create(.namespaces, ["metadata": ["name": "default"]])
            _ = try await cluster.create(
                .serviceCIDRs, ["metadata": ["name": "kubernetes"], "spec": ["cidrs": ["10.96.0.0/24"]]])
            _ = try await cluster.create(
                .services,
                [
                    "metadata": ["name": "web"],
                    "spec": [
                        "type": "NodePort", "clusterIP": "10.96.0.5", "ports": [["port": 80, "nodePort": 30005]],
                    ],
                ])
            try await body(cluster)
            try await store.close()
        }

        func index(_ resource: Resource) throws -> Int { try #require(store.index(of: resource)) }

        func create(_ resource: Resource, _ object: JSONValue) async throws -> StoredObject {
            let index = try index(resource)
            let namespace = resource.isNamespaced ? "default" : ""
            return try await store.write { transaction throws(StatusError) in
                try transaction.create(object, index, namespace: namespace, WriteOptions())
            }
        }

        /// Stores or removes an object behind the strategies' backs.
        func force(_ resource: Resource, _ name: String, _ change: @escaping @Sendable (inout JSONValue) -> Void)
            async throws
        {
            let index = try index(resource)
            let namespace = resource.isNamespaced ? "default" : ""
            try await store.write { transaction throws(StatusError) in
                let old = transaction.object(index, .init(namespace: namespace, name: name))?.value ?? [:]
                var value = old
                change(&value)
                if value.isNull {
                    _ = transaction.remove(old, index, .init(namespace: namespace, name: name))
                } else {
                    _ = transaction.put(value, index, .init(namespace: namespace, name: name))
                }
            }
        }

        func isNeeded(_ repair: ServiceRepair) throws -> Bool {
            repair.isNeeded(
                services: store.snapshot(try index(.services)).tree,
                addresses: store.snapshot(try index(.ipAddresses)).tree)
        }

        func run(_ repair: ServiceRepair, now: Timestamp = .now) async throws -> ServiceRepair {
            try await store.write { transaction throws(StatusError) in
                var next = repair
                try next.run(&transaction, now: now)
                return next
            }
        }

        /// The reasons of all events so far.
        func reasons() throws -> Set<String> {
            var reasons: Set<String> = []
            store.snapshot(try index(.events)).tree.forEach { object in
                reasons.insert(object.value["reason"]?.string ?? "")
                return true
            }
            return reasons
        }

        func object(_ resource: Resource, _ name: String) throws -> JSONValue? {
            let namespace = resource.isNamespaced ? "default" : ""
            return store.object(try index(resource), .init(namespace: namespace, name: name))?.value
        }
    }

    @Test func `where all is well nothing is written`() async throws {
        try await Cluster.run { cluster in
            let repair = ServiceRepair(network: cluster.network)
            #expect(try cluster.isNeeded(repair) == false)
            let revision = cluster.store.revision
            _ = try await cluster.run(repair)
            #expect(cluster.store.revision == revision)
        }
    }

    @Test func `an IPAddress that someone removed is made again`() async throws {
        try await Cluster.run { cluster in
            try await cluster.force(.ipAddresses, "10.96.0.5") { $0 = .null }
            let repair = ServiceRepair(network: cluster.network)
            #expect(try cluster.isNeeded(repair))
            _ = try await cluster.run(repair)
            #expect(
                try cluster.object(.ipAddresses, "10.96.0.5")?.at("spec", "parentRef")
                    == ["group": "", "resource": "services", "namespace": "default", "name": "web"])
            #expect(try cluster.reasons() == ["ClusterIPNotAllocated"])
            #expect(try cluster.isNeeded(repair) == false)
        }
    }

    @Test func `an IPAddress without Service goes after a minute`() async throws {
        try await Cluster.run { cluster in
            _ = try await cluster.create(
                .ipAddresses,
                [
                    "metadata": [
                        "name": "10.96.0.9", "labels": ["ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"],
                    ],
                    "spec": ["parentRef": ["resource": "services", "namespace": "default", "name": "gone"]],
                ])
            let repair = ServiceRepair(network: cluster.network)
            #expect(try cluster.isNeeded(repair))
            _ = try await cluster.run(repair)
            #expect(try cluster.object(.ipAddresses, "10.96.0.9") != nil)
            _ = try await cluster.run(repair, now: Timestamp(seconds: Timestamp.now.seconds + 120))
            #expect(try cluster.object(.ipAddresses, "10.96.0.9") == nil)
            #expect(try cluster.reasons() == ["IPAddressNotAllocated"])
        }
    }

    /// Columns: what somebody changed in a Service's IPAddress, and what is told of it.
    @Test(
        arguments: [
            (["ipaddress.kubernetes.io/ip-family"], "IPv6", nil),
            (["ipaddress.kubernetes.io/managed-by"], "someone", nil),
            (["name"], "other", "ClusterIPNotAllocated"), (["namespace"], "elsewhere", "ClusterIPNotAllocated"),
            (["resource"], "gateways", "ClusterIPNotAllocated"),
        ] as [([String], String, String?)])
    func `an IPAddress that was changed is made right`(field: [String], value: String, reason: String?) async throws {
        try await Cluster.run { cluster in
            try await cluster.force(.ipAddresses, "10.96.0.5") { object in
                if field[0].contains("/") {
                    object.set(.string(value), at: "metadata", "labels", field[0])
                } else {
                    object.set(.string(value), at: "spec", "parentRef", field[0])
                }
            }
            let repair = ServiceRepair(network: cluster.network)
            #expect(try cluster.isNeeded(repair))
            _ = try await cluster.run(repair)
            let object = try cluster.object(.ipAddresses, "10.96.0.5")
            #expect(
                object?.at("spec", "parentRef")
                    == ["group": "", "resource": "services", "namespace": "default", "name": "web"])
            #expect(object?.at("metadata", "labels", "ipaddress.kubernetes.io/ip-family") == "IPv4")
            #expect(object?.at("metadata", "labels", "ipaddress.kubernetes.io/managed-by") == "ipallocator.k8s.io")
            #expect(try cluster.reasons() == Set([reason].compactMap { $0 }))
            #expect(try cluster.isNeeded(repair) == false)
        }
    }

    /// Columns: whom an IPAddress of the allocator names that no Service holds, and what is told when it goes.
    @Test(
        arguments: [
            (["resource": "services", "namespace": "default", "name": "web"], "IPAddressWrongReference"),
            (["group": "example.com", "resource": "gateways", "name": "g"], "IPAddressNotAllocated"),
        ] as [(JSONValue, String)])
    func `an IPAddress of nobody goes at once`(parent: JSONValue, reason: String) async throws {
        try await Cluster.run { cluster in
            _ = try await cluster.create(
                .ipAddresses,
                [
                    "metadata": [
                        "name": "10.96.0.9", "labels": ["ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"],
                    ], "spec": ["parentRef": parent],
                ])
            let repair = ServiceRepair(network: cluster.network)
            #expect(try cluster.isNeeded(repair))
            _ = try await cluster.run(repair)
            #expect(try cluster.object(.ipAddresses, "10.96.0.9") == nil)
            #expect(try cluster.reasons() == [reason])
        }
    }

    @Test(
        arguments: [
            ("10.96.0.5", 30006, "ClusterIPAlreadyAllocated"), ("10.97.0.1", 30006, "ClusterIPOutOfRange"),
            ("x", 30006, "ClusterIPNotValid"), ("10.96.0.6", 30005, "PortAlreadyAllocated"),
            ("10.96.0.6", 31000, "PortOutOfRange"), ("10.96.0.6", 30007, "PortNotAllocated"),
        ])
    func `what contradicts itself is told`(address: String, port: Int64, reason: String) async throws {
        try await Cluster.run { cluster in
            try await cluster.force(.services, "zzz") { value in
                value = [
                    "metadata": ["name": "zzz", "namespace": "default", "uid": "u"],
                    "spec": [
                        "type": "NodePort", "clusterIP": .string(address), "clusterIPs": [.string(address)],
                        "ports": [["port": 80, "nodePort": .integer(port)]],
                    ],
                ]
            }
            let repair = ServiceRepair(network: cluster.network)
            #expect(try cluster.isNeeded(repair))
            _ = try await cluster.run(repair)
            #expect(try cluster.reasons().contains(reason))
        }
    }

    @Test func `what nobody holds is free after three rounds`() async throws {
        try await Cluster.run { cluster in
            cluster.network.update { $0.occupy(.port(30010)) }
            var repair = ServiceRepair(network: cluster.network)
            for round in 1...3 {
                #expect(try cluster.isNeeded(repair))
                repair = try await cluster.run(repair)
                #expect(cluster.network.state.nodePorts.held.contains(30010) == (round < 3))
            }
            #expect(try cluster.isNeeded(repair) == false)
            #expect(cluster.network.state.nodePorts.held == [30005])
        }
    }

    @Test func `a deleted range goes ten seconds later, when nothing depends on it`() async throws {
        try await Cluster.run { cluster in
            let ranges = try cluster.index(.serviceCIDRs)
            _ = try await cluster.create(
                .serviceCIDRs, ["metadata": ["name": "more"], "spec": ["cidrs": ["10.97.0.0/24"]]])
            let upkeep = ServiceCIDRUpkeep(configured: ["10.96.0.0/24"].compactMap { IPPrefix($0) })
            for name in ["kubernetes", "more"] {
                _ = try await cluster.store.write { transaction throws(StatusError) in
                    try transaction.delete(ranges, .init(name: name), DeleteOptions())
                }
            }
            for (delay, isThere) in [(0 as Int64, true), (ServiceCIDRUpkeep.gracePeriod + 1, false)] {
                let now = Timestamp(seconds: Timestamp.now.seconds + delay)
                try await cluster.store.write { transaction throws(StatusError) in
                    try upkeep.run(&transaction, now: now)
                }
                #expect(try (cluster.object(.serviceCIDRs, "more") != nil) == isThere)
            }
            // The Service's address lies in no other range.
            let condition = try cluster.object(.serviceCIDRs, "kubernetes")?.at("status", "conditions")?[0]
            #expect(condition?["status"] == "False")
            #expect(condition?["reason"] == "Terminating")
        }
    }

    @Test func `the default range gains the second family, and keeps any other difference`() async throws {
        try await Cluster.run { cluster in
            for (ranges, expected) in [
                (["10.96.0.0/24", "fd00:10:96::/112"], ["10.96.0.0/24", "fd00:10:96::/112"]),
                (["10.99.0.0/24"], ["10.96.0.0/24", "fd00:10:96::/112"]),
            ] as [([String], JSONValue)] {
                let upkeep = ServiceCIDRUpkeep(configured: ranges.compactMap { IPPrefix($0) })
                try await cluster.store.write { transaction throws(StatusError) in try upkeep.run(&transaction) }
                #expect(try cluster.object(.serviceCIDRs, "kubernetes")?.at("spec", "cidrs") == expected)
            }
            #expect(try cluster.reasons() == ["KubernetesDefaultServiceCIDRInconsistent"])
        }
    }
}
