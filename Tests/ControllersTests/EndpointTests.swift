import Controllers
import KubernetesAPI
import TestSupport
import Testing

@Suite struct EndpointSliceTests {
    static func service(
        families: [String] = ["IPv4", "IPv6"], ports: [ServicePort] = [ServicePort(name: "http", port: 80)],
        clusterIP: String = "10.96.0.20", publish: Bool? = nil, labels: [String: String]? = nil,
        distribution: String? = nil, annotations: [String: String]? = nil
    ) -> KubernetesAPI.Service {
        KubernetesAPI.Service(
            metadata: ObjectMeta(
                name: "web", namespace: "default", uid: "svc", labels: labels, annotations: annotations),
            spec: ServiceSpec(
                selector: ["app": "web"], ports: ports, clusterIP: clusterIP, ipFamilies: families,
                trafficDistribution: distribution, publishNotReadyAddresses: publish))
    }

    static func dual(_ index: Int, ready: Bool = true, deleting: Bool = false) -> Pod {
        pod(
            "p\(index)", ips: ["10.0.\(index / 250).\(index % 250 + 1)", "fd00::\(String(index + 1, radix: 16))"],
            ready: ready, deleting: deleting)
    }

    static let zones: [String: String?] = ["n1": "z1", "n2": nil]

    static func apply(_ plan: EndpointSlicePlan, to slices: [EndpointSlice]) -> [EndpointSlice] {
        apply(create: plan.create, update: plan.update, delete: plan.delete, to: slices)
    }

    /// Slices as the server would keep them: created ones get names.
    static func apply(
        create: [EndpointSlice], update: [EndpointSlice], delete: [EndpointSlice], to slices: [EndpointSlice]
    ) -> [EndpointSlice] {
        var result = slices.filter { slice in !delete.contains { $0.name == slice.name } }
        for slice in update {
            result.removeAll { $0.name == slice.name }
            result.append(slice)
        }
        for var slice in create {
            var number = 0
            while result.contains(where: { $0.name == "web-\(number)" }) {
                number += 1
            }
            slice.metadata.name = "web-\(number)"
            result.append(slice)
        }
        return result
    }

