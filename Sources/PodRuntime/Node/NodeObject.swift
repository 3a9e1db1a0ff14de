package import Addresses
package import KubernetesAPI

/// Builds the Node object from what is known of the machine and its runtime.
package struct NodeObject: Sendable {
    /// What is configured.
    let configuration: NodeConfiguration
    /// Addresses, primary first.
    let addresses: [IPAddress]
    /// What the machine is.
    let facts: NodeFacts

    /// Creates a builder.
    package init(configuration: NodeConfiguration, addresses: [IPAddress], facts: NodeFacts) {
        self.configuration = configuration
        self.addresses = addresses
        self.facts = facts
    }

    /// One condition of the runtime.
    package struct RuntimeCondition: Sendable, Hashable {
        /// `RuntimeReady` or `NetworkReady`.
        package var type: String
        /// Whether it holds.
        package var isTrue: Bool
        /// One word.
        package var reason: String
        /// A sentence.
        package var message: String

        /// Creates a condition.
        package init(type: String, isTrue: Bool, reason: String = "", message: String = "") {
            self.type = type
            self.isTrue = isTrue
            self.reason = reason
            self.message = message
        }
    }

    /// Labels that the node must have.
    package var labels: [String: String] {
        let usual = [
            "kubernetes.io/hostname": configuration.nodeName, "kubernetes.io/os": "linux",
            "kubernetes.io/arch": facts.system.architecture ?? "",
            "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": facts.system.architecture ?? "",
        ]
        return usual.merging(configuration.labels) { _, own in own }
    }

    /// The object for a node that the API does not have yet.
    package var new: Node {
        Node(
            metadata: ObjectMeta(name: configuration.nodeName, labels: labels),
            spec: NodeSpec(taints: configuration.taints.isEmpty ? nil : configuration.taints))
    }

    /// The status of the node.
    ///
    /// - Parameters:
    ///   - runtime: the runtime's conditions, or why it could not be asked.
    ///   - old: conditions in the API, for their times of transition.
    package func status(
        runtime: Result<[RuntimeCondition], PodActionFailure>, replacing old: [Condition], at now: Timestamp
    ) -> NodeStatus {
        var status = NodeStatus()
        status.capacity = facts.resources(maximumPods: configuration.maximumPods)
        status.allocatable = status.capacity
        status.addresses =
            addresses.map { NodeAddress(type: "InternalIP", address: $0.description) }
            + [NodeAddress(type: "Hostname", address: configuration.nodeName)]
        status.daemonEndpoints = NodeDaemonEndpoints(kubeletEndpoint: DaemonEndpoint(port: configuration.port))
        status.nodeInfo = facts.system
        var conditions = old
        let time = now.description
        for (type, reason, message) in [
            ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ] {
            conditions.set(type, "False", reason: reason, message: message, at: time)
        }
        if let problem = Self.problem(runtime) {
            conditions.set("Ready", "False", reason: "KubeletNotReady", message: problem, at: time)
        } else {
            conditions.set(
                "Ready", "True", reason: "KubeletReady", message: "kubelet is posting ready status", at: time)
        }
        for index in conditions.indices {
            conditions[index].lastHeartbeatTime = time
        }
        status.conditions = conditions
        return status
    }

    /// Why the node is not ready, nil when it is.
    private static func problem(_ runtime: Result<[RuntimeCondition], PodActionFailure>) -> String? {
        let conditions: [RuntimeCondition]
        switch runtime {
        case .failure(let failure): return "container runtime is down: \(failure.message)"
        case .success(let found): conditions = found
        }
        for (type, name) in [("RuntimeReady", "container runtime"), ("NetworkReady", "container runtime network")] {
            let condition = conditions.first { $0.type == type }
            guard condition?.isTrue != true else { continue }
            return "\(name) not ready: \(type)=false reason:\(condition?.reason ?? "") "
                + "message:\(condition?.message ?? "the runtime does not report it")"
        }
        return nil
    }
}
