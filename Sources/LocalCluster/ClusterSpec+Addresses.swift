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
    /// Whether `other` is the same cluster, perhaps with more nodes.
    func isContained(in other: ClusterSpec) -> Bool {
        nodes.count <= other.nodes.count && families == other.families && podRanges == other.podRanges
            && serviceRanges == other.serviceRanges && underlayRanges == other.underlayRanges
            && securePort == other.securePort && blockLengths == other.blockLengths
            && agentOptions == other.agentOptions && connectTimeBalancing == other.connectTimeBalancing
            && crossFamilyServices == other.crossFamilyServices
    }

    /// One line: nodes, families, ranges.
    public var summary: String {
        func list(_ ranges: [IPPrefix]) -> String { ranges.map(\.description).joined(separator: ",") }
        return "\(nodes.count) nodes, families \(families.map { $0.name.lowercased() }.joined(separator: ",")), "
            + "pods \(list(podRanges)), Services \(list(serviceRanges)), underlay \(list(underlayRanges))"
            + (blockLengths.map { ", blocks of \($0.map { "/\($0)" }.joined(separator: ","))" } ?? "")
            + (agentOptions.map { ", agents with \($0.joined(separator: " "))" } ?? "")
            + (connectTimeBalancing ? ", connect-time balancing" : "")
            + (crossFamilyServices ? ", Services across families" : "")
    }
}
