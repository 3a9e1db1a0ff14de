import Addresses
import Controllers
import KubernetesAPI
import Testing

@Suite struct NodeBlockTests {
    static func prefix(_ text: String) throws -> IPPrefix {
        try #require(IPPrefix(text))
    }

    static func configuration(_ ranges: [String], services: [String] = []) throws -> ControllerConfiguration {
        ControllerConfiguration(
            clusterCIDRs: try ranges.map(prefix), serviceClusterIPRanges: try services.map(prefix))
    }

    /// The books of a cluster whose flags name some ranges.
    static func books(_ ranges: [String], services: [String] = []) throws -> NodeBlocks {
        let configuration = try configuration(ranges, services: services)
        var blocks = NodeBlocks(configuration)
        let pool = try #require(configuration.defaultPool).held
        #expect({ blocks.setPool(pool) }())
        #expect(!{ blocks.setPool(pool) }(), "nothing new")
        return blocks
    }

    @Test func `Nodes get one block of every range, in turn, the primary family first`() throws {
        for ranges in [["10.244.0.0/16", "fd00:10:244::/56"], ["fd00:10:244::/56", "10.244.0.0/16"]] {
            var blocks = try Self.books(ranges)
            for index in 0..<3 {
                let both = try ["10.244.\(index).0/24", "fd00:10:244:\(index)::/64"].map {
                    try #require(IPPrefix(masking: $0))
                }
                let expected = ranges[0].hasPrefix("fd") ? both.reversed() : both
                #expect({ blocks.allocate(for: node("n\(index)")) }() == .blocks(expected))
                #expect({ blocks.allocate(for: node("n\(index)")) }() == .blocks(expected), "the same ones again")
            }
        }
    }

    @Test func `Ranges of Services are left out`() throws {
        var blocks = try Self.books(["10.0.0.0/22"], services: ["10.0.0.0/23"])
        #expect({ blocks.allocate(for: node("a")) }() == .blocks([try Self.prefix("10.0.2.0/24")]))
        let contested = blocks.reserve([try Self.prefix("10.0.3.0/24")], for: "more-services")
        #expect(contested.isEmpty)
        #expect({ blocks.allocate(for: node("b")) }() == .exhausted)
        _ = blocks.reserve([], for: "more-services")
        #expect({ blocks.allocate(for: node("b")) }() == .blocks([try Self.prefix("10.0.3.0/24")]))
    }

    @Test func `A pool gives nothing before it is held, but counts what nodes have of it`() throws {
        let configuration = try Self.configuration(["10.0.0.0/22"])
        var blocks = NodeBlocks(configuration)
        let pool = try #require(configuration.defaultPool)
        #expect({ blocks.setPool(pool) }())
        #expect(throws: NodeBlocks.Mismatch.self) { try blocks.check(try Self.prefix("10.9.0.0/24"), of: "a") }
        _ = blocks.occupy([try Self.prefix("10.0.0.0/24")], by: "a")
        #expect(!blocks.hasPools)
        #expect({ blocks.allocate(for: node("b")) }() == .unserved)
        #expect(blocks.usage(of: "default").allocated == [try Self.prefix("10.0.0.0/22"): 1])
        #expect({ blocks.setPool(pool.held) }(), "now it gives")
        #expect({ blocks.allocate(for: node("b")) }() == .blocks([try Self.prefix("10.0.1.0/24")]))
    }

    @Test func `A block that no pool has stays the node's, and is told once`() throws {
        var blocks = try Self.books(["10.0.0.0/22"])
        let strange = try Self.prefix("10.9.0.0/24")
        _ = blocks.occupy([strange, try Self.prefix("10.0.0.0/24")], by: "a")
        #expect({ blocks.newStrays(of: "a") }() == [strange])
        #expect({ blocks.newStrays(of: "a") }() == [])
        _ = blocks.setPool(AddressPoolTests.pool("more", ["10.9.0.0/16"]).held)
        #expect({ blocks.newStrays(of: "a") }() == [])
        blocks.removePool("more")
        #expect({ blocks.newStrays(of: "a") }() == [strange], "again, since it was covered meanwhile")
    }

    @Test func `When one family is exhausted the other gives nothing`() throws {
        var blocks = try Self.books(["10.0.0.0/23", "fd00::/64"])
        _ = blocks.allocate(for: node("a"))
        #expect({ blocks.allocate(for: node("b")) }() == .exhausted)
        #expect(blocks.usage(of: "default").free == [.ipv4: 1, .ipv6: 0])
        blocks.release("a")
        #expect({ blocks.allocate(for: node("b")) }() == .blocks(try ["10.0.1.0/24", "fd00::/64"].map(Self.prefix)))
    }

    @Test func `Blocks that nodes have are not given again`() throws {
        var blocks = try Self.books(["10.0.0.0/22"])
        let first = try Self.prefix("10.0.0.0/24")
        #expect({ blocks.occupy([first], by: "a") }() == [])
        #expect({ blocks.occupy([first], by: "a") }() == [])
        #expect({ blocks.allocate(for: node("b")) }() == .blocks([try Self.prefix("10.0.1.0/24")]))
        #expect({ blocks.occupy([first], by: "c") }() == [first], "two nodes with one block")
    }

