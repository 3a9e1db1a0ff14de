import Addresses
import JSON
package import KubernetesAPI

extension ServiceObject {
    private static let ips: FieldPath = "spec.clusterIPs"
    private static let families: FieldPath = "spec.ipFamilies"
    private static let policy: FieldPath = "spec.ipFamilyPolicy"

    /// What is wrong with cluster IPs, families and policy regardless of the cluster.
    package func validateClusterIPs(replacing old: ServiceObject?) -> [FieldError] {
        guard needsClusterIP else { return [] }
        var errors = validateFirstClusterIP() + validateFamilies()
        var syntax: [FieldError] = []
        for (index, text) in clusterIPs.enumerated() {
            if index == 0, text == Self.none {
                if clusterIPs.count > 1 {
                    syntax.append(.invalid(Self.ips, clusterIPsValue, "'None' must be the first and only value"))
                }
            } else {
                syntax += AddressRules.address(text, at: Self.ips[index], tolerating: old?.clusterIPs ?? [])
            }
        }
        errors += syntax
        if clusterIPs.count > 2 {
            errors.append(.invalid(Self.ips, clusterIPsValue, "may only hold up to 2 values"))
        }
        // More would only confuse when there are values that are no addresses.
        guard syntax.isEmpty else { return errors }
        let found = clusterIPs.compactMap { IPAddress(sloppy: $0)?.family }
        if found.count > 1, Set(found).count == 1 {
            errors.append(
                .invalid(Self.ips, clusterIPsValue, "may specify no more than one IP for each IP family"))
        }
        for (index, (family, wanted)) in zip(found, ipFamilies).enumerated() {
            guard let wanted = IPFamily(name: wanted), wanted != family else { continue }
            errors.append(
                .invalid(
                    Self.ips[index], .string(clusterIPs[index]),
                    "expected an \(wanted.name) value as indicated by `ipFamilies[\(index)]`"))
        }
        return errors
    }

    private func validateFirstClusterIP() -> [FieldError] {
        switch (clusterIP.isEmpty, clusterIPs.first) {
        case (false, nil): [.required(Self.ips)]
        case (false, .some(let first)) where first != clusterIP:
            [.invalid(Self.ips, clusterIPsValue, "first value must match `clusterIP`")]
        case (true, .some):
            [.invalid(Self.ips, clusterIPsValue, "must be empty when `clusterIP` is not specified")]
        default: []
        }
    }

    private func validateFamilies() -> [FieldError] {
        var errors: [FieldError] = []
        for (index, family) in ipFamilies.enumerated() {
            if IPFamily(name: family) == nil {
                errors.append(
                    .notSupported(Self.families[index], .string(family), IPFamily.allCases.map(\.name)))
            }
            if ipFamilies[..<index].contains(family) {
                errors.append(.duplicate(Self.families[index], .string(family)))
            }
        }
        let known = [ServiceFamilies.preferDualStack, ServiceFamilies.requireDualStack, ServiceFamilies.singleStack]
        if let text = ipFamilyPolicy, !known.contains(text) {
            errors.append(.notSupported(Self.policy, .string(text), known))
        }
        return errors
    }

    /// What is wrong with a change of what a Service keeps for life.
    func validateChange(from old: ServiceObject) -> [FieldError] {
        var errors: [FieldError] = []
        if old.needsClusterIP, needsClusterIP, !(old.isHeadless && isHeadless) {
            errors += validateChangedClusterIPs(from: old) + validateChangedFamilies(from: old)
        }
        if old.needsHealthCheckNodePort, needsHealthCheckNodePort, old.healthCheckNodePort != 0,
            old.healthCheckNodePort != healthCheckNodePort
        {
            errors.append(.forbidden("spec.healthCheckNodePort", "field is immutable"))
        }
        let balancer = json.at("spec", "loadBalancerClass")
        if old.type == "LoadBalancer", type == "LoadBalancer", old.json.at("spec", "loadBalancerClass") != balancer {
            errors.append(.invalid("spec.loadBalancerClass", balancer, "may not change once set"))
        }
        // Kubernetes names this twice among the causes of a refused update: here, and for the Service as it would be.
        return errors + validateLoadBalancerClass()
    }

    private func validateChangedClusterIPs(from old: ServiceObject) -> [FieldError] {
        let fixed = "may not change once set"
        if old.clusterIPs.count == clusterIPs.count {
            return clusterIPs.indices.filter { old.clusterIPs[$0] != clusterIPs[$0] }
                .map { .invalid(Self.ips[$0], clusterIPsValue, fixed) }
        }
        var errors: [FieldError] = []
        if clusterIPs.isEmpty {
            errors.append(.invalid(Self.ips[0], clusterIPsValue, "primary clusterIP can not be unset"))
        } else if let first = old.clusterIPs.first, first != clusterIPs[0] {
            errors.append(.invalid(Self.ips[0], clusterIPsValue, fixed))
        }
        if old.clusterIPs.count > clusterIPs.count, clusterIPs.count == 1, ipFamilyPolicy != ServiceFamilies.singleStack
        {
            errors.append(
                .invalid(
                    Self.policy, ipFamilyPolicy.map { .string($0) },
                    "must be set to 'SingleStack' when releasing the secondary clusterIP"))
        }
        return errors
    }

    private func validateChangedFamilies(from old: ServiceObject) -> [FieldError] {
        // A Service that stops or begins to be headless is refused for its addresses; the families say nothing then.
        guard old.isHeadless == isHeadless else { return [] }
        let fixed = "may not change once set"
        if old.ipFamilies.count == ipFamilies.count {
            let value = JSONValue.array(ipFamilies.map { .string($0) })
            return ipFamilies.indices.filter { old.ipFamilies[$0] != ipFamilies[$0] }
                .map { _ in .invalid(Self.families[0], value, fixed) }
        }
        var errors: [FieldError] = []
        if ipFamilies.isEmpty {
            errors.append(.invalid(Self.families[0], [], "primary ipFamily can not be unset"))
        } else if let first = old.ipFamilies.first, first != ipFamilies[0] {
            errors.append(.invalid(Self.families[0], clusterIPsValue, fixed))
        }
        if old.ipFamilies.count > ipFamilies.count, ipFamilies.count == 1, ipFamilyPolicy != ServiceFamilies.singleStack
        {
            errors.append(
                .invalid(
                    Self.policy, ipFamilyPolicy.map { .string($0) },
                    "must be set to 'SingleStack' when releasing the secondary ipFamily"))
        }
        return errors
    }
}
