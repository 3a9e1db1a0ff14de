package import CRI
package import KubernetesAPI
import SwiftProtobuf

/// Builds the runtime's description of a pod's sandbox.
package struct SandboxConfiguration: Sendable {
    /// The pod.
    let pod: Pod
    /// Directory of the pod's container logs.
    let logDirectory: String
    /// Control group below which the pod's containers live.
    let cgroupParent: String
    /// Host name of the sandbox.
    let hostname: String
    /// Resolver configuration of its containers.
    let resolver: ResolverConfiguration

    /// Creates a builder.
    package init(
        pod: Pod, logDirectory: String, cgroupParent: String, hostname: String, resolver: ResolverConfiguration
    ) {
        self.pod = pod
        self.logDirectory = logDirectory
        self.cgroupParent = cgroupParent
        self.hostname = hostname
        self.resolver = resolver
    }

    /// The description of the sandbox with a number.
    package func message(attempt: Int) -> Runtime_V1_PodSandboxConfig {
        let spec = pod.spec ?? PodSpec()
        return .with {
            $0.metadata = .with {
                $0.name = pod.name
                $0.namespace = pod.namespace
                $0.uid = pod.metadata.uid ?? ""
                $0.attempt = UInt32(attempt)
            }
            $0.hostname = hostname
            $0.logDirectory = logDirectory
            $0.dnsConfig = .with {
                $0.servers = resolver.nameservers
                $0.searches = resolver.searches
                $0.options = resolver.options
            }
            $0.portMappings = spec.hostNetwork == true ? [] : spec.containers.flatMap { portMappings($0) }
            $0.labels = (pod.metadata.labels ?? [:]).merging(PodLabels.labels(of: pod)) { _, own in own }
            $0.annotations = pod.metadata.annotations ?? [:]
            $0.linux = .with {
                $0.cgroupParent = cgroupParent
                $0.sysctls = Dictionary(
                    (spec.securityContext?.sysctls ?? []).map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
                $0.securityContext = .with {
                    $0.namespaceOptions = spec.namespaceOptions
                    $0.privileged = spec.allContainers.contains { $0.securityContext?.privileged == true }
                    $0.supplementalGroups = spec.supplementalGroups
                    if let user = spec.securityContext?.runAsUser { $0.runAsUser = .with { $0.value = Int64(user) } }
                    if let group = spec.securityContext?.runAsGroup, $0.hasRunAsUser {
                        $0.runAsGroup = .with { $0.value = Int64(group) }
                    }
                    if let profile = spec.securityContext?.seccompProfile { $0.seccomp = profile.message }
                }
            }
        }
    }

    private func portMappings(_ container: Container) -> [Runtime_V1_PortMapping] {
        (container.ports ?? []).compactMap { port in
            guard let hostPort = port.hostPort, hostPort > 0 else { return nil }
            return .with {
                $0.containerPort = Int32(port.containerPort)
                $0.hostPort = Int32(hostPort)
                $0.hostIp = port.hostIP ?? ""
                switch port.protocol {
                case "UDP": $0.protocol = .udp
                case "SCTP": $0.protocol = .sctp
                default: $0.protocol = .tcp
                }
            }
        }
    }
}

extension PodSpec {
    /// The namespaces of a container of the pod.
    ///
    /// - Parameter target: The instance whose processes it shall see.
    func namespaceOptions(target: String?) -> Runtime_V1_NamespaceOption {
        var options = namespaceOptions
        if let target {
            options.pid = .target
            options.targetID = target
        }
        return options
    }

    var namespaceOptions: Runtime_V1_NamespaceOption {
        .with {
            $0.network = hostNetwork == true ? .node : .pod
            $0.ipc = hostIPC == true ? .node : .pod
            $0.pid = hostPID == true ? .node : shareProcessNamespace == true ? .pod : .container
        }
    }

    var supplementalGroups: [Int64] {
        ((securityContext?.supplementalGroups ?? []) + [securityContext?.fsGroup].compactMap { $0 }).map(Int64.init)
    }
}

extension SeccompProfile {
    var message: Runtime_V1_SecurityProfile {
        .with {
            switch type {
            case "RuntimeDefault": $0.profileType = .runtimeDefault
            case "Localhost": $0.profileType = .localhost
            default: $0.profileType = .unconfined
            }
            $0.localhostRef = localhostProfile ?? ""
        }
    }
}
