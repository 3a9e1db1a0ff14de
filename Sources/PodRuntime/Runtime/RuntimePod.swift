package import Addresses
package import KubernetesAPI

/// What the runtime has of one pod at one moment.
package struct RuntimePod: Sendable, Hashable {
    /// Sandboxes, the newest first.
    package var sandboxes: [RuntimeSandbox]
    /// Instances of all containers, in no order.
    package var containers: [RuntimeContainer]

    /// Creates an observation.
    package init(sandboxes: [RuntimeSandbox] = [], containers: [RuntimeContainer] = []) {
        self.sandboxes = sandboxes.sorted { ($0.attempt, $0.createdAt) > ($1.attempt, $1.createdAt) }
        self.containers = containers
    }

    /// The instances of one container, the newest first.
    package func instances(of name: String) -> [RuntimeContainer] {
        containers.filter { $0.name == name }
            .sorted { ($0.attempt, $0.createdAt) > ($1.attempt, $1.createdAt) }
    }
}

/// A sandbox: the namespaces and addresses that a pod's containers share.
package struct RuntimeSandbox: Sendable, Hashable {
    /// The runtime's id.
    package var id: String
    /// Number of sandboxes that the pod had before.
    package var attempt: Int
    /// True while its namespaces live.
    package var isReady: Bool
    /// When the runtime made it.
    package var createdAt: Timestamp
    /// Addresses in the order of the network plugin's result.
    package var addresses: [IPAddress]

    /// Creates an observation.
    package init(id: String, attempt: Int, isReady: Bool, createdAt: Timestamp, addresses: [IPAddress]) {
        self.id = id
        self.attempt = attempt
        self.isReady = isReady
        self.createdAt = createdAt
        self.addresses = addresses
    }
}

/// One instance of a container; a restart makes another.
package struct RuntimeContainer: Sendable, Hashable {
    /// Stages of an instance.
    package enum State: Sendable, Hashable {
        /// Made, not started.
        case created
        /// Started, not ended.
        case running
        /// Ended.
        case exited
        /// Lost sight of by the runtime.
        case unknown
    }

    /// The runtime's id.
    package var id: String
    /// Sandbox it belongs to.
    package var sandboxID: String
    /// Name in the pod's specification.
    package var name: String
    /// Number of instances before this one.
    package var attempt: Int
    /// Stage.
    package var state: State
    /// When the runtime made it.
    package var createdAt: Timestamp
    /// When it started, if it did.
    package var startedAt: Timestamp?
    /// When it ended, if it did.
    package var finishedAt: Timestamp?
    /// Exit code once it has ended.
    package var exitCode: Int
    /// The word that the runtime has for its end, such as `OOMKilled`.
    package var reason: String
    /// The runtime's sentence about its end, or what the container wrote for its termination message.
    package var message: String
    /// Image as the pod named it.
    package var image: String
    /// Image as the runtime resolved it.
    package var imageRef: String

    /// Creates an observation.
    package init(
        id: String, sandboxID: String, name: String, attempt: Int, state: State, createdAt: Timestamp,
        startedAt: Timestamp? = nil, finishedAt: Timestamp? = nil, exitCode: Int = 0, reason: String = "",
        message: String = "", image: String = "", imageRef: String = ""
    ) {
        self.id = id
        self.sandboxID = sandboxID
        self.name = name
        self.attempt = attempt
        self.state = state
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.exitCode = exitCode
        self.reason = reason
        self.message = message
        self.image = image
        self.imageRef = imageRef
    }
}
