package import Addresses
import JSON
import KubernetesAPI

/// What the Services of a cluster share: addresses and ports.
package struct ServiceResources: Sendable, Equatable {
    /// The allocators of addresses, primary family first.
    package private(set) var addresses: [ClusterIPAllocator]
    /// The allocator of ports.
    package private(set) var nodePorts: NodePortAllocator

    /// Starts with everything free.
    ///
    /// - Parameter ranges: One range, or two of different families, the primary one first.
    package init(ranges: [IPPrefix], nodePorts: ClosedRange<Int>) {
        addresses = ranges.map(ClusterIPAllocator.init)
        self.nodePorts = NodePortAllocator(range: nodePorts)
    }

    /// Something that a Service holds.
    package enum Claim: Sendable, Hashable {
        /// A cluster IP.
        case address(IPAddress)
        /// A node port or health check node port.
        case port(Int)
    }

    /// Gives something back.
    package mutating func release(_ claim: Claim) {
        switch claim {
        case .address(let address):
            for index in addresses.indices { addresses[index].release(address) }
        case .port(let port): nodePorts.release(port)
        }
    }

    /// Takes whatever a stored Service holds; what is taken already or out of range stays as it is.
    package mutating func occupy(_ service: ServiceObject) {
        for claim in Self.claims(of: service) {
            switch claim {
            case .address(let address):
                for index in addresses.indices { try? addresses[index].take(address) }
            case .port(let port): try? nodePorts.take(port)
            }
        }
    }

    /// Everything that a Service holds.
    package static func claims(of service: ServiceObject) -> Set<Claim> {
        var claims: Set<Claim> = []
        if service.needsClusterIP {
            claims = Set(service.clusterIPs.compactMap { IPAddress(sloppy: $0).map { .address($0) } })
        }
        for port in service.ports where port.nodePort != 0 && service.needsNodePort {
            claims.insert(.port(port.nodePort))
        }
        if service.healthCheckNodePort != 0 {
            claims.insert(.port(service.healthCheckNodePort))
        }
        return claims
    }

    /// Takes an address of a family: the one asked for, or any for an empty text.
    mutating func takeAddress(
        _ text: String, family: String, for service: ServiceObject, _ claims: inout Set<Claim>
    ) throws(StatusError) -> String {
        guard let index = addresses.firstIndex(where: { $0.prefix.family.name == family }) else {
            throw service.invalid([
                .invalid(
                    "spec.clusterIPs", service.clusterIPsValue,
                    "failed to allocate IP \(text): no range of family \(family)")
            ])
        }
        if let requested = IPAddress(sloppy: text) {
            do throws(AllocationError) {
                try addresses[index].take(requested)
            } catch {
                throw service.invalid([
                    .invalid(
                        "spec.clusterIPs", service.clusterIPsValue, "failed to allocate IP \(text): \(error)")
                ])
            }
            claims.insert(.address(requested))
            return text
        }
        do throws(AllocationError) {
            var generator = SystemRandomNumberGenerator()
            let address = try addresses[index].takeAny(using: &generator)
            claims.insert(.address(address))
            return address.description
        } catch {
            throw .internalError("failed to allocate a serviceIP: \(error)")
        }
    }

    /// Takes a certain node port for the port at an index.
    mutating func takePort(
        _ number: Int, at index: Int, for service: ServiceObject, _ claims: inout Set<Claim>
    ) throws(StatusError) {
        do throws(AllocationError) {
            try nodePorts.take(number)
        } catch {
            throw service.invalid([
                .invalid(
                    FieldPath("spec.ports")[index].child("nodePort"), .integer(Int64(number)), error.description)
            ])
        }
        claims.insert(.port(number))
    }

    /// Takes any node port.
    mutating func takeAnyPort(_ claims: inout Set<Claim>, what: String) throws(StatusError) -> Int {
        do throws(AllocationError) {
            var generator = SystemRandomNumberGenerator()
            let number = try nodePorts.takeAny(using: &generator)
            claims.insert(.port(number))
            return number
        } catch {
            throw .internalError("failed to allocate a \(what): \(error)")
        }
    }

    /// Takes the port for health checks: the one asked for, or any for 0.
    mutating func takeHealthCheckPort(
        _ requested: Int, _ claims: inout Set<Claim>
    ) throws(StatusError) -> Int {
        guard requested != 0 else { return try takeAnyPort(&claims, what: "HealthCheck NodePort") }
        do throws(AllocationError) {
            try nodePorts.take(requested)
        } catch {
            throw .internalError("failed to allocate requested HealthCheck NodePort \(requested): \(error)")
        }
        claims.insert(.port(requested))
        return requested
    }
}
