import KubernetesAPI
import KubernetesClient

/// Tells the user what happens to a pod, through events.
struct PodReporter: Sendable {
    let pod: Pod
    let events: EventRecorder

    /// Reports on the pod as a whole.
    func report(_ reason: String, _ message: String, isWarning: Bool = false) {
        events.record(pod.reference, reason: reason, message: message, isWarning: isWarning)
    }

    /// Reports on one container.
    func report(_ container: Container, _ reason: String, _ message: String, isWarning: Bool = false) {
        var object = pod.reference
        let isInit = pod.spec?.initContainers?.contains { $0.name == container.name } ?? false
        object.fieldPath = "spec.\(isInit ? "initContainers" : "containers"){\(container.name)}"
        events.record(object, reason: reason, message: message, isWarning: isWarning)
    }
}
