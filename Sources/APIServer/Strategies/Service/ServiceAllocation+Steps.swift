import Addresses
import JSON
package import KubernetesAPI

extension ServiceResources {
    /// Gives a new Service its addresses and ports.
    ///
    /// - Parameter claims: Receives what was taken, also when this throws.
    package mutating func allocate(
        _ service: inout ServiceObject, _ claims: inout ServiceClaims
    ) throws(StatusError) {
        if service.needsClusterIP {
            try allocateAddresses(&service, &claims)
        }
        if service.needsNodePort {
            try allocatePorts(&service, &claims)
        }
        if service.needsHealthCheckNodePort {
            service.healthCheckNodePort = try takeHealthCheckPort(service.healthCheckNodePort, &claims)
        }
    }

    /// Gives a changed Service what it needs more than before; what it needs no longer is for the caller to release.
    package mutating func allocate(
        _ service: inout ServiceObject, replacing old: ServiceObject, _ claims: inout ServiceClaims
    ) throws(StatusError) {
        if service.needsClusterIP {
            if !old.needsClusterIP {
                try allocateAddresses(&service, &claims)
            } else if old.clusterIPs.first != ServiceObject.none, old.ipFamilies.count == 1,
                service.ipFamilies.count == 2
            {
                if service.clusterIPs.count < 2 {
                    service.clusterIPs.append("")
                }
                let family = service.ipFamilies[1]
                let address = try takeAddress(service.clusterIPs[1], family: family, for: service, &claims)
                service.clusterIPs[1] = address
            }
        }
        if service.needsNodePort {
            try updatePorts(&service, replacing: old, &claims)
        }
        if service.needsHealthCheckNodePort, !old.needsHealthCheckNodePort {
            service.healthCheckNodePort = try takeHealthCheckPort(service.healthCheckNodePort, &claims)
        }
    }

    private mutating func allocateAddresses(
        _ service: inout ServiceObject, _ claims: inout ServiceClaims
    ) throws(StatusError) {
        guard service.clusterIPs.first != ServiceObject.none else { return }
        var texts = service.clusterIPs
        while texts.count < service.ipFamilies.count { texts.append("") }
        service.clusterIPs = texts
        for (index, family) in service.ipFamilies.enumerated() {
            texts[index] = try takeAddress(texts[index], family: family, for: service, &claims)
        }
        service.clusterIPs = texts
        service.clusterIP = texts.first ?? ""
    }

    /// Ports of one number share a node port: the one that any of them asks for, or a new one.
    private mutating func allocatePorts(
        _ service: inout ServiceObject, _ claims: inout ServiceClaims
    ) throws(StatusError) {
        var ports = service.ports
        var byPort: [Int: Int] = [:]
        for index in ports.indices {
            let port = ports[index]
            if port.nodePort == 0, !service.allocatesNodePorts { continue }
            if let shared = byPort[port.port] {
                if port.nodePort == 0 {
                    ports[index].nodePort = shared
                } else if port.nodePort != shared {
                    try takePort(port.nodePort, at: index, for: service, &claims)
                }
                continue
            }
            let requested = ports.first { $0.port == port.port && $0.nodePort != 0 }?.nodePort
            if let requested {
                try takePort(requested, at: index, for: service, &claims)
                ports[index].nodePort = requested
            } else {
                ports[index].nodePort = try takeAnyPort(&claims, what: "nodePort")
            }
            byPort[port.port] = ports[index].nodePort
        }
        service.ports = ports
    }

    /// Takes node ports that are new; those that the Service had stay its own.
    private mutating func updatePorts(
        _ service: inout ServiceObject, replacing old: ServiceObject, _ claims: inout ServiceClaims
    ) throws(StatusError) {
        var held = Set(old.ports.map(\.nodePort))
        var ports = service.ports
        var seen: Set<[String]> = []
        for index in ports.indices {
            let number = ports[index].nodePort
            if number != 0 {
                if held.insert(number).inserted {
                    try takePort(number, at: index, for: service, &claims)
                }
            } else if service.allocatesNodePorts {
                ports[index].nodePort = try takeAnyPort(&claims, what: "nodePort")
            } else {
                continue
            }
            guard seen.insert([ports[index].transport, "\(ports[index].nodePort)"]).inserted else {
                throw StatusError(
                    code: 500, reason: "",
                    message: "duplicate nodePort: {\(ports[index].transport) \(ports[index].nodePort)}")
            }
        }
        service.ports = ports
    }
}
