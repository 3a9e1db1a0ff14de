package import Addresses
package import KubernetesAPI

/// The strategies of all resources in one cluster.
package struct StrategyCatalog: Sendable {
    private let strategies: [Resource: any ResourceStrategy]

    /// The addresses and ports of the cluster's Services.
    package let network: ServiceNetwork

    /// Makes a strategy for each resource; allocators start empty.
    ///
    /// - Parameters:
    ///   - serviceRanges: One range, or two of different families, the primary one first.
    ///   - nodePorts: The ports that nodes lend to Services.
    ///   - defaultFamilyPolicy: The family policy of new Services that say nothing, on a cluster of both families.
    package init(
        serviceRanges: [IPPrefix], nodePorts: ClosedRange<Int>,
        defaultFamilyPolicy: String = ServiceFamilies.singleStack
    ) {
        network = ServiceNetwork(ranges: serviceRanges, nodePorts: nodePorts)
        let plain: [any ObjectStrategy] = [
            NamespaceStrategy(), NodeStrategy(), PodStrategy(), EndpointsStrategy(), EndpointSliceStrategy(),
            ConfigMapStrategy(), SecretStrategy(), ServiceAccountStrategy(), EventStrategy(), LeaseStrategy(),
            DeploymentStrategy(), ReplicaSetStrategy(), DaemonSetStrategy(),
            RoleStrategy(.roles), RoleStrategy(.clusterRoles), RoleBindingStrategy(.roleBindings),
            RoleBindingStrategy(.clusterRoleBindings), AddressPoolStrategy(), NodeNetworkStrategy(),
        ]
        var strategies = Dictionary(uniqueKeysWithValues: plain.map { ($0.resource, $0 as any ResourceStrategy) })
        strategies[.services] = ServiceStrategy(network: network, defaultPolicy: defaultFamilyPolicy)
        strategies[.serviceCIDRs] = ServiceCIDRStrategy(network: network)
        strategies[.ipAddresses] = IPAddressStrategy(network: network)
        self.strategies = strategies
    }

    /// The strategy of a resource.
    package subscript(resource: Resource) -> any ResourceStrategy {
        guard let strategy = strategies[resource] else {
            preconditionFailure("no strategy for \(resource.qualifiedName)")
        }
        return strategy
    }
}
