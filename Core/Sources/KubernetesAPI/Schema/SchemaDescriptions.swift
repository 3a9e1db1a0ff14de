/// What `kubectl explain` tells about types and fields.
///
/// The text form is that of a schema table: `Name` or `Name.field`, a colon, and the text; indented lines continue it.
public enum SchemaDescriptions {
    /// What a type is for; nil where there is nothing to say beyond its name.
    public static func text(_ type: SchemaType) -> String? {
        texts["\(type.package).\(type.name)"] ?? generalTexts[type.name]
    }

    /// What a field says; nil where there is nothing to say beyond its name.
    public static func text(_ type: SchemaType, _ field: SchemaField) -> String? {
        texts["\(type.package).\(type.name).\(field.name)"] ?? generalTexts[field.name]
    }

    /// Fields that all objects share.
    private static let generalTexts: [String: String] = [
        "apiVersion": "Group and version of the API in which this object is written, such as apps/v1.",
        "kind": "Name of the object's type, such as Service.",
        "metadata": "Name, namespace, labels and what else every object has.",
    ]

    private static let texts: [String: String] = {
        var result: [String: String] = [:]
        for (package, table) in [
            ("io.k8s.api.core.v1", core), ("io.k8s.api.discovery.v1", discovery),
            ("io.k8s.api.networking.v1", networking), ("io.k8s.apimachinery.pkg.apis.meta.v1", meta),
            ("dev.duet.network.v1alpha1", network),
        ] {
            var name = ""
            for line in table.split(separator: "\n") {
                if line.first == " " {
                    result[name, default: ""] += " " + line.drop { $0 == " " }
                } else {
                    name = "\(package).\(line.prefix { $0 != ":" })"
                    result[name] = String(line.drop { $0 != ":" }.dropFirst(2))
                }
            }
        }
        return result
    }()

    private static let meta = """
        ObjectMeta.annotations: Free texts by key, for tools and people; nothing is selected by them.
        ObjectMeta.creationTimestamp: When the server stored the object first. Set by the server.
        ObjectMeta.deletionTimestamp: When deletion was asked for, plus the grace period. Set by the server; the object
            goes once its finalizers are gone.
        ObjectMeta.finalizers: Names of those who have something to clean up before the object may go.
        ObjectMeta.generateName: Prefix of a name that the server completes with five random characters.
        ObjectMeta.generation: Counts the changes of the desired state. Set by the server.
        ObjectMeta.labels: Short texts by key, by which objects are selected.
        ObjectMeta.managedFields: Which fields were set by whom, for server-side apply.
        ObjectMeta.name: Name of the object, unique among those of its kind in a namespace; it cannot be changed.
        ObjectMeta.namespace: The namespace that the object is in; it cannot be changed.
        ObjectMeta.ownerReferences: The objects on which this one depends; it is deleted when all of them are gone.
        ObjectMeta.resourceVersion: Changes with every write; a write that carries an old one is refused.
        ObjectMeta.uid: Identity of the object in time: a later object of the same name has another. Set by the server.
        """

