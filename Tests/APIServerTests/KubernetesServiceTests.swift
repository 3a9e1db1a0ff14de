import APIServer
import Addresses
import Foundation
import JSON
import Logging
import Testing

/// The Service of the API itself, on each kind of cluster (specification §1.12, and the improvement on it).
@Suite(.serialized) struct KubernetesServiceTests {
    /// One kind of cluster: service ranges, advertised addresses, and what follows from them.
    struct Kind: Sendable, CustomTestStringConvertible {
        let ranges: [String]
        let advertised: [String]
        let clusterIPs: JSONValue
        let families: JSONValue
        let policy: JSONValue
        /// The slices by name: address type and addresses.
        let slices: [String: JSONValue]
        /// The addresses of the Endpoints.
        let endpoints: JSONValue

        var testDescription: String { ranges.joined(separator: ",") }
    }

    private static let kinds = [
        Kind(
            ranges: ["10.96.0.0/16"], advertised: ["192.0.2.10"], clusterIPs: ["10.96.0.1"], families: ["IPv4"],
            policy: "SingleStack", slices: ["kubernetes": ["IPv4", "192.0.2.10"]], endpoints: [["ip": "192.0.2.10"]]),
        Kind(
            ranges: ["fd00:10:96::/112"], advertised: ["2001:db8::10"], clusterIPs: ["fd00:10:96::1"],
            families: ["IPv6"], policy: "SingleStack", slices: ["kubernetes": ["IPv6", "2001:db8::10"]],
            endpoints: [["ip": "2001:db8::10"]]),
        Kind(
            ranges: ["10.96.0.0/16", "fd00:10:96::/112"], advertised: ["192.0.2.10", "2001:db8::10"],
            clusterIPs: ["10.96.0.1", "fd00:10:96::1"], families: ["IPv4", "IPv6"], policy: "RequireDualStack",
            slices: ["kubernetes": ["IPv4", "192.0.2.10"], "kubernetes-ipv6": ["IPv6", "2001:db8::10"]],
            endpoints: [["ip": "192.0.2.10"]]),
        Kind(
            ranges: ["fd00:10:96::/112", "10.96.0.0/16"], advertised: ["2001:db8::10", "192.0.2.10"],
            clusterIPs: ["fd00:10:96::1", "10.96.0.1"], families: ["IPv6", "IPv4"], policy: "RequireDualStack",
            slices: ["kubernetes": ["IPv6", "2001:db8::10"], "kubernetes-ipv4": ["IPv4", "192.0.2.10"]],
            endpoints: [["ip": "2001:db8::10"]]),
        // A server that has an address of the primary family only.
        Kind(
            ranges: ["10.96.0.0/16", "fd00:10:96::/112"], advertised: ["192.0.2.10"],
            clusterIPs: ["10.96.0.1", "fd00:10:96::1"], families: ["IPv4", "IPv6"], policy: "RequireDualStack",
            slices: ["kubernetes": ["IPv4", "192.0.2.10"]], endpoints: [["ip": "192.0.2.10"]]),
    ]