    @Test func `Blocks outside the ranges of the flags are refused, unless pools have been made`() throws {
        var blocks = try Self.books(["10.0.0.0/22"])
        #expect(throws: NodeBlocks.Mismatch.self) { try blocks.check(try Self.prefix("10.9.0.0/24"), of: "c") }
        let error = #expect(throws: NodeBlocks.Mismatch.self) {
            try blocks.check(try Self.prefix("fd00::/64"), of: "c")
        }
        #expect(error?.description == "node c has the block fd00::/64, and the cluster has no range of IPv6")
        try blocks.check(try Self.prefix("10.0.2.0/24"), of: "c")
        _ = blocks.setPool(AddressPoolTests.pool("more", ["172.16.0.0/16"]).held)
        try blocks.check(try Self.prefix("10.9.0.0/24"), of: "c")
    }

    @Test func `A node that accepts no blocks gives back those and nothing else`() throws {
        var blocks = try Self.books(["10.0.0.0/23"])
        _ = blocks.allocate(for: node("a"))
        blocks.takeBack(from: "a")
        #expect(blocks.usage(of: "default").allocated == [:])
        _ = blocks.occupy([try Self.prefix("10.0.0.0/24")], by: "a")
        blocks.takeBack(from: "a")
        #expect(blocks.usage(of: "default").allocated == [try Self.prefix("10.0.0.0/23"): 1])
    }

    @Test(arguments: [
        (["10.0.0.0/16", "10.1.0.0/16"], "not configured as dual stack"),
        (["10.0.0.0/16", "fd00::/56", "fd01::/56"], "more than max allowed of 2"),
        (["10.0.0.0/25"], "mask size of cluster CIDR must be less than or equal"),
        (["fd00::/47"], "the node CIDR size is too big"),
    ])
    func `Impossible ranges are refused`(ranges: [String], text: String) throws {
        let configuration = try Self.configuration(ranges)
        let error = #expect(throws: ControllerConfigurationError.self) { try configuration.validate() }
        #expect(error?.description.contains(text) ?? false)
    }

    /// Columns: ranges, the flags for any family, IPv4 and IPv6, then the lengths or the refusal.
    @Test(
        arguments: [
            (["10.0.0.0/16", "fd00::/56"], nil, nil, nil, [24, 64], nil),
            (["10.0.0.0/16", "fd00::/56"], nil, 25, nil, [25, 64], nil),
            (["10.0.0.0/16", "fd00::/56"], nil, nil, 60, [24, 60], nil),
            (
                ["10.0.0.0/16", "fd00::/56"], 24, nil, nil, nil,
                "usage of --node-cidr-mask-size is not allowed with dual-stack clusters"
            ),
            (["10.0.0.0/16"], 26, nil, nil, [26], nil), (["fd00::/56"], 60, nil, nil, [60], nil),
            (["10.0.0.0/16"], nil, 26, nil, [26], nil), (["fd00::/56"], nil, nil, 60, [60], nil),
            (
                ["10.0.0.0/16"], 26, 26, nil, nil,
                "usage of --node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6 is not allowed if --node-cidr-mask-size is set. For dual-stack clusters please unset it and use IPFamily specific flags"
            ),
            (
                ["10.0.0.0/16"], nil, nil, 60, nil,
                "usage of --node-cidr-mask-size-ipv6 is not allowed for a single-stack IPv4 cluster"
            ),
            (
                ["fd00::/56"], nil, 24, nil, nil,
                "usage of --node-cidr-mask-size-ipv4 is not allowed for a single-stack IPv6 cluster"
            ),
        ] as [([String], Int?, Int?, Int?, [Int]?, String?)])
    func `Flags for block lengths fit the families`(
        ranges: [String], size: Int?, four: Int?, six: Int?, lengths: [Int]?, refusal: String?
    ) throws {
        let prefixes = try ranges.map(Self.prefix)
        var text: String?
        var sizes: [IPFamily: Int] = [:]
        do {
            sizes = try ControllerConfiguration.maskSizes(
                size: size, sizes: [IPFamily.ipv4: four, .ipv6: six].compactMapValues { $0 }, for: prefixes)
        } catch {
            text = error.description
        }
        #expect(text == refusal)
        if let lengths { #expect(prefixes.map { sizes[$0.family] } == lengths) }
    }

    @Test func `Ranges of any order of families are accepted`() throws {
        try Self.configuration(["fd00::/48", "10.0.0.0/8"]).validate()
    }
}

@Suite struct NodeHealthTests {
    @Test func `A lost node becomes unknown, then is marked unreachable`() {
        let first = NodeHealth(node: node("a"), isLost: true, now: later)
        #expect(first.conditions?["Ready"]?.status == "Unknown")
        #expect(first.conditions?["Ready"]?.reason == "NodeStatusUnknown")
        let second = NodeHealth(node: node("a", ready: "Unknown"), isLost: true, now: later)
        #expect(second.conditions == nil)
        #expect(second.taints?.map(\.effect) == ["NoSchedule", "NoExecute"])
        #expect(second.taints?.allSatisfy { $0.key == "node.kubernetes.io/unreachable" } ?? false)
    }

    @Test(
        arguments: [
            ("True", [], nil),
            ("False", [], ["node.kubernetes.io/not-ready", "node.kubernetes.io/not-ready"]),
            (nil, [], ["node.kubernetes.io/not-ready", "node.kubernetes.io/not-ready"]),
            ("True", ["node.kubernetes.io/not-ready", "own"], ["own"]),
            ("True", ["own"], nil),
            (
                "Unknown", ["node.kubernetes.io/not-ready"],
                ["node.kubernetes.io/unreachable", "node.kubernetes.io/unreachable"]
            ),
        ] as [(String?, [String], [String]?)])
    func `Taints follow the Ready condition`(ready: String?, present: [String], expected: [String]?) {
        let taints = present.map { Taint(key: $0, effect: "NoSchedule") }
        let health = NodeHealth(node: node("a", taints: taints, ready: ready), isLost: false, now: later)
        #expect(health.taints?.map(\.key) == expected)
    }
}

extension AddressPool {
    /// The pool as it is once the controller holds it.
    fileprivate var held: AddressPool {
        var pool = self
        pool.metadata.finalizers = [Self.finalizer]
        return pool
    }
}
