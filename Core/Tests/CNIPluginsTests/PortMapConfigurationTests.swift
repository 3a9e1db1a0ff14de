import Addresses
import CNI
import JSON
import Testing

@testable import CNIPlugins

struct `A configuration of mapped ports` {
    private func failure(_ extra: String) throws -> JSONValue {
        let text = "{\"cniVersion\": \"1.0.0\", \"name\": \"net\", \"type\": \"portmap\", \(extra)}"
        let environment = [
            "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": "/none", "CNI_IFNAME": "eth0",
            "CNI_PATH": "/none",
        ]
        let outcome = CNIDispatcher(PortMapPlugin(), isOwnNamespace: { _ in false }).run(
            environment: { environment[$0] }, input: { Array(text.utf8) })
        #expect(outcome.status == 1)
        return try JSONValue(text: outcome.output)
    }

    @Test(
        arguments: [
            ("\"snat\": true", 999, "must be called as chained plugin"),
            ("\"markMasqBit\": 32", 999, "MasqMarkBit must be between 0 and 31"),
            (
                "\"markMasqBit\": 3, \"externalSetMarkChain\": \"KUBE-MARK-MASQ\"", 999,
                "Cannot specify externalSetMarkChain and markMasqBit"
            ),
            ("\"backend\": \"ebpf\"", 999, "unrecognized backend: \"ebpf\""),
            ("\"snat\": 1", 6, "cannot read \"snat\": expected true or false"),
            (
                "\"conditionsV4\": [\"-m\", \"set\"]", 2, "unsupported field \"conditionsV4\": [\"-m\",\"set\"]"
            ),
            (
                "\"conditionsV6\": [\"-s\", \"10.0.0.0/8\"]", 2,
                "unsupported field \"conditionsV6\": [\"-s\",\"10.0.0.0/8\"]"
            ),
            (
                "\"runtimeConfig\": {\"portMappings\": [{\"hostPort\": 0, \"containerPort\": 80, \"protocol\": \"tcp\"}]}",
                999, "Invalid host port number: 0"
            ),
            (
                "\"runtimeConfig\": {\"portMappings\": [{\"hostPort\": 80, \"containerPort\": 65536, \"protocol\": \"tcp\"}]}",
                999, "Invalid container port number: 65536"
            ),
            (
                "\"runtimeConfig\": {\"portMappings\": [{\"hostPort\": 80, \"containerPort\": 80, \"protocol\": \"icmp\"}]}",
                999, "unknown protocol \"icmp\" of host port 80: expected tcp, udp or sctp"
            ),
        ])
    func `that is wrong is refused`(extra: String, code: Int, message: String) throws {
        let error = try failure(extra)
        #expect(error["code"]?.int == code)
        #expect(error["msg"]?.string?.hasSuffix(message) == true)
    }

    @Test(
        arguments: [
            (["!", "-d", "192.0.2.0/24"], ["destination != 192.0.2.0/24"]),
            (["-s", "10.0.0.1", "! --dst 10.1.0.0/16"], ["source 10.0.0.1/32", "destination != 10.1.0.0/16"]),
            (["ip", "saddr", "!=", "10.0.0.0/8"], ["source != 10.0.0.0/8"]),
            (["ip daddr == 10.0.0.0/8 ip saddr 10.0.0.1"], ["destination 10.0.0.0/8", "source 10.0.0.1/32"]),
            ([], []), (["-d"], nil), (["ip6", "saddr", "10.0.0.1"], nil), (["-d", "fd00::/8"], nil),
            (["tcp", "dport", "80"], nil), (["!"], nil),
        ] as [([String], [String]?)])
    func `has conditions on addresses`(words: [String], conditions: [String]?) {
        #expect(PortCondition.list(words, .ipv4)?.map(\.description) == conditions)
    }
}
