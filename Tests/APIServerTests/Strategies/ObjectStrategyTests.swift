import JSON
import KubernetesAPI
import Testing

@Suite struct ObjectStrategyTests {
    /// An object of a resource, and what is wrong with it.
    struct Refusal: Sendable {
        let resource: Resource
        let object: String
        let causes: [String]

        init(_ resource: Resource, _ object: String, _ causes: String...) {
            self.resource = resource
            self.object = object
            self.causes = causes
        }
    }

    private static let label =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        + "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    private static let service =
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
        + "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
        + "'[a-z]([-a-z0-9]*[a-z0-9])?')"

    static let refusals: [Refusal] = [
        Refusal(
            .namespaces, #"{"metadata":{"name":"a.b"}}"#, "metadata.name: Invalid value: \"a.b\": \(label)"),
        Refusal(
            .services, #"{"metadata":{"name":"1a"},"spec":{"ports":[{"port":80}]}}"#,
            "metadata.name: Invalid value: \"1a\": \(service)"),
        Refusal(
            .configMaps, #"{"metadata":{"labels":{"a/b/c":"x"}}}"#,
            "metadata.labels: Invalid value: \"a/b/c\": a qualified name must consist of alphanumeric characters, '-', "
                + "'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or "
                + "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional "
                + "DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"),
        Refusal(
            .configMaps, #"{"data":{"..a":"x"}}"#,
            "data[..a]: Invalid value: \"..a\": must not start with '..'"),
        Refusal(
            .configMaps, #"{"data":{"a":"x"},"binaryData":{"a":"eA=="}}"#,
            "data[a]: Invalid value: \"a\": duplicate of key present in binaryData"),
        Refusal(
            .secrets, #"{"type":"kubernetes.io/tls","data":{"tls.crt":"eA=="}}"#, "data[tls.key]: Required value"),
        Refusal(
            .nodes, #"{"spec":{"podCIDRs":["10.0.0.0/24","10.0.1.0/24"]}}"#,
            "spec.podCIDRs: Invalid value: [\"10.0.0.0/24\",\"10.0.1.0/24\"]: may specify no more than one CIDR for "
                + "each IP family"),
        Refusal(
            .nodes, #"{"spec":{"podCIDRs":["fd00::/64","fd01::/64"]}}"#,
            "spec.podCIDRs: Invalid value: [\"fd00::/64\",\"fd01::/64\"]: may specify no more than one CIDR for each IP "
                + "family"),
        Refusal(
            .nodes, #"{"spec":{"podCIDRs":["10.0.0.0/24","fd00::/64","fd01::/64"]}}"#,
            "spec.podCIDRs: Invalid value: [\"10.0.0.0/24\",\"fd00::/64\",\"fd01::/64\"]: may specify no more than one "
                + "CIDR for each IP family"),
        Refusal(
            .nodes, #"{"spec":{"podCIDRs":["10.0.0.0/24","10.0.0.1"]}}"#,
            "spec.podCIDRs[1]: Invalid value: \"10.0.0.1\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or "
                + "2001:db8::/64)"),
        Refusal(
            .nodes, #"{"spec":{"podCIDRs":["10.0.0.1/24"]}}"#,
            "spec.podCIDRs[0]: Invalid value: \"10.0.0.1/24\": must not have bits set beyond the prefix length"),
        Refusal(
            .nodes, #"{"spec":{"podCIDRs":["10.0.0.0/24","10.0.0.0/24"]}}"#,
            "spec.podCIDRs: Invalid value: [\"10.0.0.0/24\",\"10.0.0.0/24\"]: may specify no more than one CIDR for "
                + "each IP family", "spec.podCIDRs[1]: Duplicate value: \"10.0.0.0/24\""),
        Refusal(
            .nodes, #"{"spec":{"podCIDRs":["x"]}}"#,
            "spec.podCIDRs[0]: Invalid value: \"x\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"),
        Refusal(
            .leases, #"{"spec":{"leaseDurationSeconds":0}}"#,
            "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"),
        Refusal(
            .events, #"{"metadata":{"namespace":"a"},"involvedObject":{"namespace":"b"}}"#,
            "involvedObject.namespace: Invalid value: \"b\": does not match event.namespace"),
        Refusal(
            .endpoints, #"{"subsets":[{"ports":[{"port":80}]}]}"#,
            "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"),
        Refusal(
            .endpoints, #"{"subsets":[{"addresses":[{"ip":"127.0.0.1"}]}]}"#,
            "subsets[0].addresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, "
                + "::1/128)"),
        Refusal(
            .endpointSlices, #"{"addressType":"IPv6","endpoints":[{"addresses":["10.0.0.1"]}]}"#,
            "endpoints[0].addresses[0]: Invalid value: \"10.0.0.1\": must be a valid IPv6 address"),
        Refusal(
            .endpointSlices, #"{"addressType":"IPv4","endpoints":[{"addresses":[]}],"ports":[{},{}]}"#,
            "endpoints[0].addresses: Required value: must contain at least 1 address",
            "ports[1].name: Duplicate value: \"\""),
        Refusal(
            .endpointSlices,
            #"{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"hints":{"forZones":[{"name":"a"},{"name":"a"}]}}]}"#,
            "endpoints[0].hints.forZones[1].name: Duplicate value: \"a\""),
        Refusal(
            .endpointSlices,
            #"{"addressType":"IPv4","endpoints":[{"addresses":["224.0.0.1"]},{"addresses":["169.254.1.1"]},{"addresses":["0.0.0.0"]}]}"#,
            "endpoints[0].addresses[0]: Invalid value: \"224.0.0.1\": may not be in the link-local multicast range "
                + "(224.0.0.0/24, ff02::/10)",
            "endpoints[1].addresses[0]: Invalid value: \"169.254.1.1\": may not be in the link-local range "
                + "(169.254.0.0/16, fe80::/10)",
            "endpoints[2].addresses[0]: Invalid value: \"0.0.0.0\": may not be unspecified (0.0.0.0 or ::)"),
        Refusal(
            .deployments,
            #"{"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"c"}},"#
                + #""spec":{"containers":[{"name":"c","image":"i"}]}}}}"#,
            "spec.template.metadata.labels: Invalid value: {\"a\":\"c\"}: `selector` does not match template `labels`"),
        Refusal(
            .replicaSets,
            #"{"spec":{"replicas":-1,"selector":{},"template":{"spec":{"restartPolicy":"Never","#
                + #""containers":[{"name":"c","image":"i"}]}}}}"#,
            "spec.selector: Invalid value: {}: empty selector is invalid for replicaset",
            "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        Refusal(
            .deployments,
            #"{"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"#
                + #""spec":{"containers":[{"name":"c","image":"i"}]}},"strategy":{"rollingUpdate":{"maxSurge":0,"#
                + #""maxUnavailable":"0%"}}}}"#,
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": may not be 0 when `maxSurge` is 0"),
    ]

    @Test(arguments: refusals)
    func `what is wrong is told`(row: Refusal) throws {
        let harness = try StrategyHarness(row.resource)
        #expect(harness.refusal { try harness.created(row.object) } == row.causes)
    }

    @Test func `a Namespace carries its name and keeps its finalizers`() throws {
        let harness = try StrategyHarness(.namespaces)
        let object = try harness.created(#"{"metadata":{"name":"x"}}"#)
        #expect(object.at("metadata", "labels", "kubernetes.io/metadata.name") == "x")
        #expect(object.at("spec", "finalizers") == ["kubernetes"])
        #expect(object.at("status", "phase") == "Active")
        #expect(try harness.updated(object, #"{"spec":{"finalizers":[]}}"#) == object)
        let final = try harness.updated(object, #"{"spec":{"finalizers":[]}}"#, subresource: "finalize")
        #expect(final.at("spec", "finalizers") == [])
    }

    private static let fixedRange =
        "spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid"

    /// Columns: the ranges of a node, a change, its refusal.
    @Test(
        arguments: [
            ("{}", #"{"podCIDR":"10.0.0.0/24"}"#, []),
            ("{}", #"{"podCIDRs":["10.0.0.0/24","fd00::/64"]}"#, []),
            (#"{"podCIDR":"10.0.0.0/24"}"#, #"{"podCIDR":"10.0.1.0/24"}"#, [fixedRange]),
            (#"{"podCIDR":"10.0.0.0/24"}"#, #"{"podCIDR":null,"podCIDRs":null}"#, [fixedRange]),
            (
                #"{"podCIDRs":["10.0.0.0/24","fd00::/64"]}"#,
                #"{"podCIDR":"fd00::/64","podCIDRs":["fd00::/64","10.0.0.0/24"]}"#,
                [fixedRange, fixedRange]
            ),
            (
                #"{"providerID":"a"}"#, #"{"providerID":null}"#,
                ["spec.providerID: Forbidden: node updates may not change providerID except from \"\" to valid"]
            ),
            (#"{"podCIDR":"10.0.0.0/24"}"#, #"{"podCIDRs":["10.0.0.0/24","fd00::/64"]}"#, [fixedRange]),
            (#"{"podCIDRs":["10.0.0.0/24","fd00::/64"]}"#, #"{"podCIDRs":["10.0.0.0/24"]}"#, [fixedRange]),
            (
                #"{"podCIDRs":["10.0.0.0/24","fd00::/64"]}"#,
                #"{"podCIDR":"10.0.1.0/24","podCIDRs":["10.0.1.0/24","fd00:1::/64"]}"#, [fixedRange, fixedRange]
            ),
            (#"{"podCIDRs":["10.0.0.0/24","fd00::/64"]}"#, #"{"podCIDR":"10.0.0.0/24"}"#, []),
            (
                #"{"providerID":"a"}"#, #"{"providerID":"b"}"#,
                ["spec.providerID: Forbidden: node updates may not change providerID except from \"\" to valid"]
            ),
            ("{}", #"{"providerID":"b"}"#, []),
        ] as [(String, String, [String])])
    func `a Node keeps its ranges`(spec: String, patch: String, refusals: [String]) throws {
        let harness = try StrategyHarness(.nodes)
        let node = try harness.created(#"{"spec":\#(spec)}"#)
        #expect(harness.refusal { try harness.updated(node, #"{"spec":\#(patch)}"#) } == refusals)
    }

    @Test(
        arguments: [
            (#"{"podCIDR":"10.0.0.0/24"}"#, "10.0.0.0/24", #"["10.0.0.0/24"]"#),
            (#"{"podCIDRs":["fd00::/64","10.0.0.0/24"]}"#, "fd00::/64", #"["fd00::/64","10.0.0.0/24"]"#),
            (#"{"podCIDR":"10.0.1.0/24","podCIDRs":["10.0.0.0/24","fd00::/64"]}"#, "10.0.1.0/24", #"["10.0.1.0/24"]"#),
        ])
    func `the singular range of a Node is the first one`(spec: String, first: String, all: String) throws {
        let node = try StrategyHarness(.nodes).created(#"{"spec":\#(spec)}"#)
        #expect(node.at("spec", "podCIDR")?.string == first)
        #expect(node.at("spec", "podCIDRs") == (try JSONValue(text: all)))
    }

    @Test func `the addresses of a Node are unlike each other`() throws {
        let harness = try StrategyHarness(.nodes)
        let node = try harness.created("{}")
        let patch = """
            {"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.1"},{"type":"InternalIP","address":"fd00::1"},
            {"type":"InternalIP","address":"10.0.0.1"}]}}
            """
        #expect(
            harness.refusal { try harness.updated(node, patch, subresource: "status") }
                == [#"status.addresses[2]: Duplicate value: {"Type":"InternalIP","Address":"10.0.0.1"}"#])
    }

    @Test func `a Secret stores its texts as bytes`() throws {
        let harness = try StrategyHarness(.secrets)
        let object = try harness.created(#"{"stringData":{"a":"hello"},"data":{"b":"eA=="}}"#)
        #expect(object["data"] == ["a": "aGVsbG8=", "b": "eA=="])
        #expect(object["stringData"] == nil)
        #expect(object["type"] == "Opaque")
        #expect(
            harness.refusal { try harness.updated(object, #"{"type":"x/y"}"#) } == [
                "type: Invalid value: \"x/y\": field is immutable"
            ])
    }

    @Test func `an immutable ConfigMap stays as it is`() throws {
        let harness = try StrategyHarness(.configMaps)
        let object = try harness.created(#"{"data":{"a":"b"},"immutable":true}"#)
        #expect(
            harness.refusal { try harness.updated(object, #"{"data":{"a":"c"},"immutable":false}"#) } == [
                "immutable: Forbidden: field is immutable when `immutable` is set",
                "data: Forbidden: field is immutable when `immutable` is set",
            ])
        #expect(harness.refusal { try harness.updated(object, #"{"metadata":{"labels":{"a":"b"}}}"#) } == [])
    }

    @Test func `a Node gets its pod ranges once`() throws {
        let harness = try StrategyHarness(.nodes)
        let bare = try harness.created("{}")
        let object = try harness.updated(bare, #"{"spec":{"podCIDR":"10.244.0.0/24"}}"#)
        #expect(object.at("spec", "podCIDRs") == ["10.244.0.0/24"])
        #expect(
            harness.refusal {
                try harness.updated(
                    object, #"{"spec":{"podCIDRs":["10.244.0.0/24","fd00:10:244::/64"]}}"#)
            } == ["spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid"])
    }

    @Test func `an EndpointSlice never changes its family`() throws {
        let harness = try StrategyHarness(.endpointSlices)
        let object = try harness.created(#"{"addressType":"IPv4"}"#)
        #expect(object["endpoints"] == [])
        #expect(
            harness.refusal { try harness.updated(object, #"{"addressType":"IPv6"}"#) } == [
                "addressType: Invalid value: \"IPv6\": field is immutable"
            ])
    }

    @Test func `a Deployment gets the defaults of Kubernetes`() throws {
        let harness = try StrategyHarness(.deployments)
        let object = try harness.created(
            """
            {"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
            "spec":{"containers":[{"name":"c","image":"nginx:1.27"}]}}},"status":{"replicas":7}}
            """)
        #expect(
            try object["spec"]
                == JSONValue(
                    text: """
                        {"replicas":1,"revisionHistoryLimit":10,"progressDeadlineSeconds":600,
                        "selector":{"matchLabels":{"a":"b"}},
                        "strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}},
                        "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c",
                        "image":"nginx:1.27","imagePullPolicy":"IfNotPresent","resources":{},
                        "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],
                        "dnsPolicy":"ClusterFirst","restartPolicy":"Always","schedulerName":"default-scheduler",
                        "securityContext":{},"terminationGracePeriodSeconds":30}}}
                        """))
        #expect(object["status"] == [:])
        #expect(
            harness.refusal { try harness.updated(object, #"{"spec":{"selector":{"matchLabels":{"x":"y"}}}}"#) }.last?
                .hasSuffix("field is immutable") == true)
    }
}
