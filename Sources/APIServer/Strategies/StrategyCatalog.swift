package import Addresses
package import KubernetesAPI

/// The strategies of all resources in one cluster.
package struct StrategyCatalog: Sendable {
    private let strategies: [Resource: any ResourceStrategy]

    /// Makes a strategy for each resource; allocators start empty.
    ///
    /// - Parameters:
    ///   - serviceRanges: One range, or two of different families, the primary one first.
    ///   - nodePorts: The ports that nodes lend to Services.
    package init(serviceRanges: [IPPrefix], nodePorts: ClosedRange<Int>) {
        let plain: [any ObjectStrategy] = [
            NamespaceStrategy(), NodeStrategy(), PodStrategy(), EndpointsStrategy(), EndpointSliceStrategy(),
            ConfigMapStrategy(), SecretStrategy(), ServiceAccountStrategy(), EventStrategy(), LeaseStrategy(),
            DeploymentStrategy(), ReplicaSetStrategy(), DaemonSetStrategy(),
            RoleStrategy(.roles), RoleStrategy(.clusterRoles), RoleBindingStrategy(.roleBindings),
            RoleBindingStrategy(.clusterRoleBindings),
        ]
        var strategies = Dictionary(uniqueKeysWithValues: plain.map { ($0.resource, $0 as any ResourceStrategy) })
        strategies[.services] = ServiceStrategy(ranges: serviceRanges, nodePorts: nodePorts)
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
