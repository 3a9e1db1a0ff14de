package import Addresses

/// What `duet explain` is asked: who calls what.
package struct ExplainQuestion: Hashable, Sendable {
    /// Who calls.
    package enum Caller: Hashable, Sendable {
        case pod(ServiceName)
        case address(IPAddress)
    }

    /// What is called.
    package enum Target: Hashable, Sendable {
        case service(ServiceName)
        case address(IPAddress)
    }

    /// The port of a Service, by number or name.
    package enum Port: Hashable, Sendable, CustomStringConvertible {
        case number(UInt16)
        case name(String)

        package var description: String {
            switch self {
            case .number(let number): "\(number)"
            case .name(let name): name
            }
        }
    }

    package let caller: Caller
    package let target: Target
    package let port: Port
    /// The protocol; nil for the one that the port has, TCP before others.
    package let transport: TransportProtocol?

    /// Reads the arguments of the command: `<pod|address> <service|address>:<port>`.
    ///
    /// Pods and Services without a namespace are in `namespace`; an IPv6 address before a port stands in brackets.
    package init(
        caller: String, target: String, transport: String?, namespace: String
    ) throws(InvalidQuestion) {
        if let transport {
            guard let known = TransportProtocol(name: transport.uppercased()) else {
                throw InvalidQuestion("\"\(transport)\" is no protocol: use tcp, udp or sctp")
            }
            self.transport = known
        } else {
            self.transport = nil
        }
        if let address = IPAddress(caller) {
            self.caller = .address(address)
        } else {
            self.caller = .pod(try Self.name(caller, "pod", namespace: namespace))
        }
        guard let colon = target.lastIndex(of: ":"), target[target.index(after: colon)...].isEmpty == false else {
            throw InvalidQuestion("\"\(target)\" has no port: write it behind a colon, as in web/api:80")
        }
        let port = String(target[target.index(after: colon)...])
        let place = String(target[..<colon])
        let isBracketed = place.hasPrefix("[") && place.hasSuffix("]")
        if let address = IPAddress(isBracketed ? String(place.dropFirst().dropLast()) : place) {
            guard isBracketed || !place.contains(":") else {
                throw InvalidQuestion("\"\(target)\" leaves open where the address ends: write [\(place)]:\(port)")
            }
            self.target = .address(address)
        } else {
            self.target = .service(try Self.name(place, "Service", namespace: namespace))
        }
        if let number = UInt16(port), number > 0 {
            self.port = .number(number)
        } else if case .service = self.target, port.contains(where: \.isLetter) {
            self.port = .name(port)
        } else {
            throw InvalidQuestion(
                "\"\(port)\" is no port: use a number from 1 to 65535, or the name of a Service's port")
        }
    }

    private static func name(_ text: String, _ kind: String, namespace: String) throws(InvalidQuestion) -> ServiceName {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, !parts.contains(""), !text.contains(":") else {
            throw InvalidQuestion("\"\(text)\" is neither an address nor a \(kind): write namespace/name")
        }
        return ServiceName(namespace: parts.count == 2 ? parts[0] : namespace, name: parts[parts.count - 1])
    }
}

/// A question that cannot be understood.
package struct InvalidQuestion: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
