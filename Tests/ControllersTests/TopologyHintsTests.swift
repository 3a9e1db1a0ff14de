import Addresses
import Controllers
import KubernetesAPI
import Testing

/// Hints by zone in proportion to processors (KEP-2433).
@Suite struct TopologyHintsTests {
    private static func nodes(_ zones: String) -> [Node] {
        zones.split(separator: " ").enumerated().map { index, text in
            let parts = text.split(separator: ":")
            return node(
                "n\(index)", cpu: String(parts[1]),
                labels: parts[0] == "-" ? nil : [WellKnownLabel.zone: String(parts[0])])
        }
    }

    private static func endpoints(_ zones: String) -> [Endpoint] {
        zones.split(separator: " ").map { Endpoint(addresses: ["10.0.0.1"], zone: $0 == "-" ? nil : String($0)) }
    }

    /// Columns: nodes as `zone:processors`, zones of the ready endpoints, how many endpoints each zone has, or the refusal.
    @Test(
        arguments: [
            ("a:1 b:1", "a b", "a=1 b=1"), ("a:1 b:1", "a a a b", "a=2 b=2"), ("a:1 b:1", "a a a a", "a=2 b=2"),
            ("a:2 b:1", "a a a b b b", "a=4 b=2"), ("a:1 b:1 c:1", "a a a b b c", "a=2 b=2 c=2"),
            ("a:1 b:1", "c c a b", "a=2 b=2"),
            ("a:1 a:1", "a a", "Nodes only ready in one zone"),
            ("a:1 b:1 c:1", "a b", "Insufficient number of endpoints (2 endpoints, 3 zones)"),
            (
                "a:1 -:1", "a a",
                "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"
            ),
            (
                "", "a a", "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"
            ),
            ("a:1 b:1", "a - b b", "One or more endpoints do not have a zone specified"),
            (
                "a:1 b:1 c:1", "a b c a",
                "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)"
            ),
        ])
    func `Endpoints go to zones by their share`(nodes: String, zones: String, expected: String) {
        switch TopologyHints(nodes: Self.nodes(nodes)).zones(for: Self.endpoints(zones)) {
        case .success(let zones):
            let counts = Dictionary(grouping: zones) { $0 }.mapValues(\.count).sorted { $0.key < $1.key }
            #expect(counts.map { "\($0.key)=\($0.value)" }.joined(separator: " ") == expected)
        case .failure(let refusal): #expect(refusal.message == expected)
        }
    }

    @Test(
        arguments: [
            ([:], false), ([TopologyHints.annotation: "Auto"], true), ([TopologyHints.olderAnnotation: "auto"], true),
            ([TopologyHints.annotation: "Auto", TopologyHints.olderAnnotation: "Disabled"], false),
            ([TopologyHints.annotation: "auto"], true), ([TopologyHints.annotation: "On"], false),
        ] as [([String: String], Bool)])
    func `An annotation asks for hints`(annotations: [String: String], isWanted: Bool) {
        #expect(TopologyHints.areWanted(by: EndpointSliceTests.service(annotations: annotations)) == isWanted)
    }

    @Test func `Each family is shared out by itself, before the distribution of traffic`() {
        let nodes = Self.nodes("z1:1 z2:1")
        let zones: [String: String?] = ["n0": "z1", "n1": "z2"]
        let pods = [
            pod("a", node: "n0", ips: ["10.0.0.1", "fd00::1"]), pod("b", node: "n0", ips: ["10.0.0.2"]),
            pod("c", node: "n1", ips: ["10.0.0.3"], ready: false),
        ]
        let plan = EndpointSlicePlan(
            EndpointSliceTests.service(distribution: "PreferClose"), pods: pods, zones: zones, existing: [],
            topology: TopologyHints(nodes: nodes))
        let four = plan.create.first { $0.addressType == "IPv4" }?.endpoints ?? []
        #expect(Set(four.compactMap { $0.hints?.forZones?.first?.name }) == ["z1", "z2"])
        #expect(four.filter { $0.hints == nil }.map(\.addresses) == [["10.0.0.3"]])
        #expect(plan.create.first { $0.addressType == "IPv6" }?.endpoints?.first?.hints == nil)
        #expect(plan.topology[.ipv4] == .some(nil))
        #expect(plan.topology[.ipv6]??.message == "Insufficient number of endpoints (1 endpoints, 2 zones)")
    }
}
