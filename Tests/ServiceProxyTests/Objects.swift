import Addresses
import KubernetesAPI

/// A Service of the given addresses with one port, and a node port if one is given.
func service(
    _ name: String, _ clusterIPs: [IPAddress], port: Int = 80, nodePort: Int? = nil, transport: String = "TCP",
    labels: [String: String]? = nil
) -> Service {
    Service(
        metadata: ObjectMeta(name: name, namespace: "default", labels: labels),
        spec: ServiceSpec(
            type: nodePort == nil ? "ClusterIP" : "NodePort",
            ports: [ServicePort(protocol: transport, port: port, nodePort: nodePort)],
            clusterIP: clusterIPs.first?.description, clusterIPs: clusterIPs.map(\.description),
            ipFamilies: clusterIPs.map(\.family.name)))
}

/// An EndpointSlice of a Service with ready endpoints that serve port 8080.
func slice(_ service: String, _ family: IPFamily, _ addresses: [IPAddress], transport: String = "TCP") -> EndpointSlice
{
    EndpointSlice(
        metadata: ObjectMeta(
            name: "\(service)-\(family.name)", namespace: "default",
            labels: [WellKnownLabel.serviceName: service]),
        addressType: family.name, endpoints: addresses.map { Endpoint(addresses: [$0.description]) },
        ports: [EndpointPort(name: "", port: 8080, protocol: transport)])
}

/// The node whose pods have these blocks.
func node(_ blocks: [IPPrefix]) -> Node {
    Node(metadata: ObjectMeta(name: "node"), spec: NodeSpec(podCIDRs: blocks.map(\.description)))
}
