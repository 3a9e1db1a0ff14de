package import AddressPlanning
import Addresses
package import KubernetesAPI

extension BlockPool {
    /// The pool as allocation sees it; one that is being deleted drains.
    package init(_ pool: AddressPool) {
        let sources = (pool.spec?.prefixes ?? []).compactMap { entry -> Source? in
            IPPrefix(entry.cidr).map {
                Source($0, isDraining: pool.isBeingDeleted || entry.state == AddressPoolPrefix.draining)
            }
        }
        let size = pool.spec?.blockSize
        let lengths: [IPFamily: Int?] = [.ipv4: size?.ipv4, .ipv6: size?.ipv6]
        self.init(name: pool.name, sources: sources, blockLengths: lengths.compactMapValues { $0 })
    }
}

extension AddressPool {
    /// Whether nodes get their blocks from it.
    var isForPods: Bool { spec?.purpose == AddressPoolSpec.pods }

    /// Whether the pool stays while it is in use, even when it is deleted.
    var isHeld: Bool { metadata.finalizers?.contains(Self.finalizer) == true }

    /// Its prefixes; texts that are none are left out.
    var prefixes: [IPPrefix] { (spec?.prefixes ?? []).compactMap { IPPrefix($0.cidr) } }

    /// How many requirements of the selector the node meets, 0 without a selector; nil when it does not match.
    package func specificity(for node: Node) -> Int? {
        guard let selector = spec?.nodeSelector else { return 0 }
        return selector.nodeSelectorTerms.filter { $0.matches(node) }
            .map { ($0.matchExpressions?.count ?? 0) + ($0.matchFields?.count ?? 0) }.max()
    }
}

extension ControllerConfiguration {
    /// The pool that the ranges of the flags make; nil when there are none.
    package var defaultPool: AddressPool? {
        guard !clusterCIDRs.isEmpty else { return nil }
        let lengths = clusterCIDRs.reduce(into: [:]) { $0[$1.family] = blockLength(of: $1.family) }
        return AddressPool(
            metadata: ObjectMeta(name: AddressPool.defaultName),
            spec: AddressPoolSpec(
                purpose: AddressPoolSpec.pods,
                prefixes: clusterCIDRs.map {
                    AddressPoolPrefix(cidr: $0.description, state: AddressPoolPrefix.active)
                },
                blockSize: AddressBlockSize(ipv4: lengths[.ipv4], ipv6: lengths[.ipv6])))
    }

    /// Both families, the primary one first.
    var familyOrder: [IPFamily] {
        let primary = clusterCIDRs.first?.family ?? serviceClusterIPRanges.first?.family ?? .ipv4
        return [primary, primary.other]
    }
}
