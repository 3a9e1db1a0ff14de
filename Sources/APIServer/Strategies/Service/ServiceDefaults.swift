package import Addresses
import JSON

extension ServiceObject {
    private static let affinityTimeout: JSONValue = 10800

    /// Adds what a client may leave out and does not depend on the cluster.
    package mutating func setDefaults() {
        if text("sessionAffinity").isEmpty {
            set("None", "sessionAffinity")
        }
        switch text("sessionAffinity") {
        case "None": json.set(nil, at: "spec", "sessionAffinityConfig")
        case "ClientIP":
            if json.at("spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds") == nil {
                json.set(Self.affinityTimeout, at: "spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds")
            }
        default: break
        }
        if type.isEmpty {
            type = "ClusterIP"
        }
        ports = ports.map { port in
            var port = port.json
            if port["protocol"]?.string ?? "" == "" {
                port["protocol"] = "TCP"
            }
            if port["targetPort"] == nil || port["targetPort"] == 0 || port["targetPort"] == "" {
                port["targetPort"] = port["port"] ?? 0
            }
            if port["nodePort"] == 0 {
                port["nodePort"] = nil
            }
            return ServicePortObject(port)
        }
        if isExternallyAccessible, externalTrafficPolicy.isEmpty {
            externalTrafficPolicy = "Cluster"
        }
        if ["ClusterIP", "NodePort", "LoadBalancer"].contains(type), text("internalTrafficPolicy").isEmpty {
            set("Cluster", "internalTrafficPolicy")
        }
        if type == "LoadBalancer", json.at("spec", "allocateLoadBalancerNodePorts") == nil {
            json.set(true, at: "spec", "allocateLoadBalancerNodePorts")
        }
        if json.at("spec", "healthCheckNodePort") == 0 {
            healthCheckNodePort = 0
        }
        if json.at("spec", "publishNotReadyAddresses") == false {
            json.set(nil, at: "spec", "publishNotReadyAddresses")
        }
        setIngressDefaults()
    }

    /// Adds what a load balancer's controller may leave out.
    private mutating func setIngressDefaults() {
        guard type == "LoadBalancer", let ingress = json.at("status", "loadBalancer", "ingress")?.array else { return }
        let complete = ingress.map { entry in
            var entry = entry
            if entry["ip"]?.string ?? "" != "", entry["ipMode"] == nil {
                entry["ipMode"] = "VIP"
            }
            return entry
        }
        json.set(.array(complete), at: "status", "loadBalancer", "ingress")
    }

    /// Adds what Services stored before dual-stack lack, without a look at the cluster's ranges of today.
    ///
    /// - Parameter primary: The cluster's first family.
    package mutating func setReadDefaults(primary: IPFamily) {
        if clusterIPs.isEmpty, !clusterIP.isEmpty {
            clusterIPs = [clusterIP]
        }
        if type == "ExternalName" {
            set("", "internalTrafficPolicy")
            return
        }
        guard ipFamilies.isEmpty else { return }
        if isHeadless {
            ipFamilies = hasSelector ? [primary.name] : [primary.name, primary.other.name]
        } else {
            ipFamilies = clusterIPs.compactMap { IPAddress(sloppy: $0)?.family.name }
        }
        ipFamilyPolicy = ipFamilies.count == 2 ? ServiceFamilies.requireDualStack : ServiceFamilies.singleStack
    }
}
