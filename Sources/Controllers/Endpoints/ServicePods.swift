import KubernetesAPI
import KubernetesClient

/// Which Services a change of a pod or node concerns, and which pods a Service selects.
struct ServicePods: Sendable {
    let informers: SharedInformers

    /// The pods that a Service selects.
    func pods(of service: KubernetesAPI.Service) -> [Pod] {
        guard let selector = service.spec?.selector, !selector.isEmpty else { return [] }
        return informers.pods.store.list(namespace: service.namespace).filter { $0.isSelected(by: selector) }
    }

    /// Adds the Services whose endpoints a pod's change touches to a queue.
    func enqueue(_ event: InformerEvent<Pod>, into queue: WorkQueue<ObjectKey>) {
        guard let pod = event.object else { return }
        let old = event.previous
        if let old, old.isSameEndpoint(as: pod) {
            return
        }
        guard PodEndpoint.isCandidate(pod) || old.map(PodEndpoint.isCandidate) ?? false else { return }
        for service in informers.services.store.list(namespace: pod.namespace) where service.hasSelectedEndpoints {
            guard let selector = service.spec?.selector else { continue }
            if pod.isSelected(by: selector) || old?.isSelected(by: selector) ?? false {
                queue.add(service.key)
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
