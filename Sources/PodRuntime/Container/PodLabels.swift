package import KubernetesAPI

/// Labels by which sandboxes and containers in the runtime are known to belong to a pod.
package enum PodLabels {
    /// Name of the pod.
    package static let podName = "io.kubernetes.pod.name"
    /// Namespace of the pod.
    package static let podNamespace = "io.kubernetes.pod.namespace"
    /// UID of the pod.
    package static let podUID = "io.kubernetes.pod.uid"
    /// Name of the container.
    package static let containerName = "io.kubernetes.container.name"
    /// Annotation: file inside the container that its last words are read from.
    package static let terminationMessagePath = "io.kubernetes.container.terminationMessagePath"
    /// Annotation: `File` or `FallbackToLogsOnError`.
    package static let terminationMessagePolicy = "io.kubernetes.container.terminationMessagePolicy"

    /// The labels of a pod's sandbox.
    package static func labels(of pod: Pod) -> [String: String] {
        [podName: pod.name, podNamespace: pod.namespace, podUID: pod.metadata.uid ?? ""]
    }
}
