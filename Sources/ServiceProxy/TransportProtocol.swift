/// A protocol that has ports, by its IANA number.
package enum TransportProtocol: UInt8, Hashable, Sendable, CaseIterable {
    case tcp = 6
    case udp = 17
    case sctp = 132

    /// The protocol that a Kubernetes object names; an absent name means TCP.
    package init?(name: String?) {
        switch name {
        case nil, "", "TCP": self = .tcp
        case "UDP": self = .udp
        case "SCTP": self = .sctp
        default: return nil
        }
    }
}
