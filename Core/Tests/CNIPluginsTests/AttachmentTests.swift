import CNI
import JSON
import Linux
import NFTables
import Testing

@Suite(.enabled(if: hasReference)) struct `An attachment` {
    private func linkNames(_ node: TestNode, _ namespace: String) throws -> [String] {
        try node.json(in: namespace, "link").compactMap { $0["ifname"]?.string }
    }

    private func masqueradeComments(_ node: TestNode) throws -> [String] {
        try NetworkNamespace.open(name: node.host).run {
            var socket = try NFTablesSocket()
            let table = Table(family: .inet, name: "cni_plugins_masquerade")
            return try socket.rules(of: table, chain: "masq_checks").compactMap(\.comment)
        }
    }

    @Test(arguments: ["ptp", "bridge"])
    func `carries packets of both families the moment the plugin returns`(type: String) throws {
        for _ in 0..<5 {
            let node = try TestNode()
            let configuration = node.configuration(type, ["isDefaultGateway": true])
            #expect(try node.call(.ours, "ADD", configuration).isSuccess)
            for address in ["10.9.0.2", "fd00:9::2"] {
                // One packet, no second chance.
                let ping = try node.run(["/bin/busybox", "ping", "-c", "1", "-W", "1", address])
                #expect(ping.status.isSuccess, "\(address): \(ping.text)")
            }
            let tentative = try node.json(in: node.pod, "addr").flatMap { $0["addr_info"]?.array ?? [] }
                .filter { $0["tentative"] != nil }
            #expect(tentative.isEmpty)
        }
    }

    @Test(arguments: ["ptp", "bridge"], Implementation.allCases)
    func `leaves an interface that is already there alone`(type: String, implementation: Implementation) throws {
        let node = try TestNode()
        let configuration = node.configuration(type)
        #expect(try node.call(implementation, "ADD", configuration).isSuccess)
        let before = try linkNames(node, node.host)
        let answer = try node.call(implementation, "ADD", configuration, container: "c2")
        #expect(answer.printed["code"] == 999)
        #expect(answer.printed["msg"]?.string?.contains("(eth0) already exists") == true, "\(answer.printed.text())")
        #expect(node.allocated("net").count == 2)
        #expect(try linkNames(node, node.host) == before)
        #expect(try linkNames(node, node.pod) == ["lo", "eth0"])
    }

    @Test(arguments: ["ptp", "bridge", "loopback"], Implementation.allCases)
    func `needs a namespace for ADD but not for DEL`(type: String, implementation: Implementation) throws {
        let node = try TestNode()
        let configuration = node.configuration(type)
        let answer = try node.call(implementation, "ADD", configuration, netns: "/run/netns/dt-cni-none")
        #expect(answer.printed["code"] == 999)
        #expect(answer.printed["msg"]?.string?.contains("/run/netns/dt-cni-none") == true)
        #expect(node.allocated("net").isEmpty)
        for path in ["", "/run/netns/dt-cni-none"] {
            #expect(try node.call(implementation, "DEL", configuration, netns: path).isSuccess)
        }
    }

    @Test(arguments: ["ptp", "bridge"])
    func `gives everything back when a step fails`(type: String) throws {
        let node = try TestNode()
        // The second default route leads through an address that no link reaches.
        var configuration = node.configuration(type)
        configuration.set(
            .array([.object(["dst": "0.0.0.0/0", "gw": "192.0.2.1"])]), at: "ipam", "routes")
        let answer = try node.call(.ours, "ADD", configuration)
        #expect(answer.printed["msg"]?.string?.contains("192.0.2.1") == true, "\(answer.printed.text())")
        #expect(node.allocated("net").isEmpty)
        #expect(try linkNames(node, node.pod) == ["lo"])
        #expect(try linkNames(node, node.host).filter { $0.hasPrefix("veth") }.isEmpty)
    }

    @Test(
        arguments: [
            ("bridge", ["vlan": 100, "vlanTrunk": [["id": 5]]], 999, "cannot set vlan and vlanTrunk at the same time"),
            ("bridge", ["vlanTrunk": [["id": 0]]], 999, "incorrect trunk id parameter"),
            ("bridge", ["vlanTrunk": [["minID": 5]]], 999, "minID and maxID should be configured simultaneously"),
            ("bridge", ["vlanTrunk": [["minID": 5, "maxID": 4]]], 999, "minID is greater than maxID"),
            ("bridge", ["vlanTrunk": [["minID": 5, "maxID": 4095]]], 999, "incorrect trunk maxID parameter"),
            ("bridge", ["vlan": 5000], 999, "invalid VLAN ID 5000 (must be between 0 and 4094)"),
            ("ptp", ["ipMasq": true, "ipMasqBackend": "ebtables"], 999, "unknown ipmasq backend \"ebtables\""),
            (
                "bridge", ["hairpinMode": true, "promiscMode": true], 999,
                "cannot set hairpin mode and promiscuous mode at the same time"
            ),
            ("bridge", ["mtu": "big"], 6, "cannot read \"mtu\": expected an integer"),
            (
                "bridge", ["bridge": "lo"], 999,
                "failed to create bridge \"lo\": \"lo\" already exists but is not a bridge"
            ),
            (
                "ptp", ["ipam": ["type": "no-such-ipam"]], 999,
                "failed to find plugin \"no-such-ipam\" in path ["
            ),
            ("ptp", ["ipam": ["type": "../x"]], 999, "invalid plugin name: ../x"),
            ("ptp", ["ipam": ["type": ""]], 999, "no plugin name provided"),
            ("ptp", ["mtu": 1200], 999, "eth0 has no IPv6: its MTU is less than 1280"),
            ("bridge", ["mtu": 1_099_511_627_776], 999, "failed to create bridge \"cni0\": could not add \"cni0\""),
            ("bridge", ["ipam": []], 6, "cannot read \"ipam\": expected an object"),
        ] as [(String, JSONObject, Int, String)])
    func `refuses configurations with code and reason`(
        type: String, extra: JSONObject, code: Int, message: String
    ) throws {
        let node = try TestNode()
        let answer = try node.call(.ours, "ADD", node.configuration(type, extra))
        #expect(answer.printed["code"]?.int == code, "\(answer.printed.text())")
        #expect(answer.printed["msg"]?.string?.hasPrefix(message) == true, "\(answer.printed.text())")
        #expect(node.allocated("net").isEmpty)
        #expect(try linkNames(node, node.pod) == ["lo"])
        // DEL lets go, unless the plugin that may keep addresses cannot be asked.
        let isUnknown = ["failed to find plugin", "invalid plugin name"].contains { message.hasPrefix($0) }
        #expect(try node.call(.ours, "DEL", node.configuration(type, extra)).isSuccess == !isUnknown)
    }

    @Test func `takes its addresses from another IPAM plugin by execution`() throws {
        let node = try TestNode()
        // The reference's directory holds an IPAM plugin that we do not have.
        let configuration = node.configuration(
            "ptp",
            [
                "ipam": [
                    "type": "static",
                    "addresses": [
                        ["address": "10.9.0.7/24", "gateway": "10.9.0.1"],
                        ["address": "fd00:9::7/64", "gateway": "fd00:9::1"],
                    ],
                ]
            ])
        let own = try Implementation.ours.directory()
        let environment = [
            "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_IFNAME": "eth0", "CNI_NETNS": node.podPath,
            "CNI_PATH": "\(own):/usr/lib/cni",
        ]
        let output = try node.run(["\(own)/ptp"], environment: environment, input: configuration.text())
        #expect(output.status.isSuccess, "\(output.text)")
        let ping = try node.run(["/bin/busybox", "ping", "-c", "1", "-W", "1", "fd00:9::7"])
        #expect(ping.status.isSuccess)
    }

    @Test func `replaces the bridge's address only when forced`() throws {
        let node = try TestNode()
        let first = node.configuration("bridge", ["isGateway": true])
        #expect(try node.call(.ours, "ADD", first).isSuccess)
        try node.call(.ours, "DEL", first)
        var second = node.configuration("bridge", network: "other", subnets: ["10.8.0.0/24"], ["isGateway": true])
        let refused = try node.call(.ours, "ADD", second, container: "c2")
        #expect(
            refused.printed["msg"]?.string
                == "failed to set bridge addr: \"cni0\" already has an IP address different from 10.8.0.1/24")
        #expect(node.allocated("other").isEmpty)
        second["forceAddress"] = true
        #expect(try node.call(.ours, "ADD", second, container: "c2").isSuccess)
        let bridge = try node.json(in: node.host, "addr", "show", "cni0")[0]["addr_info"]?.array ?? []
        let addresses = bridge.compactMap { $0["local"]?.string }.filter { !$0.hasPrefix("fe80") }
        #expect(addresses.sorted() == ["10.8.0.1", "fd00:9::1"])
    }

    @Test(arguments: ["ptp", "bridge"])
    func `is told broken by CHECK when an address or a route is gone`(type: String) throws {
        let node = try TestNode()
        var configuration = node.configuration(type, ["isDefaultGateway": true])
        configuration["prevResult"] = try node.call(.ours, "ADD", configuration).printed
        #expect(try node.call(.ours, "CHECK", configuration).isSuccess)
        _ = try node.run(["/usr/sbin/ip", "-n", node.pod, "-6", "route", "del", "default"])
        let route = try node.call(.ours, "CHECK", configuration)
        #expect(route.printed["msg"]?.string == "Expected Route ::/0 not found in routing table")
        _ = try node.run(["/usr/sbin/ip", "-n", node.pod, "addr", "flush", "dev", "eth0"])
        let address = try node.call(.ours, "CHECK", configuration)
        #expect(address.printed["msg"]?.string?.hasPrefix("Failed to match addr") == true)
    }

    @Test(arguments: ["ptp", "bridge"])
    func `masquerades what leaves its subnet, until it goes`(type: String) throws {
        let node = try TestNode()
        var configuration = node.configuration(type, version: "1.1.0", ["ipMasq": true])
        for container in ["c1", "c2"] {
            let netns = "\(node.pod)-\(container)"
            try NetworkNamespace.create(name: netns)
            defer { try? NetworkNamespace.delete(name: netns) }
            let path = NetworkNamespace.path(name: netns)
            #expect(try node.call(.ours, "ADD", configuration, container: container, netns: path).isSuccess)
        }
        let comments = try masqueradeComments(node)
        #expect(comments.count == 4)
        #expect(comments.allSatisfy { $0.hasSuffix(", net: net, if: eth0, id: c1") || $0.hasSuffix("id: c2") })
        let listing = try node.run(["/usr/sbin/nft", "list", "table", "inet", "cni_plugins_masquerade"]).text
        for rule in [
            "ip daddr 224.0.0.0/4 return", "ip6 daddr ff00::/8 return", "goto masq_checks",
            "ip saddr 10.9.0.2 ip daddr != 10.9.0.0/24 masquerade",
            "ip6 saddr fd00:9::2 ip6 daddr != fd00:9::/64 masquerade",
        ] {
            #expect(listing.split(separator: rule).count == 2, "\(rule) in \(listing)")
        }
        configuration["cni.dev/valid-attachments"] = [["containerID": "c2", "ifname": "eth0"]]
        #expect(try node.call(.ours, "GC", configuration).isSuccess)
        #expect(try masqueradeComments(node).count == 2)
        #expect(node.allocated("net").count == 2)
        #expect(try node.call(.ours, "DEL", configuration, container: "c2").isSuccess)
        #expect(try masqueradeComments(node).isEmpty)
    }

    @Test(arguments: ["ptp", "bridge"])
    func `is collected with its link when nobody deletes it, the others of the network stay`(type: String) throws {
        let node = try TestNode()
        let networks = [
            node.configuration(type, version: "1.1.0"),
            node.configuration(
                type, network: "other", version: "1.1.0", subnets: ["10.8.0.0/24", "fd00:8::/64"], ["bridge": "cni1"]),
        ]
        // Namespaces that live on: nobody but the plugin takes the links away.
        let pods = ["c1", "c2", "c3"].map { "\(node.pod)-\($0)" }
        for pod in pods { try NetworkNamespace.create(name: pod) }
        defer { for pod in pods { try? NetworkNamespace.delete(name: pod) } }
        func call(_ command: String, _ number: Int, _ configuration: JSONValue) throws {
            let netns = NetworkNamespace.path(name: pods[number])
            #expect(
                try node.call(.ours, command, configuration, container: "c\(number + 1)", netns: netns).isSuccess)
        }
        func connected() throws -> [Bool] { try pods.map { try linkNames(node, $0).contains("eth0") } }
        for (number, configuration) in [(0, networks[0]), (1, networks[0]), (2, networks[1])] {
            try call("ADD", number, configuration)
        }
        let aliases = try node.json(in: node.host, "link").compactMap { $0["ifalias"]?.string }.sorted()
        #expect(aliases.contains { $0.hasSuffix(", net: net, if: eth0, id: c1") } && aliases.count == 3, "\(aliases)")
        var collected = networks[0]
        collected["cni.dev/valid-attachments"] = [["containerID": "c2", "ifname": "eth0"]]
        #expect(try node.call(.ours, "GC", collected).isSuccess)
        #expect(try connected() == [false, true, true])
        #expect(node.allocated("net").count == 2 && node.allocated("other").count == 2)
        try call("DEL", 0, networks[0])
        try call("DEL", 1, networks[0])
        #expect(try connected() == [false, false, true])
    }

    @Test(.enabled(if: hasReference && !hasBridgeVLANs))
    func `with VLANs is refused with the reason where the kernel has none on bridges`() throws {
        let node = try TestNode()
        let answer = try node.call(.ours, "ADD", node.configuration("bridge", ["vlan": 100]))
        #expect(answer.printed["code"] == 999)
        #expect(
            answer.printed["msg"]?.string == """
                failed to create bridge "cni0": could not add "cni0": the kernel keeps no VLANs apart on bridges \
                (CONFIG_BRIDGE_VLAN_FILTERING); leave out vlan and vlanTrunk
                """)
        #expect(try linkNames(node, node.host) == ["lo"])
        #expect(node.allocated("net").isEmpty)
    }

    @Test(arguments: ["ptp", "bridge"])
    func `cannot be promised when no address is left`(type: String) throws {
        let node = try TestNode()
        let configuration = node.configuration(type, version: "1.1.0", subnets: ["10.9.0.0/30"])
        #expect(try node.call(.ours, "STATUS", configuration).isSuccess)
        #expect(try node.call(.ours, "ADD", configuration).isSuccess)
        #expect(try node.call(.ours, "STATUS", configuration).printed["code"]?.int == 50)
    }

    /// The VLANs of a link as `bridge vlan` tells them.
    private func vlans(_ node: TestNode, _ link: String) throws -> [String] {
        let listing = try node.run(["/usr/sbin/bridge", "-j", "vlan", "show", "dev", link])
        let entries = try JSONValue(text: listing.text)[0]?["vlans"]?.array ?? []
        return entries.map { entry in
            let flags = (entry["flags"]?.array ?? []).compactMap(\.string)
            let end = entry["vlanEnd"]?.int.map { "-\($0)" } ?? ""
            return (["\(entry["vlan"]?.int ?? 0)\(end)"] + flags).joined(separator: " ")
        }
    }

    @Test(
        .enabled(if: hasBridgeVLANs),
        arguments: [
            (["vlan": 100], ["1 Egress Untagged", "100 PVID Egress Untagged"]),
            (["vlan": 100, "preserveDefaultVlan": false], ["100 PVID Egress Untagged"]),
            (
                ["vlanTrunk": [["minID": 10, "maxID": 12], ["id": 11], ["id": 4094]]],
                ["1 PVID Egress Untagged", "10", "11", "12", "4094"]
            ),
            (["vlanTrunk": [["id": 7]], "preserveDefaultVlan": false], ["7"]),
        ] as [(JSONObject, [String])])
    func `has the VLANs that it shall have`(extra: JSONObject, expected: [String]) throws {
        let node = try TestNode()
        #expect(try node.call(.ours, "ADD", node.configuration("bridge", extra)).isSuccess)
        let port = try #require(try linkNames(node, node.host).first { $0.hasPrefix("veth") })
        #expect(try vlans(node, port) == expected)
    }

    @Test(.enabled(if: hasBridgeVLANs)) func `takes all VLANs there are in one trunk`() throws {
        let node = try TestNode()
        let configuration = node.configuration("bridge", ["vlanTrunk": [["minID": 1, "maxID": 4094]]])
        #expect(try node.call(.ours, "ADD", configuration).isSuccess)
        let port = try #require(try linkNames(node, node.host).first { $0.hasPrefix("veth") })
        #expect(try vlans(node, port).count == 4094)
    }

    @Test(.enabled(if: hasBridgeVLANs)) func `reaches its own VLAN and no other`() throws {
        let node = try TestNode()
        let other = "\(node.pod)-2"
        try NetworkNamespace.create(name: other)
        defer { try? NetworkNamespace.delete(name: other) }
        let first = node.configuration("bridge", ["vlan": 100, "isGateway": true])
        let second = node.configuration(
            "bridge", network: "other", subnets: ["10.8.0.0/24", "fd00:8::/64"], ["vlan": 200, "isGateway": true])
        let answer = try node.call(.ours, "ADD", first)
        #expect(answer.printed["interfaces"]?.array?.compactMap { $0["name"]?.string }.last == "cni0.100")
        #expect(
            try node.call(.ours, "ADD", second, container: "c2", netns: NetworkNamespace.path(name: other)).isSuccess)
        for (address, isReached) in [("10.9.0.1", true), ("fd00:9::1", true), ("10.8.0.3", false)] {
            let ping = try ChildProcess.output(
                of: .init(
                    executable: "/usr/sbin/ip",
                    arguments: [
                        "netns", "exec", node.pod, "/bin/busybox", "ping", "-c", "1", "-W", "1", "-I", "eth0", address,
                    ]))
            #expect(ping.status.isSuccess == isReached, "\(address): \(ping.text)")
        }
        // The gateway's link belongs to all pods of the VLAN, and stays.
        #expect(try node.call(.ours, "DEL", first).isSuccess)
        #expect(try linkNames(node, node.host).contains("cni0.100"))
        #expect(try node.call(.ours, "ADD", first).isSuccess)
    }

    @Test func `drops frames from addresses that are not its own`() throws {
        let node = try TestNode()
        let configuration = node.configuration("bridge", ["isGateway": true, "macspoofchk": true])
        #expect(try node.call(.ours, "ADD", configuration).isSuccess)
        let ping = [
            "netns", "exec", node.pod, "/bin/busybox", "ping", "-c", "1", "-W", "1", "fd00:9::1",
        ]
        #expect(try ChildProcess.output(of: .init(executable: "/usr/sbin/ip", arguments: ping)).status.isSuccess)
        _ = try node.run(["/usr/sbin/ip", "-n", node.pod, "link", "set", "eth0", "address", "02:00:00:00:00:66"])
        #expect(try !ChildProcess.output(of: .init(executable: "/usr/sbin/ip", arguments: ping)).status.isSuccess)
        #expect(try node.run(["/usr/sbin/nft", "list", "ruleset"]).text.contains("cni-br-iface-c1-eth0-mac"))
        for _ in 0..<2 { #expect(try node.call(.ours, "DEL", configuration).isSuccess) }
        let rules = try node.run(["/usr/sbin/nft", "list", "ruleset"]).text
        #expect(!rules.contains("cni-br-iface") && !rules.contains("macspoofchk"), "\(rules)")
    }

    @Test func `has its rules against other hardware addresses collected when nobody deletes it`() throws {
        let node = try TestNode()
        var configuration = node.configuration("bridge", version: "1.1.0", ["macspoofchk": true])
        for container in ["c1", "c2"] {
            #expect(
                try node.call(.ours, "ADD", configuration, container: container, interface: container).isSuccess)
        }
        for (network, valid, left) in [("other", [], 2), ("net", ["c1", "c2"], 2), ("net", ["c2"], 1), ("net", [], 0)] {
            configuration["name"] = .string(network)
            configuration["cni.dev/valid-attachments"] = .array(
                valid.map { .object(["containerID": .string($0), "ifname": .string($0)]) })
            let answer = try node.call(.ours, "GC", configuration)
            #expect(answer.isSuccess, "\(answer.printed.text())")
            let rules = try node.run(["/usr/sbin/nft", "list", "ruleset"]).text
            #expect(rules.split(separator: "chain cni-br-iface").count - 1 == 2 * left, "\(network) \(valid): \(rules)")
            #expect(rules.split(separator: "iifname").count - 1 == left, "\(network) \(valid): \(rules)")
        }
    }

    @Test(arguments: ["ptp", "bridge"], ["macspoofchk", "ipMasq"])
    func `leaves none of the reference's rules`(type: String, key: String) throws {
        let node = try TestNode()
        let configuration = node.configuration(type, [key: true])
        let empty = try node.run(["/usr/sbin/nft", "list", "ruleset"]).text
        #expect(!empty.contains("CNI-"))
        #expect(try node.call(.reference, "ADD", configuration).isSuccess)
        let rules = try node.run(["/usr/sbin/nft", "list", "ruleset"]).text
        #expect(rules.contains("CNI-") == (key == "ipMasq"))
        #expect(rules.contains("cni-br-iface") == (key == "macspoofchk" && type == "bridge"))
        #expect(try node.call(.ours, "DEL", configuration).isSuccess)
        let left = try node.run(["/usr/sbin/nft", "list", "ruleset"]).text
        for word in ["CNI-", "cni-br-iface", "macspoofchk"] { #expect(!left.contains(word), "\(left)") }
    }

    @Test func `isolates its port when told to`() throws {
        let node = try TestNode()
        #expect(try node.call(.ours, "ADD", node.configuration("bridge", ["portIsolation": true])).isSuccess)
        let port = try node.json(in: node.host, "-d", "link").first { $0["master"]?.string == "cni0" }
        #expect(port?.at("linkinfo", "info_slave_data", "isolated")?.bool == true)
    }

    @Test func `waits for duplicate detection where it is wanted`() throws {
        let node = try TestNode()
        #expect(try node.call(.ours, "ADD", node.configuration("bridge", ["enabledad": true])).isSuccess)
        let info = try node.json(in: node.pod, "addr", "show", "eth0")[0]["addr_info"]?.array ?? []
        #expect(info.contains { $0["local"] == "fd00:9::2" && $0["tentative"] == nil && $0["nodad"] == nil })
    }

    @Test func `of loopback passes a previous result on`() throws {
        let node = try TestNode()
        let previous: JSONValue = ["cniVersion": "1.0.0", "ips": [["address": "10.0.0.1/8"]], "dns": [:]]
        let answer = try node.call(.ours, "ADD", node.configuration("loopback", ["prevResult": previous]))
        #expect(answer.printed == previous)
    }
}
