import Addresses
import JSON
package import KubernetesAPI

extension ServiceObject {
    private static let spec: FieldPath = "spec"
    private static let kubeletPort = 10250
    private static let longestAffinity = 86400
    private static let sourceRangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges"

    /// What is wrong with the Service as it would be stored.
    ///
    /// - Parameter old: What is replaced; nil for a new Service.
    package func validate(replacing old: ServiceObject?) -> [FieldError] {
        var errors = MetadataRules.validate(json, name: NameRules.dns1035Label)
        if let old {
            errors += validateChange(from: old)
        }
        errors += validateType()
        errors += validatePorts()
        errors += MetadataRules.labels(json.at("spec", "selector"), at: Self.spec.child("selector"))
        errors += validateAffinity()
        errors += validateClusterIPs(replacing: old)
        for (index, text) in externalIPs.enumerated() {
            let path = Self.spec.child("externalIPs")[index]
            let syntax = AddressRules.address(text, at: path, tolerating: old?.externalIPs ?? [])
            errors += syntax.isEmpty ? AddressRules.special(text, at: path) : syntax
        }
        errors += validateLoadBalancer(replacing: old)
        errors += validateTrafficPolicies()
        errors += validateStatus()
        return errors
    }

    private func validateType() -> [FieldError] {
        var errors = supported(type, "type", ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"])
        if ports.isEmpty, !isHeadless, type != "ExternalName" {
            errors.append(.required(Self.spec.child("ports")))
        }
        switch type {
        case "LoadBalancer", "NodePort":
            if isHeadless {
                errors.append(
                    .invalid(
                        Self.spec.child("clusterIPs")[0], .string(Self.none),
                        "may not be set to 'None' for \(type) services"))
            }
            for (index, port) in ports.enumerated() where type == "LoadBalancer" && port.port == Self.kubeletPort {
                errors.append(
                    .invalid(
                        Self.spec.child("ports")[index], .integer(Int64(port.port)),
                        "may not expose port \(Self.kubeletPort) externally since it is used by kubelet"))
            }
        case "ExternalName":
            let isSet = [
                ("clusterIPs", !clusterIPs.isEmpty), ("ipFamilies", !ipFamilies.isEmpty),
                ("ipFamilyPolicy", ipFamilyPolicy != nil),
            ]
            for (field, isSet) in isSet where isSet {
                errors.append(.forbidden(Self.spec.child(field), "may not be set for ExternalName services"))
            }
            var target = text("externalName")
            if target.hasSuffix(".") { target.removeLast() }
            let path = Self.spec.child("externalName")
            errors +=
                target.isEmpty
                ? [.required(path)] : NameRules.dnsSubdomain(target).map { .invalid(path, .string(target), $0) }
        default: break
        }
        return errors
    }

    private func validateAffinity() -> [FieldError] {
        let affinity = text("sessionAffinity")
        var errors = supported(affinity, "sessionAffinity", ["ClientIP", "None"])
        if affinity == "ClientIP" {
            let timeout = json.at("spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds")?.int ?? 0
            if !(1...Self.longestAffinity).contains(timeout) {
                errors.append(
                    .invalid(
                        "spec.sessionAffinityConfig.clientIP.timeoutSeconds", .integer(Int64(timeout)),
                        "must be greater than 0 and less than \(Self.longestAffinity)"))
            }
        }
        return errors
    }

    private func validateLoadBalancer(replacing old: ServiceObject?) -> [FieldError] {
        var errors: [FieldError] = []
        let isLoadBalancer = type == "LoadBalancer"
        let elsewhere = "may only be used when `type` is 'LoadBalancer'"
        let ranges = texts("loadBalancerSourceRanges")
        // The capital letter is part of what clients know.
        let rangesPath = Self.spec.child("LoadBalancerSourceRanges")
        if !ranges.isEmpty {
            if !isLoadBalancer {
                errors.append(.forbidden(rangesPath, elsewhere))
            }
            let known = old?.texts("loadBalancerSourceRanges").map(\.trimmed) ?? []
            for (index, text) in ranges.enumerated() {
                errors += AddressRules.prefix(text.trimmed, at: rangesPath[index], tolerating: known)
            }
        } else if let list = json.at("metadata", "annotations", Self.sourceRangesAnnotation)?.string {
            let path = FieldPath("metadata.annotations")[key: Self.sourceRangesAnnotation]
            if !isLoadBalancer {
                errors.append(.forbidden(path, elsewhere))
            }
            for text in list.split(separator: ",") {
                errors += AddressRules.prefix(String(text).trimmed, at: path)
            }
        }
        let allocates = json.at("spec", "allocateLoadBalancerNodePorts")
        if !isLoadBalancer, allocates != nil {
            errors.append(.forbidden(Self.spec.child("allocateLoadBalancerNodePorts"), elsewhere))
        }
        return errors + validateLoadBalancerClass()
    }

    func validateLoadBalancerClass() -> [FieldError] {
        guard let name = json.at("spec", "loadBalancerClass")?.string else { return [] }
        let path = Self.spec.child("loadBalancerClass")
        guard type == "LoadBalancer" else {
            return [.forbidden(path, "may only be used when `type` is 'LoadBalancer'")]
        }
        return NameRules.qualifiedName(name).map { .invalid(path, .string(name), $0) }
    }

    private func validateTrafficPolicies() -> [FieldError] {
        var errors: [FieldError] = []
        let policies = ["Cluster", "Local"]
        if isExternallyAccessible {
            errors += supported(externalTrafficPolicy, "externalTrafficPolicy", policies)
        } else if !externalTrafficPolicy.isEmpty {
            errors.append(
                .invalid(
                    Self.spec.child("externalTrafficPolicy"), .string(externalTrafficPolicy),
                    "may only be set for externally-accessible services"))
        }
        let healthPath = Self.spec.child("healthCheckNodePort")
        if needsHealthCheckNodePort {
            errors += NameRules.portNumber(healthCheckNodePort).map {
                .invalid(healthPath, .integer(Int64(healthCheckNodePort)), $0)
            }
        } else if healthCheckNodePort != 0 {
            errors.append(
                .invalid(
                    healthPath, .integer(Int64(healthCheckNodePort)),
                    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
        }
        if needsClusterIP || !text("internalTrafficPolicy").isEmpty {
            errors += supported(text("internalTrafficPolicy"), "internalTrafficPolicy", policies)
        }
        if !text("trafficDistribution").isEmpty {
            errors += supported(
                text("trafficDistribution"), "trafficDistribution",
                ["PreferClose", "PreferSameZone", "PreferSameNode"])
        }
        return errors
    }

    /// What is wrong with the addresses that a load balancer's controller wrote.
    package func validateStatus() -> [FieldError] {
        let ingress = json.at("status", "loadBalancer", "ingress")?.array ?? []
        let path: FieldPath = "status.loadBalancer.ingress"
        guard !ingress.isEmpty else { return [] }
        guard type == "LoadBalancer" else {
            return [.forbidden(path, "may only be used when `spec.type` is LoadBalancer")]
        }
        var errors: [FieldError] = []
        for (index, entry) in ingress.enumerated() {
            let item = path[index]
            let address = entry["ip"]?.string ?? ""
            if !address.isEmpty {
                errors += AddressRules.address(address, at: item.child("ip"))
            }
            if let mode = entry["ipMode"]?.string {
                if address.isEmpty {
                    errors.append(.forbidden(item.child("ipMode"), "may not be specified when `ip` is not set"))
                } else if mode != "VIP", mode != "Proxy" {
                    errors.append(.notSupported(item.child("ipMode"), .string(mode), ["Proxy", "VIP"]))
                }
            } else if !address.isEmpty {
                errors.append(.required(item.child("ipMode"), "must be specified when `ip` is set"))
            }
            guard let host = entry["hostname"]?.string, !host.isEmpty else { continue }
            errors += NameRules.dnsSubdomain(host).map { .invalid(item.child("hostname"), .string(host), $0) }
            if IPAddress(sloppy: host) != nil {
                errors.append(
                    .invalid(item.child("hostname"), .string(host), "must be a DNS name, not an IP address"))
            }
        }
        return errors
    }

    /// What is wrong with a text of the spec that must be one of a few.
    func supported(_ value: String, _ field: String, _ values: [String]) -> [FieldError] {
        if value.isEmpty { return [.required(Self.spec.child(field))] }
        return values.contains(value) ? [] : [.notSupported(Self.spec.child(field), .string(value), values)]
    }
}

extension String {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
