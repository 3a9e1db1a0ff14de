package import KubernetesAPI

/// What conditions and taints a node shall have, given when it was last heard of.
package struct NodeHealth: Sendable, Hashable {
    /// Conditions to set; nil leaves them.
    package var conditions: [Condition]?
    /// Taints to set; nil leaves them.
    package var taints: [Taint]?

    private static let notReady = "node.kubernetes.io/not-ready"
    private static let unreachable = "node.kubernetes.io/unreachable"

    /// Conditions that the node itself reports, with the message once it no longer does.
    private static let reported = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"]

    /// Compares a node with what its last sign of life means.
    ///
    /// - Parameters:
    ///   - node: The node as the server has it.
    ///   - isLost: True when no sign of life came for longer than the grace period.
    package init(node: Node, isLost: Bool, now: Timestamp) {
        var conditions = node.status?.conditions ?? []
        if isLost {
            var isChanged = false
            for type in Self.reported where type == "Ready" || conditions[type] != nil {
                let hadReport = conditions[type] != nil
                guard conditions[type]?.status != "Unknown" else { continue }
                isChanged = true
                conditions.set(
                    type, "Unknown", reason: hadReport ? "NodeStatusUnknown" : "NodeStatusNeverUpdated",
                    message: hadReport
                        ? "Kubelet stopped posting node status." : "Kubelet never posted node status.", at: "\(now)")
            }
            if isChanged {
                self.conditions = conditions
            }
        }
        let key: String? =
            switch conditions["Ready"]?.status {
            case "True": nil
            case "Unknown": Self.unreachable
            default: Self.notReady
            }
        let present = node.spec?.taints ?? []
        var taints = present.filter { ![Self.notReady, Self.unreachable].contains($0.key) || $0.key == key }
        if let key {
            if !taints.contains(where: { $0.key == key && $0.effect == "NoSchedule" }) {
                taints.append(Taint(key: key, effect: "NoSchedule"))
            }
            if !taints.contains(where: { $0.key == key && $0.effect == "NoExecute" }) {
                taints.append(Taint(key: key, effect: "NoExecute", timeAdded: "\(now)"))
            }
        }
        if taints != present {
            self.taints = taints
        }
    }
}
