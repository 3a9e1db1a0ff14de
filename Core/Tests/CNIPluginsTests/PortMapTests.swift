import CNI
import JSON
import Linux
import Testing

@Suite(.enabled(if: hasReference)) struct `Mapped ports` {
    private let ports: JSONObject = [
        "runtimeConfig": [
            "portMappings": [
                ["hostPort": 8080, "containerPort": 80, "protocol": "tcp"],
                ["hostPort": 5353, "containerPort": 53, "protocol": "udp"],
                ["hostPort": 8081, "containerPort": 80, "protocol": "tcp", "hostIP": "192.0.2.3"],
                ["hostPort": 8082, "containerPort": 80, "protocol": "tcp", "hostIP": "::"],
                ["hostPort": 8083, "containerPort": 80, "protocol": "TCP", "hostIP": "0.0.0.0"],
                ["hostPort": 9999, "containerPort": 99, "protocol": "sctp"],
            ]
        ]
    ]

    private func with(_ ports: JSONObject, _ extra: JSONObject) -> JSONObject {
        var all = ports
        for (key, value) in extra { all[key] = value }
        return all
    }

    /// The elements of our tables, one a line.
    private func elements(_ node: ChainedNode) throws -> [String] {
        try node.nft("list", "ruleset").split(separator: "\n").filter { $0.contains("comment \"") }.map(String.init)
    }

    @Test(arguments: ["ptp", "bridge"]) func `lead to the pod in both families from everywhere`(type: String) throws {
        let node = try ChainedNode(type)
        let configuration = node.configuration("portmap", ports)
        let answer = try node.node.call(.ours, "ADD", configuration)
        #expect(answer.isSuccess)
        #expect(answer.printed == node.previous)
        let gateways = ["10.9.0.1 80", "fd00:9::1 80"]
        let surprises = try node.surprises([
            Question(.client, "192.0.2.1", 8080, "192.0.2.2 80"),
            Question(.client, "2001:db8::1", 8080, "2001:db8::2 80"),
            Question(.client, "192.0.2.1", udp: 5353, "192.0.2.2 80"),
            Question(.client, "2001:db8::1", udp: 5353, "2001:db8::2 80"),
            Question(.client, "192.0.2.3", 8081, "192.0.2.2 80"),
            Question(.client, "192.0.2.1", 8081, nil),
            Question(.client, "2001:db8::1", 8082, "2001:db8::2 80"),
            Question(.client, "192.0.2.1", 8082, nil),
            Question(.client, "192.0.2.1", 8083, "192.0.2.2 80"),
            Question(.client, "2001:db8::1", 8083, nil),
            Question(.client, "192.0.2.1", 80, nil),
            Question(.host, "127.0.0.1", 8080, gateways[0]),
            Question(.host, "127.0.0.1", udp: 5353, gateways[0]),
            Question(.host, "192.0.2.1", 8080, "192.0.2.1 80"),
            Question(.host, "2001:db8::1", 8080, "2001:db8::1 80"),
            Question(.pod, "192.0.2.1", 8080, gateways[0]),
            Question(.pod, "10.9.0.1", 8080, gateways[0]),
            Question(.pod, "2001:db8::1", 8080, gateways[1]),
            Question(.pod, "192.0.2.1", udp: 5353, gateways[0]),
            Question(.pod, "2001:db8::1", udp: 5353, gateways[1]),
            // The kernel cannot lead these away; they stay with the host, which serves the one and refuses the other.
            Question(.host, "::1", udp: 5353, "::1 9"),
            Question(.host, "::1", 8080, nil),
        ])
        #expect(surprises == [])
        // What nft lists it can load.
        let listing = try node.nft("list", "ruleset")
        #expect(listing.contains("sctp . 9999"))
        let loaded = try node.node.run(["/usr/sbin/nft", "--check", "-f", "-"], input: listing)
        #expect(loaded.status.isSuccess, "\(loaded.errorText)\n\(listing)")
    }

    @Test func `hide the client where all sources are masqueraded, and nobody where none is`() throws {
        let node = try ChainedNode()
        let all = node.configuration("portmap", with(ports, ["masqAll": true, "markMasqBit": 20]))
        #expect(try node.node.call(.ours, "ADD", all).isSuccess)
        let hidden = try node.surprises([
            Question(.client, "192.0.2.1", 8080, "10.9.0.1 80"),
            Question(.client, "2001:db8::1", 8080, "fd00:9::1 80"),
            Question(.host, "127.0.0.1", 8080, "10.9.0.1 80"),
        ])
        #expect(hidden == [])
        #expect(try node.node.call(.ours, "DEL", all).isSuccess)
        let none = node.configuration("portmap", with(ports, ["snat": false]))
        #expect(try node.node.call(.ours, "ADD", none).isSuccess)
        let shown = try node.surprises([
            Question(.client, "192.0.2.1", 8080, "192.0.2.2 80"),
            Question(.client, "2001:db8::1", 8080, "2001:db8::2 80"),
            Question(.host, "127.0.0.1", 8080, nil),
        ])
        #expect(shown == [])
    }

    @Test func `hold for the packets that meet the conditions`() throws {
        let node = try ChainedNode()
        let configuration = node.configuration(
            "portmap",
            with(ports, ["conditionsV4": ["!", "-d", "192.0.2.3"], "conditionsV6": ["ip6 saddr 2001:db8:1::/48"]]))
        #expect(try node.node.call(.ours, "ADD", configuration).isSuccess)
        let surprises = try node.surprises([
            Question(.client, "192.0.2.1", 8080, "192.0.2.2 80"), Question(.client, "192.0.2.3", 8080, nil),
            Question(.client, "2001:db8::1", 8080, nil),
        ])
        #expect(surprises == [])
        #expect(try node.node.call(.ours, "CHECK", configuration).isSuccess)
    }

    @Test func `do not let pods in to the loopback addresses of the host`() throws {
        let node = try ChainedNode()
        #expect(try node.node.call(.ours, "ADD", node.configuration("portmap", ports)).isSuccess)
        let script = """
            ip -n \(node.node.pod) route del local 127.0.0.0/8 dev lo table local || true
            ip -n \(node.node.pod) route add 127.0.0.0/8 via 10.9.0.1 dev eth0
            """
        #expect(try node.node.run(["/bin/sh", "-ec", script]).status.isSuccess)
        try NetworkNamespace.open(name: node.node.pod).run { try Sysctl.set("net/ipv4/conf/eth0/route_localnet", "1") }
        #expect(try node.surprises([Question(.pod, "127.0.0.1", 9, nil)]) == [])
        // It is the guard that keeps them out.
        _ = try node.nft("flush", "chain", "ip", "duet-portmap", "guard")
        #expect(try node.surprises([Question(.pod, "127.0.0.1", 9, "10.9.0.2 9")]) == [])
    }

    @Test func `reach UDP senders that the kernel remembers`() throws {
        let node = try ChainedNode()
        // The first mapping makes the kernel remember connections.
        let first = node.configuration(
            "portmap", ["runtimeConfig": ["portMappings": [["hostPort": 1, "containerPort": 1, "protocol": "udp"]]]])
        #expect(try node.node.call(.ours, "ADD", first, container: "c0").isSuccess)
        func expect(_ port: Int) throws {
            let questions = [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")].map {
                Question(.client, $0.0, udp: 5353, "\($0.1) \(port)", localPort: 4000)
            }
            #expect(try node.surprises(questions) == [])
        }
        try expect(9)
        let configuration = node.configuration("portmap", ports)
        #expect(try node.node.call(.ours, "ADD", configuration).isSuccess)
        try expect(80)
        #expect(try node.node.call(.ours, "DEL", configuration).isSuccess)
        try expect(9)
    }

    @Test func `belong to one attachment each, the newest mapping of a port holds, and nothing stays behind`() throws {
        let node = try ChainedNode()
        let configuration = node.configuration("portmap", ports)
        func call(_ command: String, _ container: String, _ configuration: JSONValue) throws -> Bool {
            try node.node.call(.ours, command, configuration, container: container).isSuccess
        }
        #expect(try call("ADD", "c1", configuration))
        let own = try elements(node)
        // Another pod takes one of the ports, and goes later than the first.
        var other = configuration
        let pod: JSONValue = .array([["address": "10.9.0.77/24"], ["address": "fd00:9::77/64"]])
        other.set(pod, at: "prevResult", "ips")
        other.set(
            .array([["hostPort": 8080, "containerPort": 81, "protocol": "tcp"]]), at: "runtimeConfig", "portMappings")
        #expect(try call("ADD", "c2", other))
        #expect(try call("CHECK", "c2", other))
        #expect(try !call("CHECK", "c1", configuration))
        #expect(try call("DEL", "c1", configuration))
        #expect(try call("DEL", "c1", configuration))
        #expect(try call("CHECK", "c2", other))
        #expect(try elements(node).allSatisfy { $0.contains("id: c2") })
        // A pod that gets the address of one that nobody deleted does not get its ports.
        var third = other
        third.set(
            .array([["hostPort": 7, "containerPort": 7, "protocol": "tcp"]]), at: "runtimeConfig", "portMappings")
        #expect(try call("ADD", "c3", third))
        #expect(try elements(node).allSatisfy { $0.contains("id: c3") })
        // The rules are there once, however many attachments there were.
        #expect(try call("ADD", "c1", configuration))
        #expect(try call("DEL", "c3", third))
        #expect(try elements(node) == own)
        #expect(try node.nft("list", "chain", "ip", "duet-portmap", "hostports").split(separator: "\n").count == 8)
    }

    @Test func `of attachments that are gone are collected`() throws {
        let node = try ChainedNode()
        var configuration = node.configuration("portmap", version: "1.1.0", ports)
        #expect(try node.node.call(.ours, "ADD", configuration).isSuccess)
        let kept = try elements(node)
        configuration["cni.dev/valid-attachments"] = .array([["containerID": "c1", "ifname": "eth0"]])
        #expect(try node.node.call(.ours, "GC", configuration).isSuccess)
        #expect(try elements(node) == kept)
        configuration["cni.dev/valid-attachments"] = .array([["containerID": "c1", "ifname": "eth1"]])
        var otherNetwork = configuration
        otherNetwork["name"] = "net2"
        #expect(try node.node.call(.ours, "GC", otherNetwork).isSuccess)
        #expect(try elements(node) == kept)
        #expect(try node.node.call(.ours, "GC", configuration).isSuccess)
        #expect(try elements(node) == [])
        #expect(try node.node.call(.ours, "STATUS", configuration).isSuccess)
    }

    @Test func `change hands between the implementations`() throws {
        let node = try ChainedNode()
        let configuration = node.configuration("portmap", ports)
        #expect(try node.node.call(.reference, "ADD", configuration).isSuccess)
        #expect(try node.node.call(.ours, "CHECK", configuration).isSuccess)
        // Both at once: the runtime was restarted with the other binary, and repeats itself.
        #expect(try node.node.call(.ours, "ADD", configuration).isSuccess)
        #expect(try node.surprises([Question(.client, "192.0.2.1", 8080, "192.0.2.2 80")]) == [])
        #expect(try node.node.call(.reference, "DEL", configuration).isSuccess)
        #expect(try node.surprises([Question(.client, "2001:db8::1", 8080, "2001:db8::2 80")]) == [])
        #expect(try node.node.call(.ours, "DEL", configuration).isSuccess)
        #expect(try node.surprises([Question(.client, "192.0.2.1", 8080, nil)]) == [])
        // What the reference alone made goes by our hand, its chains included.
        #expect(try node.node.call(.reference, "ADD", configuration).isSuccess)
        #expect(try node.nft("list", "ruleset").contains("chain CNI-DN-"))
        for _ in 0..<2 { #expect(try node.node.call(.ours, "DEL", configuration).isSuccess) }
        #expect(try !node.nft("list", "ruleset").contains("CNI-DN-"))
        #expect(try !node.node.call(.ours, "CHECK", configuration).isSuccess)
    }
}
