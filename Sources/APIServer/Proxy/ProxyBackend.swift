package import Addresses
package import JSON
package import KubernetesAPI

/// Where a proxied request goes.
package struct ProxyBackend: Sendable, Hashable {
    /// Address or name.
    package var host: String
    /// Port.
    package var port: Int
    /// True for TLS.
    package var isSecure: Bool
    /// True for the agent of a node, to which the server shows who it is; nobody else sees that.
    package var isAgent: Bool

    /// Describes a place.
    package init(host: String, port: Int, isSecure: Bool = false, isAgent: Bool = false) {
        self.host = host
        self.port = port
        self.isSecure = isSecure
        self.isAgent = isAgent
    }

    /// The host as it stands in a URL.
    var uriHost: String { IPAddress(host)?.uriHost ?? host }

    /// The family of the address; nil for a name.
    var family: IPFamily? { IPAddress(host)?.family }
}

extension ProxyBackend {
    /// The address of a pod's first container port, or of the port that is named.
    package init(pod: JSONValue, _ name: ProxyName) throws(StatusError) {
        let address = pod.at("status", "podIP")?.string ?? ""
        guard IPAddress(address)?.mayBeProxiedTo ?? false else { throw .badRequest("address not allowed") }
        let declared = (pod.at("spec", "containers")?.array ?? []).compactMap {
            $0["ports"]?[0]?["containerPort"]?.int
        }
        self.init(
            host: address, port: try Self.port(name.port) ?? declared.first ?? (name.isSecure ? 443 : 80),
            isSecure: name.isSecure)
    }

    /// The agent of a node, or any other port of it.
    ///
    /// - Parameter agent: Where the agent is reached.
    package init(agent: ProxyBackend, _ name: ProxyName) throws(StatusError) {
        guard let port = try Self.port(name.port), port != agent.port else {
            self = agent
            return
        }
        guard IPAddress(agent.host)?.mayBeProxiedTo ?? true else { throw .badRequest("address not allowed") }
        self.init(host: agent.host, port: port, isSecure: name.isSecure)
    }

    /// The ready endpoints of a Service's port.
    ///
    /// An endpoint counts only while it is a pod with that address: those who may write slices shall not reach through
    /// the server what they cannot reach themselves.
    ///
    /// - Parameters:
    ///   - slices: The Service's slices, of every family.
    ///   - request: What the request names, for texts.
    ///   - pod: Finds a pod of the Service's namespace by its name.
    /// - Throws: 503 for a port that the Service does not have.
    package static func endpoints(
        of service: JSONValue, _ slices: [JSONValue], _ name: ProxyName, pod: (String) -> JSONValue?
    ) throws(StatusError) -> [ProxyBackend] {
        var portName = name.port
        if let number = Int(name.port) {
            let ports = service.at("spec", "ports")?.array ?? []
            guard let declared = ports.first(where: { $0["port"]?.int == number }) else {
                throw .serviceUnavailable("no service port \(number) found for service \"\(name.name)\"")
            }
            portName = declared["name"]?.string ?? ""
        }
        var found: [ProxyBackend] = []
        for slice in slices {
            let ports = slice["ports"]?.array ?? []
            guard let port = ports.first(where: { $0["name"]?.string ?? "" == portName })?["port"]?.int else {
                continue
            }
            for endpoint in slice["endpoints"]?.array ?? [] where endpoint.at("conditions", "ready") != false {
                guard let text = endpoint["addresses"]?[0]?.string, let address = IPAddress(text),
                    address.mayBeProxiedTo, endpoint.at("targetRef", "kind") == "Pod",
                    let podName = endpoint.at("targetRef", "name")?.string,
                    let addresses = pod(podName)?.at("status", "podIPs")?.array,
                    addresses.contains(where: { $0["ip"]?.string.flatMap { IPAddress($0) } == address })
                else { continue }
                found.append(ProxyBackend(host: text, port: port, isSecure: name.isSecure))
            }
        }
        return found
    }

    private static func port(_ text: String) throws(StatusError) -> Int? {
        guard !text.isEmpty else { return nil }
        guard let number = UInt16(text), number > 0 else { throw .badRequest("the port \"\(text)\" is not a number") }
        return Int(number)
    }
}

extension IPAddress {
    /// True unless the address means the server's own machine or link: what strangers must not reach through it.
    package var mayBeProxiedTo: Bool { !isUnspecified && !isLoopback && !isLinkLocalUnicast && !isMulticast }
}
