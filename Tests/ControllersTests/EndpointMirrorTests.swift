import Controllers
import KubernetesAPI
import Testing

/// Endpoints that users keep, as slices.
@Suite struct EndpointMirrorTests {
    private static func endpoints(
        _ subsets: [EndpointSubset], labels: [String: String]? = nil, annotations: [String: String]? = nil,
        uid: String = "ep"
    ) -> Endpoints {
        Endpoints(
            metadata: ObjectMeta(
                name: "ext", namespace: "default", uid: uid, labels: labels, annotations: annotations),
            subsets: subsets)
    }

    private static func subset(_ ready: [String], _ other: [String] = [], ports: [EndpointPort]) -> EndpointSubset {
        EndpointSubset(
            addresses: ready.map { EndpointAddress(ip: $0) }, notReadyAddresses: other.map { EndpointAddress(ip: $0) },
            ports: ports)
    }

    private static let http = EndpointPort(name: "http", port: 80, protocol: "TCP")
    private static let admin = EndpointPort(name: "admin", port: 81, protocol: "TCP")

    /// What slices say: family, ports, addresses with `!` where they are not ready.
    private static func text(_ slices: [EndpointSlice]) -> [String] {
        slices.map { slice in
            let ports = (slice.ports ?? []).map { "\($0.name ?? "")=\($0.port ?? 0)" }
            let addresses = (slice.endpoints ?? []).map {
                ($0.conditions?.ready == true ? "" : "!") + $0.addresses.joined(separator: "+")
            }
            return "\(slice.addressType) \(ports.joined(separator: ",")) \(addresses.joined(separator: " "))"
        }.sorted()
    }

    private static func apply(_ plan: EndpointMirrorPlan, to slices: [EndpointSlice]) -> [EndpointSlice] {
        EndpointSliceTests.apply(create: plan.create, update: plan.update, delete: plan.delete, to: slices)
    }

    /// Columns: subsets, the slices, and how many texts are no addresses.
    @Test(
        arguments: [
            ([], [], 0),
            ([subset(["192.0.2.1"], ports: [http])], ["IPv4 http=80 192.0.2.1"], 0),
            ([subset(["2001:db8::1"], ports: [http])], ["IPv6 http=80 2001:db8::1"], 0),
            (
                [subset(["192.0.2.1", "2001:db8::1"], ["192.0.2.2", "x"], ports: [http])],
                ["IPv4 http=80 192.0.2.1 !192.0.2.2", "IPv6 http=80 2001:db8::1"], 1
            ),
            // One list of ports after the other, and the same addresses under each.
            (
                [subset(["192.0.2.1"], ports: [http]), subset(["192.0.2.1"], ports: [admin])],
                ["IPv4 admin=81,http=80 192.0.2.1"], 0
            ),
            (
                [subset(["192.0.2.1", "192.0.2.2"], ports: [http]), subset(["192.0.2.1"], ports: [admin])],
                ["IPv4 admin=81 192.0.2.1", "IPv4 http=80 192.0.2.1 192.0.2.2"], 0
            ),
            // An address that stands twice.
            (
                [subset(["192.0.2.1", "192.0.2.1"], ports: [http]), subset(["192.0.2.1"], ports: [http])],
                ["IPv4 http=80 192.0.2.1"], 0
            ),
            ([subset(["192.0.2.1"], ["192.0.2.1"], ports: [http])], ["IPv4 http=80 !192.0.2.1"], 0),
            ([subset(["192.0.2.1"], ports: [])], ["IPv4  192.0.2.1"], 0),
            ([subset(["2001:DB8::0:1"], ports: [http])], ["IPv6 http=80 2001:db8::1"], 0),
        ] as [([EndpointSubset], [String], Int)])
    func `Subsets become slices of one family and one list of ports`(
        subsets: [EndpointSubset], slices: [String], invalid: Int
    ) {
        let plan = EndpointMirrorPlan(Self.endpoints(subsets), existing: [])
        #expect(Self.text(plan.create) == slices)
        #expect(plan.update.isEmpty && plan.delete.isEmpty)
        #expect(plan.invalid == invalid)
        #expect(plan.skipped == invalid)
        #expect(plan.create.flatMap { $0.endpoints ?? [] }.allSatisfy { $0.conditions?.terminating == false })
    }

