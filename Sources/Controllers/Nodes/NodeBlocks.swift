package import Addresses

/// The blocks of all nodes: one of each cluster range for every node.
package struct NodeBlocks: Sendable {
    /// What giving blocks to a node came to.
    package enum Outcome: Sendable, Hashable {
        /// The blocks, in the order of the ranges.
        case blocks([IPPrefix])
        /// This range has no free block; nothing has been given.
        case exhausted(IPPrefix)
    }

    /// Why blocks that a node has do not fit the ranges.
    package struct Mismatch: Error, Sendable, Hashable, CustomStringConvertible {
        /// A sentence for people.
        package let description: String
    }

    private var allocators: [BlockAllocator]
    private var blocks: [String: [IPPrefix]] = [:]

    /// Creates the allocators of a configuration.
    package init(_ configuration: ControllerConfiguration) {
        allocators = configuration.clusterCIDRs.map {
            BlockAllocator(
                range: $0, blockLength: configuration.blockLength(of: $0.family),
                excluding: configuration.serviceClusterIPRanges)
        }
    }

    /// Takes note of blocks that a node has already; its earlier ones are freed.
    package mutating func occupy(_ prefixes: [IPPrefix], by node: String) throws(Mismatch) {
        guard blocks[node] != prefixes else { return }
        for (index, prefix) in prefixes.enumerated() {
            guard index < allocators.count else {
                throw Mismatch(
                    description:
                        "node:\(node) has an allocated cidr: \(prefix) at index:\(index) that does not exist in cluster cidrs configuration"
                )
            }
            guard allocators[index].range.contains(prefix) else {
                throw Mismatch(
                    description:
                        "node \(node) has the block \(prefix), which is not in the cluster CIDR \(allocators[index].range); keep the old range, or delete the node first"
                )
            }
        }
        release(node)
        for (index, prefix) in prefixes.enumerated() {
            _ = allocators[index].occupy(prefix)
        }
        blocks[node] = prefixes
    }

    /// Gives a node one block of every range, the same ones again if it is asked twice.
    package mutating func allocate(for node: String) -> Outcome {
        if let present = blocks[node] {
            return .blocks(present)
        }
        var given: [IPPrefix] = []
        for index in allocators.indices {
            guard let block = allocators[index].allocate() else {
                for (index, block) in given.enumerated() {
                    allocators[index].release(block)
                }
                return .exhausted(allocators[index].range)
            }
            given.append(block)
        }
        blocks[node] = given
        return .blocks(given)
    }

    /// Frees what a node has.
    package mutating func release(_ node: String) {
        for (index, block) in (blocks.removeValue(forKey: node) ?? []).enumerated() {
            allocators[index].release(block)
        }
    }
}
