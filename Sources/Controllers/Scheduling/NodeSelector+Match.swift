import KubernetesAPI

extension PodSpec {
    /// True when the pod's node selector and required node affinity admit the node.
    func admits(_ node: Node) -> Bool {
        let labels = node.metadata.labels ?? [:]
        for (key, value) in nodeSelector ?? [:] where labels[key] != value {
            return false
        }
        guard let required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution else { return true }
        return required.nodeSelectorTerms.contains { $0.matches(node) }
    }
}

extension NodeSelectorTerm {
    /// True when every requirement holds for the node; a term without requirements never does.
    func matches(_ node: Node) -> Bool {
        let labels = node.metadata.labels ?? [:]
        let expressions = matchExpressions ?? []
        let fields = matchFields ?? []
        guard !expressions.isEmpty || !fields.isEmpty else { return false }
        return expressions.allSatisfy { $0.matches(labels[$0.key]) }
            && fields.allSatisfy { $0.key == "metadata.name" && $0.matches(node.name) }
    }
}
