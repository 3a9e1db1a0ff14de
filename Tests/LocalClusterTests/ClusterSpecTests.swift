import Addresses
import LocalCluster
import Testing

@Suite struct `Cluster specification` {
    @Test(arguments: [
        ("ipv4", [IPFamily.ipv4]), ("ipv6", [.ipv6]), ("ipv4,ipv6", [.ipv4, .ipv6]), ("IPv6,IPv4", [.ipv6, .ipv4]),
    ])
    func `families are read in their order`(text: String, families: [IPFamily]) throws {
        #expect(try ClusterSpec.families(parsing: text) == families)
    }

    @Test(arguments: ["", "ipv5", "ipv4,", "ipv4;ipv6", "both"])
    func `an unknown family is named`(text: String) {
        let error = #expect(throws: LocalClusterError.self) { try ClusterSpec.families(parsing: text) }
        #expect(error?.problem.contains("unknown family") == true)
    }

    @Test func `defaults follow the order of the families`() throws {
        let spec = try ClusterSpec(nodeCount: 2, families: [.ipv6, .ipv4])
        #expect(spec.nodes == ["node-1", "node-2"])
        #expect(spec.podRanges.map(\.description) == ["fd00:10:244::/56", "10.244.0.0/16"])
        #expect(spec.serviceRanges.map(\.description) == ["fd00:10:96::/112", "10.96.0.0/16"])
        #expect(spec.hostAddresses.map(\.description) == ["fd00:172:30::1/64", "172.30.0.1/24"])
        #expect(spec.nodeAddresses(1).map(\.description) == ["fd00:172:30::3/64", "172.30.0.3/24"])
        #expect(spec.serverURL == "https://[fd00:172:30::1]:6443")
    }

    @Test(arguments: [
        // Remark, pod ranges, Service ranges, underlay ranges, what the error says.
        ("pods too few", "10.244.0.0/24", "", "", "pod range 10.244.0.0/24 is too small"),
        ("no whole block", "10.244.0.0/25", "", "", "pod range 10.244.0.0/25 is too small"),
        ("Services too few", "", "10.96.0.0/28", "", "Service range 10.96.0.0/28 is too small"),
        ("underlay too small", "", "", "172.30.0.0/30", "underlay range 172.30.0.0/30 is too small"),
        ("pods hold Services", "10.0.0.0/8", "10.96.0.0/16", "", "overlaps the Service range 10.96.0.0/16"),
        ("two of a family", "", "10.1.0.0/16,10.2.0.0/16", "", "2 ranges of IPv4"),
        ("fragments too small", "10.1.0.0/24,10.2.0.0/25", "", "", "pod range 10.1.0.0/24,10.2.0.0/25 is too small"),
        ("fragments overlap", "10.1.0.0/16,10.1.2.0/24", "", "", "overlaps the pod range 10.1.2.0/24"),
        ("a family left out", "10.1.0.0/16,fd00::/56", "", "", "a family that --families leaves out"),
    ])
    func `ranges that cannot work are refused`(
        remark: String, pods: String, services: String, underlay: String, says: String
    ) throws {
        func prefixes(_ text: String) throws -> [IPPrefix] {
            text.isEmpty ? [] : try ClusterSpec.prefixes(parsing: text, option: "--cluster-cidr")
        }
        let error = #expect(throws: LocalClusterError.self, "\(remark)") {
            try ClusterSpec(
                nodeCount: 2, families: [.ipv4], podRanges: prefixes(pods), serviceRanges: prefixes(services),
                underlayRanges: prefixes(underlay))
        }
        #expect(error?.problem.contains(says) == true, "\(error?.problem ?? "")")
        #expect(error?.remedy.isEmpty == false)
    }

    @Test func `another cluster is told by its options, and more nodes are no other`() throws {
        let stands = try ClusterSpec(nodeCount: 2, families: [.ipv4])
        let more = try ClusterSpec(nodeCount: 3, families: [.ipv4])
        #expect(stands.differences(from: more) == [])
        #expect(more.differences(from: stands) == ["--nodes"])
        let other = try ClusterSpec(
            nodeCount: 2, families: [.ipv6], securePort: 7443, blockLengths: [.ipv6: 80], connectTimeBalancing: true)
        #expect(
            stands.differences(from: other) == [
                "--families", "--cluster-cidr", "--node-cidr-mask-size-ipv4 or -ipv6", "--service-cluster-ip-range",
                "--underlay-cidr", "--secure-port", "--connect-time-balancing",
            ])
        #expect(other.summary.contains(", port 7443"))
    }

    @Test func `what agents are told alike is told in the summary`() throws {
        let spec = try ClusterSpec(nodeCount: 1, families: [.ipv4], crossFamilyServices: true)
        #expect(spec.summary.hasSuffix(", Services across families"))
        let other = try ClusterSpec(nodeCount: 1, families: [.ipv4])
        #expect(other.summary != spec.summary)
    }

    @Test(arguments: ["10.0.0.1/8", "10.0.0.0", "fd00::/129", "x"])
    func `a malformed prefix names its option`(text: String) {
        let error = #expect(throws: LocalClusterError.self) {
            try ClusterSpec.prefixes(parsing: text, option: "--cluster-cidr")
        }
        #expect(error?.problem.contains("--cluster-cidr") == true)
    }

    @Test func `left-over prefixes and short blocks come from a pool`() throws {
        let fragments = try ClusterSpec.prefixes(
            parsing: "10.12.0.0/22,2001:db8::/32,10.77.16.0/23,192.168.200.0/24", option: "--cluster-cidr")
        let spec = try ClusterSpec(
            nodeCount: 28, families: [.ipv6, .ipv4], podRanges: fragments, blockLengths: [.ipv4: 26])
        #expect(
            spec.podRanges.map(\.description)
                == ["2001:db8::/32", "10.12.0.0/22", "10.77.16.0/23", "192.168.200.0/24"])
        #expect(spec.blockLengths == [64, 26])
        #expect(throws: LocalClusterError.self) {
            try ClusterSpec(nodeCount: 29, families: [.ipv6, .ipv4], podRanges: fragments, blockLengths: [.ipv4: 26])
        }
        #expect(throws: LocalClusterError.self) {
            try ClusterSpec(nodeCount: 1, families: [.ipv4], blockLengths: [.ipv4: 31])
        }
    }

    @Test(arguments: [0, 65]) func `a cluster has 1 to 64 nodes`(count: Int) {
        #expect(throws: LocalClusterError.self) { try ClusterSpec(nodeCount: count, families: [.ipv4]) }
    }
}
