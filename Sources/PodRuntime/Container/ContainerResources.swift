import CRI
package import KubernetesAPI
import SwiftProtobuf

/// What a container may use, in the kernel's terms.
package struct ContainerResources: Sendable, Hashable {
    /// Weight among others, 2 to 262,144; 1024 for a whole processor.
    package var cpuShares: Int64
    /// Microseconds of processor time in each period of 100 ms; 0 for no limit.
    package var cpuQuota: Int64
    /// Bytes of memory; 0 for no limit.
    package var memoryLimit: Int64
    /// How readily the kernel ends it when memory runs out, -997 to 1000.
    package var oomScoreAdjustment: Int64

    /// The amounts of one container in a pod of a class on a node with so many bytes of memory.
    package init(_ resources: ResourceRequirements?, pod: QualityOfService, nodeMemory: Int64) {
        let limit = resources?.limits?["cpu"]?.milliValue ?? 0
        let request = resources?.requests?["cpu"]?.milliValue ?? limit
        cpuShares = min(262_144, max(2, request * 1024 / 1000))
        cpuQuota = limit > 0 ? max(1000, limit * 100) : 0
        memoryLimit = resources?.limits?["memory"]?.value ?? 0
        switch pod {
        case .guaranteed:
            oomScoreAdjustment = -997
        case .bestEffort:
            oomScoreAdjustment = 1000
        case .burstable:
            let requested = resources?.requests?["memory"]?.value ?? memoryLimit
            let share = nodeMemory > 0 ? 1000 * Double(requested) / Double(nodeMemory) : 0
            oomScoreAdjustment = min(999, max(3, 1000 - Int64(share)))
        }
    }

    var message: Runtime_V1_LinuxContainerResources {
        .with {
            $0.cpuShares = cpuShares
            $0.cpuQuota = cpuQuota
            $0.cpuPeriod = cpuQuota > 0 ? 100_000 : 0
            $0.memoryLimitInBytes = memoryLimit
            $0.oomScoreAdj = oomScoreAdjustment
        }
    }
}