    @Test func `Each family has its own slices`() {
        let plan = EndpointSlicePlan(
            Self.service(labels: ["team": "x", WellKnownLabel.headless: "y"]), pods: [Self.dual(0)],
            zones: Self.zones, existing: [])
        #expect(plan.create.map(\.addressType) == ["IPv4", "IPv6"])
        #expect(plan.create.map { $0.endpoints?.first?.addresses } == [["10.0.0.1"], ["fd00::1"]])
        for slice in plan.create {
            #expect(slice.metadata.generateName == "web-")
            #expect(
                slice.metadata.labels == [
                    "team": "x", WellKnownLabel.serviceName: "web",
                    WellKnownLabel.sliceManagedBy: "endpointslice-controller.k8s.io",
                ])
            #expect(slice.metadata.ownerReferences?.first?.uid == "svc")
            #expect(slice.ports == [EndpointPort(name: "http", port: 80, protocol: "TCP")])
            #expect(slice.endpoints?.first?.zone == "z1")
            #expect(slice.endpoints?.first?.targetRef?.name == "p0")
        }
    }

    @Test func `A pod without an address of a family is absent there`() {
        let plan = EndpointSlicePlan(
            Self.service(), pods: [pod("only4", ips: ["10.0.0.9"])], zones: Self.zones, existing: [])
        #expect(plan.create.map { $0.endpoints?.count } == [1, 0])
        #expect(plan.create.last?.ports == [])
    }

    @Test(
        arguments: [
            (true, false, nil, true, true, false),
            (false, false, nil, false, false, false),
            (true, true, nil, false, true, true),
            (false, true, true, true, false, true),
            (false, false, true, true, false, false),
        ] as [(Bool, Bool, Bool?, Bool, Bool, Bool)])
    func `Conditions follow readiness and deletion`(
        podReady: Bool, deleting: Bool, publish: Bool?, ready: Bool, serving: Bool, terminating: Bool
    ) {
        let plan = EndpointSlicePlan(
            Self.service(publish: publish), pods: [Self.dual(0, ready: podReady, deleting: deleting)],
            zones: Self.zones, existing: [])
        let expected = EndpointConditions(ready: ready, serving: serving, terminating: terminating)
        #expect(plan.create.first?.endpoints?.first?.conditions == expected)
    }

    @Test func `Ended pods and pods of unknown nodes are left out`() {
        let pods = [
            pod("ended", ips: ["10.0.0.1"], phase: "Succeeded"), pod("lost", node: "gone", ips: ["10.0.0.2"]),
            pod("unborn", ips: []),
        ]
        let plan = EndpointSlicePlan(
            Self.service(families: ["IPv4"]), pods: pods, zones: Self.zones, existing: [])
        #expect(plan.create.map { $0.endpoints?.count } == [0])
    }

    @Test(
        arguments: [
            (["IPv4"], ["fd00::1"], ["IPv6": ["fd00::1"]], "a pod of the other family alone"),
            (["IPv4"], ["10.0.0.1", "fd00::1"], [:], "a pod of both"),
            (["IPv4"], ["10.0.0.1"], [:], "a pod of the Service's family"),
            (["IPv6"], ["10.0.0.1"], ["IPv4": ["10.0.0.1"]], "the reverse"),
            (["IPv4", "IPv6"], ["fd00::1"], [:], "a Service of both families"),
        ] as [([String], [String], [String: [String]], String)])
    func `Pods that have none of the Service's families are for translation, out of others' sight`(
        families: [String], ips: [String], expected: [String: [String]], remark: String
    ) {
        let service = Self.service(families: families, labels: ["team": "x"])
        let pods = [pod("p", ips: ips)]
        let plan = EndpointSlicePlan(service, pods: pods, zones: Self.zones, existing: [], purpose: .translation)
        let found = Dictionary(plan.create.map { ($0.addressType, ($0.endpoints ?? []).flatMap(\.addresses)) }) { $1 }
        #expect(found == expected)
        for slice in plan.create {
            #expect(
                slice.metadata.labels == [
                    WellKnownLabel.translatedServiceName: "web",
                    WellKnownLabel.sliceManagedBy: SlicePurpose.translation.manager,
                ])
            #expect(slice.metadata.ownerReferences?.first?.uid == "svc")
        }
        // Without such pods there is not even a placeholder.
        let slices = Self.apply(plan, to: [])
        let none = EndpointSlicePlan(service, pods: [], zones: Self.zones, existing: slices, purpose: .translation)
        #expect(none.create.isEmpty && none.update.isEmpty && none.delete.count == slices.count)
    }

    @Test func `Named ports separate pods that serve them differently`() {
        let ports = [ServicePort(name: "http", port: 80, targetPort: "web")]
        func serving(_ name: String, _ port: Int, _ ip: String) -> Pod {
            let container = Container(name: "c", ports: [ContainerPort(name: "web", containerPort: port)])
            return pod(name, ips: [ip], spec: PodSpec(containers: [container]))
        }
        let plan = EndpointSlicePlan(
            Self.service(families: ["IPv4"], ports: ports),
            pods: [serving("a", 8080, "10.0.0.1"), serving("b", 9090, "10.0.0.2"), serving("c", 8080, "10.0.0.3")],
            zones: Self.zones, existing: [])
        let sizes = Dictionary(plan.create.map { ($0.ports?.first?.port ?? 0, $0.endpoints?.count ?? 0) }) { $1 }
        #expect(sizes == [8080: 2, 9090: 1])
    }

    /// Columns: hostname and subdomain of the pod, hostname of the endpoint.
    @Test(
        arguments: [
            ("h", "web", "h"), ("h", "other", nil), ("h", nil, nil), (nil, "web", nil), ("", "web", nil),
        ] as [(String?, String?, String?)])
    func `A pod that names the Service as its domain has a name there`(
        hostname: String?, subdomain: String?, expected: String?
    ) {
        let spec = PodSpec(hostname: hostname, subdomain: subdomain)
        let pods = [pod("p", ips: ["10.0.0.1", "fd00::1"], spec: spec)]
        let plan = EndpointSlicePlan(Self.service(), pods: pods, zones: Self.zones, existing: [])
        #expect(plan.create.map { $0.endpoints?.first?.hostname } == [expected, expected])
        let endpoints = EndpointsPlan.endpoints(Self.service(), pods: pods, existing: nil)
        #expect(endpoints.subsets?.first?.addresses?.first?.hostname == expected)
    }

    @Test func `A port's name is looked up with its protocol, in sidecars too`() {
        let ports = [
            ServicePort(name: "tcp", port: 80, targetPort: "p"),
            ServicePort(name: "udp", protocol: "UDP", port: 80, targetPort: "p"),
            ServicePort(name: "side", port: 81, targetPort: "s"), ServicePort(name: "none", port: 82, targetPort: "i"),
        ]
        let main = Container(
            name: "c",
            ports: [
                ContainerPort(name: "p", containerPort: 3, protocol: "UDP"), ContainerPort(name: "p", containerPort: 4),
            ])
        let initial = [
            Container(name: "i", ports: [ContainerPort(name: "i", containerPort: 1)]),
            Container(name: "s", ports: [ContainerPort(name: "s", containerPort: 2)], restartPolicy: "Always"),
        ]
        let spec = PodSpec(containers: [main], initContainers: initial)
        let plan = EndpointSlicePlan(
            Self.service(families: ["IPv4"], ports: ports), pods: [pod("p", ips: ["10.0.0.1"], spec: spec)],
            zones: Self.zones, existing: [])
        let found = (plan.create.first?.ports ?? []).map { "\($0.name ?? "") \($0.protocol ?? "") \($0.port ?? 0)" }
        #expect(found == ["tcp TCP 4", "udp UDP 3", "side TCP 2"])
    }

    @Test func `A headless Service without ports has endpoints without ports`() {
        let plan = EndpointSlicePlan(
            Self.service(ports: [], clusterIP: "None"), pods: [Self.dual(0)], zones: Self.zones, existing: [])
        #expect(plan.create.map(\.ports) == [[], []])
        #expect(plan.create.map { $0.endpoints?.count } == [1, 1])
        #expect(plan.create.allSatisfy { $0.metadata.labels?[WellKnownLabel.headless] == "" })
    }

    /// Columns: families and address of a Service, families of its slices.
    @Test(
        arguments: [
            (["IPv6"], "fd00:10:96::1", ["IPv6"]), (["IPv6", "IPv4"], "fd00:10:96::1", ["IPv6", "IPv4"]),
            ([], "10.96.0.1", ["IPv4"]), ([], "fd00:10:96::1", ["IPv6"]), ([], "None", ["IPv4", "IPv6"]),
        ] as [([String], String, [String])])
    func `Services of servers that know no families have those of their address`(
        families: [String], address: String, expected: [String]
    ) {
        let plan = EndpointSlicePlan(
            Self.service(families: families, clusterIP: address), pods: [Self.dual(0)], zones: Self.zones, existing: [])
        #expect(plan.create.map(\.addressType) == expected)
    }

    @Test func `Slices of a family that the Service gives up go`() {
        let slices = Self.apply(
            EndpointSlicePlan(Self.service(), pods: [Self.dual(0)], zones: Self.zones, existing: []), to: [])
        let plan = EndpointSlicePlan(
            Self.service(families: ["IPv6"]), pods: [Self.dual(0)], zones: Self.zones, existing: slices)
        #expect(plan.delete.map(\.addressType) == ["IPv4"])
        #expect(plan.create.isEmpty && plan.update.isEmpty)
    }

    @Test func `Pods of unknown nodes count where readiness does not`() {
        let lost = pod("lost", node: "gone", ips: ["10.0.0.2"], ready: false)
        let plan = EndpointSlicePlan(
            Self.service(families: ["IPv4"], publish: true), pods: [lost], zones: Self.zones, existing: [])
        #expect(plan.create.first?.endpoints?.first?.conditions?.ready == true)
        #expect(plan.create.first?.endpoints?.first?.nodeName == "gone")
        #expect(plan.create.first?.endpoints?.first?.zone == nil)
    }

    @Test func `One change costs one write of each family`() {
        let pods = (0..<250).map { Self.dual($0) }
        let service = Self.service()
        var slices = Self.apply(
            EndpointSlicePlan(service, pods: pods, zones: Self.zones, existing: []), to: [])
        #expect(slices.filter { $0.addressType == "IPv4" }.map { $0.endpoints?.count ?? 0 }.sorted() == [50, 100, 100])
        let same = EndpointSlicePlan(service, pods: pods, zones: Self.zones, existing: slices)
        #expect(same.create.isEmpty && same.update.isEmpty && same.delete.isEmpty)
        let more = EndpointSlicePlan(service, pods: pods + [Self.dual(250)], zones: Self.zones, existing: slices)
        #expect(more.create.isEmpty && more.delete.isEmpty)
        #expect(more.update.map { $0.endpoints?.count } == [51, 51])
        slices = Self.apply(more, to: slices)
        let fewer = EndpointSlicePlan(service, pods: Array(pods.dropFirst()), zones: Self.zones, existing: slices)
        #expect(fewer.create.isEmpty && fewer.delete.isEmpty)
        #expect(Set(fewer.update.map(\.addressType)) == ["IPv4", "IPv6"])
        #expect(Self.addresses(Self.apply(fewer, to: slices)) == Self.addresses(pods.dropFirst()))
    }

    @Test func `From any slices any set of pods is reached, and then nothing changes`() {
        for seed in 1...60 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var slices: [EndpointSlice] = []
            for _ in 0..<8 {
                let count = Int.random(in: 0...40, using: &generator)
                let pods = (0..<60).shuffled(using: &generator).prefix(count).map {
                    Self.dual($0, ready: Bool.random(using: &generator))
                }
                let families = [["IPv4"], ["IPv6"], ["IPv4", "IPv6"]].randomElement(using: &generator) ?? []
                let service = Self.service(families: families)
                let plan = EndpointSlicePlan(
                    service, pods: pods, zones: Self.zones, existing: slices, capacity: 7)
                slices = Self.apply(plan, to: slices)
                let expected = Self.addresses(pods).filter { families.contains($0.contains(":") ? "IPv6" : "IPv4") }
                #expect(Self.addresses(slices) == expected, "seed \(seed)")
                #expect(slices.allSatisfy { ($0.endpoints?.count ?? 0) <= 7 }, "seed \(seed)")
                #expect(Set(slices.map(\.addressType)) == Set(families), "seed \(seed)")
                let again = EndpointSlicePlan(
                    service, pods: pods, zones: Self.zones, existing: slices, capacity: 7)
                #expect(again.create.isEmpty && again.update.isEmpty && again.delete.isEmpty, "seed \(seed)")
            }
        }
    }

    /// The endpoints that each slice has, by the slice's name.
    private static func contents(_ slices: [EndpointSlice]) -> [String: Set<String>] {
        Dictionary(uniqueKeysWithValues: slices.map { ($0.name, Set(($0.endpoints ?? []).flatMap(\.addresses))) })
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `Writes are few, and endpoints stay where they are`(seed: UInt64) {
        let capacity = 5
        var generator = SeededGenerator(seed: seed)
        let service = Self.service(families: ["IPv4"])
        var slices: [EndpointSlice] = []
        var members: Set<Int> = []
        for _ in 0..<25 {
            for index in 0..<60 where Int.random(in: 0..<10, using: &generator) == 0 {
                if members.remove(index) == nil { members.insert(index) }
            }
            let pods = members.sorted().map { Self.dual($0) }
            let wanted = Set(pods.compactMap { $0.addresses.first { !$0.contains(":") } })
            let before = Self.contents(slices)
            let plan = EndpointSlicePlan(service, pods: pods, zones: Self.zones, existing: slices, capacity: capacity)
            slices = Self.apply(plan, to: slices)
            let after = Self.contents(slices)
            let held = before.values.reduce(into: Set()) { $0.formUnion($1) }
            let added = wanted.subtracting(held)
            // An endpoint that stays is where it was.
            for (name, addresses) in before {
                #expect(addresses.intersection(wanted).isSubset(of: after[name] ?? []), "seed \(seed)")
            }
            // Only slices that lost an endpoint are written, and at most one other.
            let losing = before.filter { !$0.value.isSubset(of: wanted) || ($0.value.isEmpty && !wanted.isEmpty) }
            let opened = plan.update.filter { losing[$0.name] == nil }
            #expect(opened.count <= 1, "seed \(seed)")
            #expect(plan.update.count + plan.delete.count <= losing.count + 1, "seed \(seed)")
            // New slices are full but for one, and none is made while another goes.
            #expect(plan.create.isEmpty || plan.delete.isEmpty, "seed \(seed)")
            #expect(plan.create.count <= max(1, (added.count + capacity - 1) / capacity), "seed \(seed)")
            #expect(plan.create.count { ($0.endpoints?.count ?? 0) < capacity } <= 1, "seed \(seed)")
        }
    }

    @Test func `What fills no new slice goes where it fits best`() {
        func slices(_ counts: [Int]) -> [EndpointSlice] {
            var first = 0
            var all: [EndpointSlice] = []
            for count in counts {
                let plan = EndpointSlicePlan(
                    Self.service(families: ["IPv4"]), pods: (first..<first + count).map { Self.dual($0) },
                    zones: Self.zones, existing: [])
                for var slice in plan.create {
                    slice.metadata.name = "s\(all.count)"
                    all.append(slice)
                }
                first += count
            }
            return all
        }
        /// Sizes of the slices after `added` pods more, those before and those created.
        func sizes(_ counts: [Int], added: Int) -> [Int] {
            let existing = slices(counts)
            let plan = EndpointSlicePlan(
                Self.service(families: ["IPv4"]), pods: (0..<counts.reduce(0, +) + added).map { Self.dual($0) },
                zones: Self.zones, existing: existing)
            #expect(plan.delete.isEmpty)
            let after = Self.contents(Self.apply(plan, to: existing))
            return existing.map { after[$0.name]?.count ?? 0 } + plan.create.map { $0.endpoints?.count ?? 0 }
        }
        #expect(sizes([40, 60, 30], added: 20) == [40, 80, 30])
        #expect(sizes([90, 95], added: 20) == [90, 95, 20])
        #expect(sizes([90, 50], added: 120) == [90, 70, 100])
        #expect(sizes([50], added: 100) == [50, 100])
    }

    @Test func `Slices of a former Service of the name go`() {
        var foreign = EndpointSlice(
            metadata: ObjectMeta(name: "web-x", namespace: "default"), addressType: "IPv4", endpoints: [])
        foreign.metadata.ownerReferences = [OwnerReference(apiVersion: "v1", kind: "Service", name: "web", uid: "old")]
        let plan = EndpointSlicePlan(Self.service(), pods: [], zones: [:], existing: [foreign])
        #expect(plan.delete.map(\.name) == ["web-x"])
        #expect(plan.create.count == 2)
    }

    /// Columns: the Service's wish, readiness, node, then zones and nodes of the hints.
    @Test(
        arguments: [
            (nil, true, "n1", nil, nil), ("PreferClose", true, "n1", ["z1"], nil),
            ("PreferSameZone", true, "n1", ["z1"], nil), ("PreferSameZone", true, "n2", nil, nil),
            ("PreferSameZone", false, "n1", nil, nil), ("PreferSameNode", true, "n1", ["z1"], ["n1"]),
            ("PreferSameNode", true, "n2", nil, ["n2"]), ("PreferSameNode", false, "n1", nil, nil),
        ] as [(String?, Bool, String, [String]?, [String]?)])
    func `Hints follow the distribution of traffic`(
        distribution: String?, ready: Bool, node: String, zones: [String]?, nodes: [String]?
    ) {
        let plan = EndpointSlicePlan(
            Self.service(distribution: distribution),
            pods: [pod("p", node: node, ips: ["10.0.0.1", "fd00::1"], ready: ready)], zones: Self.zones, existing: [])
        for slice in plan.create {
            #expect(slice.endpoints?.first?.hints?.forZones?.map(\.name) == zones)
            #expect(slice.endpoints?.first?.hints?.forNodes?.map(\.name) == nodes)
        }
        #expect(plan.create.count == 2)
    }

    @Test func `Hints that nobody wants any more go`() {
        let pods = (0..<3).map { Self.dual($0) }
        let hinted = Self.apply(
            EndpointSlicePlan(Self.service(distribution: "PreferClose"), pods: pods, zones: Self.zones, existing: []),
            to: [])
        let plan = EndpointSlicePlan(Self.service(), pods: pods, zones: Self.zones, existing: hinted)
        #expect(plan.update.count == 2)
        #expect(plan.update.flatMap { $0.endpoints ?? [] }.allSatisfy { $0.hints == nil })
    }

    @Test func `Written slices tell when the change happened, and no longer once that is past`() {
        let key = ChangeTimes.annotation
        let time = Timestamp(seconds: 1_700_000_000, nanoseconds: 5)
        let first = EndpointSlicePlan(
            Self.service(), pods: [Self.dual(0)], zones: Self.zones, existing: [], changedAt: time)
        #expect(first.create.map { $0.metadata.annotations?[key] } == [time.nanoText, time.nanoText])
        let slices = Self.apply(first, to: [])
        let same = EndpointSlicePlan(Self.service(), pods: [Self.dual(0)], zones: Self.zones, existing: slices)
        #expect(same.update.isEmpty)
        let more = EndpointSlicePlan(
            Self.service(), pods: [Self.dual(0), Self.dual(1)], zones: Self.zones, existing: slices)
        #expect(more.update.map { $0.metadata.annotations?[key] } == [nil, nil])
    }

    @Test func `The time of a change is that of the earliest new one`() throws {
        let changes = ChangeTimes()
        var service = Self.service()
        service.metadata.creationTimestamp = "2024-01-01T00:00:00Z"
        func ready(_ name: String, _ time: String) -> Pod { pod(name, ips: ["10.0.0.1"], readySince: time) }
        let first = changes.next(service, pods: [ready("a", "2024-01-02T00:00:00Z")])
        #expect(first == Timestamp("2024-01-01T00:00:00Z"))
        let none = changes.next(service, pods: [ready("a", "2024-01-02T00:00:00Z")])
        #expect(none == nil)
        let next = changes.next(
            service,
            pods: [
                ready("a", "2024-01-05T00:00:00Z"), ready("b", "2024-01-04T00:00:00Z"),
            ])
        #expect(next == Timestamp("2024-01-04T00:00:00Z"))
    }

    static func addresses(_ slices: [EndpointSlice]) -> [String] {
        slices.flatMap { $0.endpoints ?? [] }.flatMap(\.addresses).sorted()
    }

    static func addresses(_ pods: some Collection<Pod>) -> [String] {
        pods.flatMap(\.addresses).sorted()
    }
}