    @Test func `Labels, annotations and owner are those of the Endpoints`() throws {
        let object = Self.endpoints(
            [Self.subset(["192.0.2.1"], ports: [Self.http])],
            labels: ["a": "b", WellKnownLabel.skipMirror: "false", WellKnownLabel.serviceName: "other"],
            annotations: [
                "note": "c", "kubectl.kubernetes.io/last-applied-configuration": "{}", ChangeTimes.annotation: "now",
            ])
        let slice = try #require(EndpointMirrorPlan(object, existing: []).create.first)
        #expect(
            slice.metadata.labels == [
                "a": "b", WellKnownLabel.serviceName: "ext",
                WellKnownLabel.sliceManagedBy: "endpointslicemirroring-controller.k8s.io",
            ])
        #expect(slice.metadata.annotations == ["note": "c"])
        #expect(slice.metadata.ownerReferences?.map(\.uid) == ["ep"])
        #expect(slice.metadata.ownerReferences?.first?.kind == "Endpoints")
        #expect(slice.metadata.generateName == "ext-")
    }

    @Test(
        arguments: [
            (nil, nil, true), ([WellKnownLabel.skipMirror: "true"], nil, false),
            ([WellKnownLabel.skipMirror: "false"], nil, true),
            (nil, ["control-plane.alpha.kubernetes.io/leader": "{}"], false), (nil, ["note": "c"], true),
        ] as [([String: String]?, [String: String]?, Bool)])
    func `A label or a leader election keeps Endpoints from being mirrored`(
        labels: [String: String]?, annotations: [String: String]?, isWanted: Bool
    ) {
        #expect(EndpointMirrorPlan.isWanted(Self.endpoints([], labels: labels, annotations: annotations)) == isWanted)
    }

    @Test func `A thousand addresses of a subset are mirrored, ready ones first`() {
        let addresses = (0..<1200).map { "10.0.\($0 / 250).\($0 % 250 + 1)" }
        let plan = EndpointMirrorPlan(
            Self.endpoints([
                Self.subset(Array(addresses.prefix(300)), addresses.dropFirst(300) + ["x"], ports: [Self.http])
            ]), existing: [])
        #expect(plan.create.map { $0.endpoints?.count } == [1000])
        #expect(plan.create.first?.endpoints?.count { $0.conditions?.ready == true } == 300)
        #expect(plan.invalid == 0)
        #expect(plan.skipped == 201)
    }

    /// Columns: the Endpoints before and after, and the numbers of slices created, updated and deleted.
    @Test(
        arguments: [
            (
                endpoints([subset(["192.0.2.1"], ports: [http])]), endpoints([subset(["192.0.2.1"], ports: [http])]),
                [0, 0, 0]
            ),
            (
                endpoints([subset(["192.0.2.1"], ports: [http])]), endpoints([subset(["192.0.2.2"], ports: [http])]),
                [0, 1, 0]
            ),
            (
                endpoints([subset(["192.0.2.1"], ports: [http])]),
                endpoints([subset([], ["192.0.2.1"], ports: [http])]), [0, 1, 0]
            ),
            // Another list of ports takes over the slice of the one that is gone.
            (
                endpoints([subset(["192.0.2.1"], ports: [http])]), endpoints([subset(["192.0.2.1"], ports: [admin])]),
                [0, 1, 0]
            ),
            (
                endpoints([subset(["192.0.2.1"], ports: [http])]), endpoints([subset(["2001:db8::1"], ports: [http])]),
                [1, 0, 1]
            ),
            (
                endpoints([subset(["192.0.2.1", "2001:db8::1"], ports: [http])]),
                endpoints([subset(["192.0.2.1"], ports: [http])]), [0, 0, 1]
            ),
            (endpoints([subset(["192.0.2.1"], ports: [http])]), endpoints([]), [0, 0, 1]),
            (
                endpoints([subset(["192.0.2.1"], ports: [http])]),
                endpoints([subset(["192.0.2.1"], ports: [http])], labels: ["a": "b"]), [0, 1, 0]
            ),
            (
                endpoints([subset(["192.0.2.1"], ports: [http])]),
                endpoints([subset(["192.0.2.1"], ports: [http])], annotations: ["a": "b"]), [0, 1, 0]
            ),
            // Endpoints of the name that were made anew own the slices from now on.
            (
                endpoints([subset(["192.0.2.1"], ports: [http])]),
                endpoints([subset(["192.0.2.1"], ports: [http])], uid: "new"), [0, 1, 0]
            ),
        ] as [(Endpoints, Endpoints, [Int])])
    func `A change costs the fewest writes`(before: Endpoints, after: Endpoints, writes: [Int]) {
        let slices = Self.apply(EndpointMirrorPlan(before, existing: []), to: [])
        let plan = EndpointMirrorPlan(after, existing: slices)
        #expect([plan.create.count, plan.update.count, plan.delete.count] == writes)
        let result = Self.apply(plan, to: slices)
        #expect(Self.text(result) == Self.text(EndpointMirrorPlan(after, existing: []).create))
        let again = EndpointMirrorPlan(after, existing: result)
        #expect(again.create.isEmpty && again.update.isEmpty && again.delete.isEmpty)
        #expect(result.allSatisfy { $0.metadata.ownerReferences?.first?.uid == after.metadata.uid })
    }

    @Test func `Slices too many for one list of ports go`() {
        let object = Self.endpoints([Self.subset(["192.0.2.1"], ports: [Self.http])])
        var slices = Self.apply(EndpointMirrorPlan(object, existing: []), to: [])
        var twin = slices[0]
        twin.metadata.name = "web-twin"
        slices.append(twin)
        #expect(EndpointMirrorPlan(object, existing: slices).delete.count == 1)
    }
}
