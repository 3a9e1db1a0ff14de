import KubernetesAPI
import KubernetesClient

/// Which Services a change of a pod or node concerns, and which pods a Service selects.
///
/// Both questions go through indexes, so that their cost is that of the answer and not of the namespace.
struct ServicePods: Sendable {
    /// Index of pods: namespace and label, one entry for each label.
    static let podsByLabel = "label"
    /// Index of Services: namespace and the first label of the selector.
    static let servicesByLabel = "selector"

    /// Index of the Services whose endpoints depend on all nodes, under an empty key.
    static let servicesWithTopology = "topology"

    let informers: SharedInformers

    /// Where a pod stands in the index.
    static func indexKeys(of pod: Pod) -> [String] {
        (pod.metadata.labels ?? [:]).map { indexKey(pod.namespace, $0.key, $0.value) }
    }

    /// Where a Service stands in the index: under one of its labels, which all of its pods have.
    static func indexKeys(of service: KubernetesAPI.Service) -> [String] {
        guard service.hasSelectedEndpoints, let first = service.spec?.selector?.min(by: { $0.key < $1.key }) else {
            return []
        }
        return [indexKey(service.namespace, first.key, first.value)]
    }

    private static func indexKey(_ namespace: String, _ key: String, _ value: String) -> String {
        "\(namespace)/\(key)=\(value)"
    }

    /// The pods that a Service selects.
    func pods(of service: KubernetesAPI.Service) -> [Pod] {
        guard let selector = service.spec?.selector, !selector.isEmpty else { return [] }
        // The label that the fewest pods have leads to the fewest others.
        let candidates = selector.map {
            informers.pods.store.byIndex(Self.podsByLabel, Self.indexKey(service.namespace, $0.key, $0.value))
        }
        let fewest = candidates.min { $0.count < $1.count } ?? []
        return selector.count == 1 ? fewest : fewest.filter { $0.isSelected(by: selector) }
    }

    /// Adds the Services whose endpoints a pod's change touches to a queue.
    func enqueue(_ event: InformerEvent<Pod>, into queue: WorkQueue<ObjectKey>) {
        guard let pod = event.object else { return }
        let old = event.previous
        if let old, old.isSameEndpoint(as: pod) {
            return
        }
        guard PodEndpoint.isCandidate(pod) || old.map(PodEndpoint.isCandidate) ?? false else { return }
        for key in Set(Self.indexKeys(of: pod) + (old.map(Self.indexKeys) ?? [])) {
            for service in informers.services.store.byIndex(Self.servicesByLabel, key) {
                guard let selector = service.spec?.selector else { continue }
                if pod.isSelected(by: selector) || old?.isSelected(by: selector) ?? false {
                    queue.add(service.key)
                }
            }
        }
    }
}

extension Pod {
    /// True when the pod has all labels of a Service's selector.
    fileprivate func isSelected(by selector: [String: String]) -> Bool {
        let labels = metadata.labels ?? [:]
        return selector.allSatisfy { labels[$0.key] == $0.value }
    }

    /// True when nothing that endpoints show has changed.
    fileprivate func isSameEndpoint(as other: Pod) -> Bool {
        metadata.labels == other.metadata.labels && addresses == other.addresses && isReady == other.isReady
            && isBeingDeleted == other.isBeingDeleted && isFinished == other.isFinished
            && spec?.nodeName == other.spec?.nodeName && spec?.hostname == other.spec?.hostname
            && spec?.subdomain == other.spec?.subdomain && metadata.uid == other.metadata.uid
    }
}
