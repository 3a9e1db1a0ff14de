import JSON
import KubernetesAPI

extension ResourceRegistry {
    static func addressPools(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        let columns: [TableColumn] = [
            .name,
            TableColumn("Purpose", "What the addresses are for.") { $0.at("spec", "purpose")?.string ?? "" },
            TableColumn("Prefixes", "The prefixes; those that drain in brackets.") { pool in
                (pool.at("spec", "prefixes")?.array ?? []).map { prefix in
                    let text = prefix["cidr"]?.string ?? ""
                    return prefix["state"]?.string == AddressPoolPrefix.draining ? "(\(text))" : text
                }.joined(separator: ",")
            },
            usage("IPv4", "ipv4"), usage("IPv6", "ipv6"), .age,
        ]
        return ResourceDefinition(.addressPools, shortNames: ["ap"], columns: columns, strategy: strategy) {
            $0.subresources = [.status(of: "AddressPool")]
            $0.countsGenerations = true
        }
    }

    static func nodeNetworks(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        let columns: [TableColumn] = [
            .name,
            TableColumn("Blocks", "The node's blocks; those that it gives back in brackets.") { network in
                (network.at("spec", "blocks")?.array ?? []).map { block in
                    let text = block["cidr"]?.string ?? ""
                    return block["state"]?.string == NodeBlock.releasing ? "(\(text))" : text
                }.joined(separator: ",")
            },
            TableColumn("Used", "Addresses in use, block by block.") { network in
                let blocks = network.at("status", "blocks")?.array ?? []
                return blocks.map { "\($0["used"]?.int ?? 0)" }.joined(separator: ",")
            },
            .age,
        ]
        return ResourceDefinition(.nodeNetworks, shortNames: ["nn"], columns: columns, strategy: strategy) {
            $0.subresources = [.status(of: "NodeNetwork")]
            $0.countsGenerations = true
        }
    }

    /// The blocks of one family: those that nodes have, and all.
    private static func usage(_ name: String, _ family: String) -> TableColumn {
        TableColumn(name, "\(name) blocks that nodes have, of how many.") { pool in
            guard let usage = pool.at("status", family) else { return "" }
            return "\(usage["allocated"]?.int ?? 0)/\(usage["capacity"]?.int ?? 0)"
        }
    }
}
