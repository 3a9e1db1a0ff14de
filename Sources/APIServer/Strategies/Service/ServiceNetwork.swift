package import Addresses
import Synchronization

/// The addresses and ports of one cluster's Services, shared by the strategies that give them out and describe them.
package final class ServiceNetwork: Sendable {
    /// The name of the ServiceCIDR that the server's own configuration stands for.
    package static let defaultCIDR = "kubernetes"

    /// The cluster's families, the primary one first.
    package let families: [IPFamily]
    private let resources: Mutex<ServiceResources>

    /// Starts with everything free.
    ///
    /// - Parameters:
    ///   - ranges: One range, or two of different families, the primary one first.
    ///   - nodePorts: The ports that nodes lend to Services.
    package init(ranges: [IPPrefix], nodePorts: ClosedRange<Int>) {
        families = ranges.map(\.family)
        resources = Mutex(ServiceResources(ranges: ranges, nodePorts: nodePorts))
    }

    /// What is held at the moment.
    package var state: ServiceResources { resources.withLock { $0 } }

    /// Reads or changes what is held.
    package func update<Result: Sendable>(_ body: @Sendable (inout ServiceResources) -> Result) -> Result {
        resources.withLock { body(&$0) }
    }

    /// Gives things back.
    package func release(_ claims: Set<ServiceResources.Claim>) {
        guard !claims.isEmpty else { return }
        resources.withLock { resources in
            for claim in claims { resources.release(claim) }
        }
    }
}