    private static let core = """
        Endpoints: The addresses behind a Service, all families in one object. EndpointSlices hold the same and scale
            further.
        Endpoints.subsets: Addresses with the ports that each of them serves.
        EndpointSubset.addresses: Addresses that are ready for connections.
        EndpointSubset.notReadyAddresses: Addresses that are not ready yet.
        EndpointSubset.ports: Ports that all these addresses serve.
        EndpointAddress.ip: The address, IPv4 or IPv6; not a loopback, link-local or multicast address.
        EndpointAddress.hostname: Name of the endpoint within the Service's domain.
        EndpointAddress.nodeName: The node that the endpoint is on.
        EndpointAddress.targetRef: The object, mostly a pod, that has the address.
        LoadBalancerIngress.hostname: Name under which the load balancer is reached.
        LoadBalancerIngress.ip: Address at which the load balancer is reached, one entry for each address and family.
        LoadBalancerIngress.ipMode: VIP when nodes may answer for the address themselves, Proxy when traffic has to pass
            the load balancer.
        NodeAddress.address: The address or name. A dual-stack node has one InternalIP of each family, the preferred
            family first.
        NodeAddress.type: InternalIP, ExternalIP, Hostname, InternalDNS or ExternalDNS.
        NodeSpec.podCIDR: The first entry of podCIDRs, for clients that know one family only.
        NodeSpec.podCIDRs: The ranges from which pods on the node get their addresses, at most one of each family, the
            preferred family first.
        NodeStatus.addresses: The node's addresses and names.
        PodStatus.podIP: The first entry of podIPs, for clients that know one family only.
        PodStatus.podIPs: The pod's addresses, at most one of each family, the preferred family first.
        PodStatus.hostIP: The first entry of hostIPs.
        PodStatus.hostIPs: Addresses of the pod's node, at most one of each family.
        PodIP.ip: An address of the pod.
        HostIP.ip: An address of the node.
        PodSpec.hostNetwork: The pod uses the network of its node, with the node's addresses.
        PodSpec.dnsPolicy: Where the pod's name server comes from: ClusterFirst, ClusterFirstWithHostNet, Default or
            None.
        Service: A stable name, and addresses of one or both families, for a set of pods.
        Service.spec: What the Service shall be.
        Service.status: What it is.
        ServicePort.appProtocol: Protocol above TCP or UDP, as a hint for implementations, such as kubernetes.io/h2c.
        ServicePort.name: Name of the port within the Service; needed when there are several.
        ServicePort.nodePort: Port on every node, of both families, that leads to the Service. Chosen by the server from
            its range (30000 to 32767) unless given; for the types NodePort and LoadBalancer only.
        ServicePort.port: Port at the cluster IPs.
        ServicePort.protocol: TCP (the default), UDP or SCTP.
        ServicePort.targetPort: Port at the pods, a number or the name of a container's port; the same as port unless
            given.
        ServiceSpec.allocateLoadBalancerNodePorts: False when a load balancer reaches the pods without node ports.
        ServiceSpec.clusterIP: The first entry of clusterIPs, for clients that know one family only. None makes the
            Service headless: its name leads to the pods themselves.
        ServiceSpec.clusterIPs: Addresses of the Service, one for each entry of ipFamilies and in the same order. The
            server chooses them from the ranges of the cluster unless they are given; the first cannot be changed while
            the type stays.
        ServiceSpec.externalIPs: Addresses, cared for by others, at which nodes accept traffic for the Service.
        ServiceSpec.externalName: The name to which the Service's name is an alias (DNS CNAME), for the type ExternalName.
        ServiceSpec.externalTrafficPolicy: Local keeps traffic from outside on the node where it arrived, and so the
            client's address; Cluster (the default) spreads it over all nodes.
        ServiceSpec.healthCheckNodePort: Port on every node that tells load balancers whether the node has endpoints, for
            externalTrafficPolicy Local.
        ServiceSpec.internalTrafficPolicy: Local sends traffic from pods to endpoints on their own node only; Cluster (the
            default) to all.
        ServiceSpec.ipFamilies: The address families of the Service, IPv4 or IPv6 or both, the preferred one first. The
            server fills it from ipFamilyPolicy and the cluster's families unless it is given. A second family can be
            added and removed later; the first cannot be changed.
        ServiceSpec.ipFamilyPolicy: How many families the Service has. SingleStack (the default) is one; PreferDualStack
            is both where the cluster has both, otherwise one; RequireDualStack is both, or the request fails.
        ServiceSpec.loadBalancerClass: Which load balancer implementation takes care of the Service; it cannot be changed
            once set.
        ServiceSpec.loadBalancerIP: An address to ask the load balancer for. Deprecated, and of one family only.
        ServiceSpec.loadBalancerSourceRanges: Ranges of clients, of either family, that the load balancer lets in.
        ServiceSpec.ports: The ports of the Service.
        ServiceSpec.publishNotReadyAddresses: Endpoints count as ready even when their pods are not.
        ServiceSpec.selector: Labels of the pods behind the Service. Without it, somebody else writes the endpoints.
        ServiceSpec.sessionAffinity: ClientIP leads the connections of one client to the same pod; None (the default)
            does not.
        ServiceSpec.sessionAffinityConfig: How long a client is remembered.
        ServiceSpec.trafficDistribution: A preference for endpoints near the client, such as PreferSameZone.
        ServiceSpec.type: ClusterIP (the default), NodePort, LoadBalancer or ExternalName.
        ServiceStatus.loadBalancer: The addresses at which the load balancer is reached.
        """

