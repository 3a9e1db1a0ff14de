import CNI
import JSON
import Linux
import Testing

@Suite(.enabled(if: hasReference)) struct `A firewall` {
    /// The rules of both families as iptables tells them, without counters and dates.
    private func rules(_ node: ChainedNode) throws -> [String] {
        try ["iptables-save", "ip6tables-save"].flatMap { command in
            let output = try node.node.run(["/usr/sbin/\(command)", "-t", "filter"])
            #expect(output.status.isSuccess && output.errorText.isEmpty, "\(output.errorText)")
            return output.text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
        }
    }

    private func reaches(_ node: ChainedNode, from namespace: String, _ address: String) throws -> Bool {
        var specification = ChildProcess.Specification(
            executable: "/bin/busybox", arguments: ["ping", "-c", "1", "-W", "1", address])
        specification.networkNamespace = NetworkNamespace.path(name: namespace)
        return try ChildProcess.output(of: specification).status.isSuccess
    }

    @Test(
        arguments: [
            [:], ["ingressPolicy": "same-bridge"], ["iptablesAdminChainName": "MY-ADMIN", "backend": "iptables"],
        ] as [JSONObject], [("ours", "reference"), ("reference", "ours")])
    func `is the same by either implementation, and either knows the other's`(
        extra: JSONObject, order: (String, String)
    ) throws {
        let first = try #require(Implementation(rawValue: order.0))
        let second = try #require(Implementation(rawValue: order.1))
        let node = try ChainedNode("bridge")
        let configuration = node.configuration("firewall", extra)
        let answer = try node.node.call(first, "ADD", configuration)
        #expect(answer.isSuccess, "\(answer.printed.text())")
        #expect(answer.printed == node.previous)
        let before = try rules(node)
        #expect(before.contains("-A CNI-FORWARD -s 10.9.0.2/32 -j ACCEPT"))
        #expect(before.contains("-A CNI-FORWARD -d fd00:9::2/128 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"))
        let check = try node.node.call(second, "CHECK", configuration)
        #expect(check.isSuccess, "\(check.printed.text())")
        // Adding what is there adds nothing.
        #expect(try node.node.call(second, "ADD", configuration).isSuccess)
        #expect(try rules(node) == before)
        for _ in 0..<2 { #expect(try node.node.call(second, "DEL", configuration).isSuccess) }
        let after = try rules(node)
        #expect(after == before.filter { !$0.contains("10.9.0.2") && !$0.contains("fd00:9::2") })
        #expect(try !node.node.call(first, "CHECK", configuration).isSuccess)
        #expect(try node.node.call(first, "ADD", configuration).isSuccess)
        #expect(try rules(node).sorted() == before.sorted())
    }

    @Test func `of attachments that are gone is collected, and an address that is used again keeps its rules`() throws {
        let node = try ChainedNode()
        var configuration = node.configuration("firewall", version: "1.1.0")
        func collect(_ containers: String...) throws -> [String] {
            configuration["cni.dev/valid-attachments"] = .array(
                containers.map { .object(["containerID": .string($0), "ifname": "eth0"]) })
            let answer = try node.node.call(.ours, "GC", configuration)
            #expect(answer.isSuccess, "\(answer.printed.text())")
            return try rules(node).filter { $0.hasSuffix("-j ACCEPT") }
        }
        #expect(try node.node.call(.ours, "ADD", configuration, container: "c1").isSuccess)
        let added = try collect("c1")
        #expect(added.count == 4)
        // Nobody deleted c1, and c2 gets its addresses.
        #expect(try node.node.call(.ours, "ADD", configuration, container: "c2").isSuccess)
        #expect(try collect("c2").sorted() == added.sorted())
        // A deletion that comes late leaves the rules to c2.
        #expect(try node.node.call(.ours, "DEL", configuration, container: "c1").isSuccess)
        #expect(try collect("c2").sorted() == added.sorted())
        #expect(try collect().isEmpty)
        // A runtime that has lost what the plugins answered gives no result.
        #expect(try node.node.call(.ours, "ADD", configuration, container: "c1").isSuccess)
        var bare = configuration
        bare["prevResult"] = .null
        #expect(try node.node.call(.ours, "DEL", bare, container: "c1").isSuccess)
        #expect(try collect("c1").isEmpty)
        #expect(try node.node.call(.reference, "ADD", node.configuration("firewall"), container: "c3").isSuccess)
        #expect(try collect().sorted() == added.sorted(), "the reference's do not tell whose they are")
    }

    @Test func `lets a pod out where the host forwards by permission only`() throws {
        let node = try ChainedNode()
        let pod = node.node.pod
        for command in ["iptables", "ip6tables"] {
            let output = try node.node.run(["/usr/sbin/\(command)", "-P", "FORWARD", "DROP"])
            #expect(output.status.isSuccess)
        }
        for address in ["192.0.2.2", "2001:db8::2"] { #expect(try !reaches(node, from: pod, address)) }
        let configuration = node.configuration("firewall")
        #expect(try node.node.call(.ours, "ADD", configuration).isSuccess)
        for address in ["192.0.2.2", "2001:db8::2"] { #expect(try reaches(node, from: pod, address)) }
        // Who begins from outside is not let in, and the host's own decision stays.
        for address in ["10.9.0.2", "fd00:9::2"] { #expect(try !reaches(node, from: node.client, address)) }
        #expect(try rules(node).filter { $0.hasPrefix(":FORWARD DROP") }.count == 2)
        #expect(try node.node.call(.ours, "DEL", configuration).isSuccess)
        #expect(try !reaches(node, from: pod, "192.0.2.2"))
    }

    @Test func `isolates the ports of a bridge`() throws {
        let node = try ChainedNode("bridge")
        let configuration = node.configuration("firewall", ["ingressPolicy": "isolated"])
        #expect(try node.node.call(.ours, "ADD", configuration).isSuccess)
        #expect(
            try rules(node).filter { $0.contains("-i cni0 -o cni0 ") && $0.hasSuffix("-j DROP") }.count == 2)
        let ports = try node.node.json(in: node.node.host, "-d", "link").filter { $0["master"] == "cni0" }
        #expect(ports.map { $0.at("linkinfo", "info_slave_data", "isolated") } == [true])
    }

    @Test(
        arguments: [
            (["prevResult": .null], "missing prevResult from earlier plugin"),
            (["ingressPolicy": "some"], "unknown ingress policy: \"some\""),
            (["backend": "firewalld"], "firewalld is not running"),
            (["iptablesAdminChainName": "A B"], "iptablesAdminChainName \"A B\" is no name for a chain of iptables"),
            (["iptablesAdminChainName": "-A"], "iptablesAdminChainName \"-A\" is no name for a chain of iptables"),
            (
                [
                    "ingressPolicy": "same-bridge",
                    "prevResult": ["cniVersion": "1.0.0", "ips": [["address": "10.0.0.1/24"]]],
                ],
                "interface needs to be set for ingress policy \"same-bridge\", "
                    + "make sure to chain \"firewall\" plugin with \"bridge\""
            ),
        ] as [(JSONObject, String)])
    func `that cannot be had leaves no rule`(extra: JSONObject, message: String) throws {
        let node = try ChainedNode()
        let configuration = node.configuration("firewall", extra)
        let answer = try node.node.call(.ours, "ADD", configuration)
        #expect(answer.printed["code"] == 999)
        #expect(answer.printed["msg"]?.string == message)
        #expect(try !rules(node).contains { $0.contains("-j ACCEPT") })
    }
}
