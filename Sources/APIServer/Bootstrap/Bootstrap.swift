import Addresses
import JSON
import KubernetesAPI
import Logging

/// Creates what every cluster has: the system namespaces, the range of cluster IPs, and the Service of the API itself.
struct Bootstrap: Sendable {
    private static let namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"]

    let store: Store
    let configuration: APIServerConfiguration
    let logger: Logger

    func run() async throws {
        for name in Self.namespaces {
            try await createIfMissing(.namespaces, "", ["metadata": ["name": .string(name)]])
            // A controller does so in other namespaces; pods of the system need not wait for it.
            try await createIfMissing(.serviceAccounts, name, ["metadata": ["name": "default"]])
        }
        try await createIfMissing(.serviceCIDRs, "", serviceCIDR)
        // Before the first request: a family that the configuration has gained takes Services at once.
        try await settleRanges()
        try await createIfMissing(.services, "default", service)
        guard !advertised.isEmpty else { return }
        try await put(.endpoints, "default", endpoints)
        for family in IPFamily.allCases {
            if families.contains(family), advertised.contains(where: { $0.family == family }) {
                try await put(.endpointSlices, "default", slice(family))
            } else {
                try await remove(.endpointSlices, "default", sliceName(family))
            }
        }
    }

    /// Brings the ServiceCIDRs in line with the configuration, and lets deleted ones go whose time has come.
    func settleRanges() async throws {
        let upkeep = ServiceCIDRUpkeep(configured: configuration.serviceClusterIPRanges)
        try await store.write { transaction throws(StatusError) in try upkeep.run(&transaction) }
    }

    /// The families of the service ranges, the primary one first.
    private var families: [IPFamily] { configuration.serviceClusterIPRanges.map(\.family) }

    /// Where others reach the server: endpoints may not be loopback addresses.
    private var advertised: [IPAddress] { configuration.advertiseAddresses.filter { !$0.isLoopback } }

    private var serviceCIDR: JSONValue {
        [
            "metadata": ["name": .string(ServiceNetwork.defaultCIDR)],
            "spec": ["cidrs": .array(configuration.serviceClusterIPRanges.map { .string($0.description) })],
        ]
    }

    private var labels: JSONValue { ["component": "apiserver", "provider": "kubernetes"] }

    private var service: JSONValue {
        let addresses = configuration.serviceClusterIPRanges.compactMap { $0.address(at: 1) }.map {
            JSONValue.string($0.description)
        }
        return [
            "metadata": ["name": "kubernetes", "labels": labels],
            "spec": [
                "type": "ClusterIP", "clusterIP": addresses.first ?? .null, "clusterIPs": .array(addresses),
                "ipFamilies": .array(families.map { .string($0.name) }),
                "ipFamilyPolicy": families.count > 1 ? "RequireDualStack" : "SingleStack",
                "sessionAffinity": "None",
                "ports": [
                    [
                        "name": "https", "protocol": "TCP", "port": 443,
                        "targetPort": .integer(Int64(configuration.securePort)),
                    ]
                ],
            ],
        ]
    }

    private var port: JSONValue {
        ["name": "https", "port": .integer(Int64(configuration.securePort)), "protocol": "TCP"]
    }

    /// Endpoints name the primary family only, as all clients of theirs expect.
    private var endpoints: JSONValue {
        let primary = advertised.filter { $0.family == families.first }
        return [
            "metadata": [
                "name": "kubernetes", "labels": ["endpointslice.kubernetes.io/skip-mirror": "true"],
            ],
            "subsets": [
                ["addresses": .array(primary.map { ["ip": .string($0.description)] }), "ports": [port]]
            ],
        ]
    }

    /// The slice of a family; that of the primary family has the plain name.
    private func slice(_ family: IPFamily) -> JSONValue {
        let addresses = advertised.filter { $0.family == family }
        return [
            "metadata": ["name": .string(sliceName(family)), "labels": ["kubernetes.io/service-name": "kubernetes"]],
            "addressType": .string(family.name),
            "endpoints": .array(
                addresses.map { ["addresses": [.string($0.description)], "conditions": ["ready": true]] }),
            "ports": [port],
        ]
    }

    private func sliceName(_ family: IPFamily) -> String {
        family == families.first ? "kubernetes" : "kubernetes-\(family.name.lowercased())"
    }

    /// Removes what a former configuration left.
    private func remove(_ resource: Resource, _ namespace: String, _ name: String) async throws {
        guard let index = store.index(of: resource) else { return }
        let key = ObjectKey(namespace: namespace, name: name)
        guard store.object(index, key) != nil else { return }
        _ = try await store.write { transaction throws(StatusError) in
            try transaction.delete(index, key, DeleteOptions())
        }
    }

    private func createIfMissing(_ resource: Resource, _ namespace: String, _ object: JSONValue) async throws {
        try await write(resource, namespace, object) { _ in nil }
    }

    private func put(_ resource: Resource, _ namespace: String, _ object: JSONValue) async throws {
        try await write(resource, namespace, object) { old in
            var new = object
            new["metadata"] = old["metadata"]
            new.set(object.at("metadata", "labels"), at: "metadata", "labels")
            return new
        }
    }

    /// Creates the object, or replaces it with what `change` makes of the present one, unless that is nil.
    private func write(
        _ resource: Resource, _ namespace: String, _ object: JSONValue,
        _ change: @escaping @Sendable (JSONValue) -> JSONValue?
    ) async throws {
        guard let index = store.index(of: resource) else { return }
        let key = ObjectKey(namespace: namespace, name: object.at("metadata", "name")?.string ?? "")
        do {
            try await store.write { transaction throws(StatusError) in
                guard let present = transaction.object(index, key)?.value else {
                    _ = try transaction.create(object, index, namespace: namespace, WriteOptions())
                    return
                }
                guard let changed = change(present) else { return }
                _ = try transaction.update(index, key, WriteOptions()) { _ in changed }
            }
        } catch let error as StatusError {
            throw ConfigurationError("cannot create \(resource.plural) \(key.name): \(error)")
        }
    }
}