    @Test(arguments: kinds)
    func `it has the first address of each range, and leads to the server`(kind: Kind) async throws {
        try await ServerHarness.run(ranges: kind.ranges, advertise: kind.advertised) { server in
            let service = try await server.send("GET", "/api/v1/namespaces/default/services/kubernetes").json
            #expect(service.at("metadata", "labels") == ["component": "apiserver", "provider": "kubernetes"])
            let port = JSONValue.integer(Int64(server.port))
            #expect(
                service["spec"]
                    == [
                        "clusterIP": kind.clusterIPs[0] ?? .null, "clusterIPs": kind.clusterIPs,
                        "internalTrafficPolicy": "Cluster", "ipFamilies": kind.families, "ipFamilyPolicy": kind.policy,
                        "ports": [["name": "https", "port": 443, "protocol": "TCP", "targetPort": port]],
                        "sessionAffinity": "None", "type": "ClusterIP",
                    ])
            let endpoints = try await server.send("GET", "/api/v1/namespaces/default/endpoints/kubernetes").json
            #expect(
                endpoints.at("metadata", "labels") == ["endpointslice.kubernetes.io/skip-mirror": "true"])
            #expect(
                endpoints["subsets"]
                    == [
                        [
                            "addresses": kind.endpoints,
                            "ports": [["name": "https", "port": port, "protocol": "TCP"]],
                        ]
                    ])
            let slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
            let all = try await server.send(
                "GET", slices + "?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes")
            var found: [String: JSONValue] = [:]
            for slice in all.json["items"]?.array ?? [] {
                let endpoint = slice["endpoints"]?[0]
                #expect(endpoint?.at("conditions", "ready") == true)
                #expect(slice["ports"] == [["name": "https", "port": port, "protocol": "TCP"]])
                found[slice.at("metadata", "name")?.string ?? ""] = [
                    slice["addressType"] ?? .null, endpoint?["addresses"]?[0] ?? .null,
                ]
            }
            #expect(found == kind.slices)
            for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
                #expect(try await server.send("GET", "/api/v1/namespaces/\(name)").code == 200)
            }
            let range = try await server.send("GET", "/apis/networking.k8s.io/v1/servicecidrs/kubernetes").json
            #expect(range.at("spec", "cidrs") == .array(kind.ranges.map { .string($0) }))
        }
    }

    @Test func `it is left as it is, and made again when it is gone`() async throws {
        try await ServerHarness.run { server in
            let path = "/api/v1/namespaces/default/services/kubernetes"
            let changed = try await server.send(
                "PATCH", path, ["metadata": ["labels": ["mine": "yes"]]], type: "application/merge-patch+json")
            #expect(changed.code == 200)
            let uid = changed.json.at("metadata", "uid")
            _ = try await server.send("DELETE", "/api/v1/namespaces/default/endpoints/kubernetes")
            let end = ContinuousClock.now + .seconds(60)
            func isThere(_ path: String) async throws -> Bool {
                while ContinuousClock.now < end {
                    if try await server.send("GET", path).code == 200 { return true }
                    try await Task.sleep(for: .milliseconds(50))
                }
                return false
            }
            #expect(try await isThere("/api/v1/namespaces/default/endpoints/kubernetes"))
            let kept = try await server.send("GET", path).json
            #expect(kept.at("metadata", "uid") == uid)
            #expect(kept.at("metadata", "labels", "mine") == "yes")
            #expect(try await server.send("DELETE", path).code == 200)
            #expect(try await isThere(path))
            let made = try await server.send("GET", path).json
            #expect(made.at("metadata", "uid") != uid)
            #expect(made.at("spec", "clusterIPs") == ["10.96.0.1", "fd00:10:96::1"])
        }
    }

    /// Columns: ranges, advertised addresses, why the server does not start.
    @Test(
        arguments: [
            ([], ["192.0.2.10"], "--service-cluster-ip-range must contain at least one valid cidr"),
            (
                ["10.0.0.0/24", "fd00::/112", "10.0.1.0/24"], ["192.0.2.10"],
                "--service-cluster-ip-range must not contain more than two entries"
            ),
            (
                ["10.0.0.0/24", "10.0.1.0/24"], ["192.0.2.10"],
                "--service-cluster-ip-range[0] and --service-cluster-ip-range[1] must be of different IP family"
            ),
            (
                ["fd00::/63"], ["2001:db8::10"],
                "specified --service-cluster-ip-range is too large; for 128-bit addresses, the mask must be >= 64"
            ),
            (["10.0.0.0/24"], ["2001:db8::10"], "--advertise-address must match the primary service IP family"),
            (
                ["fd00::/112", "10.0.0.0/24"], ["192.0.2.10", "2001:db8::10"],
                "--advertise-address must match the primary service IP family"
            ),
        ] as [([String], [String], String)])
    func `what cannot be is refused at the start`(ranges: [String], advertised: [String], refusal: String) async {
        let path = NSTemporaryDirectory() + "dt-apiserver-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        let configuration = APIServerConfiguration(
            dataDirectory: path, advertiseAddresses: advertised.compactMap { IPAddress($0) },
            serviceClusterIPRanges: ranges.compactMap { IPPrefix($0) })
        do {
            _ = try await APIServer(configuration: configuration, logger: Logger(label: "test"))
            Issue.record("the server started")
        } catch {
            #expect("\(error)" == refusal)
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
