package import Addresses
import JSON
import KubernetesAPI

/// What the Services of a cluster share: addresses and ports.
package struct ServiceResources: Sendable, Equatable {
    /// The addresses.
    package var addresses = ClusterIPPool()
    /// The ports.
    package private(set) var nodePorts: NodePortAllocator

    /// Starts with everything free.
    ///
    /// - Parameter ranges: One range, or two of different families, the primary one first.
    package init(ranges: [IPPrefix], nodePorts: ClosedRange<Int>) {
        addresses.setRanges(ranges, isReady: true, of: ServiceNetwork.defaultCIDR)
        self.nodePorts = NodePortAllocator(range: nodePorts)
    }

    /// Something that a Service holds.
    package enum Claim: Sendable, Hashable {
        /// A cluster IP.
        case address(IPAddress)
        /// A node port or health check node port.
        case port(Int)
    }

    /// Everything that Services hold.
    package var held: Set<Claim> {
        Set(addresses.held.map { .address($0) }).union(nodePorts.held.map { .port($0) })
    }

    /// Gives something back.
    package mutating func release(_ claim: Claim) {
        switch claim {
        case .address(let address): addresses.release(address)
        case .port(let port): nodePorts.release(port)
        }
    }

    /// Takes something that a stored Service holds; ports out of range are left alone.
    package mutating func occupy(_ claim: Claim) {
        switch claim {
        case .address(let address): addresses.occupy(address)
        case .port(let port): try? nodePorts.take(port)
        }
    }

    /// Everything that a Service holds.
    package static func claims(of service: ServiceObject) -> Set<Claim> {
        var claims = Set(service.addresses.map { Claim.address($0) })
        for port in service.ports where port.nodePort != 0 && service.needsNodePort {
            claims.insert(.port(port.nodePort))
        }
        if service.healthCheckNodePort != 0 {
            claims.insert(.port(service.healthCheckNodePort))
        }
        return claims
    }
}

/// What one write took, to be undone if it fails.
package struct ServiceClaims: Sendable {
    /// What was taken.
    package fileprivate(set) var taken: Set<ServiceResources.Claim> = []
    /// Addresses are then only looked at: any is the network's own, and one that is taken does not matter.
    package let isDryRun: Bool

    /// Begins with nothing taken.
    package init(isDryRun: Bool) {
        self.isDryRun = isDryRun
    }
}

extension ServiceResources {
    /// Takes an address of a family: the one asked for, or any for an empty text.
    mutating func takeAddress(
        _ text: String, family: String, for service: ServiceObject, _ claims: inout ServiceClaims
    ) throws(StatusError) -> String {
        guard let requested = IPAddress(sloppy: text) else { return try takeAnyAddress(family, &claims) }
        do throws(AllocationError) {
            if claims.isDryRun {
                try addresses.check(requested)
            } else {
                try addresses.take(requested)
                claims.taken.insert(.address(requested))
            }
        } catch {
            throw service.invalid([
                .invalid("spec.clusterIPs", service.clusterIPsValue, "failed to allocate IP \(text): \(error)")
            ])
        }
        return text
    }

    private mutating func takeAnyAddress(_ name: String, _ claims: inout ServiceClaims) throws(StatusError) -> String {
        do throws(AllocationError) {
            guard let family = IPFamily(name: name) else { throw .full }
            if claims.isDryRun { return try addresses.sample(family).description }
            var generator = SystemRandomNumberGenerator()
            let address = try addresses.takeAny(family, using: &generator)
            claims.taken.insert(.address(address))
            return address.description
        } catch {
            throw .internalError("failed to allocate a serviceIP: \(error)")
        }
    }

    /// Takes a certain node port for the port at an index.
    mutating func takePort(
        _ number: Int, at index: Int, for service: ServiceObject, _ claims: inout ServiceClaims
    ) throws(StatusError) {
        do throws(AllocationError) {
            try nodePorts.take(number)
        } catch {
            throw service.invalid([
                .invalid(
                    FieldPath("spec.ports")[index].child("nodePort"), .integer(Int64(number)), error.description)
            ])
        }
        claims.taken.insert(.port(number))
    }

    /// Takes any node port.
    mutating func takeAnyPort(_ claims: inout ServiceClaims, what: String) throws(StatusError) -> Int {
        do throws(AllocationError) {
            var generator = SystemRandomNumberGenerator()
            let number = try nodePorts.takeAny(using: &generator)
            claims.taken.insert(.port(number))
            return number
        } catch {
            throw .internalError("failed to allocate a \(what): \(error)")
        }
    }

    /// Takes the port for health checks: the one asked for, or any for 0.
    mutating func takeHealthCheckPort(_ requested: Int, _ claims: inout ServiceClaims) throws(StatusError) -> Int {
        guard requested != 0 else { return try takeAnyPort(&claims, what: "HealthCheck NodePort 0") }
        do throws(AllocationError) {
            try nodePorts.take(requested)
        } catch {
            throw .internalError("failed to allocate requested HealthCheck NodePort \(requested): \(error)")
        }
        claims.taken.insert(.port(requested))
        return requested
    }
}
