import JSON

extension ServiceObject {
    /// Fills in allocated values that the client left out, so that it can send its original text again.
    package mutating func adoptAllocated(from old: ServiceObject) {
        if old.needsClusterIP, needsClusterIP {
            if clusterIP.isEmpty {
                clusterIP = old.clusterIP
            }
            if clusterIPs.isEmpty {
                clusterIPs = old.clusterIPs
            }
        }
        if old.needsNodePort, needsNodePort {
            adoptNodePorts(from: old)
        }
        if old.needsHealthCheckNodePort, needsHealthCheckNodePort, healthCheckNodePort == 0 {
            healthCheckNodePort = old.healthCheckNodePort
        }
    }

    /// A port without a node port gets the one that the port of its name had, unless the client gave it to another.
    private mutating func adoptNodePorts(from old: ServiceObject) {
        let known = Dictionary(old.ports.map { ($0.name, $0.nodePort) }, uniquingKeysWith: { $1 })
        let requested = Set(ports.map(\.nodePort))
        ports = ports.map { port in
            var port = port
            if port.nodePort == 0, let number = known[port.name], !requested.contains(number) {
                port.nodePort = number
            }
            return port
        }
    }

    /// Brings `clusterIP` and `clusterIPs` together where the client knows, or changed, one of them only.
    package mutating func normalizeClusterIPs(replacing old: ServiceObject?) {
        guard let old else {
            if !clusterIP.isEmpty, clusterIPs.isEmpty {
                clusterIPs = [clusterIP]
            }
            return
        }
        if !old.clusterIPs.isEmpty, clusterIPs.isEmpty, old.clusterIP == clusterIP {
            clusterIPs = old.clusterIPs
        }
        if old.clusterIP != clusterIP, old.clusterIPs == clusterIPs {
            clusterIPs = clusterIP.isEmpty ? [] : [clusterIP]
        }
    }

    /// Drops values that a change of type made meaningless and that the client did not touch.
    package mutating func dropFields(replacing old: ServiceObject) {
        if old.needsClusterIP, !needsClusterIP {
            if old.clusterIP == clusterIP, old.clusterIPs == clusterIPs {
                clusterIP = ""
                clusterIPs = []
            }
            if old.ipFamilies == ipFamilies {
                ipFamilies = []
            }
            if old.ipFamilyPolicy == ipFamilyPolicy {
                ipFamilyPolicy = nil
            }
        }
        if old.needsNodePort, !needsNodePort,
            Set(ports.map(\.nodePort)).subtracting([0]).isSubset(of: old.ports.map(\.nodePort))
        {
            ports = ports.map { port in
                var port = port
                port.nodePort = 0
                return port
            }
        }
        if old.isExternallyAccessible, !isExternallyAccessible, old.externalTrafficPolicy == externalTrafficPolicy {
            externalTrafficPolicy = ""
        }
        if old.needsHealthCheckNodePort, !needsHealthCheckNodePort, old.healthCheckNodePort == healthCheckNodePort {
            healthCheckNodePort = 0
        }
        if old.type == "LoadBalancer", type != "LoadBalancer" {
            for field in ["allocateLoadBalancerNodePorts", "loadBalancerClass"]
            where old.json.at("spec", field) == json.at("spec", field) {
                json.set(nil, at: "spec", field)
            }
            json.set([:], at: "status", "loadBalancer")
        }
    }
}
