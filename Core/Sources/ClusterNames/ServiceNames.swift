public import Addresses
import DNSMessage
import DNSResolution
public import KubernetesAPI

/// What one Service contributes to the zone: the records of its names, and the names of its addresses.
struct ServiceNames {
    /// An address and a name that it leads back to.
    struct Pointer: Hashable {
        let address: IPAddress
        let records: NameRecords
    }

    /// The records by name.
    private(set) var names: [DNSName: NameRecords] = [:]
    /// The names by address.
    private(set) var pointers: Set<Pointer> = []

    private struct Draft {
        var addresses: [IPAddress] = []
        var others: [DNSRecordData] = []
    }

    /// The contribution of a Service that does not exist.
    init() {}

    /// Compiles the contribution of a Service from its object and its slices.
    init(
        service: Service, slices: some Sequence<EndpointSlice>, settings: ZoneSettings, options: ClusterNamesOptions
    ) {
        guard let namespace = service.metadata.namespace, let name = service.metadata.name,
            let base = settings.domain.prepending("svc")?.prepending(namespace.lowercased())?.prepending(
                name.lowercased())
        else { return }
        if service.spec?.type == "ExternalName" {
            guard let target = service.spec?.externalName.flatMap(DNSName.init) else { return }
            names[base] = NameRecords(name: base, others: [.cname(target)], ttl: settings.ttl)
            return
        }
        let endpoints = slices.flatMap {
            ReadyEndpoint.read($0, base: base, includingUnready: service.publishesUnready, options: options)
        }.sorted { $0.address < $1.address }
        if options.hidesEmptyServices, endpoints.isEmpty { return }
        var drafts: [DNSName: Draft] = [:]
        for endpoint in endpoints { drafts[endpoint.name, default: Draft()].addresses.append(endpoint.address) }
        if service.isHeadless {
            ServiceNames.addHeadless(base, endpoints, &drafts)
        } else {
            ServiceNames.addVirtual(base, service, &drafts)
        }
        for (name, draft) in drafts {
            names[name] = NameRecords(name: name, addresses: draft.addresses, others: draft.others, ttl: settings.ttl)
        }
        for endpoint in endpoints { addPointer(endpoint.address, endpoint.name) }
        if !service.isHeadless { for address in service.clusterAddresses { addPointer(address, base) } }
    }

    private mutating func addPointer(_ address: IPAddress, _ name: DNSName) {
        if let records = names[name] { pointers.insert(Pointer(address: address, records: records)) }
    }

    /// The records of the DNS server itself, from its own Service.
    mutating func addServer(_ service: Service, settings: ZoneSettings) {
        names[settings.serverName] = NameRecords(
            name: settings.serverName, addresses: service.clusterAddresses, ttl: settings.ttl)
    }

    /// A Service with addresses of its own: these, and the ports that have names.
    private static func addVirtual(_ base: DNSName, _ service: Service, _ drafts: inout [DNSName: Draft]) {
        drafts[base, default: Draft()].addresses = service.clusterAddresses
        for port in service.spec?.ports ?? [] {
            guard let owner = portName(port.name, port.protocol, base), let number = UInt16(exactly: port.port) else {
                continue
            }
            drafts[owner, default: Draft()].others.append(
                .srv(priority: 0, weight: 100, port: number, target: base))
        }
    }

    /// A headless Service: the addresses of its endpoints, and each endpoint at each port that has a name.
    private static func addHeadless(
        _ base: DNSName, _ endpoints: [ReadyEndpoint], _ drafts: inout [DNSName: Draft]
    ) {
        guard !endpoints.isEmpty else { return }
        drafts[base, default: Draft()].addresses = endpoints.map(\.address)
        var locations: [DNSName: [Location]] = [:]
        for endpoint in endpoints {
            for port in endpoint.ports {
                guard let owner = portName(port.name, port.protocol, base),
                    let number = port.port.flatMap(UInt16.init(exactly:))
                else { continue }
                locations[owner, default: []].append(Location(target: endpoint.name, port: number))
            }
        }
        for (owner, places) in locations {
            var seen: Set<Location> = []
            let places = places.filter { seen.insert($0).inserted }
            let weight = UInt16(max(100 / places.count, 1))
            drafts[owner, default: Draft()].others += places.map {
                .srv(priority: 0, weight: weight, port: $0.port, target: $0.target)
            }
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
    private static let tolerance = "service.alpha.kubernetes.io/tolerate-unready-endpoints"

    /// Whether the Service has no address of its own on purpose.
    var isHeadless: Bool { spec?.clusterIP == "None" || spec?.clusterIPs?.first == "None" }

    /// Whether endpoints count that are not ready.
    var publishesUnready: Bool {
        spec?.publishNotReadyAddresses == true || metadata.annotations?[Self.tolerance] == "true"
    }

    /// The addresses of the Service, primary first.
    public var clusterAddresses: [IPAddress] {
        let texts = spec?.clusterIPs ?? spec?.clusterIP.map { [$0] } ?? []
        return texts.compactMap { IPAddress(sloppy: $0) }
    }
}
