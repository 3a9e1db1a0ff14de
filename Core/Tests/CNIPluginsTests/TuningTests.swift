import CNI
import JSON
import Linux
import Testing

@testable import CNIPlugins

@Suite(.enabled(if: hasReference)) struct `Tuning` {
    private let all: JSONObject = [
        "mac": "02:00:00:00:00:09", "mtu": 1400, "promisc": true, "allmulti": true,
        "sysctl": ["net.ipv4.conf.IFNAME.arp_filter": "1", "net/ipv4/tcp_wmem": "4096 16384 4194304"],
    ]

    /// The pod's interface and parameters.
    private func state(_ node: ChainedNode) throws -> [String] {
        let link = try #require(try node.node.json(in: node.node.pod, "link", "show", "eth0").first)
        return try ["address", "mtu", "flags", "txqlen"].map { link[$0]?.text() ?? "" }
            + NetworkNamespace.open(name: node.node.pod).run {
                try [Sysctl.get("net/ipv4/conf/eth0/arp_filter"), Sysctl.get("net/ipv4/tcp_wmem")]
            }
    }

    private func configuration(_ node: ChainedNode, _ extra: JSONObject) -> JSONValue {
        var value = node.configuration("tuning", extra)
        value["dataDir"] = .string("\(node.node.directory)/tuning")
        return value
    }

    private func backupPath(_ node: ChainedNode) -> String { "\(node.node.directory)/tuning/c1_eth0.json" }

    private func hasBackup(_ node: ChainedNode) -> Bool { FileSystem.exists(backupPath(node)) }

    @Test(arguments: Implementation.allCases, Implementation.allCases)
    func `by one implementation is checked and undone by either`(adding: Implementation, deleting: Implementation)
        throws
    {
        let node = try ChainedNode()
        let before = try state(node)
        let configuration = configuration(node, all)
        let answer = try node.node.call(adding, "ADD", configuration)
        #expect(answer.isSuccess, "\(answer.printed.text())")
        #expect(answer.printed["interfaces"]?.array?.last?["mac"] == "02:00:00:00:00:09")
        #expect(answer.printed["ips"] == node.previous["ips"])
        let saved = try JSONValue(parsing: FileSystem.readFile(backupPath(node)))
        #expect(saved["mtu"] == 1500)
        #expect(saved["promisc"] == false)
        #expect(saved["allmulti"] == false)
        #expect(saved["mac"] == node.previous["interfaces"]?.array?.last?["mac"])
        let tuned = try state(node)
        #expect(tuned[0...1] == ["\"02:00:00:00:00:09\"", "1400"])
        #expect(tuned[2].contains("PROMISC") && tuned[2].contains("ALLMULTI"))
        #expect(tuned[4...] == ["1", "4096\t16384\t4194304"])
        // The reference looks for parameters of an interface called IFNAME, and compares tabs with blanks.
        if deleting == .ours { #expect(try node.node.call(.ours, "CHECK", configuration).isSuccess) }
        for _ in 0..<2 { #expect(try node.node.call(deleting, "DEL", configuration).isSuccess) }
        #expect(try state(node)[0..<4] == before[0..<4])
        #expect(!hasBackup(node))
    }

    @Test func `takes the most specific of the hardware addresses, and a queue length`() throws {
        let node = try ChainedNode()
        let configuration = configuration(
            node,
            [
                "mac": "02:00:00:00:00:01", "runtimeConfig": ["mac": "02:00:00:00:00:02"],
                "args": ["cni": ["mac": "02:00:00:00:00:03", "txQLen": 77]],
            ])
        #expect(try node.node.call(.ours, "ADD", configuration, arguments: "MAC=02:00:00:00:00:04").isSuccess)
        #expect(try state(node)[0] == "\"02:00:00:00:00:03\"")
        #expect(try state(node)[3] == "77")
        #expect(try node.node.call(.ours, "CHECK", configuration).isSuccess)
        let other = self.configuration(node, ["mac": "02:00:00:00:00:0a"])
        let answer = try node.node.call(.ours, "CHECK", other)
        #expect(
            answer.printed["msg"]
                == .string(
                    "Error: Tuning configured Ethernet of eth0 is 02:00:00:00:00:0a, current value is 02:00:00:00:00:03"
                ))
    }

    @Test(
        arguments: [
            (["mtu": 20, "sysctl": ["net.ipv4.conf.eth0.arp_filter": "1"]], "set MTU"),
            (["mtu": -1, "sysctl": ["net.ipv4.conf.eth0.arp_filter": "1"]], "set MTU"),
            (["mac": "02:xx:00:00:00:01"], "invalid args 02:xx:00:00:00:01 for MAC addr"),
            (["sysctl": ["kernel.hostname": "x"]], "invalid net sysctl key: \"kernel/hostname\""),
            (["sysctl": ["net/../kernel/hostname": "x"]], "invalid net sysctl key"),
            (["sysctl": ["net.ipv4.conf.eth0.none": "1"]], "net/ipv4/conf/eth0/none"),
            (
                ["sysctl": ["net.ipv4.conf.eth0.arp_filter": "1", "net.ipv4.conf.eth0.none": "1"], "mtu": 1300],
                "net/ipv4/conf/eth0/none"
            ),
            (["sysctl": ["net.ipv4.ip_forward": "1", "net/ipv4/ip_forward": "1"]], "duplicated sysctl keys"),
            (["prevResult": .null], "Required prevResult missing"),
        ] as [(JSONObject, String)])
    func `that fails leaves nothing changed`(extra: JSONObject, message: String) throws {
        let node = try ChainedNode()
        let before = try state(node)
        let answer = try node.node.call(.ours, "ADD", configuration(node, extra))
        #expect(answer.printed["code"] == 999)
        #expect(answer.printed["msg"]?.string?.contains(message) == true, "\(answer.printed.text())")
        #expect(try state(node) == before)
        #expect(!hasBackup(node))
        // A runtime deletes what it could not add, and goes on with the plugins before this one only if that succeeds.
        #expect(try node.node.call(.ours, "DEL", configuration(node, extra)).isSuccess)
    }

    @Test func `is forgotten with a pod that is gone`() throws {
        let node = try ChainedNode()
        let configuration = configuration(node, ["mtu": 1300])
        #expect(try node.node.call(.ours, "ADD", configuration).isSuccess)
        #expect(try node.node.call(.ours, "DEL", configuration, netns: "/run/netns/dt-cni-none").isSuccess)
        #expect(!hasBackup(node))
    }

    @Test func `that nobody undoes is forgotten by a collection, but not that of other networks`() throws {
        let node = try ChainedNode()
        let configuration = configuration(node, ["mtu": 1300, "cniVersion": "1.1.0"])
        #expect(try node.node.call(.ours, "ADD", configuration).isSuccess)
        for (network, valid, isKept) in [("net", ["c1"], true), ("other", [], true), ("net", ["c2"], false)] {
            var collection = configuration
            collection["name"] = .string(network)
            collection["cni.dev/valid-attachments"] = .array(
                valid.map { .object(["containerID": .string($0), "ifname": "eth0"]) })
            let answer = try node.node.call(.ours, "GC", collection)
            #expect(answer.isSuccess, "\(answer.printed.text())")
            #expect(hasBackup(node) == isKept, "\(network) \(valid)")
        }
    }
}

struct `Kernel parameters of a configuration` {
    @Test(
        arguments: [
            ("net.ipv4.conf.IFNAME.arp_filter", "net/ipv4/conf/eth0/arp_filter"),
            ("net/ipv4/conf/IFNAME/arp_filter", "net/ipv4/conf/eth0/arp_filter"),
            ("net/ipv4/conf/eth0.100/arp_filter", "net/ipv4/conf/eth0.100/arp_filter"),
            ("net.ipv4/ip_forward", "net/ipv4/ip_forward"), ("net.core.somaxconn", "net/core/somaxconn"),
            ("net", nil), ("kernel.hostname", nil), ("net..core", "net/core"), ("net/./core", nil),
            ("/net/core/x", "net/core/x"),
            ("net/../kernel/x", nil), ("", nil),
        ] as [(String, String?)])
    func `lie below net`(key: String, path: String?) {
        #expect((try? NetworkParameter(key, "1", interface: "eth0"))?.path == path)
    }

    @Test(
        arguments: [
            ("^net\\.ipv4\\..*\n", "net.ipv4.ip_forward", true), ("^net\\.ipv4\\..*", "net.ipv6.x", false),
            ("  \n\n net.core \n", "net.core.somaxconn", true),
            ("a|b\n^net/(ipv4|ipv6)/[a-z_]+$", "net/ipv6/x_y", true),
            ("", "net.core.somaxconn", false),
        ])
    func `are those of the allow-list`(file: String, key: String, isAllowed: Bool) throws {
        let parameter = try NetworkParameter(key, "1", interface: "eth0")
        if isAllowed {
            try ParameterAllowList(file).check([parameter])
        } else {
            let error = #expect(throws: CNIError.self) { try ParameterAllowList(file).check([parameter]) }
            #expect(error?.message.hasPrefix("Sysctl \(key) is not allowed. Only the following sysctls are") == true)
        }
    }

    @Test func `need an allow-list that can be read`() throws {
        let parameter = try NetworkParameter("net.core.x", "1", interface: "eth0")
        #expect(throws: CNIError("/etc/cni/tuning/allowlist.conf: invalid regular expression \"(\"")) {
            try ParameterAllowList("(\n").check([parameter])
        }
    }
}
