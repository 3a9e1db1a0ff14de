package import KubernetesAPI

/// The resources that the server has.
package enum ResourceRegistry {
    /// Their definitions; discovery lists groups in the order in which they first occur here.
    ///
    /// - Parameter strategy: The rules of each resource.
    package static func definitions(strategy: (Resource) -> any ResourceStrategy) -> [ResourceDefinition] {
        let kinds: [(Resource, ((any ResourceStrategy) -> ResourceDefinition))] = [
            (.namespaces, namespaces), (.nodes, nodes), (.pods, pods), (.services, services),
            (.endpoints, endpoints), (.configMaps, configMaps), (.secrets, secrets),
            (.serviceAccounts, serviceAccounts), (.events, events), (.deployments, deployments),
            (.replicaSets, replicaSets), (.daemonSets, daemonSets), (.endpointSlices, endpointSlices),
            (.leases, leases), (.serviceCIDRs, serviceCIDRs), (.ipAddresses, ipAddresses),
            (.clusterRoles, clusterRoles), (.clusterRoleBindings, clusterRoleBindings), (.roles, roles),
            (.roleBindings, roleBindings), (.addressPools, addressPools), (.nodeNetworks, nodeNetworks),
        ]
        return kinds.map { resource, define in define(strategy(resource)) } + [customResourceDefinitions, bindings]
            + reviews
    }
}
