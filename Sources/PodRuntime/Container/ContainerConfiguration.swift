package import CRI
package import KubernetesAPI
import SwiftProtobuf

/// Builds the runtime's description of one instance of a container.
package struct ContainerConfiguration: Sendable {
    /// The pod.
    let pod: Pod
    /// The container.
    let container: Container
    /// Resolved environment.
    let environment: Environment
    /// Mounts of volumes and of the files that the node manages.
    let mounts: [ContainerMount]
    /// Image as the runtime resolved it.
    let imageRef: String
    /// Resource limits.
    let resources: ContainerResources
    /// The instance whose processes the container shall see.
    let target: String?

    /// Creates a builder.
    package init(
        pod: Pod, container: Container, environment: Environment, mounts: [ContainerMount], imageRef: String,
        resources: ContainerResources, target: String? = nil
    ) {
        self.pod = pod
        self.container = container
        self.environment = environment
        self.mounts = mounts
        self.imageRef = imageRef
        self.resources = resources
        self.target = target
    }

    /// Path of an instance's log below the pod's log directory.
    package static func logPath(container: String, attempt: Int) -> String {
        "\(container)/\(attempt).log"
    }

    /// The description of the instance with a number.
    package func message(attempt: Int) -> Runtime_V1_ContainerConfig {
        .with {
            $0.metadata = .with {
                $0.name = container.name
                $0.attempt = UInt32(attempt)
            }
            $0.image = .with { $0.image = imageRef }
            $0.command = (container.command ?? []).map(environment.expand)
            $0.args = (container.args ?? []).map(environment.expand)
            $0.workingDir = container.workingDir ?? ""
            $0.envs = environment.variables.map { variable in
                .with {
                    $0.key = variable.name
                    $0.value = variable.value
                }
            }
            $0.mounts = mounts.map(\.message)
            $0.labels = PodLabels.labels(of: pod).merging([PodLabels.containerName: container.name]) { $1 }
            $0.annotations = [
                PodLabels.terminationMessagePath: container.terminationMessagePath ?? "/dev/termination-log",
                PodLabels.terminationMessagePolicy: container.terminationMessagePolicy ?? "File",
            ]
            $0.logPath = Self.logPath(container: container.name, attempt: attempt)
            $0.stdin = container.stdin ?? false
            $0.stdinOnce = container.stdinOnce ?? false
            $0.tty = container.tty ?? false
            $0.linux = .with {
                $0.resources = resources.message
                $0.securityContext = securityContext
            }
        }
    }

    private var securityContext: Runtime_V1_LinuxContainerSecurityContext {
        let spec = pod.spec ?? PodSpec()
        let own = container.securityContext
        let isPrivileged = own?.privileged ?? false
        return .with {
            $0.privileged = isPrivileged
            $0.namespaceOptions = spec.namespaceOptions(target: target)
            $0.readonlyRootfs = own?.readOnlyRootFilesystem ?? false
            $0.noNewPrivs = own?.allowPrivilegeEscalation == false
            $0.supplementalGroups = spec.supplementalGroups
            $0.capabilities = .with {
                $0.addCapabilities = own?.capabilities?.add ?? []
                $0.dropCapabilities = own?.capabilities?.drop ?? []
            }
            if let user = own?.runAsUser ?? spec.securityContext?.runAsUser {
                $0.runAsUser = .with { $0.value = Int64(user) }
            }
            if let group = own?.runAsGroup ?? spec.securityContext?.runAsGroup {
                $0.runAsGroup = .with { $0.value = Int64(group) }
            }
            if let profile = own?.seccompProfile ?? spec.securityContext?.seccompProfile, !isPrivileged {
                $0.seccomp = profile.message
            }
            if !isPrivileged {
                $0.maskedPaths = Self.maskedPaths
                $0.readonlyPaths = Self.readOnlyPaths
            }
        }
    }

    /// Kernel files that containers must not see.
    private static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]

    /// Kernel files that containers must not write.
    private static let readOnlyPaths = [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]
}

/// A file or directory of the node that a container sees.
package struct ContainerMount: Sendable, Hashable {
    /// Path on the node.
    package var hostPath: String
    /// Path in the container.
    package var containerPath: String
    /// True keeps the container from writing.
    package var isReadOnly: Bool
    /// `None`, `HostToContainer` or `Bidirectional`.
    package var propagation: String

    /// Creates a mount.
    package init(hostPath: String, containerPath: String, isReadOnly: Bool = false, propagation: String = "None") {
        self.hostPath = hostPath
        self.containerPath = containerPath
        self.isReadOnly = isReadOnly
        self.propagation = propagation
    }

    var message: Runtime_V1_Mount {
        .with {
            $0.hostPath = hostPath
            $0.containerPath = containerPath
            $0.readonly = isReadOnly
            switch propagation {
            case "HostToContainer": $0.propagation = .propagationHostToContainer
            case "Bidirectional": $0.propagation = .propagationBidirectional
            default: $0.propagation = .propagationPrivate
            }
        }
    }
}
