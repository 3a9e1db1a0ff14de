public import Addresses

extension ClusterSpec {
    /// The host's addresses on the underlay bridge, primary family first: the first address of each range.
    public var hostAddresses: [InterfaceAddress] {
        underlayAddresses(at: 1)
    }

    /// The underlay addresses of the node at `index` of `nodes`, primary family first.
    public func nodeAddresses(_ index: Int) -> [InterfaceAddress] {
        underlayAddresses(at: UInt128(index) + 2)
    }

    /// Where clients reach the API server.
    public var serverURL: String {
        "https://\(hostAddresses.first?.address.uriHost ?? "localhost"):\(securePort)"
    }

    private func underlayAddresses(at offset: UInt128) -> [InterfaceAddress] {
        underlayRanges.compactMap { range in
            range.address(at: offset).map { InterfaceAddress($0, length: range.length) }
        }
    }
}

extension ClusterSpec {
    /// The options that would have to be others for `other` to be the same cluster, perhaps with more nodes.
    package func differences(from other: ClusterSpec) -> [String] {
        let options = [
            ("--nodes", nodes.count <= other.nodes.count),
            ("--families", families == other.families),
            ("--cluster-cidr", podRanges == other.podRanges),
            ("--node-cidr-mask-size-ipv4 or -ipv6", blockLengths == other.blockLengths),
            ("--service-cluster-ip-range", serviceRanges == other.serviceRanges),
            ("--underlay-cidr", underlayRanges == other.underlayRanges),
            ("--secure-port", securePort == other.securePort),
            ("--connect-time-balancing", connectTimeBalancing == other.connectTimeBalancing),
            ("--cross-family-services", crossFamilyServices == other.crossFamilyServices),
            ("--route-mode, --masquerade, --nat64 and the like", agentOptions == other.agentOptions),
        ]
        return options.filter { !$0.1 }.map(\.0)
    }

    /// One line: nodes, families, ranges, and what is not as by default.
    public var summary: String {
        func list(_ ranges: [IPPrefix]) -> String { ranges.map(\.description).joined(separator: ",") }
        return "\(nodes.count) nodes, families \(families.map { $0.name.lowercased() }.joined(separator: ",")), "
            + "pods \(list(podRanges)), Services \(list(serviceRanges)), underlay \(list(underlayRanges))"
            + (securePort == Self.defaultSecurePort ? "" : ", port \(securePort)")
            + (blockLengths.map { ", blocks of \($0.map { "/\($0)" }.joined(separator: ","))" } ?? "")
            + (agentOptions.map { ", agents with \($0.joined(separator: " "))" } ?? "")
            + (connectTimeBalancing ? ", connect-time balancing" : "")
            + (crossFamilyServices ? ", Services across families" : "")
    }
}
