import JSON
import KubernetesAPI

/// What `kubectl get services` shows.
enum ServiceColumns {
    static let all: [TableColumn] = [
        .name,
        TableColumn("Type", "How the Service is exposed.") { $0.at("spec", "type")?.string ?? "" },
        TableColumn("Cluster-IP", "The primary cluster IP.") { service in
            service.at("spec", "clusterIPs")?[0]?.string.orNone ?? service.at("spec", "clusterIP")?.string.orNone
                ?? "<none>"
        },
        TableColumn("External-IP", "Addresses outside the cluster.", externalAddresses),
        TableColumn("Port(s)", "The ports, and those on nodes.") { service in
            let ports = service.at("spec", "ports")?.array ?? []
            guard !ports.isEmpty else { return "<none>" }
            return ports.map { port in
                let nodePort = port["nodePort"]?.int ?? 0
                let number = port["port"]?.int ?? 0
                return "\(number)" + (nodePort > 0 ? ":\(nodePort)" : "") + "/\(port["protocol"]?.string ?? "TCP")"
            }.joined(separator: ",")
        },
        .age,
        TableColumn("Selector", priority: 1, "The labels of its pods.") { labelsText($0.at("spec", "selector")) },
    ]

    private static func externalAddresses(_ service: JSONValue) -> String {
        let external = (service.at("spec", "externalIPs")?.array ?? []).compactMap(\.string)
        switch service.at("spec", "type")?.string {
        case "ExternalName": return service.at("spec", "externalName")?.string ?? ""
        case "LoadBalancer":
            let ingress = service.at("status", "loadBalancer", "ingress")?.array ?? []
            let assigned = Set(ingress.compactMap { $0["ip"]?.string.orNone ?? $0["hostname"]?.string.orNone })
            let addresses = assigned.sorted() + external
            return addresses.isEmpty ? "<pending>" : addresses.joined(separator: ",")
        default: return external.isEmpty ? "<none>" : external.joined(separator: ",")
        }
    }
}

/// Labels as `a=b,c=d`, or `<none>`.
func labelsText(_ labels: JSONValue?) -> String {
    let members = labels?.object.map(Array.init) ?? []
    guard !members.isEmpty else { return "<none>" }
    return members.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.string ?? "")" }.joined(separator: ",")
}
