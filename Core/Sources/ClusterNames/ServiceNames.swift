import Addresses
import DNSMessage
import DNSResolution
import KubernetesAPI

/// What one Service contributes to the zone: the records of its names.
struct ServiceNames {
    private(set) var records: [NameRecords] = []

    /// Compiles the contribution of a Service from it and its slices.
    init(service: NamedService, slices: [NamedEndpoints], settings: ZoneSettings, options: ClusterNamesOptions) {
        guard
            let base = settings.domain.prepending("svc")?.prepending(service.key.namespace.lowercased())?.prepending(
                service.key.name.lowercased())
        else { return }
        if case .external(let target) = service.kind {
            if let target { records = [NameRecords(name: base, others: [.cname(target)], ttl: settings.ttl)] }
            return
        }
        let endpoints = Endpoints(slices, includingUnready: service.publishesUnready)
        if endpoints.isEmpty, options.hidesEmptyServices || service.kind == .headless { return }
        let isHeadless = service.kind == .headless
        let named = NameRecords(
            name: base,
            addresses: isHeadless ? endpoints.hosts.values.flatMap(\.self) : service.clusterAddresses,
            endpoints: endpoints.plain, meaning: isHeadless ? .endpointsAnswer : .leadBack, ttl: settings.ttl)
        records.append(named)
        for (label, addresses) in endpoints.hosts {
            guard let name = base.prepending(label) else { continue }
            records.append(NameRecords(name: name, addresses: addresses, ttl: settings.ttl))
        }
        if isHeadless {
            addLocations(base, named, slices, service.publishesUnready, settings)
        } else {
            addPorts(base, service, settings)
        }
    }

    /// The endpoints of a Service, by how they are named.
    private struct Endpoints {
        /// Those that are named after their addresses.
        var plain: Set<IPAddress> = []
        /// The addresses of the others, by label.
        var hosts: [String: Set<IPAddress>] = [:]

        init(_ slices: [NamedEndpoints], includingUnready: Bool) {
            for slice in slices {
                slice.forEach(includingUnready: includingUnready) { address, label in
                    if let label { hosts[label, default: []].insert(address) } else { plain.insert(address) }
                }
            }
            guard !hosts.isEmpty else { return }
            // A hostname may look like the label of an address.
            for address in plain { hosts[AddressLabel.text(address)]?.insert(address) }
        }

        var isEmpty: Bool { plain.isEmpty && hosts.isEmpty }
    }

    /// The records of the DNS server itself, from its own Service.
    mutating func addServer(_ service: NamedService, settings: ZoneSettings) {
        records.append(
            NameRecords(
                name: settings.serverName, addresses: service.clusterAddresses, meaning: [], ttl: settings.ttl))
    }

    /// The ports of a Service that has addresses of its own.
    private mutating func addPorts(_ base: DNSName, _ service: NamedService, _ settings: ZoneSettings) {
        var others: [DNSName: [DNSRecordData]] = [:]
        for port in service.ports {
            guard let owner = port.owner(base) else { continue }
            others[owner, default: []].append(.srv(priority: 0, weight: 100, port: port.number, target: base))
        }
        for (owner, others) in others {
            records.append(NameRecords(name: owner, others: others, ttl: settings.ttl))
        }
    }

    /// The ports of a headless Service: each that has a name, at each endpoint.
    private mutating func addLocations(
        _ base: DNSName, _ named: NameRecords, _ slices: [NamedEndpoints], _ includingUnready: Bool,
        _ settings: ZoneSettings
    ) {
        var locations: [DNSName: Set<Place>] = [:]
        for slice in slices {
            for port in slice.ports where !port.name.isEmpty {
                guard let owner = port.owner(base) else { continue }
                slice.forEach(includingUnready: includingUnready) { address, label in
                    locations[owner, default: []].insert(
                        Place(address: label == nil ? address : nil, label: label, port: port.number))
                }
            }
        }
        for (owner, places) in locations {
            let weight = UInt16(max(100 / places.count, 1))
            let common = Self.commonPort(places, at: named)
            let others = places.filter { $0.label != nil || common == nil }.sorted().compactMap { place in
                base.prepending(place.text).map {
                    DNSRecordData.srv(priority: 0, weight: weight, port: place.port, target: $0)
                }
            }
            records.append(
                NameRecords(
                    name: owner, others: others,
                    location: common.map { NameRecords.Location(service: named, port: $0, weight: weight) },
                    ttl: settings.ttl))
        }
    }

    /// An endpoint and the number that a port has there.
    private struct Place: Hashable, Comparable {
        /// The address that it is named after; nil if it has a label.
        let address: IPAddress?
        let label: String?
        let port: UInt16

        var text: String { label ?? address.map(AddressLabel.text) ?? "" }

        static func < (left: Place, right: Place) -> Bool { (left.text, left.port) < (right.text, right.port) }
    }

    /// The number of a port that is the same at all endpoints that are named after their addresses; nil if there is none.
    private static func commonPort(_ places: Set<Place>, at named: NameRecords) -> UInt16? {
        var ports: Set<UInt16> = []
        var count = 0
        for place in places where place.label == nil {
            ports.insert(place.port)
            count += 1
        }
        return ports.count == 1 && count == named.endpointCount ? ports.first : nil
    }
}
