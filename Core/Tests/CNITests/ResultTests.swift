import Addresses
import CNI
import JSON
import Testing

@Suite struct `A result` {
    private func sample() throws -> CNIResult {
        var result = CNIResult()
        result.interfaces = [
            CNIResult.Interface(name: "veth1", mac: "02:00:00:00:00:01", mtu: 1450),
            CNIResult.Interface(name: "eth0", mac: "02:00:00:00:00:02", mtu: 1450, sandbox: "/run/netns/x"),
        ]
        let rows = [("10.9.0.2/24", "10.9.0.1"), ("fd00:9::2/64", "fd00:9::1"), ("10.9.1.2/24", "10.9.1.1")]
        for (address, gateway) in rows {
            result.addresses.append(
                CNIResult.Address(
                    try #require(InterfaceAddress(address)), gateway: IPAddress(gateway), interface: 1))
        }
        result.routes = [
            CNIResult.Route(try #require(IPPrefix("0.0.0.0/0"))),
            CNIResult.Route(try #require(IPPrefix("::/0")), gateway: IPAddress("fd00:9::1")),
        ]
        result.routes[0].mtu = 1400
        result.dns.nameservers = ["10.96.0.10"]
        return result
    }

    @Test func `keeps everything in the newest version`() throws {
        let result = try sample()
        let read = try CNIResult(json: try result.json(version: .newest), version: .unspecified)
        #expect(read == result)
    }

    @Test(arguments: CNIVersion.supported.filter { $0 >= CNIVersion(0, 3, 0) })
    func `keeps addresses and routes in every version with lists`(version: CNIVersion) throws {
        let result = try sample()
        let json = try result.json(version: version)
        #expect(json["cniVersion"]?.string == version.description)
        let read = try CNIResult(json: json, version: .unspecified)
        #expect(read.addresses == result.addresses)
        #expect(read.routes.map(\.destination) == result.routes.map(\.destination))
        #expect(read.interfaces.map(\.sandbox) == result.interfaces.map(\.sandbox))
        let hasVersion = json["ips"]?[0]?["version"] != nil
        #expect(hasVersion == (version < CNIVersion(1, 0, 0)))
        #expect((json["interfaces"]?[0]?["mtu"] != nil) == (version >= CNIVersion(1, 1, 0)))
    }

    @Test(arguments: [CNIVersion(0, 1, 0), CNIVersion(0, 2, 0)])
    func `has the first address of each family in old versions`(version: CNIVersion) throws {
        let expected = try JSONValue(
            text: """
                {"cniVersion":"\(version)",
                 "ip4":{"ip":"10.9.0.2/24","gateway":"10.9.0.1","routes":[{"dst":"0.0.0.0/0"}]},
                 "ip6":{"ip":"fd00:9::2/64","gateway":"fd00:9::1","routes":[{"dst":"::/0","gw":"fd00:9::1"}]},
                 "dns":{"nameservers":["10.96.0.10"]}}
                """)
        let json = try sample().json(version: version)
        #expect(json == expected)
        let read = try CNIResult(json: json, version: .unspecified)
        #expect(read.families == [.ipv4, .ipv6])
        #expect(read.routes.count == 2)
    }

    @Test func `without addresses has no form in old versions`() {
        #expect(throws: CNIError("cannot convert: no valid IP addresses")) {
            try CNIResult().json(version: CNIVersion(0, 2, 0))
        }
    }

    @Test(arguments: [
        (#"[]"#, "an object"), (#"{"ips":{}}"#, "an array"), (#"{"ips":[{"address":"10.0.0.1"}]}"#, "invalid CIDR"),
        (#"{"interfaces":[{}]}"#, "interfaces.name"), (#"{"routes":[{"dst":"x"}]}"#, "invalid CIDR"),
        (#"{"cniVersion":"9.9.9"}"#, "unsupported"),
        (#"{"ips":[{"address":"10.0.0.1/8","gateway":"y"}]}"#, "invalid IP"),
    ])
    func `that is malformed says where`(text: String, words: String) throws {
        let json = try JSONValue(text: text)
        let error = try #require(throws: CNIError.self) { try CNIResult(json: json, version: .newest) }
        #expect(error.description.contains(words), "\(error)")
    }

    @Test(
        arguments: [
            ("", [:], nil), ("IgnoreUnknown=1;A=B;IP=1.2.3.4", ["IP": "1.2.3.4"], nil),
            ("A=B", [:], #"ARGS: unknown args ["A=B"]"#), ("A", [:], #"ARGS: invalid pair "A""#),
            ("IP=1;", [:], "ARGS: invalid pair \"\""),
            ("IP=1;IP=2", ["IP": "2"], nil), ("IgnoreUnknown=maybe", [:], "boolean unmarshal error"),
        ] as [(String, [String: String], String?)])
    func `Arguments are read as pairs`(text: String, expected: [String: String], failure: String?) throws {
        do {
            let arguments = try CNIArguments(text, known: ["IP"])
            #expect(failure == nil)
            for (key, value) in expected { #expect(arguments[key] == value) }
        } catch {
            #expect(failure.map { error.description.contains($0) } == true, "\(error)")
        }
    }

    @Test(arguments: [("1.0.0", CNIVersion(1, 0, 0)), ("0.4", CNIVersion(0, 4, 0)), ("1", CNIVersion(1, 0, 0))])
    func `Versions are read with missing parts as zero`(text: String, version: CNIVersion) {
        #expect(CNIVersion(text) == version)
    }

    @Test(arguments: ["", "x", "1.0.0.0", "-1.0.0", "1..0", "1.0.99999", "+1.0.0"])
    func `Malformed versions are refused`(text: String) {
        #expect(CNIVersion(text) == nil)
    }
}
