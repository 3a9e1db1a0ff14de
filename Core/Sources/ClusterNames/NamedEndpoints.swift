public import Addresses
public import KubernetesAPI
import Wire

/// What names are made of in a slice of endpoints, in little memory: every node keeps all of them.
public final class NamedEndpoints: WatchedObject {
    /// The resource that serves slices.
    public static var resource: Resource { .endpointSlices }

    /// Namespace and name.
    public let key: ObjectKey
    /// Identity in time and space.
    public let uid: String?
    /// Opaque version.
    public let resourceVersion: String?
    /// The Service that the slice belongs to.
    let service: ObjectKey?
    /// The ports of all endpoints.
    public let ports: [NamedPort]
    private let family: IPFamily
    /// The addresses in network order, those of endpoints that are ready first.
    private let addresses: [UInt8]
    private let readyCount: Int
    /// The labels of endpoints that are not named after their addresses, by place.
    private let labels: [Int: String]

    /// Takes what names are made of.
    ///
    /// - Parameter usingPodNames: whether an endpoint without a hostname is named after its pod.
    public init(_ slice: EndpointSlice, usingPodNames: Bool = false) {
        key = slice.key
        uid = slice.uid
        resourceVersion = slice.resourceVersion
        service = slice.metadata.labels?[WellKnownLabel.serviceName].map {
            ObjectKey(namespace: slice.metadata.namespace, name: $0)
        }
        ports = (slice.ports ?? []).compactMap { NamedPort($0.name, $0.protocol, $0.port) }
        let family = IPFamily(name: slice.addressType)
        // Slices of names instead of addresses have none.
        self.family = family ?? .ipv4
        let endpoints = family == nil ? [] : slice.endpoints ?? []
        var writer = ByteWriter(capacity: endpoints.count * self.family.byteCount)
        var labels: [Int: String] = [:]
        var readyCount = 0
        for isReady in [true, false] {
            for endpoint in endpoints where (endpoint.conditions?.ready != false) == isReady {
                guard let address = endpoint.addresses.first.flatMap({ IPAddress(sloppy: $0) }),
                    address.family == family
                else { continue }
                labels[writer.count / self.family.byteCount] = Self.label(of: endpoint, usingPodNames)
                switch address {
                case .v4(let address): writer.append(address.rawValue)
                case .v6(let address): writer.append(address.rawValue)
                }
            }
            if isReady { readyCount = writer.count / self.family.byteCount }
        }
        addresses = writer.bytes
        self.readyCount = readyCount
        self.labels = labels
    }

    /// The name that an endpoint has been given; nil if it is named after its address.
    private static func label(of endpoint: Endpoint, _ usesPodNames: Bool) -> String? {
        if let hostname = endpoint.hostname, !hostname.isEmpty { return hostname.lowercased() }
        guard usesPodNames, let target = endpoint.targetRef, target.kind == "Pod", let name = target.name,
            name.utf8.count <= 63, !name.contains(".")
        else { return nil }
        return name.lowercased()
    }

    /// The addresses of the endpoints that are ready.
    public var readyAddresses: [IPAddress] { (0..<readyCount).map(address) }

    /// Calls `body` with the address of each endpoint that takes traffic, and its label unless it is named after that.
    func forEach(includingUnready: Bool, _ body: (IPAddress, String?) -> Void) {
        let count = includingUnready ? addresses.count / family.byteCount : readyCount
        for index in 0..<count { body(address(index), labels[index]) }
    }

    private func address(_ index: Int) -> IPAddress {
        let bytes = addresses
        let span = bytes.span
        let place = index * family.byteCount
        guard family == .ipv6 else {
            return .v4(IPv4Address(rawValue: unsafe span.bytes.load(UInt32.self, at: place)))
        }
        return .v6(IPv6Address(rawValue: unsafe span.bytes.load(UInt128.self, at: place)))
    }
}
