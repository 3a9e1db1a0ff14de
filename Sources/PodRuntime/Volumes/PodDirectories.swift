package import KubernetesAPI

/// Where the node keeps the files of one pod.
package struct PodDirectories: Sendable, Hashable {
    /// Directory of everything but logs.
    package let root: String
    /// Directory of the logs.
    package let logs: String

    /// The directories of a pod.
    package init(pod: Pod, rootDirectory: String, logDirectory: String) {
        let uid = pod.metadata.uid ?? ""
        root = "\(rootDirectory)/pods/\(uid)"
        logs = "\(logDirectory)/\(pod.namespace)_\(pod.name)_\(uid)"
    }

    /// The pod's `/etc/hosts`.
    package var hostsFile: String { "\(root)/etc-hosts" }

    /// Directory of a volume.
    package func volume(_ name: String) -> String { "\(root)/volumes/\(name)" }

    /// File for the last words of an instance.
    package func terminationLog(container: String, attempt: Int) -> String {
        "\(root)/containers/\(container)/\(attempt).termination"
    }

    /// Log of an instance.
    package func log(container: String, attempt: Int) -> String {
        "\(logs)/\(ContainerConfiguration.logPath(container: container, attempt: attempt))"
    }
}
