package import Addresses
package import DNSMessage
package import KubernetesAPI

/// What one Service contributes to the zone: the records of its names, and the names of its addresses.
package struct ServiceRecords: Hashable, Sendable {
    /// An address and a name that it leads back to.
    package struct Pointer: Hashable, Sendable {
        package let address: IPAddress
        package let name: DNSName
    }

    /// The records by name.
    package private(set) var names: [DNSName: [DNSRecordData]] = [:]
    /// The names by address.
    package private(set) var pointers: Set<Pointer> = []

    /// The contribution of a Service that does not exist.
    package init() {}

    /// Compiles the contribution of a Service from its object and its slices.
    package init(service: Service, slices: some Sequence<EndpointSlice>, zone: ClusterZone) {
        guard let namespace = service.metadata.namespace, let name = service.metadata.name,
            let base = zone.domain.prepending("svc")?.prepending(namespace.lowercased())?.prepending(name.lowercased())
        else { return }
        if service.spec?.type == "ExternalName" {
            if let target = service.spec?.externalName.flatMap(DNSName.init) { names[base] = [.cname(target)] }
            return
        }
        let endpoints = slices.flatMap { ReadyEndpoint.read($0, base: base) }.sorted { $0.address < $1.address }
        addEndpoints(endpoints)
        if service.isHeadless {
            addHeadless(base, endpoints)
        } else {
            addVirtual(base, service)
        }
        for (name, records) in names { names[name] = records.uniqued() }
    }

    /// The records of the DNS server itself, from its own Service.
    package mutating func addServer(_ service: Service, zone: ClusterZone) {
        names[zone.serverName] = service.clusterAddresses.map(DNSRecordData.init)
    }

    /// The names of endpoints, which every Service has.
    private mutating func addEndpoints(_ endpoints: [ReadyEndpoint]) {
        for endpoint in endpoints {
            names[endpoint.name, default: []].append(DNSRecordData(endpoint.address))
            pointers.insert(Pointer(address: endpoint.address, name: endpoint.name))
        }
    }

    /// A Service with addresses of its own: these, and the ports that have names.
    private mutating func addVirtual(_ base: DNSName, _ service: Service) {
        let addresses = service.clusterAddresses
        names[base] = addresses.map(DNSRecordData.init)
        pointers.formUnion(addresses.map { Pointer(address: $0, name: base) })
        for port in service.spec?.ports ?? [] {
            guard let owner = ServiceRecords.portName(port.name, port.protocol, base),
                let number = UInt16(exactly: port.port)
            else { continue }
            names[owner] = [.srv(priority: 0, weight: 100, port: number, target: base)]
        }
    }

    /// A headless Service: the addresses of its endpoints, and each endpoint at each port that has a name.
    private mutating func addHeadless(_ base: DNSName, _ endpoints: [ReadyEndpoint]) {
        guard !endpoints.isEmpty else { return }
        names[base] = endpoints.map { DNSRecordData($0.address) }
        var locations: [DNSName: [Location]] = [:]
        for endpoint in endpoints {
            for port in endpoint.ports {
                guard let owner = ServiceRecords.portName(port.name, port.protocol, base),
                    let number = port.port.flatMap(UInt16.init(exactly:))
                else { continue }
                locations[owner, default: []].append(Location(target: endpoint.name, port: number))
            }
        }
        for (owner, places) in locations {
            let places = places.uniqued()
            let weight = UInt16(max(100 / places.count, 1))
            names[owner] = places.map { .srv(priority: 0, weight: weight, port: $0.port, target: $0.target) }
        }
    }

    private struct Location: Hashable {
        let target: DNSName
        let port: UInt16
    }

    /// `_http._tcp.` and the name of the Service; nil for a port without a name.
    private static func portName(_ name: String?, _ transport: String?, _ base: DNSName) -> DNSName? {
        guard let name, !name.isEmpty else { return nil }
        return base.prepending("_\((transport ?? "TCP").lowercased())")?.prepending("_\(name.lowercased())")
    }
}

extension Service {
    /// Whether the Service has no address of its own on purpose.
    var isHeadless: Bool { spec?.clusterIP == "None" || spec?.clusterIPs?.first == "None" }

    /// The addresses of the Service, primary first.
    var clusterAddresses: [IPAddress] {
        let texts = spec?.clusterIPs ?? spec?.clusterIP.map { [$0] } ?? []
        return texts.compactMap { IPAddress(sloppy: $0) }
    }
}

extension Sequence where Element: Hashable {
    /// The elements in order, repetitions left out.
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
