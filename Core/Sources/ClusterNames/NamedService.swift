public import Addresses
import DNSMessage
public import KubernetesAPI

/// What names are made of in a Service, in little memory: every node keeps one of each.
public final class NamedService: WatchedObject {
    /// The resource that serves Services.
    public static var resource: Resource { .services }

    /// How a Service is found.
    enum Kind: Hashable {
        /// By addresses of its own.
        case virtual
        /// By those of its endpoints.
        case headless
        /// By another name; nil if that is none.
        case external(DNSName?)
    }

    /// Namespace and name.
    public let key: ObjectKey
    /// Identity in time and space.
    public let uid: String?
    /// Opaque version.
    public let resourceVersion: String?
    let kind: Kind
    /// The addresses of the Service, primary first.
    public let clusterAddresses: [IPAddress]
    /// The ports that have names.
    let ports: [NamedPort]
    /// Whether endpoints count that are not ready.
    let publishesUnready: Bool

    private static let tolerance = "service.alpha.kubernetes.io/tolerate-unready-endpoints"

    /// Takes what names are made of.
    public init(_ service: Service) {
        key = service.key
        uid = service.uid
        resourceVersion = service.resourceVersion
        let spec = service.spec
        let texts = spec?.clusterIPs ?? spec?.clusterIP.map { [$0] } ?? []
        if spec?.type == "ExternalName" {
            kind = .external(spec?.externalName.flatMap(DNSName.init))
        } else {
            kind = spec?.clusterIP == "None" || texts.first == "None" ? .headless : .virtual
        }
        clusterAddresses = texts.compactMap { IPAddress(sloppy: $0) }
        ports = (spec?.ports ?? []).compactMap { NamedPort($0.name, $0.protocol, $0.port) }.filter { !$0.name.isEmpty }
        publishesUnready =
            spec?.publishNotReadyAddresses == true || service.metadata.annotations?[Self.tolerance] == "true"
    }
}

/// A port, and the name that SRV records give it.
public struct NamedPort: Hashable, Sendable {
    /// The name in lower case; empty for none.
    public let name: String
    /// `tcp`, `udp` or `sctp`.
    public let transport: String
    /// The number.
    public let number: UInt16

    /// Describes a port; nil for one without a number, which is every port.
    init?(_ name: String?, _ transport: String?, _ number: Int?) {
        guard let number = number.flatMap(UInt16.init(exactly:)) else { return nil }
        self.name = (name ?? "").lowercased()
        self.transport = (transport ?? "TCP").lowercased()
        self.number = number
    }

    /// `_http._tcp.` and the name of the Service; nil for a port without a name.
    func owner(_ base: DNSName) -> DNSName? { base.prepending("_\(transport)")?.prepending("_\(name)") }
}
