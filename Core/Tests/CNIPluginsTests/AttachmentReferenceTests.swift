import CNI
import JSON
import Linux
import Testing

/// A configuration that both implementations must turn into the same result and the same kernel state.
struct AttachmentCase: Sendable, CustomTestStringConvertible {
    let remark: String
    let type: String
    var version = "1.0.0"
    var subnets = ["10.9.0.0/24", "fd00:9::/64"]
    var extra: JSONObject = [:]
    var arguments = ""
    var hasRoutes = true

    var testDescription: String { "\(type): \(remark)" }

    static let all =
        [
            AttachmentCase(remark: "both families", type: "ptp"),
            AttachmentCase(remark: "IPv4 alone", type: "ptp", subnets: ["10.9.0.0/24"]),
            AttachmentCase(remark: "IPv6 alone", type: "ptp", subnets: ["fd00:9::/64"]),
            AttachmentCase(remark: "IPv6 first", type: "ptp", subnets: ["fd00:9::/64", "10.9.0.0/24"]),
            AttachmentCase(
                remark: "MTU and resolver", type: "ptp",
                extra: ["mtu": 1400, "dns": ["nameservers": ["10.96.0.10"], "search": ["a.b"]]]),
            AttachmentCase(remark: "result of 0.4.0", type: "ptp", version: "0.4.0"),
            AttachmentCase(remark: "result of 0.2.0", type: "ptp", version: "0.2.0"),
            AttachmentCase(remark: "both families", type: "bridge"),
            AttachmentCase(remark: "gateway", type: "bridge", extra: ["isGateway": true]),
            AttachmentCase(
                remark: "default gateway with all that goes with it", type: "bridge",
                extra: ["isDefaultGateway": true, "hairpinMode": true, "mtu": 1450, "bridge": "br-pods"],
                // The reference fails on a default route of the IPAM plugin beside the one that it adds itself.
                hasRoutes: false),
            AttachmentCase(remark: "promiscuous", type: "bridge", extra: ["promiscMode": true, "isGateway": true]),
            AttachmentCase(
                remark: "hardware address of the runtime", type: "bridge",
                extra: ["runtimeConfig": ["mac": "02:11:22:33:44:55"], "args": ["cni": ["mac": "02:00:00:00:00:01"]]]),
            AttachmentCase(
                remark: "hardware address of the arguments", type: "bridge",
                arguments: "IgnoreUnknown=1;MAC=02:11:22:33:44:66"),
            AttachmentCase(remark: "no addresses", type: "bridge", extra: ["ipam": [:]]),
            AttachmentCase(
                remark: "checked hardware address", type: "bridge", extra: ["macspoofchk": true, "isGateway": true]),
            AttachmentCase(remark: "duplicate detection", type: "bridge", extra: ["enabledad": true]),
            AttachmentCase(remark: "loopback", type: "loopback"),
        ] + (hasBridgeVLANs ? withVLANs : [])

    private static let withVLANs = [
        AttachmentCase(remark: "a VLAN", type: "bridge", extra: ["vlan": 100, "hairpinMode": true]),
        AttachmentCase(
            remark: "gateway of a VLAN", type: "bridge",
            extra: ["vlan": 100, "isDefaultGateway": true, "mtu": 1400], hasRoutes: false),
    ]
}

