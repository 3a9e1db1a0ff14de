import KubernetesAPI
import KubernetesClient
import Synchronization

/// The pods as they will be once the cache has caught up with this process's own writes.
///
/// A controller that looked at the cache alone would create a second time what it has just created.
final class PodView: Sendable {
    /// Index: UID of the controlling owner.
    static let byController = "controller"
    /// Index: name of the node.
    static let byNode = "node"
    /// Index: namespace of pods that nobody controls.
    static let withoutController = "withoutController"

    private struct Assumption {
        let pod: Pod
        /// The cache is ahead of the assumption when it holds at least this version.
        let version: UInt64
        let expiry: ContinuousClock.Instant
    }

    private let store: InformerStore<Pod>
    private let assumptions = Mutex<[ObjectKey: Assumption]>([:])

    /// Longest time for which a write is believed to be on its way into the cache.
    private static let patience = Duration.seconds(30)

    init(store: InformerStore<Pod>) {
        self.store = store
    }

    /// Notes a pod that the server has just created.
    func created(_ pod: Pod) {
        assume(pod, version: pod.version)
    }

    /// Notes that the server has accepted the deletion of a pod.
    func deleted(_ pod: Pod) {
        var pod = pod
        let version = pod.version + 1
        pod.metadata.deletionTimestamp = "\(Timestamp.now)"
        assume(pod, version: version)
    }

    private func assume(_ pod: Pod, version: UInt64) {
        let assumption = Assumption(pod: pod, version: version, expiry: .now + Self.patience)
        assumptions.withLock { $0[pod.key] = assumption }
    }

    /// The pod is gone from the cache.
    func forget(_ pod: Pod) {
        assumptions.withLock { assumptions in
            if assumptions[pod.key]?.pod.metadata.uid == pod.metadata.uid {
                assumptions[pod.key] = nil
            }
        }
    }

    /// The pods that an owner controls.
    func controlled(by uid: String) -> [Pod] {
        var pods: [ObjectKey: Pod] = [:]
        for pod in store.byIndex(Self.byController, uid) {
            pods[pod.key] = pod
        }
        let now = ContinuousClock.now
        let assumed = assumptions.withLock { assumptions in
            assumptions.filter { $0.value.pod.metadata.isControlled(by: uid) }
        }
        for (key, assumption) in assumed {
            let cached = store.get(key)
            let isOver =
                assumption.expiry < now
                || cached.map {
                    $0.version >= assumption.version || $0.metadata.uid != assumption.pod.metadata.uid
                } ?? (assumption.pod.isBeingDeleted)
            if isOver {
                forget(assumption.pod)
            } else {
                pods[key] = assumption.pod
            }
        }
        return Array(pods.values)
    }
}

extension KubernetesObject {
    /// The resource version as the number that Kubernetes' and this project's servers count in.
    var version: UInt64 {
        metadata.resourceVersion.flatMap { UInt64($0) } ?? 0
    }
}