    private static let discovery = """
        EndpointSlice: A part of the addresses behind a Service, all of one family. A dual-stack Service has slices of
            both.
        EndpointSlice.addressType: The family of all addresses in the slice: IPv4, IPv6 or FQDN. It cannot be changed.
        EndpointSlice.endpoints: At most 1000 endpoints.
        EndpointSlice.ports: The ports that every endpoint of the slice serves, at most 100.
        Endpoint.addresses: The endpoint's addresses, of the slice's family. Consumers use the first.
        Endpoint.conditions: Whether the endpoint may get traffic.
        Endpoint.hostname: Name of the endpoint within the Service's domain.
        Endpoint.nodeName: The node that the endpoint is on.
        Endpoint.targetRef: The object, mostly a pod, that has the addresses.
        Endpoint.zone: The zone that the endpoint is in.
        EndpointConditions.ready: The endpoint takes new connections. Never true for one that is being deleted.
        EndpointConditions.serving: The endpoint answers, even when it is being deleted.
        EndpointConditions.terminating: The endpoint is being deleted.
        """

    private static let network = """
        AddressBlockSize: Prefix lengths of the blocks that nodes get.
        AddressBlockSize.ipv4: Prefix length of an IPv4 block, such as 26 for 64 addresses; 24 unless given.
        AddressBlockSize.ipv6: Prefix length of an IPv6 block; 64 unless given.
        AddressPool: Prefixes for one purpose, any number of them and of either family.
        AddressPoolPrefix.cidr: The prefix, such as 10.12.0.0/22 or 2001:db8:7::/48.
        AddressPoolPrefix.state: Active (the default), or Draining when nothing new shall be taken from the prefix and
            nodes with blocks in it shall get others.
        AddressPoolSpec.blockSize: How large the blocks are that nodes get, for the purpose Pods.
        AddressPoolSpec.nodeSelector: The nodes that get blocks of the pool. Without it, the pool is for nodes that no
            other pool names.
        AddressPoolSpec.prefixes: Disjoint prefixes, in the order in which they are used. More can be added at any time.
        AddressPoolSpec.purpose: What the addresses are for: Pods, Services or LoadBalancers. It cannot be changed.
        AddressPoolStatus.conditions: Ready, Exhausted when a node has to wait for a block, Drained when no node has a
            block in a draining prefix.
        AddressPoolStatus.ipv4: IPv4 blocks of all prefixes.
        AddressPoolStatus.ipv6: IPv6 blocks of all prefixes.
        AddressPoolStatus.prefixes: Blocks of each prefix.
        AddressPoolUsage.allocated: Blocks that nodes have.
        AddressPoolUsage.capacity: Blocks that the active prefixes hold.
        AddressPrefixUsage.allocated: Blocks that nodes have.
        AddressPrefixUsage.capacity: Blocks that the prefix holds.
        AddressPrefixUsage.cidr: The prefix.
        NodeBlock.cidr: The block.
        NodeBlock.pool: The pool that the block comes from.
        NodeBlock.state: Active, or Releasing when pods no longer get addresses of the block.
        NodeBlockUsage.capacity: Addresses that pods can have.
        NodeBlockUsage.cidr: The block.
        NodeBlockUsage.state: The state that the node has put into effect.
        NodeBlockUsage.used: Addresses that pods have.
        NodeNetwork: The blocks of pod addresses of the node of the same name.
        NodeNetworkSpec.blocks: All blocks of the node. The first of each family is in the Node's podCIDRs too.
        NodeNetworkStatus.blocks: How full each block is, as the node counts.
        NodeNetworkStatus.wireGuardPublicKey: The node's key of the WireGuard tunnels.
        """

    private static let networking = """
        IPAddress: One address that a Service holds. Its name is the address in canonical form.
        IPAddressSpec.parentRef: The object, mostly a Service, that holds the address.
        ServiceCIDR: Ranges from which Services get their cluster IPs.
        ServiceCIDRSpec.cidrs: The ranges, at most one of each family. They cannot be changed.
        """
}