@Suite(.enabled(if: hasReference)) struct `An attachment beside the reference's` {
    /// A printed result without what is random.
    private func normalised(_ result: JSONValue, _ node: TestNode) -> JSONValue {
        var result = result
        let interfaces = (result["interfaces"]?.array ?? []).map { interface in
            var interface = interface
            if interface["name"]?.string?.hasPrefix("veth") == true { interface["name"] = "veth" }
            if interface["mac"]?.string?.hasPrefix("02:11:22:33:44:") != true { interface["mac"] = "random" }
            if interface["sandbox"] != nil { interface["sandbox"] = "pod" }
            return interface
        }
        if !interfaces.isEmpty { result["interfaces"] = .array(interfaces) }
        return result
    }

    /// Links, addresses and routes of a namespace as `ip` tells them, without what is random or meant to differ.
    private func state(_ node: TestNode, _ namespace: String) throws -> [String] {
        func name(_ text: String?) -> String { text?.hasPrefix("veth") == true ? "veth" : text ?? "" }
        var lines: [String] = []
        for link in try node.json(in: namespace, "-d", "addr") {
            let port = link.at("linkinfo", "info_slave_data")
            lines.append(
                "link \(name(link["ifname"]?.string)) mtu \(link["mtu"]?.int ?? 0) \(link["operstate"]?.string ?? "") "
                    + "master \(link["master"]?.string ?? "-") promiscuity \(link["promiscuity"]?.int ?? 0) "
                    + "hairpin \(port?["hairpin"]?.bool ?? false)")
            for address in link["addr_info"]?.array ?? [] where address["scope"]?.string != "link" {
                lines.append(
                    "addr \(name(link["ifname"]?.string)) \(address["local"]?.string ?? "")/\(address["prefixlen"]?.int ?? 0)"
                        + " \(address["scope"]?.string ?? "") brd \(address["broadcast"]?.string ?? "-")")
            }
        }
        for family in ["-4", "-6"] {
            for route in try node.json(in: namespace, family, "route") where route["dst"]?.string != "fe80::/64" {
                let values = ["dst", "gateway", "scope", "prefsrc"].map { route[$0]?.string ?? "-" }
                lines.append(
                    "route \(values.joined(separator: " ")) \(name(route["dev"]?.string)) metric \(route["metric"]?.int ?? 0)"
                )
            }
        }
        return lines.sorted()
    }

    /// VLANs of ports and rules for frames, without what is random.
    private func bridging(_ node: TestNode) throws -> [String] {
        let vlans = try JSONValue(text: node.run(["/usr/sbin/bridge", "-j", "vlan", "show"]).text).array ?? []
        let ports = vlans.map { port in
            let name = port["ifname"]?.string ?? ""
            return "vlans \(name.hasPrefix("veth") ? "veth" : name) \(port["vlans"]?.text() ?? "")"
        }
        let rules = try node.run(["/usr/sbin/nft", "list", "table", "bridge", "nat"]).text
        return ports.sorted()
            + rules.split(separator: "\n").map { line in
                let words = line.split(separator: " ").map(String.init)
                return words.map { word in
                    if word.hasPrefix("\"veth") { return "veth" }
                    return word.count == 17 && word.split(separator: ":").count == 6 ? "mac" : word
                }.joined(separator: " ")
            }
    }

    private func isOperational(_ node: TestNode) throws -> Bool {
        let links = try node.json(in: node.host, "link") + node.json(in: node.pod, "link")
        return links.allSatisfy { $0["ifname"] == "lo" || $0["operstate"] == "UP" }
    }

    private func settings(_ node: TestNode, _ namespace: String) throws -> [String] {
        let names = [
            "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv6/conf/eth0/accept_dad",
            "net/ipv4/conf/eth0/arp_notify", "net/ipv6/conf/cni0/accept_ra",
        ]
        return try NetworkNamespace.open(name: namespace).run {
            names.map { "\($0) \((try? Sysctl.get($0)) ?? "-")" }
        }
    }

    private func difference(_ states: [[String]]) -> [String] {
        states[0].difference(from: states[1]).map { change in
            switch change {
            case .insert(_, let line, _): "ours alone: \(line)"
            case .remove(_, let line, _): "reference alone: \(line)"
            }
        }
    }

    @Test(arguments: AttachmentCase.all)
    func `gives the same result and the same kernel state`(row: AttachmentCase) throws {
        var results: [JSONValue] = []
        var pods: [[String]] = []
        var hosts: [[String]] = []
        for implementation in Implementation.allCases {
            let node = try TestNode(detectsDuplicates: false)
            var configuration = node.configuration(row.type, version: row.version, subnets: row.subnets, row.extra)
            if !row.hasRoutes { configuration.set(nil, at: "ipam", "routes") }
            let answer = try node.call(implementation, "ADD", configuration, arguments: row.arguments)
            #expect(answer.isSuccess, "\(implementation): \(answer.printed.text())")
            results.append(normalised(answer.printed, node))
            // The reference leaves before its links are operational; ours does not, and the judge waits for both.
            for _ in 0..<200 where try !isOperational(node) { _ = try node.run(["/bin/sleep", "0.01"]) }
            pods.append(try state(node, node.pod) + settings(node, node.pod).filter { !$0.contains("accept_dad") })
            hosts.append(try state(node, node.host) + settings(node, node.host) + bridging(node))
            var again = configuration
            again["prevResult"] = answer.printed
            // The reference cannot check an attachment without addresses.
            if row.version >= "0.4.0", implementation == .ours || configuration.at("ipam", "type") != nil {
                let check = try node.call(implementation, "CHECK", again, arguments: row.arguments)
                #expect(check.isSuccess, "\(implementation): \(check.printed.text())")
            }
            for _ in 0..<2 {
                #expect(try node.call(implementation, "DEL", again, arguments: row.arguments).isSuccess)
            }
            #expect(node.allocated("net").isEmpty)
            let left = try node.json(in: node.pod, "addr").compactMap { $0["ifname"]?.string }
            #expect(left == ["lo"])
        }
        #expect(results[0] == results[1])
        #expect(difference(pods) == [])
        #expect(difference(hosts) == [])
    }
}
