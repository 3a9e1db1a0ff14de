package import KubernetesAPI
import Synchronization

/// When the change of a Service or of its pods happened that its endpoints will show next.
///
/// The time goes into an annotation, from which others tell how long a change takes to reach the nodes.
package final class ChangeTimes: Sendable {
    /// On slices and Endpoints: the time, as RFC 3339 with nanoseconds.
    package static let annotation = "endpoints.kubernetes.io/last-change-trigger-time"

    private struct Seen {
        var service: Timestamp
        var pods: [String: Timestamp]
    }

    private let seen = Mutex<[ObjectKey: Seen]>([:])

    /// Starts without memory.
    package init() {}

    /// The earliest change since the last call for this Service; nil when nothing with a known time has changed.
    ///
    /// A pod changes when its readiness does. Of a Service that is new here only its creation counts, since the pods'
    /// changes may have been published before.
    package func next(_ service: KubernetesAPI.Service, pods: [Pod]) -> Timestamp? {
        let created = service.metadata.creationTimestamp.flatMap { Timestamp($0) } ?? Timestamp(seconds: 0)
        var times: [String: Timestamp] = [:]
        for pod in pods {
            let condition = pod.status?.conditions?.first { $0.type == "Ready" }
            times[pod.name] = condition?.lastTransitionTime.flatMap { Timestamp($0) }
        }
        let current = Seen(service: created, pods: times)
        let before = seen.withLock { $0.updateValue(current, forKey: service.key) }
        guard let before else { return created.seconds == 0 ? nil : created }
        var changes = times.filter { name, time in before.pods[name].map { time > $0 } ?? true }.map(\.value)
        if created > before.service {
            changes.append(created)
        }
        return changes.min()
    }

    /// Forgets a Service that is gone.
    package func forget(_ key: ObjectKey) {
        seen.withLock { _ = $0.removeValue(forKey: key) }
    }

    /// The annotations with a time, or without any when it is nil.
    package static func annotations(_ annotations: [String: String]?, with time: Timestamp?) -> [String: String]? {
        var annotations = annotations ?? [:]
        annotations[annotation] = time?.nanoText
        return annotations.isEmpty ? nil : annotations
    }
}
