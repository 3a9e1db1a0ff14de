package import KubernetesAPI

extension [EndpointSubset] {
    private struct Member: Hashable {
        let ip: String
        let uid: String
    }

    /// The same addresses and ports in a form that does not depend on how the subsets were written.
    ///
    /// No address stands twice for one port; where it is named as ready and as not ready, it is not ready. Ports that
    /// the same addresses serve share a subset. Subsets, addresses and ports are sorted.
    package var repacked: [EndpointSubset] {
        var addresses: [Member: EndpointAddress] = [:]
        // A missing port stands for a subset without ports.
        var readiness: [EndpointPort?: [Member: Bool]] = [:]
        for subset in self {
            let ports: [EndpointPort?] = subset.ports.flatMap { $0.isEmpty ? nil : $0 } ?? [nil]
            for (list, isReady) in [(subset.addresses, true), (subset.notReadyAddresses, false)] {
                for address in list ?? [] {
                    let member = Member(ip: address.ip, uid: address.targetRef?.uid ?? "")
                    addresses[member] = addresses[member] ?? address
                    for port in ports {
                        let isReadySoFar = readiness[port]?[member] ?? true
                        readiness[port, default: [:]][member] = isReadySoFar && isReady
                    }
                }
            }
        }
        func chosen(_ members: [Member: Bool], _ isReady: Bool) -> [EndpointAddress]? {
            let chosen = members.filter { $0.value == isReady }.keys.sorted { ($0.ip, $0.uid) < ($1.ip, $1.uid) }
            return chosen.isEmpty ? nil : chosen.compactMap { addresses[$0] }
        }
        let subsets = Dictionary(grouping: readiness.keys) { readiness[$0] ?? [:] }.map { members, ports in
            let named = ports.compactMap(\.self).sorted { $0.sortKey < $1.sortKey }
            return EndpointSubset(
                addresses: chosen(members, true), notReadyAddresses: chosen(members, false),
                ports: named.isEmpty ? nil : named)
        }
        return subsets.sorted { ($0.ports ?? []).map(\.sortKey).joined() < ($1.ports ?? []).map(\.sortKey).joined() }
    }
}

extension EndpointPort {
    /// A text by which ports have an order.
    var sortKey: String { "\(name ?? "")/\(`protocol` ?? "TCP")/\(port ?? 0)/\(appProtocol ?? "") " }
}
