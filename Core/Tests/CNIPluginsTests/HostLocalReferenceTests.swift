import Addresses
import CNI
import JSON
import Linux
import Testing

@Suite(.enabled(if: hasReference)) struct `Host-local beside the reference` {
    /// Configurations whose results, errors included, must be the reference's.
    static let inputs: [(remark: String, ipam: String, arguments: String)] = [
        ("both families", #"{"ranges":[[{"subnet":"10.9.0.0/24"}],[{"subnet":"fd00:9::/64"}]]}"#, ""),
        ("flat", #"{"subnet":"10.9.0.0/24","rangeStart":"10.9.0.9","gateway":"10.9.0.254"}"#, ""),
        ("flat before ranges", #"{"subnet":"10.8.0.0/24","ranges":[[{"subnet":"10.9.0.0/24"}]]}"#, ""),
        (
            "routes", #"{"subnet":"10.9.0.0/24","routes":[{"dst":"0.0.0.0/0"},{"dst":"10.1.0.0/16","gw":"10.9.0.1"}]}"#,
            ""
        ),
        ("small IPv6", #"{"ranges":[[{"subnet":"fd00::/126"}]]}"#, ""),
        ("requested", #"{"ranges":[[{"subnet":"10.9.0.0/24"}],[{"subnet":"fd00:9::/64"}]]}"#, "IP=fd00:9::77"),
        ("requested gateway", #"{"ranges":[[{"subnet":"10.9.0.0/24"}]]}"#, "IP=10.9.0.1"),
        ("requested elsewhere", #"{"ranges":[[{"subnet":"10.9.0.0/24"}]]}"#, "IP=10.1.0.3"),
        ("requested nonsense", #"{"ranges":[[{"subnet":"10.9.0.0/24"}]]}"#, "IP=foo"),
        ("unknown argument", #"{"ranges":[[{"subnet":"10.9.0.0/24"}]]}"#, "FOO=1"),
        ("ignored argument", #"{"ranges":[[{"subnet":"10.9.0.0/24"}]]}"#, "IgnoreUnknown=1;FOO=1"),
        ("no ranges", #"{"ranges":[]}"#, ""),
        ("empty set", #"{"ranges":[[]]}"#, ""),
        ("too small", #"{"ranges":[[{"subnet":"10.9.0.0/31"}]]}"#, ""),
        ("host bits", #"{"ranges":[[{"subnet":"10.9.0.1/24"}]]}"#, ""),
        ("start outside", #"{"ranges":[[{"subnet":"10.9.0.0/24","rangeStart":"10.8.0.1"}]]}"#, ""),
        ("end outside", #"{"ranges":[[{"subnet":"10.9.0.0/24","rangeEnd":"10.8.0.1"}]]}"#, ""),
        ("mixed", #"{"ranges":[[{"subnet":"10.9.0.0/24"},{"subnet":"fd00::/64"}]]}"#, ""),
        ("overlap in a set", #"{"ranges":[[{"subnet":"10.9.0.0/24"},{"subnet":"10.9.0.0/16"}]]}"#, ""),
        ("overlap of sets", #"{"ranges":[[{"subnet":"10.9.0.0/24"}],[{"subnet":"10.9.0.0/16"}]]}"#, ""),
        ("no CIDR", #"{"ranges":[[{"subnet":"10.9.0.0"}]]}"#, ""),
        ("wrong gateway", #"{"ranges":[[{"subnet":"10.9.0.0/24","gateway":"x"}]]}"#, ""),
        ("wrong route", #"{"ranges":[[{"subnet":"10.9.0.0/24"}]],"routes":[{"dst":"x"}]}"#, ""),
    ]

    /// What a runtime adds beside `ipam`.
    static let additions: [JSONObject] = [
        ["runtimeConfig": ["ipRanges": [[["subnet": "10.7.0.0/24"]], [["subnet": "fd00:7::/64"]]]]],
        ["runtimeConfig": ["ips": ["10.9.0.40/24", "fd00:9::40"]]],
        ["args": ["cni": ["ips": ["10.9.0.50"]]], "runtimeConfig": ["ips": ["fd00:9::50"]]],
        ["runtimeConfig": ["ips": ["192.0.2.1"]]],
    ]

    @Test(arguments: additions)
    func `honours what the runtime asks for`(addition: JSONObject) throws {
        let node = try TestNode()
        var answers: [JSONValue] = []
        for implementation in Implementation.allCases {
            let configuration = node.configuration("host-local", network: implementation.rawValue, addition)
            var printed = try node.call(implementation, "ADD", configuration).printed
            if printed["code"] != nil { printed["cniVersion"] = nil }
            answers.append(printed)
        }
        #expect(answers[0] == answers[1])
        #expect(node.allocated("ours") == node.allocated("reference"))
    }

    private func configuration(_ node: TestNode, _ ipam: String, network: String, version: String) throws -> JSONValue {
        var value = node.configuration("host-local", network: network, version: version)
        var ipam = try JSONValue(text: ipam)
        ipam["type"] = "host-local"
        ipam["dataDir"] = .string(node.directory)
        value["ipam"] = ipam
        return value
    }

    @Test(arguments: inputs.indices, ["0.2.0", "0.4.0", "1.0.0"])
    func `gives the same results and errors`(index: Int, version: String) throws {
        let (remark, ipam, arguments) = Self.inputs[index]
        let node = try TestNode()
        var answers: [JSONValue] = []
        for implementation in Implementation.allCases {
            let configuration = try configuration(node, ipam, network: implementation.rawValue, version: version)
            var printed = try node.call(implementation, "ADD", configuration, arguments: arguments).printed
            if printed["code"] != nil { printed["cniVersion"] = nil }
            // The reference does not tell a decoding failure from others.
            if printed["code"]?.int == 6 { printed["code"] = 999 }
            answers.append(printed)
        }
        // Of a malformed address ours says in which set it stands, too.
        if let full = answers[0]["msg"]?.string, full.contains(": invalid "), let end = answers[1]["msg"]?.string {
            #expect(full.hasSuffix(end), "\(remark)")
            answers[0]["msg"] = answers[1]["msg"]
        }
        #expect(answers[0] == answers[1], "\(remark)")
        #expect(node.allocated("ours") == node.allocated("reference"), "\(remark)")
    }

    @Test func `reads and removes the other's files`() throws {
        let node = try TestNode()
        let configuration = node.configuration("host-local")
        for (first, second) in [(Implementation.ours, Implementation.reference), (.reference, .ours)] {
            #expect(try node.call(first, "ADD", configuration).isSuccess)
            #expect(node.allocated("net").count == 2)
            #expect(try !node.call(second, "ADD", configuration).isSuccess)
            #expect(try node.call(second, "CHECK", configuration).isSuccess)
            #expect(try node.call(second, "DEL", configuration).isSuccess)
            #expect(node.allocated("net").isEmpty)
            #expect(try !node.call(first, "CHECK", configuration).isSuccess)
            #expect(try node.call(first, "DEL", configuration).isSuccess)
        }
    }

    @Test func `continues the other's round robin`() throws {
        let node = try TestNode()
        let configuration = node.configuration("host-local", subnets: ["10.9.0.0/29"])
        var addresses: [String] = []
        for round in 0..<10 {
            let implementation: Implementation = round.isMultiple(of: 2) ? .ours : .reference
            let printed = try node.call(implementation, "ADD", configuration, container: "c\(round)").printed
            addresses.append(try #require(printed["ips"]?[0]?["address"]?.string))
            try node.call(implementation, "DEL", configuration, container: "c\(round)")
        }
        #expect(addresses == [2, 3, 4, 5, 6, 2, 3, 4, 5, 6].map { "10.9.0.\($0)/29" })
    }

    @Test(arguments: Implementation.allCases)
    func `releases nothing but its own when a range is exhausted`(implementation: Implementation) throws {
        let node = try TestNode()
        let configuration = node.configuration("host-local", subnets: ["10.9.0.0/24", "fd00:9::/126"])
        for container in ["c1", "c2"] {
            #expect(try node.call(implementation, "ADD", configuration, container: container).isSuccess)
        }
        let answer = try node.call(implementation, "ADD", configuration, container: "c3")
        #expect(answer.printed["code"] == 999)
        #expect(
            answer.printed["msg"]?.string
                == "failed to allocate for range 1: no IP addresses available in range set: fd00:9::1-fd00:9::3")
        #expect(node.allocated("net").count == 4)
    }

    @Test func `keeps what an attachment has when it is added twice`() throws {
        let node = try TestNode()
        let configuration = node.configuration("host-local")
        #expect(try node.call(.ours, "ADD", configuration).isSuccess)
        let answer = try node.call(.ours, "ADD", configuration)
        #expect(answer.printed["msg"]?.string?.contains("duplicate allocation is not allowed") == true)
        #expect(node.allocated("net").count == 2)
    }

    @Test func `gives distinct addresses to thirty-two at once`() throws {
        let node = try TestNode()
        let configuration = node.configuration("host-local").text()
        let plugin = "\(try Implementation.ours.directory())/host-local"
        let children = try (0..<32).map { index in
            let path = "\(node.directory)/in.\(index)"
            try FileSystem.writeFile(path, Array(configuration.utf8))
            let environment = [
                "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c\(index)", "CNI_IFNAME": "eth0", "CNI_NETNS": node.podPath,
                "CNI_PATH": "/none",
            ]
            return try ChildProcess.spawn(
                executable: plugin, environment: environment, stdin: .file(path, append: false),
                stdout: .file("\(node.directory)/out.\(index)", append: false))
        }
        for child in children { #expect(try child.wait().isSuccess) }
        var addresses: Set<String> = []
        for index in 0..<32 {
            let printed = try JSONValue(text: FileSystem.readText("\(node.directory)/out.\(index)"))
            for entry in printed["ips"]?.array ?? [] { addresses.insert(entry["address"]?.string ?? "") }
        }
        #expect(addresses.count == 64)
        #expect(node.allocated("net").count == 64)
    }

    @Test func `collects garbage and knows when it is full`() throws {
        let node = try TestNode()
        var configuration = node.configuration(
            "host-local", version: "1.1.0", subnets: ["10.9.0.0/29", "fd00:9::/64"])
        for index in 0..<5 {
            #expect(try node.call(.ours, "ADD", configuration, container: "c\(index)").isSuccess)
        }
        let full = try node.call(.ours, "STATUS", configuration)
        #expect(full.printed["code"]?.int == 50)
        #expect(try node.call(.ours, "GC", configuration).printed["code"]?.int == 7)
        #expect(node.allocated("net").count == 10)
        configuration["cni.dev/valid-attachments"] = .array([
            .object(["containerID": "c1", "ifname": "eth0"]), .object(["containerID": "c2", "ifname": "eth1"]),
        ])
        #expect(try node.call(.ours, "GC", configuration).isSuccess)
        #expect(node.allocated("net") == ["10.9.0.3", "fd00:9::3"])
        #expect(try node.call(.ours, "STATUS", configuration).isSuccess)
    }
}
