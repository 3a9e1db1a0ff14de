import Addresses
import ClusterNames
import DNSMessage
import DNSResolution
import KubernetesAPI

/// Services and slices as short expressions.
enum Fixtures {
    static func service(
        _ name: String, namespace: String = "default", ips: [String], ports: [(String?, String, Int)] = [],
        type: String = "ClusterIP", externalName: String? = nil
    ) -> Service {
        Service(
            metadata: ObjectMeta(name: name, namespace: namespace),
            spec: ServiceSpec(
                type: type, ports: ports.map { ServicePort(name: $0.0, protocol: $0.1, port: $0.2) },
                clusterIP: ips.first, clusterIPs: ips, externalName: externalName))
    }

    static func slice(
        _ name: String, of service: String, namespace: String = "default", type: String,
        endpoints: [(String, String?, Bool?)], ports: [(String?, String, Int)] = []
    ) -> EndpointSlice {
        EndpointSlice(
            metadata: ObjectMeta(
                name: name, namespace: namespace, labels: [WellKnownLabel.serviceName: service]),
            addressType: type,
            endpoints: endpoints.map {
                Endpoint(addresses: [$0.0], conditions: EndpointConditions(ready: $0.2), hostname: $0.1)
            },
            ports: ports.map { EndpointPort(name: $0.0, port: $0.2, protocol: $0.1) })
    }

    static let serverKey = ObjectKey(namespace: "kube-system", name: "kube-dns")

    static func emptyModel(
        _ domain: String = "cluster.local", pods: ZoneSettings.PodNames = .insecure, searches: [String]? = nil,
        options: ClusterNamesOptions = ClusterNamesOptions()
    ) -> ClusterNamesModel {
        guard
            let settings = ZoneSettings(
                domain: name(domain), pods: pods, searchShortcut: searches.map { $0.map { name($0) } })
        else { preconditionFailure("the test's domain is a name") }
        return ClusterNamesModel(settings: settings, serverKey: serverKey, options: options)
    }

    /// A zone with one Service of every kind.
    static let zone = filled(emptyModel())

    /// A model with one Service of every kind.
    static func filled(_ empty: ClusterNamesModel) -> ZoneSnapshot {
        var model = empty
        for service in [
            service(
                "web", ips: ["10.96.0.20", "fd00:10:96::20"],
                ports: [("http", "TCP", 80), (nil, "TCP", 81), ("QUIC", "UDP", 443)]),
            service("old", ips: ["10.96.0.21"]), service("six", namespace: "apps", ips: ["fd00:10:96::21"]),
            service("db", ips: ["None"]), service("gone", ips: ["None"]), service("one", ips: ["None"]),
            service("ext", ips: [], type: "ExternalName", externalName: "www.example.com"),
            service("near", ips: [], type: "ExternalName", externalName: "web.default.svc.cluster.local"),
            service(
                "kube-dns", namespace: "kube-system", ips: ["10.96.0.10", "fd00:10:96::a"],
                ports: [("dns", "UDP", 53), ("dns-tcp", "TCP", 53)]),
        ] {
            model.setService(service.key, service)
        }
        for slice in [
            slice(
                "web-4", of: "web", type: "IPv4", endpoints: [("10.244.0.5", nil, true)], ports: [("http", "TCP", 8080)]
            ),
            slice(
                "db-4", of: "db", type: "IPv4",
                endpoints: [("10.244.0.7", "db-0", true), ("10.244.1.7", nil, nil), ("10.244.1.8", nil, false)],
                ports: [("redis", "TCP", 6379)]),
            slice(
                "db-6", of: "db", type: "IPv6", endpoints: [("fd00:10:244::7", "db-0", true), ("fd00::", nil, true)],
                ports: [("redis", "TCP", 6379)]),
            slice("gone-4", of: "gone", type: "IPv4", endpoints: [("10.244.0.9", nil, false)]),
            slice("one-4", of: "one", type: "IPv4", endpoints: [("10.244.0.10", nil, true)]),
        ] {
            model.setSlice(old: nil, new: slice)
        }
        for namespace in ["default", "apps", "kube-system", "empty"] {
            model.setNamespace(namespace, exists: true)
        }
        for pod in [
            pod("both", ips: ["10.244.0.5", "fd00:10:244::5"]), pod("six", namespace: "apps", ips: ["fd00:10:244::6"]),
            pod("four", ips: ["10.244.0.6"]),
            pod("asks", ips: ["10.244.0.8", "fd00:10:244::8"], annotations: [Pod.treatmentAnnotation: "synthesize"]),
        ] {
            model.setPod(old: nil, new: pod)
        }
        model.setClientFamilies([.ipv4, .ipv6])
        for prefix in ["10.244.0.0/16", "fd00:10:244::/48"].compactMap({ IPPrefix($0) }) {
            model.setClients(in: prefix, .others)
        }
        model.update(isComplete: true, now: 1_700_000_000)
        return model.zone
    }

    static func pod(
        _ name: String, namespace: String = "default", ips: [String], annotations: [String: String]? = nil
    ) -> Pod {
        Pod(
            metadata: ObjectMeta(name: name, namespace: namespace, annotations: annotations),
            status: PodStatus(podIP: ips.first, podIPs: ips.map { PodIP(ip: $0) }))
    }

    static func name(_ text: String) -> DNSName { DNSName(text) ?? .root }

    /// A query as bytes.
    static func query(_ name: String, _ type: DNSRecordType, extendedDNS: ExtendedDNS? = nil) -> [UInt8] {
        DNSMessage.query(id: 7, name: self.name(name), type: type, extendedDNS: extendedDNS).serialized()
    }
}

extension ClusterNamesModel {
    mutating func setService(_ key: ObjectKey, _ service: Service?) { setService(key, service.map(NamedService.init)) }

    mutating func setSlice(old: EndpointSlice?, new: EndpointSlice?, usingPodNames: Bool = false) {
        setSlice(
            old: old.map { NamedEndpoints($0, usingPodNames: usingPodNames) },
            new: new.map { NamedEndpoints($0, usingPodNames: usingPodNames) })
    }
}

extension DNSRecordData {
    /// The data as `dig +short` prints it.
    var text: String {
        switch self {
        case .a(let address): "\(address)"
        case .aaaa(let address): "\(address)"
        case .cname(let name), .ns(let name), .ptr(let name): "\(name)"
        case .soa(let soa): "\(soa.primary) \(soa.mailbox)"
        case .srv(let priority, let weight, let port, let target): "\(priority) \(weight) \(port) \(target)"
        case .txt(let strings): strings.map { "\"\(String(decoding: $0, as: UTF8.self))\"" }.joined(separator: " ")
        case .other(let type, _): "type \(type.rawValue)"
        }
    }
}
