import CNI
import JSON
import Linux
import Testing

@Suite(.enabled(if: hasReference)) struct `Bandwidth` {
    private let both: JSONObject = [
        "runtimeConfig": [
            "bandwidth": [
                "ingressRate": 80_000, "ingressBurst": 160_000, "egressRate": 160_000, "egressBurst": 320_000,
            ]
        ]
    ]

    /// The limits of the host's links as `tc` tells them, without what is random, counted or without effect.
    private func limits(_ node: ChainedNode) throws -> [String] {
        let shown = try node.node.run(["/usr/sbin/tc", "-d", "qdisc", "show"]).text
        let disciplines = shown.split(separator: "\n").filter { $0.contains("tbf") || $0.contains("ingress") }
        let link = disciplines.compactMap { line in
            line.split(separator: " ").map(String.init).first { $0.hasPrefix("veth") }
        }.first
        guard let link else { return [] }
        let filter = try node.node.run(["/usr/sbin/tc", "-d", "filter", "show", "dev", link, "ingress"]).text
        let essential = filter.split(separator: "\n").filter {
            $0.contains("match") || $0.contains("u32") || $0.contains("stolen")
        }
        return (disciplines + essential).map { String($0.replacing(link, with: "veth")) }
    }

    private func devices(_ node: ChainedNode) throws -> [JSONValue] {
        try node.node.json(in: node.node.host, "-d", "link").filter { $0.at("linkinfo", "info_kind") == "ifb" }
    }

    /// How many packets a token bucket let pass and dropped.
    private func counts(_ node: ChainedNode, _ link: String) throws -> (passed: Int, dropped: Int) {
        let text = try node.node.run(["/usr/sbin/tc", "-s", "-j", "qdisc", "show"]).text
        let bucket = try #require(
            JSONValue(text: text).array?.first {
                $0["kind"] == "tbf" && $0["dev"]?.string?.hasPrefix(link) == true
            })
        return (bucket["packets"]?.int ?? 0, bucket["drops"]?.int ?? 0)
    }

    @Test(
        arguments: [
            ["runtimeConfig": ["bandwidth": ["ingressRate": 8_000_000, "ingressBurst": 800_000]]],
            ["runtimeConfig": ["bandwidth": ["egressRate": 123_456_789, "egressBurst": 7_654_321]]],
            [
                "ingressRate": 1_000, "ingressBurst": 100_000, "egressRate": 40_000_000_000,
                "egressBurst": 4_000_000_000,
            ],
            [
                "ingressRate": 16_000, "ingressBurst": 160_000,
                "runtimeConfig": ["bandwidth": ["ingressRate": 8_000_000, "ingressBurst": 800_000]],
            ],
        ] as [JSONObject])
    func `is limited as by the reference, and either undoes the other's`(extra: JSONObject) throws {
        var shown: [[String]] = []
        var interfaces: [Int?] = []
        for (adding, deleting) in [(Implementation.ours, Implementation.reference), (.reference, .ours)] {
            let node = try ChainedNode()
            let configuration = node.configuration("bandwidth", extra)
            let answer = try node.node.call(adding, "ADD", configuration)
            #expect(answer.isSuccess, "\(answer.printed.text())")
            interfaces.append(answer.printed["interfaces"]?.array?.count)
            let device = try devices(node).first
            let added = answer.printed["interfaces"]?.array?.first { $0["name"] == device?["ifname"] }
            #expect(added?["mac"] == device?["address"])
            shown.append(try limits(node))
            var again = configuration
            again["prevResult"] = answer.printed
            let check = try node.node.call(deleting, "CHECK", again)
            #expect(check.isSuccess, "\(deleting): \(check.printed.text())")
            for _ in 0..<2 { #expect(try node.node.call(deleting, "DEL", again).isSuccess) }
            #expect(try devices(node).isEmpty)
        }
        #expect(shown[0] == shown[1])
        #expect(!shown[0].isEmpty)
        #expect(interfaces[0] == interfaces[1])
    }

    @Test(arguments: [["10.9.0.2", "192.0.2.2"], ["fd00:9::2", "2001:db8::2"]])
    func `is limited in both directions`(addresses: [String]) throws {
        let node = try ChainedNode()
        #expect(try node.node.call(.ours, "ADD", node.configuration("bandwidth", both)).isSuccess)
        for (from, host, link) in [
            (node.client, addresses[0], "veth"), (node.node.pod, addresses[1], "bwp"),
        ] {
            let before = try counts(node, link)
            try flood(host, from: from)
            let after = try counts(node, link)
            // 100 KB at once: the burst, or what has come back of it, and the queue hold a part; the rest is dropped.
            #expect(after.dropped - before.dropped >= 20, "\(host): \(after)")
            #expect(after.passed > before.passed, "\(host): \(after)")
        }
    }

    /// Sends 100 KB at once.
    private func flood(_ host: String, from namespace: String) throws {
        let program = """
            import socket, sys
            host = sys.argv[1]
            s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
            for i in range(100):
                try: s.sendto(bytes(1000), (host, 9000))
                except OSError: pass
            """
        var specification = ChildProcess.Specification(
            executable: "/usr/bin/python3", arguments: ["-c", program, host])
        specification.networkNamespace = NetworkNamespace.path(name: namespace)
        #expect(try ChildProcess.output(of: specification).status.isSuccess)
    }

    /// How many packets the classes of the host's links have dropped, by the beginning of the link's name and the class.
    private func drops(_ node: ChainedNode, _ link: String, _ handle: String) throws -> Int {
        let links = try node.node.json(in: node.node.host, "link").compactMap { $0["ifname"]?.string }
        let name = try #require(links.first { $0.hasPrefix(link) })
        let text = try node.node.run(["/usr/sbin/tc", "-s", "class", "show", "dev", name]).text
        let lines = text.split(separator: "\n").drop { !$0.contains("htb \(handle) ") }
        let words = lines.dropFirst().first.map { $0.split { " (,".contains($0) } } ?? []
        let position = try #require(words.firstIndex(of: "dropped"), "\(text)")
        return try #require(Int(words[position + 1]))
    }

    @Test(
        arguments: ["shapedSubnets", "unshapedSubnets"], [true, false])
    func `is limited for some subnets alone, or for all but some`(key: String, isNear: Bool) throws {
        let node = try ChainedNode()
        // The client's subnets, or others; the configuration says which, the runtime how much.
        let subnets: JSONValue =
            isNear ? ["192.0.2.0/25", "2001:db8::/126"] : ["192.0.2.128/25", "2001:db8::4/126", "2001:db8:0:1::/64"]
        func configuration(_ key: String) -> JSONValue {
            var configuration = node.configuration("bandwidth", both)
            configuration[key] = subnets
            return configuration
        }
        // Neighbours get to know each other before one family's flood makes the other's questions wait.
        for host in ["10.9.0.2", "fd00:9::2"] { #expect(try node.ask(Question(.client, host, 80, "")) != nil) }
        let own = configuration(key)
        let answer = try node.node.call(.ours, "ADD", own)
        #expect(answer.isSuccess, "\(answer.printed.text())")
        #expect(try node.node.call(.ours, "CHECK", own).isSuccess)
        let opposite = key == "shapedSubnets" ? "unshapedSubnets" : "shapedSubnets"
        let other = try node.node.call(.ours, "CHECK", configuration(opposite))
        #expect(other.printed["msg"] == "Default class does not match")
        let isLimited = isNear == (key == "shapedSubnets")
        for (from, hosts, link) in [
            (node.client, ["10.9.0.2", "fd00:9::2"], "veth"), (node.node.pod, ["192.0.2.2", "2001:db8::2"], "bwp"),
        ] {
            for host in hosts {
                let before = try drops(node, link, "1:30")
                try flood(host, from: from)
                let dropped = try drops(node, link, "1:30") - before
                #expect(isLimited ? dropped >= 20 : dropped == 0, "\(host): \(dropped)")
            }
            #expect(try drops(node, link, "1:1") == 0)
        }
        #expect(try node.node.call(.ours, "DEL", own).isSuccess)
        #expect(try devices(node).isEmpty)
    }

    @Test func `of attachments that are gone is collected`() throws {
        let node = try ChainedNode()
        var configuration = node.configuration("bandwidth", version: "1.1.0", both)
        #expect(try node.node.call(.ours, "ADD", configuration).isSuccess)
        configuration["cni.dev/valid-attachments"] = .array([["containerID": "c1", "ifname": "eth0"]])
        #expect(try node.node.call(.ours, "GC", configuration).isSuccess)
        #expect(try devices(node).count == 1)
        configuration["cni.dev/valid-attachments"] = .array([])
        #expect(try node.node.call(.ours, "GC", configuration).isSuccess)
        #expect(try devices(node).isEmpty)
    }

    @Test(
        arguments: [
            (["ingressRate": 8000], 999, "if rate is set, burst must also be set"),
            (["egressBurst": 8000], 999, "if burst is set, rate must also be set"),
            (["egressRate": 8000, "egressBurst": 34_359_738_368], 999, "burst cannot be more than 4GB"),
            (["ingressRate": -1, "ingressBurst": 1], 999, "invalid ingressRate: -1"),
            (
                ["ingressRate": 8000, "ingressBurst": 8000, "prevResult": .null], 999,
                "must be called as chained plugin"
            ),
            (
                ["ingressRate": 8000, "ingressBurst": 8000, "unshapedSubnets": ["10.0.0.0/8", "hello"]], 999,
                "bad subnet \"hello\" provided, details invalid CIDR address: hello"
            ),
            (
                [
                    "ingressRate": 8000, "ingressBurst": 8000, "unshapedSubnets": ["10.0.0.0/8"],
                    "shapedSubnets": ["fd00::/8"],
                ], 999, "unshapedSubnets and shapedSubnets cannot be both specified, one of them should be discarded"
            ),
            (["ingressRate": 8000, "ingressBurst": 8000, "shapedSubnets": "10.0.0.0/8"], 6, "shapedSubnets"),
            // The kernel refuses a bucket that holds less than a byte's time; nothing of the other direction stays.
            (
                [
                    "ingressRate": 8000, "ingressBurst": 80_000, "egressRate": 80_000_000_000, "egressBurst": 8,
                ], 999, "add queueing discipline"
            ),
        ] as [(JSONObject, Int, String)])
    func `that cannot be limited is not`(extra: JSONObject, code: Int, message: String) throws {
        let node = try ChainedNode()
        let answer = try node.node.call(.ours, "ADD", node.configuration("bandwidth", extra))
        #expect(answer.printed["code"]?.int == code)
        #expect(answer.printed["msg"]?.string?.contains(message) == true, "\(answer.printed.text())")
        #expect(try limits(node) == [])
        #expect(try devices(node).isEmpty)
    }

    @Test func `without limits is left alone`() throws {
        let node = try ChainedNode()
        let answer = try node.node.call(.ours, "ADD", node.configuration("bandwidth", ["runtimeConfig": [:]]))
        #expect(answer.printed == node.previous)
        #expect(try limits(node) == [])
    }
}
