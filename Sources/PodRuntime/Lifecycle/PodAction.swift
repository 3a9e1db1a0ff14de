/// One thing to do for a pod, decided by ``PodStateMachine`` and performed by ``PodWorker``.
package enum PodAction: Sendable, Hashable {
    /// Fill and mount the pod's volumes.
    case prepareVolumes
    /// Make the sandbox with this number.
    case createSandbox(attempt: Int)
    /// End a sandbox and release its addresses, but keep its containers for their logs.
    case stopSandbox(id: String)
    /// End a sandbox and remove it with everything in it.
    case removeSandbox(id: String)
    /// Fetch the image, then make and start an instance in a sandbox.
    case startContainer(name: String, attempt: Int, sandboxID: String)
    /// Ask an instance to end, and force it after `gracePeriod` seconds.
    case stopContainer(id: String, name: String, gracePeriod: Int, cause: String)
    /// Remove an ended instance and its log.
    case removeContainer(id: String, name: String, attempt: Int)
    /// Tell the user that a container waits before its next start.
    case reportBackOff(name: String)
    /// Remove the pod's directories and its object.
    case finishDeletion

    /// What the action works on; one action at a time may hold a target.
    package var target: Target {
        switch self {
        case .prepareVolumes: .volumes
        case .createSandbox, .stopSandbox, .removeSandbox: .sandbox
        case .startContainer(let name, _, _): .container(name)
        case .stopContainer(_, let name, _, _): .container(name)
        case .removeContainer(let id, _, _): .instance(id)
        case .reportBackOff(let name): .report(name)
        case .finishDeletion: .object
        }
    }

    /// A part of the pod that actions exclude each other on.
    package enum Target: Sendable, Hashable {
        /// All volumes.
        case volumes
        /// All sandboxes.
        case sandbox
        /// The living instance of a container.
        case container(String)
        /// An ended instance.
        case instance(String)
        /// News about a container.
        case report(String)
        /// The API object and what the node keeps for it.
        case object
    }
}

/// Why an action did not succeed, in the words of a container's waiting state.
package struct PodActionFailure: Error, Sendable, Hashable {
    /// One word, such as `ErrImagePull` or `CreateContainerError`.
    package var reason: String
    /// What failed, on which object, and why.
    package var message: String

    /// Creates a failure.
    package init(reason: String, message: String) {
        self.reason = reason
        self.message = message
    }
}