@Suite struct EndpointsTests {
    @Test func `Only the primary family appears, ready and other addresses apart`() {
        let pods = [
            EndpointSliceTests.dual(0), EndpointSliceTests.dual(1, ready: false),
            EndpointSliceTests.dual(2, deleting: true),
        ]
        let result = EndpointsPlan.endpoints(
            EndpointSliceTests.service(families: ["IPv6", "IPv4"]), pods: pods, existing: nil)
        #expect(result.subsets?.count == 1)
        #expect(result.subsets?.first?.addresses?.map(\.ip) == ["fd00::1"])
        #expect(result.subsets?.first?.notReadyAddresses?.map(\.ip) == ["fd00::2"])
        #expect(result.metadata.labels?["endpoints.kubernetes.io/managed-by"] == "endpoint-controller")
        #expect(result.name == "web")
    }

    @Test func `More than a thousand addresses are truncated, ready ones kept`() {
        let pods = (0..<1200).map { EndpointSliceTests.dual($0, ready: $0 >= 300) }
        let result = EndpointsPlan.endpoints(EndpointSliceTests.service(), pods: pods, existing: nil)
        #expect(result.subsets?.first?.addresses?.count == 900)
        #expect(result.subsets?.first?.notReadyAddresses?.count == 100)
        #expect(result.metadata.annotations?["endpoints.kubernetes.io/over-capacity"] == "truncated")
    }

