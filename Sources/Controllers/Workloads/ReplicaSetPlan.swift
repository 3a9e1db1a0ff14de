import JSON
package import KubernetesAPI

/// What must happen for a ReplicaSet to have its number of pods.
package struct ReplicaSetPlan: Sendable {
    /// Number of pods to create.
    package var create = 0
    /// Pods to delete.
    package var delete: [Pod] = []
    /// Counts for the status.
    package var counts: PodCounts
    /// Active pods that carry all labels of the template.
    package var fullyLabeled: Int

    /// Most pods created or deleted in one go.
    static let burst = 500

    /// Compares a ReplicaSet with its pods.
    package init(_ set: ReplicaSet, pods: [Pod], now: Timestamp) {
        counts = PodCounts(pods, minReadySeconds: set.spec?.minReadySeconds ?? 0, now: now)
        let active = pods.filter(\.isActive)
        let templateLabels = set.spec?.template?.at("metadata", "labels")?.object
        fullyLabeled =
            active.count { pod in
                templateLabels?.allSatisfy { pod.metadata.labels?[$0.key] == $0.value.string } ?? true
            }
        guard !set.isBeingDeleted else { return }
        let difference = (set.spec?.replicas ?? 1) - active.count
        if difference > 0 {
            create = min(difference, Self.burst)
        } else if difference < 0 {
            delete = Array(Self.inOrderOfDeletion(active, now: now).prefix(min(-difference, Self.burst)))
        }
    }

    /// Pods with those first whose loss matters least.
    package static func inOrderOfDeletion(_ pods: [Pod], now: Timestamp) -> [Pod] {
        var perNode: [String: Int] = [:]
        for pod in pods {
            perNode[pod.spec?.nodeName ?? "", default: 0] += 1
        }
        return pods.map { (Rank($0, neighbours: perNode[$0.spec?.nodeName ?? ""] ?? 0), $0) }
            .sorted { $0.0 < $1.0 }
            .map(\.1)
    }

    /// Orders pods as kube-controller-manager does; the smaller goes first.
    private struct Rank: Comparable {
        let isBound: Int
        let phase: Int
        let isReady: Int
        let cost: Int
        let neighbours: Int
        let readySince: Timestamp
        let restarts: Int
        let created: Timestamp
        let name: String

        init(_ pod: Pod, neighbours: Int) {
            isBound = (pod.spec?.nodeName ?? "").isEmpty ? 0 : 1
            phase = ["Pending": 0, "Unknown": 1][pod.status?.phase ?? "Pending"] ?? 2
            isReady = pod.isReady ? 1 : 0
            cost = pod.metadata.annotations?["controller.kubernetes.io/pod-deletion-cost"].flatMap { Int($0) } ?? 0
            self.neighbours = -neighbours
            readySince = pod.readySince ?? Timestamp(seconds: .max)
            restarts = -(pod.status?.containerStatuses?.map(\.restartCount).max() ?? 0)
            created =
                pod.metadata.creationTimestamp.flatMap { Timestamp($0) } ?? Timestamp(seconds: .max)
            name = pod.name
        }

        static func < (left: Rank, right: Rank) -> Bool {
            let leftFirst = (left.isBound, left.phase, left.isReady, left.cost, left.neighbours)
            let rightFirst = (right.isBound, right.phase, right.isReady, right.cost, right.neighbours)
            if leftFirst != rightFirst {
                return leftFirst < rightFirst
            }
            // Of two equals the younger goes first.
            if left.readySince != right.readySince {
                return left.readySince > right.readySince
            }
            if left.restarts != right.restarts {
                return left.restarts < right.restarts
            }
            return (left.created, left.name) > (right.created, right.name)
        }
    }
}
