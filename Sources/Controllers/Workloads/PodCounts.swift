package import KubernetesAPI

/// How many of a workload's pods exist, are ready and are available.
package struct PodCounts: Sendable, Hashable {
    /// Pods that have neither ended nor begun to.
    package var active = 0
    /// Active pods that are ready.
    package var ready = 0
    /// Active pods that have been ready for long enough.
    package var available = 0
    /// Seconds until the next ready pod becomes available, nil when none will by itself.
    package var nextAvailable: Double?

    /// Counts pods; `minReadySeconds` makes a ready pod available.
    package init(_ pods: [Pod], minReadySeconds: Int, now: Timestamp) {
        for pod in pods where pod.isActive {
            active += 1
            guard pod.isReady else { continue }
            ready += 1
            let wait = pod.secondsUntilAvailable(minReadySeconds: minReadySeconds, now: now)
            if wait <= 0 {
                available += 1
            } else {
                nextAvailable = min(nextAvailable ?? wait, wait)
            }
        }
    }
}

extension Pod {
    /// True when the pod has neither ended nor begun to.
    var isActive: Bool { !isFinished && !isBeingDeleted }

    /// Seconds that a ready pod must still be ready to count as available; for others the whole time.
    func secondsUntilAvailable(minReadySeconds: Int, now: Timestamp) -> Double {
        guard minReadySeconds > 0 else { return 0 }
        guard let readySince else { return Double(minReadySeconds) }
        return Double(minReadySeconds) - now.seconds(since: readySince)
    }

    /// True when the pod is ready and has been for long enough.
    func isAvailable(minReadySeconds: Int, now: Timestamp) -> Bool {
        isReady && secondsUntilAvailable(minReadySeconds: minReadySeconds, now: now) <= 0
    }
}