    @Test func `Subsets are truncated in proportion`() {
        let ports = [ServicePort(name: "http", port: 80, targetPort: "web")]
        let pods = (0..<1500).map { index in
            let number = index < 1000 ? 8080 : 9090
            let container = Container(name: "c", ports: [ContainerPort(name: "web", containerPort: number)])
            return pod(
                "p\(index)", ips: ["10.0.\(index / 250).\(index % 250 + 1)"], ready: index % 5 != 0,
                spec: PodSpec(containers: [container]))
        }
        let result = EndpointsPlan.endpoints(
            EndpointSliceTests.service(families: ["IPv4"], ports: ports), pods: pods, existing: nil)
        let sizes = Dictionary(
            (result.subsets ?? []).map { ($0.ports?.first?.port ?? 0, $0.addresses?.count ?? 0) }
        ) { $1 }
        // 800 and 400 ready ones share 1000 places; what is not ready has none.
        #expect(sizes == [8080: 667, 9090: 333])
        #expect(result.subsets?.allSatisfy { $0.notReadyAddresses == nil } == true)
    }

    @Test func `A headless Service is labelled`() {
        let result = EndpointsPlan.endpoints(
            EndpointSliceTests.service(clusterIP: "None"), pods: [], existing: nil)
        #expect(result.metadata.labels?[WellKnownLabel.headless] == "")
        #expect(result.subsets == nil)
    }

    @Test func `Ports that not all pods have are apart, pods that have none are absent`() {
        let ports = [
            ServicePort(name: "web", port: 80, targetPort: "web"),
            ServicePort(name: "admin", port: 81, targetPort: "admin"),
        ]
        func serving(_ name: String, _ ip: String, _ ports: [String: Int]) -> Pod {
            let container = Container(
                name: "c", ports: ports.map { ContainerPort(name: $0.key, containerPort: $0.value) })
            return pod(name, ips: [ip], spec: PodSpec(containers: [container]))
        }
        let result = EndpointsPlan.endpoints(
            EndpointSliceTests.service(families: ["IPv4"], ports: ports),
            pods: [
                serving("a", "10.0.0.1", ["web": 8080, "admin": 8081]), serving("b", "10.0.0.2", ["web": 8080]),
                serving("c", "10.0.0.3", ["other": 9]),
            ], existing: nil)
        let found = (result.subsets ?? []).map { subset in
            (subset.ports ?? []).map { $0.name ?? "" } + (subset.addresses ?? []).map(\.ip)
        }
        #expect(found == [["admin", "10.0.0.1"], ["web", "10.0.0.1", "10.0.0.2"]])
    }
}
