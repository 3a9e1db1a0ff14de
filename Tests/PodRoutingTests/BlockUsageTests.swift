import Addresses
import KubernetesAPI
import Linux
import PodRouting
import Testing

@Suite struct BlockUsageTests {
    private struct Directories: ~Copyable {
        let path: String
        let usage: BlockUsage

        init() throws {
            path = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-usage-")
            usage = BlockUsage(dataDirectory: path, network: "duet", configuration: "\(path)/10-duet.conflist")
        }

        deinit { try? FileSystem.removeTree(path) }

        func write(_ name: String, _ text: String = "") throws {
            try FileSystem.writeFile("\(path)/\(name)", Array(text.utf8))
        }
    }

    private static let later = 1 << 40

    @Test func `Addresses are counted block by block`() throws {
        let directories = try Directories()
        let blocks = [NodeBlock(cidr: "10.12.0.0/26"), NodeBlock(cidr: "10.12.0.64/26"), NodeBlock(cidr: "fd00::/64")]
        let before = try directories.usage.reports(on: blocks, now: 0)
        #expect(before.map(\.used) == [0, 0, 0], "there is no directory before the first pod")
        #expect(before.map(\.capacity) == [61, 61, .max])
        try FileSystem.makeDirectory("\(directories.path)/duet")
        for name in ["10.12.0.2", "10.12.0.63", "10.12.0.66", "10.99.0.1", "fd00::2", "last_reserved_ip.0", "lock"] {
            try directories.write("duet/\(name)", "container\r\neth0")
        }
        #expect(try directories.usage.reports(on: blocks, now: 0).map(\.used) == [2, 1, 1])
    }

    @Test func `A block is released only when the runtime no longer gives addresses of it`() throws {
        let directories = try Directories()
        let prefixes = ["10.12.0.0/26", "10.12.0.64/26"].compactMap { IPPrefix($0) }
        let blocks = [
            NodeBlock(cidr: "10.12.0.0/26", state: NodeBlock.active),
            NodeBlock(cidr: "10.12.0.64/26", state: NodeBlock.releasing),
        ]
        func states(_ now: Int) throws -> [String?] {
            try directories.usage.reports(on: blocks, now: now).map(\.state)
        }
        #expect(try states(Self.later) == ["Active", "Active"], "no configuration")
        try directories.write("10-duet.conflist", CNIConfiguration.text(podPrefixes: prefixes, mtu: nil))
        #expect(try states(Self.later) == ["Active", "Active"], "it still names the block")
        try directories.write("10-duet.conflist", CNIConfiguration.text(podPrefixes: [prefixes[0]], mtu: nil))
        let written = Int(try FileSystem.status("\(directories.path)/10-duet.conflist").modified / 1_000_000_000)
        #expect(try states(written + 1) == ["Active", "Active"], "a plugin may still be at work")
        #expect(try states(written + 10) == ["Active", "Releasing"])
        try directories.write("10-duet.conflist", "{")
        #expect(try states(Self.later) == ["Active", "Active"], "nobody knows what is in effect")
    }

    @Test(arguments: [
        (0, 0, false, "nothing"), (0, 1, true, "the first address"), (1, 0, true, "the last one"),
        (1, 2, false, "one more"), (6, 7, true, "an eighth"), (7, 13, false, "less than an eighth"),
    ])
    func `What a block depends on is told at once`(old: Int, new: Int, isUrgent: Bool, remark: String) {
        func report(_ used: Int) -> [NodeBlockUsage] {
            [NodeBlockUsage(cidr: "10.12.0.0/26", used: used, capacity: 61, state: "Active")]
        }
        #expect(NodeBlockUsage.isUrgent(report(old), report(new)) == isUrgent, "\(remark)")
        #expect(NodeBlockUsage.isUrgent([], report(old)))
    }

    @Test func `All blocks of a family are alternatives of one set`() throws {
        let prefixes = ["10.12.0.0/26", "fd00::/64", "10.77.16.0/26"].compactMap { IPPrefix($0) }
        let text = CNIConfiguration.text(podPrefixes: prefixes, mtu: nil)
        let squeezed = text.filter { !$0.isWhitespace }
        #expect(
            squeezed.contains(
                #""ranges":[[{"subnet":"10.12.0.0/26"},{"subnet":"10.77.16.0/26"}],"#
                    + #"[{"subnet":"fd00::/64","rangeEnd":"fd00::ff:fffe:ffff:ffff"}]]"#))
        #expect(squeezed.contains(#""routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]"#))
    }

    @Test func `A node routes all of its blocks and gives addresses of the active ones`() {
        let node = Node(
            metadata: ObjectMeta(name: "n"), spec: NodeSpec(podCIDRs: ["10.12.0.0/26", "fd00::/64"]))
        let network = NodeNetwork(
            metadata: ObjectMeta(name: "n"),
            spec: NodeNetworkSpec(blocks: [
                NodeBlock(cidr: "10.12.0.0/26", state: NodeBlock.releasing), NodeBlock(cidr: "fd00::/64"),
                NodeBlock(cidr: "10.77.16.0/26", state: NodeBlock.active),
            ]))
        let own = ClusterNode(node).adding(network)
        #expect(own.podPrefixes.map(\.description) == ["10.12.0.0/26", "fd00::/64", "10.77.16.0/26"])
        let offered = CNIConfiguration.offered(own.podPrefixes, network)
        #expect(offered.map(\.description) == ["10.77.16.0/26", "fd00::/64"], "IPv4 stays the primary family")
        #expect(ClusterNode(node).adding(nil) == ClusterNode(node))
        #expect(
            CNIConfiguration.offered(own.podPrefixes, nil).map(\.description) == [
                "10.12.0.0/26", "10.77.16.0/26", "fd00::/64",
            ])
    }
}
