import JSON
import KubernetesAPI

/// A pod for tests.
func pod(
    _ name: String, labels: [String: String] = ["app": "web"], owner: OwnerReference? = nil, node: String? = "n1",
    ips: [String] = [], ready: Bool = true, readySince: String = "2024-01-01T00:00:00Z", phase: String = "Running",
    deleting: Bool = false, restarts: Int = 0, created: String = "2024-01-01T00:00:00Z",
    annotations: [String: String]? = nil, spec: PodSpec = PodSpec()
) -> Pod {
    var spec = spec
    spec.nodeName = node
    return Pod(
        metadata: ObjectMeta(
            name: name, namespace: "default", uid: "uid-\(name)", resourceVersion: "1", creationTimestamp: created,
            deletionTimestamp: deleting ? "2024-01-01T00:00:00Z" : nil, labels: labels, annotations: annotations,
            ownerReferences: owner.map { [$0] }),
        spec: spec,
        status: PodStatus(
            phase: phase,
            conditions: [
                Condition(type: "Ready", status: ready ? "True" : "False", lastTransitionTime: readySince)
            ],
            podIP: ips.first, podIPs: ips.map { PodIP(ip: $0) },
            containerStatuses: [ContainerStatus(name: "c", restartCount: restarts)]))
}

/// A node for tests.
func node(
    _ name: String, cpu: String = "2", memory: String = "4Gi", pods: String = "110", labels: [String: String]? = nil,
    taints: [Taint]? = nil, unschedulable: Bool? = nil, ready: String? = "True"
) -> Node {
    Node(
        metadata: ObjectMeta(name: name, uid: "uid-\(name)", resourceVersion: "1", labels: labels),
        spec: NodeSpec(unschedulable: unschedulable, taints: taints),
        status: NodeStatus(
            allocatable: ["cpu": cpu, "memory": memory, "pods": pods].compactMapValues { Quantity($0) },
            conditions: ready.map { [Condition(type: "Ready", status: $0)] }))
}

/// A container that requests resources and takes a port of the node.
func container(cpu: String? = nil, memory: String? = nil, hostPort: Int? = nil) -> Container {
    var requests: [String: Quantity] = [:]
    requests["cpu"] = cpu.flatMap { Quantity($0) }
    requests["memory"] = memory.flatMap { Quantity($0) }
    return Container(
        name: "c", ports: hostPort.map { [ContainerPort(hostPort: $0, containerPort: 80)] },
        resources: ResourceRequirements(requests: requests))
}

/// A moment after everything else in the tests.
let later = Timestamp(seconds: 1_735_689_600)
