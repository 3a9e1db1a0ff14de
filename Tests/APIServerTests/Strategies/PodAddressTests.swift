import JSON
import KubernetesAPI
import Testing

/// Addresses of pods and of their hosts, and what pods take from a node's network.
@Suite struct PodAddressTests {
    private let harness: StrategyHarness

    init() throws {
        harness = try StrategyHarness(.pods)
    }

    private static let notAnAddress = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"

    private static func invalid(_ field: String, _ addresses: String...) -> String {
        let shown = addresses.map { #"{"IP":"\#($0)"}"# }.joined(separator: ",")
        return "\(field): Invalid value: [\(shown)]: may specify no more than one IP for each IP family"
    }

    /// Columns: the status, `podIPs` and `podIP` after it, or the causes of the refusal.
    @Test(
        arguments: [
            ("{}", [], nil, []),
            (#"{"podIPs":[]}"#, [], nil, []),
            (#"{"podIP":"10.0.0.1"}"#, ["10.0.0.1"], "10.0.0.1", []),
            (#"{"podIP":"fd00::1"}"#, ["fd00::1"], "fd00::1", []),
            (#"{"podIPs":[{"ip":"10.0.0.1"}]}"#, ["10.0.0.1"], "10.0.0.1", []),
            (#"{"podIPs":[{"ip":"fd00::1"},{"ip":"10.0.0.1"}]}"#, ["fd00::1", "10.0.0.1"], "fd00::1", []),
            (
                #"{"podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"}]}"#, ["10.0.0.1", "fd00::1"],
                "10.0.0.1", []
            ),
            // A client that knows only the singular field has the say.
            (#"{"podIP":"10.0.0.9","podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"}]}"#, ["10.0.0.9"], "10.0.0.9", []),
            (#"{"podIP":"fd00::1","podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"}]}"#, ["fd00::1"], "fd00::1", []),
            (#"{"podIPs":[{"ip":"x"}]}"#, [], nil, [#"status.podIPs[0]: Invalid value: "x": \#(notAnAddress)"#]),
            (
                #"{"podIPs":[{"ip":"10.0.0.0/8"}]}"#, [], nil,
                [#"status.podIPs[0]: Invalid value: "10.0.0.0/8": \#(notAnAddress)"#]
            ),
            (
                #"{"podIPs":[{"ip":"10.0.0.1"},{"ip":""}]}"#, [], nil,
                [#"status.podIPs[1]: Invalid value: "": \#(notAnAddress)"#]
            ),
            (
                #"{"podIPs":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]}"#, [], nil,
                [invalid("status.podIPs", "10.0.0.1", "10.0.0.2")]
            ),
            (
                #"{"podIPs":[{"ip":"fd00::1"},{"ip":"fd00::2"}]}"#, [], nil,
                [invalid("status.podIPs", "fd00::1", "fd00::2")]
            ),
            (
                #"{"podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"},{"ip":"fd00::2"}]}"#, [], nil,
                [invalid("status.podIPs", "10.0.0.1", "fd00::1", "fd00::2")]
            ),
            (
                #"{"podIPs":[{"ip":"10.0.0.1"},{"ip":"10.0.0.1"}]}"#, [], nil,
                [
                    invalid("status.podIPs", "10.0.0.1", "10.0.0.1"),
                    #"status.podIPs[1]: Duplicate value: {"IP":"10.0.0.1"}"#,
                ]
            ),
            (
                #"{"podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"},{"ip":"10.0.0.1"}]}"#, [], nil,
                [
                    invalid("status.podIPs", "10.0.0.1", "fd00::1", "10.0.0.1"),
                    #"status.podIPs[2]: Duplicate value: {"IP":"10.0.0.1"}"#,
                ]
            ),
        ] as [(String, [String], String?, [String])])
    func `a pod has an address of each family at most, the first of them twice`(
        status: String, addresses: [String], first: String?, refusal: [String]
    ) throws {
        let pod = try harness.pod()
        guard refusal.isEmpty else {
            #expect(
                harness.refusal { try harness.updated(pod, #"{"status":\#(status)}"#, subresource: "status") }
                    == refusal)
            return
        }
        let object = try harness.updated(pod, #"{"status":\#(status)}"#, subresource: "status")
        #expect((object.at("status", "podIPs")?.array ?? []).compactMap { $0["ip"]?.string } == addresses)
        #expect(object.at("status", "podIP")?.string == first)
        // Others write other fields of the status; the addresses stay.
        let later = try harness.updated(object, #"{"status":{"phase":"Running"}}"#, subresource: "status")
        #expect(later.at("status", "podIPs") == object.at("status", "podIPs"))
        let main = try harness.updated(object, #"{"status":{"podIP":"10.9.9.9"}}"#)
        #expect(main["status"] == object["status"])
    }

    /// Columns: the status, or the causes of its refusal.
    @Test(
        arguments: [
            (#"{"hostIP":"192.0.2.1"}"#, []),
            (#"{"hostIP":"192.0.2.1","hostIPs":[]}"#, []),
            (#"{"hostIP":"192.0.2.1","hostIPs":[{"ip":"192.0.2.1"}]}"#, []),
            (#"{"hostIP":"2001:db8::1","hostIPs":[{"ip":"2001:db8::1"},{"ip":"192.0.2.1"}]}"#, []),
            (
                #"{"hostIPs":[{"ip":"192.0.2.1"}]}"#,
                [#"status.hostIPs[0].ip: Invalid value: "192.0.2.1": must be equal to `hostIP`"#]
            ),
            (
                #"{"hostIP":"192.0.2.1","hostIPs":[{"ip":"2001:db8::1"},{"ip":"192.0.2.1"}]}"#,
                [#"status.hostIPs[0].ip: Invalid value: "2001:db8::1": must be equal to `hostIP`"#]
            ),
            (
                #"{"hostIP":"192.0.2.1","hostIPs":[{"ip":"192.0.2.1"},{"ip":"x"}]}"#,
                [#"status.hostIPs[1]: Invalid value: "x": \#(notAnAddress)"#]
            ),
            (
                #"{"hostIP":"192.0.2.1","hostIPs":[{"ip":"192.0.2.1"},{"ip":"192.0.2.2"}]}"#,
                [invalid("status.hostIPs", "192.0.2.1", "192.0.2.2")]
            ),
            (
                #"{"hostIP":"192.0.2.1","hostIPs":[{"ip":"192.0.2.1"},{"ip":"2001:db8::1"},{"ip":"2001:db8::2"}]}"#,
                [invalid("status.hostIPs", "192.0.2.1", "2001:db8::1", "2001:db8::2")]
            ),
            (
                #"{"hostIP":"192.0.2.1","hostIPs":[{"ip":"192.0.2.1"},{"ip":"192.0.2.1"}]}"#,
                [
                    invalid("status.hostIPs", "192.0.2.1", "192.0.2.1"),
                    #"status.hostIPs[1]: Duplicate value: {"IP":"192.0.2.1"}"#,
                ]
            ),
        ] as [(String, [String])])
    func `a pod's host has an address of each family at most, the first of them twice`(
        status: String, refusal: [String]
    ) throws {
        let pod = try harness.pod()
        #expect(
            harness.refusal { try harness.updated(pod, #"{"status":\#(status)}"#, subresource: "status") } == refusal)
    }

    /// Columns: the ports of one container, further members of the specification, the causes of the refusal.
    @Test(
        arguments: [
            (#"[{"containerPort":80,"hostPort":80}]"#, "", []),
            (
                #"[{"containerPort":80,"hostPort":80,"hostIP":"192.0.2.1"},{"containerPort":81,"hostPort":80,"hostIP":"2001:db8::1"}]"#,
                "", []
            ),
            (#"[{"containerPort":80,"hostPort":80},{"containerPort":80,"hostPort":80,"protocol":"UDP"}]"#, "", []),
            (#"[{"containerPort":80},{"containerPort":81}]"#, "", []),
            (
                #"[{"containerPort":80,"hostPort":80},{"containerPort":81,"hostPort":80}]"#, "",
                [#"spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80""#]
            ),
            (
                #"[{"containerPort":80,"hostPort":80,"hostIP":"::"},{"containerPort":81,"hostPort":80,"hostIP":"::"}]"#,
                "",
                [#"spec.containers[0].ports[1].hostPort: Duplicate value: "TCP/::/80""#]
            ),
            (
                #"[{"containerPort":80,"hostPort":80,"hostIP":"x"}]"#, "",
                [#"spec.containers[0].ports[0].hostIP: Invalid value: "x": \#(notAnAddress)"#]
            ),
            (#"[{"containerPort":80}]"#, #""hostNetwork":true"#, []),
            (
                #"[{"containerPort":80,"hostPort":81}]"#, #""hostNetwork":true"#,
                [
                    "spec.containers[0].ports[0].containerPort: Invalid value: 80: must match `hostPort` when "
                        + "`hostNetwork` is true"
                ]
            ),
        ] as [(String, String, [String])])
    func `ports of the host are of either family and taken once`(ports: String, spec: String, refusal: [String]) {
        #expect(harness.refusal { try harness.pod(spec, container: #""ports":\#(ports)"#) } == refusal)
    }

    private static let variables =
        #""metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "#
        + #""status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs""#
    private static let files =
        #""metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid""#

    /// Columns: a field, why it is none for an environment variable, and none for a file; empty where it is one.
    @Test(
        arguments: [
            ("metadata.name", "", ""), ("metadata.namespace", "", ""), ("metadata.uid", "", ""),
            ("metadata.labels['app']", "", ""), ("metadata.annotations['a/b']", "", ""),
            ("status.podIP", "", ".fieldPath: Unsupported value: \"status.podIP\": supported values: \(files)"),
            ("status.podIPs", "", ".fieldPath: Unsupported value: \"status.podIPs\": supported values: \(files)"),
            ("status.hostIP", "", ".fieldPath: Unsupported value: \"status.hostIP\": supported values: \(files)"),
            ("status.hostIPs", "", ".fieldPath: Unsupported value: \"status.hostIPs\": supported values: \(files)"),
            ("spec.nodeName", "", ".fieldPath: Unsupported value: \"spec.nodeName\": supported values: \(files)"),
            (
                "metadata.labels", ".fieldPath: Unsupported value: \"metadata.labels\": supported values: \(variables)",
                ""
            ),
            (
                "status.phase", ".fieldPath: Unsupported value: \"status.phase\": supported values: \(variables)",
                ".fieldPath: Unsupported value: \"status.phase\": supported values: \(files)"
            ),
            (
                "status.ip",
                ".fieldPath: Invalid value: \"status.ip\": error converting fieldPath: field label not supported: status.ip",
                ".fieldPath: Invalid value: \"status.ip\": error converting fieldPath: field label not supported: status.ip"
            ),
            (
                "status.podIPs['0']",
                ".fieldPath: Invalid value: \"status.podIPs['0']\": error converting fieldPath: field label does not support "
                    + "subscript: status.podIPs['0']",
                ".fieldPath: Invalid value: \"status.podIPs['0']\": error converting fieldPath: field label does not support "
                    + "subscript: status.podIPs['0']"
            ),
            ("", ".fieldPath: Required value", ".fieldPath: Required value"),
        ])
    func `variables show addresses, files show metadata`(field: String, variable: String, file: String) {
        let reference = #"{"fieldPath":"\#(field)"}"#
        let environment = harness.refusal {
            try harness.pod("", container: #""env":[{"name":"A","valueFrom":{"fieldRef":\#(reference)}}]"#)
        }
        #expect(environment == (variable.isEmpty ? [] : ["spec.containers[0].env[0].valueFrom.fieldRef\(variable)"]))
        let items = #"{"items":[{"path":"p","fieldRef":\#(reference)}]}"#
        let volume = harness.refusal { try harness.pod(#""volumes":[{"name":"v","downwardAPI":\#(items)}]"#) }
        #expect(volume == (file.isEmpty ? [] : ["spec.volumes[0].downwardAPI.items[0].fieldRef\(file)"]))
        let projected = harness.refusal {
            try harness.pod(#""volumes":[{"name":"v","projected":{"sources":[{"downwardAPI":\#(items)}]}}]"#)
        }
        #expect(
            projected
                == (file.isEmpty ? [] : ["spec.volumes[0].projected.sources[0].downwardAPI.items[0].fieldRef\(file)"]))
    }

    /// Columns: members of the specification, the causes of the refusal.
    @Test(
        arguments: [
            (#""hostAliases":[{"ip":"10.0.0.1","hostnames":["a","b.c"]},{"ip":"fd00::1"}]"#, []),
            (
                #""hostAliases":[{"ip":"x","hostnames":["a"]}]"#,
                [#"spec.hostAliases[0].ip: Invalid value: "x": \#(notAnAddress)"#]
            ),
            (#""dnsPolicy":"None","dnsConfig":{"nameservers":["10.0.0.1","fd00::1"]}"#, []),
            (
                #""dnsPolicy":"None""#,
                [
                    "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"
                ]
            ),
            (
                #""dnsConfig":{"nameservers":["1.1.1.1","2.2.2.2","3.3.3.3","4.4.4.4"]}"#,
                [
                    #"spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","2.2.2.2","3.3.3.3","4.4.4.4"]: must not have "#
                        + "more than 3 nameservers"
                ]
            ),
            (
                #""dnsConfig":{"nameservers":["dns"]}"#,
                [#"spec.dnsConfig.nameservers[0]: Invalid value: "dns": \#(notAnAddress)"#]
            ),
            (#""dnsConfig":{"searches":["a.b.","."],"options":[{"name":"ndots","value":"2"}]}"#, []),
            (
                #""dnsConfig":{"options":[{"value":"2"}]}"#,
                ["spec.dnsConfig.options[0]: Required value: must not be empty"]
            ),
        ] as [(String, [String])])
    func `names and name servers of a pod are checked`(spec: String, refusal: [String]) {
        #expect(harness.refusal { try harness.pod(spec) } == refusal)
    }
}
