import JSON
import KubernetesAPI
import Testing

/// What EndpointSlices and Endpoints may say.
@Suite struct EndpointRuleTests {
    private static let label =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        + "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

    private static func repeated(_ element: String, _ count: Int) -> String {
        "[" + Array(repeating: element, count: count).joined(separator: ",") + "]"
    }

    private static func slice(_ type: String, _ address: String) -> String {
        #"{"addressType":"\#(type)","endpoints":[{"addresses":["\#(address)"]}]}"#
    }

    private static func endpoint(_ more: String) -> String {
        #"{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],\#(more)}]}"#
    }

    private static func special(_ address: String, _ range: String) -> String {
        "endpoints[0].addresses[0]: Invalid value: \"\(address)\": may not be \(range)"
    }

    private static let loopback = "in the loopback range (127.0.0.0/8, ::1/128)"
    private static let link = "in the link-local range (169.254.0.0/16, fe80::/10)"
    private static let multicast = "in the link-local multicast range (224.0.0.0/24, ff02::/10)"
    private static let unspecified = "unspecified (0.0.0.0 or ::)"

    /// Columns: a slice, the causes of its refusal.
    static let slices: [(String, [String])] = [
        (slice("IPv4", "10.0.0.1"), []), (slice("IPv6", "fd00::1"), []), (slice("FQDN", "a.example.com"), []),
        (#"{"endpoints":[]}"#, ["addressType: Required value"]),
        (
            #"{"addressType":"IP"}"#,
            [#"addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6""#]
        ),
        (
            slice("IPv4", "fd00::1"),
            [#"endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address"#]
        ),
        (
            slice("IPv6", "10.0.0.1"),
            [#"endpoints[0].addresses[0]: Invalid value: "10.0.0.1": must be a valid IPv6 address"#]
        ),
        (
            slice("IPv4", "a.b"),
            [
                "endpoints[0].addresses[0]: Invalid value: \"a.b\": must be a valid IP address, (e.g. 10.9.8.7 or "
                    + "2001:db8::ffff)"
            ]
        ),
        (slice("IPv4", "0.0.0.0"), [special("0.0.0.0", unspecified)]),
        (slice("IPv6", "::"), [special("::", unspecified)]),
        (slice("IPv4", "127.1.2.3"), [special("127.1.2.3", loopback)]),
        (slice("IPv6", "::1"), [special("::1", loopback)]),
        (slice("IPv4", "169.254.1.1"), [special("169.254.1.1", link)]),
        (slice("IPv6", "fe80::1"), [special("fe80::1", link)]),
        (slice("IPv4", "224.0.0.1"), [special("224.0.0.1", multicast)]),
        (slice("IPv6", "ff02::1"), [special("ff02::1", multicast)]),
        (
            #"{"addressType":"IPv4","endpoints":[{}]}"#,
            ["endpoints[0].addresses: Required value: must contain at least 1 address"]
        ),
        (
            #"{"addressType":"IPv4","endpoints":[{"addresses":\#(repeated(#""10.0.0.1""#, 100))}]}"#, []
        ),
        (
            #"{"addressType":"IPv4","endpoints":[{"addresses":\#(repeated(#""10.0.0.1""#, 101))}]}"#,
            ["endpoints[0].addresses: Too many: 101: must have at most 100 items"]
        ),
        (#"{"addressType":"IPv4","endpoints":\#(repeated(#"{"addresses":["10.0.0.1"]}"#, 1000))}"#, []),
        (
            #"{"addressType":"IPv4","endpoints":\#(repeated(#"{"addresses":["10.0.0.1"]}"#, 1001))}"#,
            ["endpoints: Too many: 1001: must have at most 1000 items"]
        ),
        (endpoint(#""hostname":"a-1""#), []),
        (endpoint(#""hostname":"a.b""#), ["endpoints[0].hostname: Invalid value: \"a.b\": \(label)"]),
        (endpoint(#""conditions":{"ready":false},"nodeName":"n.example","zone":"z""#), []),
        (endpoint(#""deprecatedTopology":{"k":"v"}"#), []),
        (
            endpoint(#""deprecatedTopology":{\#((0..<17).map { #""k\#($0)":"v""# }.joined(separator: ","))}"#),
            ["endpoints[0].deprecatedTopology: Too many: 17: must have at most 16 items"]
        ),
        (endpoint(#""hints":{"forZones":[{"name":"a"},{"name":"b"}],"forNodes":[{"name":"n"}]}"#), []),
        (
            endpoint(#""hints":{"forNodes":[{"name":"n"},{"name":"n"}]}"#),
            [#"endpoints[0].hints.forNodes[1].name: Duplicate value: "n""#]
        ),
        (
            endpoint(#""hints":{"forZones":\#(repeated(#"{"name":"a"}"#, 9))}"#),
            ["endpoints[0].hints.forZones: Too many: 9: must have at most 8 items"]
        ),
        (
            #"{"addressType":"IPv4","ports":[{"port":80},{"name":"a"},{"name":"b","port":65535,"appProtocol":"example.com/x"}]}"#,
            []
        ),
        (
            #"{"addressType":"IPv4","ports":[{"name":"a","port":80},{"name":"a","port":81}]}"#,
            [#"ports[1].name: Duplicate value: "a""#]
        ),
        (
            #"{"addressType":"IPv4","ports":[{"name":"A","port":80}]}"#,
            ["ports[0].name: Invalid value: \"A\": \(label)"]
        ),
        (
            #"{"addressType":"IPv4","ports":[{"port":0}]}"#,
            ["ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"]
        ),
        (
            #"{"addressType":"IPv4","ports":[{"protocol":"ICMP"}]}"#,
            [#"ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP""#]
        ),
        (
            #"{"addressType":"IPv4","ports":[\#((0...20_000).map { #"{"name":"p\#($0)"}"# }.joined(separator: ","))]}"#,
            ["ports: Too many: 20001: must have at most 20000 items"]
        ),
    ]

    @Test(arguments: slices.indices) func `a slice has addresses of one family that clients can reach`(row: Int) throws
    {
        let harness = try StrategyHarness(.endpointSlices)
        #expect(harness.refusal { try harness.created(Self.slices[row].0) } == Self.slices[row].1)
    }

    @Test func `a slice gets its defaults`() throws {
        let object = try StrategyHarness(.endpointSlices).created(#"{"addressType":"IPv4","ports":[{}]}"#)
        #expect(object["ports"] == [["name": "", "protocol": "TCP"]])
        #expect(object["endpoints"] == [])
    }

    private static func subsets(_ address: String, ports: String = #"[{"port":80}]"#) -> String {
        #"{"subsets":[{"addresses":[{"ip":"\#(address)"}],"ports":\#(ports)}]}"#
    }

    /// Columns: Endpoints, the causes of their refusal.
    static let endpoints: [(String, [String])] = [
        (subsets("10.0.0.1"), []), (subsets("fd00::1"), []), (#"{"subsets":[]}"#, []),
        (#"{"subsets":[{"notReadyAddresses":[{"ip":"10.0.0.1","hostname":"a"}]}]}"#, []),
        (#"{"subsets":[{}]}"#, ["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"]),
        (
            #"{"subsets":[{"notReadyAddresses":[{"ip":"10.0.0.1","hostname":"a.b"}]}]}"#,
            ["subsets[0].notReadyAddresses[0].hostname: Invalid value: \"a.b\": \(label)"]
        ),
        (subsets("::1"), [#"subsets[0].addresses[0].ip: Invalid value: "::1": may not be \#(loopback)"#]),
        (subsets("fe80::1"), [#"subsets[0].addresses[0].ip: Invalid value: "fe80::1": may not be \#(link)"#]),
        (subsets("ff02::1"), [#"subsets[0].addresses[0].ip: Invalid value: "ff02::1": may not be \#(multicast)"#]),
        (subsets("::"), [#"subsets[0].addresses[0].ip: Invalid value: "::": may not be \#(unspecified)"#]),
        (
            subsets("10.0.0.1", ports: #"[{"port":80},{"name":"b","port":81}]"#),
            ["subsets[0].ports[0].name: Required value"]
        ),
        (
            subsets("10.0.0.1", ports: "[{}]"),
            ["subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"]
        ),
    ]

    @Test(arguments: endpoints.indices) func `Endpoints are addresses that clients can reach`(row: Int) throws {
        let harness = try StrategyHarness(.endpoints)
        #expect(harness.refusal { try harness.created(Self.endpoints[row].0) } == Self.endpoints[row].1)
    }
}
