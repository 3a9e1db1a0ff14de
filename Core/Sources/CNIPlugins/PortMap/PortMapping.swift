import Addresses
import CNI
import JSON

/// One port of the host that leads to a port of the container (`portMappings` of the CNI conventions).
struct PortMapping: Hashable {
    /// A transport protocol with ports.
    enum Transport: String, CaseIterable {
        case tcp, udp, sctp

        /// The protocol's number in the network header.
        var number: UInt8 {
            switch self {
            case .tcp: 6
            case .udp: 17
            case .sctp: 132
            }
        }
    }

    /// The host's port.
    let hostPort: UInt16
    /// The container's port.
    let containerPort: UInt16
    /// The protocol.
    let transport: Transport
    /// The host's address that it holds for; nil means all of both families, the unspecified one all of its family.
    let hostAddress: IPAddress?

    /// Reads an entry of `runtimeConfig.portMappings`.
    init(json: JSONValue) throws(CNIError) {
        containerPort = try Self.port(json, "containerPort", "container")
        hostPort = try Self.port(json, "hostPort", "host")
        let name = try json.word("protocol")
        guard let transport = Transport(rawValue: name.lowercased()) else {
            throw CNIError("unknown protocol \"\(name)\" of host port \(hostPort): expected tcp, udp or sctp")
        }
        self.transport = transport
        hostAddress = try json.ipAddress("hostIP")
    }

    private static func port(_ json: JSONValue, _ key: String, _ owner: String) throws(CNIError) -> UInt16 {
        let number = try json.number(key)
        guard let port = UInt16(exactly: number), port > 0 else {
            throw CNIError("Invalid \(owner) port number: \(number)")
        }
        return port
    }

    /// The host's address in a family, the unspecified one for all; nil when the entry is for the other family.
    func address(_ family: IPFamily) -> IPAddress? {
        guard let hostAddress else { return .unspecified(family) }
        return hostAddress.family == family ? hostAddress : nil
    }
}
