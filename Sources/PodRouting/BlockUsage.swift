package import Addresses
internal import JSON
package import KubernetesAPI
package import Linux

/// How full the node's blocks are, as files of the CNI plugins tell.
package struct BlockUsage: Sendable {
    /// The directory in which `host-local` keeps a file for each address of the network.
    private let allocations: String
    /// The network configuration that the container runtime reads.
    private let configuration: String

    /// Seconds after which no plugin still works with the configuration before.
    ///
    /// The runtime takes up a new file within milliseconds; a pod that was being connected then may take longer.
    private static let settling = 10

    /// Looks at some directories.
    ///
    /// - Parameters:
    ///   - dataDirectory: The data directory of `host-local`.
    ///   - network: The name of the network.
    ///   - configuration: Path of the network configuration.
    package init(dataDirectory: String, network: String, configuration: String) {
        allocations = "\(dataDirectory)/\(network)"
        self.configuration = configuration
    }

    /// Counts the addresses in use of each block, in the order of the blocks.
    ///
    /// A block that shall be released is reported so only when the runtime cannot give addresses of it any more.
    ///
    /// - Parameter now: The present moment in seconds since 1970.
    package func reports(on blocks: [NodeBlock], now: Int) throws(SystemError) -> [NodeBlockUsage] {
        // What is in effect is read before addresses are counted: one given in between is counted, too.
        let offered = offeredBlocks(now: now)
        let addresses = try usedAddresses()
        return blocks.compactMap { block in
            guard let prefix = IPPrefix(block.cidr) else { return nil }
            let isReleasing = block.isReleasing && offered.map { !$0.contains(prefix) } ?? false
            return NodeBlockUsage(
                cidr: block.cidr, used: addresses.count { prefix.contains($0) }, capacity: Self.capacity(of: prefix),
                state: isReleasing ? NodeBlock.releasing : NodeBlock.active)
        }
    }

    /// The addresses of a block that pods can have: without the network's own, the gateway's and, in IPv4, the broadcast
    /// address; at most 2^63 - 1.
    package static func capacity(of block: IPPrefix) -> Int {
        guard block.hostBits < 63 else { return .max }
        return max(0, 1 << block.hostBits - (block.family == .ipv4 ? 3 : 2))
    }

    /// The blocks that the runtime gives addresses of; nil as long as an earlier configuration may be at work.
    private func offeredBlocks(now: Int) -> Set<IPPrefix>? {
        guard let status = try? FileSystem.status(configuration),
            now - Int(status.modified / 1_000_000_000) >= Self.settling,
            let value = try? JSONValue(text: FileSystem.readText(configuration))
        else { return nil }
        let ranges = (value["plugins"]?.array ?? []).flatMap { plugin in
            (plugin.at("ipam", "ranges")?.array ?? []).flatMap { $0.array ?? [] }
        }
        return Set(ranges.compactMap { $0["subnet"]?.string.flatMap { IPPrefix($0) } })
    }

    private func usedAddresses() throws(SystemError) -> [IPAddress] {
        do throws(SystemError) {
            return try FileSystem.list(allocations).compactMap { IPAddress($0) }
        } catch {
            // Before the first pod there is no directory.
            guard error.errno == .noEntry else { throw error }
            return []
        }
    }
}
