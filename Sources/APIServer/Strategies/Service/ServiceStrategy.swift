package import Addresses
package import JSON
package import KubernetesAPI
import Synchronization

/// Services: families, addresses and ports (spec of KEP-563, `k8s.io/kubernetes/pkg/registry/core/service`).
package final class ServiceStrategy: ResourceStrategy {
    private let families: ServiceFamilies
    private let resources: Mutex<ServiceResources>

    /// Starts with everything free.
    ///
    /// - Parameters:
    ///   - ranges: One range, or two of different families, the primary one first.
    ///   - nodePorts: The ports that nodes lend to Services.
    package init(ranges: [IPPrefix], nodePorts: ClosedRange<Int>) {
        families = ServiceFamilies(configured: ranges.map(\.family))
        resources = Mutex(ServiceResources(ranges: ranges, nodePorts: nodePorts))
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
        return Reservation(rollback: { self.release(claims) })
    }

    package func admitUpdate(
        _ object: inout JSONValue, replacing old: JSONValue, _ context: AdmissionContext
    ) throws(StatusError) -> Reservation {
        var before = ServiceObject(old)
        before.setReadDefaults(primary: families.configured.first ?? .ipv4)
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
        return Reservation(commit: { self.release(given) }, rollback: { self.release(taken) })
    }

    package func defaultOnRead(_ object: inout JSONValue) {
        var service = ServiceObject(object)
        service.setReadDefaults(primary: families.configured.first ?? .ipv4)
        object = service.json
    }

    package func recover(_ object: JSONValue) {
        resources.withLock { $0.occupy(ServiceObject(object)) }
    }

    package func didDelete(_ object: JSONValue) {
        release(ServiceResources.claims(of: ServiceObject(object)))
    }

    /// Allocates and validates; on any error, and in a dry run, everything taken is free again.
    private func allocate(
        _ service: inout ServiceObject, replacing old: ServiceObject?, _ context: AdmissionContext
    ) throws(StatusError) -> Set<ServiceResources.Claim> {
        var claims: Set<ServiceResources.Claim> = []
        do throws(StatusError) {
            try take(&service, replacing: old, &claims)
            try service.refuse(service.validate(replacing: old))
        } catch {
            release(claims)
            throw error
        }
        guard context.isDryRun else { return claims }
        release(claims)
        return []
    }

    private func take(
        _ service: inout ServiceObject, replacing old: ServiceObject?, _ claims: inout Set<ServiceResources.Claim>
    ) throws(StatusError) {
        let result = resources.withLock { resources -> Result<Void, StatusError> in
            Result { () throws(StatusError) in
                if let old {
                    try resources.allocate(&service, replacing: old, &claims)
                } else {
                    try resources.allocate(&service, &claims)
                }
            }
        }
        try result.get()
        if let old {
            service.dropFields(replacing: old)
        }
        if service.type == "ExternalName" {
            service.set("", "internalTrafficPolicy")
        }
    }

    private func release(_ claims: Set<ServiceResources.Claim>) {
        resources.withLock { resources in
            for claim in claims { resources.release(claim) }
        }
    }
}

extension ServiceObject {
    /// Tells the client what is accepted but not as it should be.
    fileprivate func warn(_ warnings: WarningSink) {
        AddressRules.warnAboutForm(clusterIPs, at: "spec.clusterIPs", warnings)
        AddressRules.warnAboutForm(externalIPs, at: "spec.externalIPs", warnings)
    }
}
