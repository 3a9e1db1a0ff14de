import KubernetesAPI

/// Services and slices as short expressions.
enum Fixtures {
    static func service(_ name: String, namespace: String = "default", ips: [String]) -> Service {
        Service(
            metadata: ObjectMeta(name: name, namespace: namespace),
            spec: ServiceSpec(type: "ClusterIP", clusterIP: ips.first, clusterIPs: ips))
    }

    static func slice(_ name: String, of service: String, type: String, addresses: [String]) -> EndpointSlice {
        EndpointSlice(
            metadata: ObjectMeta(name: name, namespace: "default", labels: [WellKnownLabel.serviceName: service]),
            addressType: type, endpoints: addresses.map { Endpoint(addresses: [$0]) })
    }
}
