import Addresses
import CRI
package import KubernetesAPI

extension CRIRuntime {
    /// What the runtime has of one pod; ended instances in `known` are not asked for again.
    package func observe(
        podUID: String, known: [String: RuntimeContainer]
    ) async throws(RuntimeError) -> RuntimePod {
        let labels = [PodLabels.podUID: podUID]
        var pod = RuntimePod()
        var found: [RuntimeSandbox] = []
        for sandbox in try await sandboxes(labels: labels) {
            var addresses: [IPAddress] = []
            if sandbox.state == .sandboxReady, let status = try await sandboxStatus(sandbox.id) {
                let texts = [status.network.ip] + status.network.additionalIps.map(\.ip)
                addresses = texts.compactMap { IPAddress($0) }
            }
            found.append(
                RuntimeSandbox(
                    id: sandbox.id, attempt: Int(sandbox.metadata.attempt),
                    isReady: sandbox.state == .sandboxReady, createdAt: Timestamp(nanoseconds: sandbox.createdAt),
                    addresses: addresses))
        }
        for container in try await containers(labels: labels) {
            if container.state == .containerExited, let old = known[container.id], old.state == .exited {
                pod.containers.append(old)
            } else if let status = try await containerStatus(container.id) {
                pod.containers.append(RuntimeContainer(status, sandboxID: container.podSandboxID))
            }
        }
        return RuntimePod(sandboxes: found, containers: pod.containers)
    }

    /// A value for each pod, by UID, that changes when any of its sandboxes or containers does.
    package func inventory() async throws(RuntimeError) -> [String: RuntimeInventory] {
        var result: [String: RuntimeInventory] = [:]
        for sandbox in try await sandboxes() {
            guard let uid = sandbox.labels[PodLabels.podUID] else { continue }
            result[uid, default: RuntimeInventory()].states[sandbox.id] = sandbox.state.rawValue
            result[uid]?.name = sandbox.metadata.name
            result[uid]?.namespace = sandbox.metadata.namespace
        }
        for container in try await containers() {
            guard let uid = container.labels[PodLabels.podUID] else { continue }
            result[uid, default: RuntimeInventory()].states[container.id] = container.state.rawValue
        }
        return result
    }
}

/// The objects of one pod in the runtime, in short.
package struct RuntimeInventory: Sendable, Hashable {
    /// Name of the pod.
    package var name = ""
    /// Namespace of the pod.
    package var namespace = ""
    /// State of each sandbox and container, by id.
    package var states: [String: Int] = [:]
}

extension RuntimeContainer {
    init(_ status: Runtime_V1_ContainerStatus, sandboxID: String) {
        let state: State =
            switch status.state {
            case .containerCreated: .created
            case .containerRunning: .running
            case .containerExited: .exited
            default: .unknown
            }
        self.init(
            id: status.id, sandboxID: sandboxID, name: status.metadata.name, attempt: Int(status.metadata.attempt),
            state: state, createdAt: Timestamp(nanoseconds: status.createdAt),
            startedAt: status.startedAt > 0 ? Timestamp(nanoseconds: status.startedAt) : nil,
            finishedAt: status.finishedAt > 0 ? Timestamp(nanoseconds: status.finishedAt) : nil,
            exitCode: Int(status.exitCode), reason: status.reason, message: status.message,
            image: status.image.image, imageRef: status.imageRef)
    }
}

extension Timestamp {
    /// The moment so many nanoseconds after 1970.
    package init(nanoseconds: Int64) {
        self.init(seconds: nanoseconds / 1_000_000_000, nanoseconds: Int32(nanoseconds % 1_000_000_000))
    }
}
