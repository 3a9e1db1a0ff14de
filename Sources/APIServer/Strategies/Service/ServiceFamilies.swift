package import Addresses
import JSON
package import KubernetesAPI

/// The families of Services in one cluster (KEP-563).
package struct ServiceFamilies: Sendable, Equatable {
    /// One family.
    package static let singleStack = "SingleStack"
    /// Both families where the cluster has both.
    package static let preferDualStack = "PreferDualStack"
    /// Both families or an error.
    package static let requireDualStack = "RequireDualStack"

    /// The cluster's families, the primary one first.
    package let configured: [IPFamily]

    /// The policy of new Services that name none, on a cluster of both families.
    package let defaultPolicy: String

    /// Describes a cluster by the families of its Service ranges, one or two distinct ones.
    package init(configured: [IPFamily], defaultPolicy: String = ServiceFamilies.singleStack) {
        self.configured = configured
        self.defaultPolicy = defaultPolicy
    }

    /// The cluster's first family.
    package var primary: IPFamily { configured.first ?? .ipv4 }

    /// Settles `ipFamilyPolicy` and `ipFamilies`, and on a downgrade `clusterIPs`, or says what is wrong with them.
    ///
    /// - Parameter old: What is replaced; nil for a new Service.
    package func resolve(_ service: inout ServiceObject, replacing old: ServiceObject?) throws(StatusError) {
        guard service.needsClusterIP else { return }
        if service.ipFamilyPolicy == nil {
            service.ipFamilyPolicy = defaultPolicy(service, old)
        }
        // A Service that merely prefers both families does not follow the cluster from one to two or back.
        if isSettled(service, old) { return }
        let isSingle = service.ipFamilyPolicy == Self.singleStack
        var errors = service.validateClusterIPs(replacing: old)
        try service.refuse(errors)

        if let old, old.needsClusterIP {
            isSingle ? service.releaseSecondary(replacing: old) : (errors = reductions(service, old))
        }
        if isSingle {
            errors += excesses(service)
        }
        errors += inferFamilies(&service)
        try service.refuse(errors)

        if service.clusterIP == ServiceObject.none, !service.hasSelector {
            // Endpoints made by hand may have any family, whatever the cluster has.
            complete(&service, from: IPFamily.allCases)
            return
        }
        if service.ipFamilyPolicy == Self.requireDualStack, configured.count < 2 {
            errors.append(
                .invalid(
                    "spec.ipFamilyPolicy", .string(Self.requireDualStack),
                    "this cluster is not configured for dual-stack services"))
        }
        for (index, family) in service.ipFamilies.enumerated() where !configured.contains(where: { $0.name == family })
        {
            errors.append(
                .invalid(
                    FieldPath("spec.ipFamilies")[index], .string(family), "not configured on this cluster"))
        }
        try service.refuse(errors)
        complete(&service, from: configured)
    }

    /// Whether an update leaves the families of a Service that prefers both as they are.
    private func isSettled(_ service: ServiceObject, _ old: ServiceObject?) -> Bool {
        guard let old else { return false }
        return old.type == service.type
            && service.ipFamilyPolicy == Self.preferDualStack && old.ipFamilyPolicy == Self.preferDualStack
            && old.clusterIPs == service.clusterIPs && old.ipFamilies == service.ipFamilies
    }

    private func defaultPolicy(_ service: ServiceObject, _ old: ServiceObject?) -> String {
        if let policy = old?.ipFamilyPolicy { return policy }
        if service.clusterIP == ServiceObject.none, !service.hasSelector { return Self.requireDualStack }
        return old == nil && configured.count > 1 ? defaultPolicy : Self.singleStack
    }

    /// What is wrong with giving up a family without saying so in the policy.
    private func reductions(_ service: ServiceObject, _ old: ServiceObject) -> [FieldError] {
        let policy = service.ipFamilyPolicy.map { JSONValue.string($0) }
        var errors: [FieldError] = []
        if old.clusterIPs.count == 2, service.clusterIPs.count == 1 {
            errors.append(
                .invalid("spec.ipFamilyPolicy", policy, "must be 'SingleStack' to release the secondary cluster IP"))
        }
        if old.ipFamilies.count == 2, service.ipFamilies.count == 1 {
            errors.append(
                .invalid("spec.ipFamilyPolicy", policy, "must be 'SingleStack' to release the secondary IP family"))
        }
        return errors
    }

    /// What is wrong with two of anything under a policy of one.
    private func excesses(_ service: ServiceObject) -> [FieldError] {
        [("cluster IPs", service.clusterIPs.count), ("IP families", service.ipFamilies.count)].filter { $0.1 == 2 }.map
        {
            .invalid(
                "spec.ipFamilyPolicy", .string(Self.singleStack),
                "must be 'RequireDualStack' or 'PreferDualStack' when multiple \($0.0) are specified")
        }
    }

    /// Adds the families of requested addresses, or says which of them the cluster lacks.
    private func inferFamilies(_ service: inout ServiceObject) -> [FieldError] {
        var errors: [FieldError] = []
        for (index, text) in service.clusterIPs.enumerated() where index >= service.ipFamilies.count {
            guard let family = IPAddress(sloppy: text)?.family else { continue }
            if configured.contains(family) {
                service.ipFamilies.append(family.name)
            } else {
                errors.append(
                    .invalid(
                        FieldPath("spec.clusterIPs")[index], service.clusterIPsValue,
                        "\(family.name) is not configured on this cluster"))
            }
        }
        return errors
    }

    /// Chooses the primary family where none is given, and the other one where the policy wants it and it is available.
    private func complete(_ service: inout ServiceObject, from available: [IPFamily]) {
        if service.ipFamilies.isEmpty {
            service.ipFamilies = [primary.name]
        }
        if service.ipFamilyPolicy != Self.singleStack, service.ipFamilies.count == 1,
            let other = available.first(where: { $0.name != service.ipFamilies[0] })
        {
            service.ipFamilies.append(other.name)
        }
    }
}

extension ServiceObject {
    /// Throws if there are errors.
    package func refuse(_ errors: [FieldError]) throws(StatusError) {
        if !errors.isEmpty { throw invalid(errors) }
    }

    /// Under a policy of one family, shortens what the client left as it was.
    fileprivate mutating func releaseSecondary(replacing old: ServiceObject) {
        guard let policy = old.ipFamilyPolicy, policy != ServiceFamilies.singleStack else { return }
        if clusterIPs.count == 2, clusterIPs == old.clusterIPs {
            clusterIPs.removeLast()
        }
        if ipFamilies.count == 2, ipFamilies == old.ipFamilies {
            ipFamilies.removeLast()
        }
    }
}
