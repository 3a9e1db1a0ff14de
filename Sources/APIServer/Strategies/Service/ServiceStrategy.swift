import Addresses
package import JSON
package import KubernetesAPI

/// Services: families, addresses and ports (spec of KEP-563, `k8s.io/kubernetes/pkg/registry/core/service`).
package final class ServiceStrategy: ResourceStrategy {
    package let isFollowed = true
    private let network: ServiceNetwork
    private let families: ServiceFamilies

    /// Makes the strategy of a cluster.
    ///
    /// - Parameter defaultPolicy: The family policy of new Services that say nothing, on a cluster of both families.
    package init(network: ServiceNetwork, defaultPolicy: String = ServiceFamilies.singleStack) {
        self.network = network
        families = ServiceFamilies(configured: network.families, defaultPolicy: defaultPolicy)
    }

    package func admitCreate(_ object: inout JSONValue, _ context: AdmissionContext) throws(StatusError) -> Reservation
    {
        var service = ServiceObject(object)
        service.json["status"] = ["loadBalancer": [:]]
        service.setDefaults()
        service.normalizeClusterIPs(replacing: nil)
        try families.resolve(&service, replacing: nil)
        let claims = try allocate(&service, replacing: nil, context)
        service.warn(context.warnings)
        object = service.json
        return Reservation(rollback: { self.network.release(claims) })
    }

    package func admitUpdate(
        _ object: inout JSONValue, replacing old: JSONValue, _ context: AdmissionContext
    ) throws(StatusError) -> Reservation {
        var before = ServiceObject(old)
        before.setReadDefaults(primary: families.primary)
        if context.subresource == "status" {
            object = StatusWrite.merged(object, into: before.json)
            var service = ServiceObject(object)
            service.setDefaults()
            try service.refuse(
                MetadataRules.validate(service.json, name: NameRules.dns1035Label) + service.validateStatus())
            object = service.json
            return .none
        }
        var service = ServiceObject(object)
        service.json["status"] = before.json["status"]
        service.setDefaults()
        service.adoptAllocated(from: before)
        service.normalizeClusterIPs(replacing: before)
        try families.resolve(&service, replacing: before)
        let taken = try allocate(&service, replacing: before, context)
        service.warn(context.warnings)
        object = service.json
        if context.isDryRun { return .none }
        let given = ServiceResources.claims(of: before).subtracting(ServiceResources.claims(of: service))
        return Reservation(commit: { self.network.release(given) }, rollback: { self.network.release(taken) })
    }

    package func defaultOnRead(_ object: inout JSONValue) {
        var service = ServiceObject(object)
        service.setReadDefaults(primary: families.primary)
        object = service.json
    }

    package func recover(_ object: JSONValue) {
        let claims = ServiceResources.claims(of: ServiceObject(object))
        network.update { resources in
            for claim in claims { resources.occupy(claim) }
        }
    }

    package func didDelete(_ object: JSONValue) {
        network.release(ServiceResources.claims(of: ServiceObject(object)))
    }

    /// The IPAddress objects of the cluster IPs; Endpoints of the Service's name go with it, whoever made them.
    package func companions(of object: JSONValue) -> [Companion] {
        let service = ServiceObject(object)
        let namespace = object.at("metadata", "namespace")?.string ?? ""
        let addresses = service.addresses.map { address in
            Companion(
                resource: .ipAddresses, namespace: "", name: address.description,
                content: IPAddressStrategy.object(address, namespace: namespace, service: service.name))
        }
        return addresses + [Companion(resource: .endpoints, namespace: namespace, name: service.name, content: nil)]
    }

    /// Allocates and validates; on any error, and in a dry run, everything taken is free again.
    private func allocate(
        _ service: inout ServiceObject, replacing old: ServiceObject?, _ context: AdmissionContext
    ) throws(StatusError) -> Set<ServiceResources.Claim> {
        var claims = ServiceClaims(isDryRun: context.isDryRun)
        do throws(StatusError) {
            try take(&service, replacing: old, &claims)
            try service.refuse(service.validate(replacing: old))
        } catch {
            network.release(claims.taken)
            throw error
        }
        guard context.isDryRun else { return claims.taken }
        network.release(claims.taken)
        return []
    }

    private func take(
        _ service: inout ServiceObject, replacing old: ServiceObject?, _ claims: inout ServiceClaims
    ) throws(StatusError) {
        let before = (service, claims)
        let (after, outcome) = network.update { resources in
            var (service, claims) = before
            let outcome = Result { () throws(StatusError) in
                if let old {
                    try resources.allocate(&service, replacing: old, &claims)
                } else {
                    try resources.allocate(&service, &claims)
                }
            }
            return ((service, claims), outcome)
        }
        (service, claims) = after
        try outcome.get()
        if let old {
            service.dropFields(replacing: old)
        }
        if service.type == "ExternalName" {
            service.set("", "internalTrafficPolicy")
        }
    }
}
