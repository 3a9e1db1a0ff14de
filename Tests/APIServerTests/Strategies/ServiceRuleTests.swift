import APIServer
import Addresses
import JSON
import KubernetesAPI
import Testing

/// The rules of new Services beyond their families, each cell of the specification's tables by one row.
@Suite struct ServiceRuleTests {
    private static let port = #""ports":[{"port":80}]"#
    private static let selected = #"\#(port),"selector":{"a":"b"}"#
    private static let notTwoIPs =
        #"spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified"#
    private static func lacks(_ index: Int, _ value: String, _ family: String) -> String {
        "spec.clusterIPs[\(index)]: Invalid value: \(value): \(family) is not configured on this cluster"
    }

    /// Addresses that the client asks for.
    static let requested: [ServiceRow] = {
        let (four, six) = ("10.96.0.50", "fd00:10:96::50")
        let both = #"["\#(four)","\#(six)"]"#
        let turned = #"["\#(six)","\#(four)"]"#
        func spec(_ policy: String, _ ips: String, _ rest: String = "") -> String {
            let first = ips.contains("None") ? "None" : ips.hasPrefix(#"["1"#) ? four : six
            let policy = policy.isEmpty ? "" : #""ipFamilyPolicy":"\#(policy)","#
            return #"{\#(policy)"clusterIP":"\#(first)","clusterIPs":\#(ips)\#(rest),\#(port)}"#
        }
        var rows: [ServiceRow] = []
        for policy in ["", "SingleStack"] {
            for (ip, family, own, other) in [
                (four, "IPv4", ["4", "46", "64"], "6"), (six, "IPv6", ["6", "46", "64"], "4"),
            ] {
                let list = #"["\#(ip)"]"#
                rows.append(
                    ServiceRow(
                        on: own, spec: spec(policy, list),
                        gives: #"{"clusterIPs":\#(list),"ipFamilies":["\#(family)"],"ipFamilyPolicy":"SingleStack"}"#))
                rows.append(ServiceRow(on: [other], spec: spec(policy, list), refuses: [lacks(0, list, family)]))
            }
            for (list, first, second) in [(both, "IPv4", "IPv6"), (turned, "IPv6", "IPv4")] {
                rows.append(ServiceRow(on: ["46", "64"], spec: spec(policy, list), refuses: [notTwoIPs]))
                let (own, foreign) = first == "IPv4" ? ("4", "6") : ("6", "4")
                rows.append(
                    ServiceRow(on: [own], spec: spec(policy, list), refuses: [notTwoIPs, lacks(1, list, second)]))
                rows.append(
                    ServiceRow(on: [foreign], spec: spec(policy, list), refuses: [notTwoIPs, lacks(0, list, first)]))
            }
        }
        let unavailable =
            #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services"#
        for policy in ["PreferDualStack", "RequireDualStack"] {
            for (ip, family, other, masked, own, foreign) in [
                (four, "IPv4", "IPv6", "<6>", "4", "6"), (six, "IPv6", "IPv4", "<4>", "6", "4"),
            ] {
                let list = #"["\#(ip)"]"#
                rows.append(
                    ServiceRow(
                        on: ["46", "64"], spec: spec(policy, list),
                        gives: #"{"clusterIPs":["\#(ip)","\#(masked)"],"ipFamilies":["\#(family)","\#(other)"]}"#))
                rows.append(ServiceRow(on: [foreign], spec: spec(policy, list), refuses: [lacks(0, list, family)]))
                rows.append(
                    policy == "PreferDualStack"
                        ? ServiceRow(
                            on: [own], spec: spec(policy, list),
                            gives: #"{"clusterIPs":\#(list),"ipFamilies":["\#(family)"],"ipFamilyPolicy":"\#(policy)"}"#
                        )
                        : ServiceRow(on: [own], spec: spec(policy, list), refuses: [unavailable]))
            }
            for (list, first, second) in [(both, "IPv4", "IPv6"), (turned, "IPv6", "IPv4")] {
                rows.append(
                    ServiceRow(
                        on: ["46", "64"], spec: spec(policy, list),
                        gives: #"{"clusterIPs":\#(list),"ipFamilies":["\#(first)","\#(second)"]}"#))
                let (own, foreign) = first == "IPv4" ? ("4", "6") : ("6", "4")
                rows.append(ServiceRow(on: [own], spec: spec(policy, list), refuses: [lacks(1, list, second)]))
                rows.append(ServiceRow(on: [foreign], spec: spec(policy, list), refuses: [lacks(0, list, first)]))
            }
            rows.append(
                ServiceRow(
                    on: ["46", "64"], spec: spec(policy, #"["\#(four)"]"#, #","ipFamilies":["IPv4","IPv6"]"#),
                    gives: #"{"clusterIPs":["\#(four)","<6>"],"ipFamilies":["IPv4","IPv6"]}"#))
            rows.append(
                ServiceRow(
                    on: ["46", "64"],
                    spec: spec(policy, #"["None"]"#, #","ipFamilies":["IPv6"],"selector":{"a":"b"}"#),
                    gives: #"{"clusterIP":"None","clusterIPs":["None"],"ipFamilies":["IPv6","IPv4"]}"#))
        }
        for policy in ["", "SingleStack", "PreferDualStack", "RequireDualStack"] {
            for (ip, wrong, expected) in [(four, "IPv6", "IPv6"), (six, "IPv4", "IPv4")] {
                rows.append(
                    ServiceRow(
                        spec: spec(policy, #"["\#(ip)"]"#, #","ipFamilies":["\#(wrong)"]"#),
                        refuses: [
                            #"spec.clusterIPs[0]: Invalid value: "\#(ip)": expected an \#(expected) value as indicated by `ipFamilies[0]`"#
                        ]))
            }
        }
        return rows
    }()

    @Test(arguments: requested)
    func `addresses that a client asks for decide with policy and families`(row: ServiceRow) throws { try row.check() }

    /// What is refused whatever the cluster is.
    static let malformed: [ServiceRow] = [
        ServiceRow(
            spec: #"{"clusterIPs":["10.96.0.50"],\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["10.96.0.50"]: must be empty when `clusterIP` is not specified"#
            ]),
        ServiceRow(
            spec: #"{"clusterIP":"10.96.0.51","clusterIPs":["10.96.0.50"],\#(port)}"#,
            refuses: [#"spec.clusterIPs: Invalid value: ["10.96.0.50"]: first value must match `clusterIP`"#]),
        ServiceRow(
            spec: #"{"ipFamilies":["IPv5"],\#(port)}"#,
            refuses: [#"spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6""#]),
        ServiceRow(
            spec: #"{"ipFamilyPolicy":"RequireDualStack","ipFamilies":["IPv4","IPv4"],\#(port)}"#,
            refuses: [#"spec.ipFamilies[1]: Duplicate value: "IPv4""#]),
        ServiceRow(
            spec: #"{"ipFamilyPolicy":"Both",\#(port)}"#,
            refuses: [
                #"spec.ipFamilyPolicy: Unsupported value: "Both": supported values: "PreferDualStack", "RequireDualStack", "SingleStack""#
            ]),
        ServiceRow(
            spec: #"{"clusterIP":"None","clusterIPs":["None","10.96.0.50"],\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["None","10.96.0.50"]: 'None' must be the first and only value"#
            ]),
        ServiceRow(
            spec:
                #"{"ipFamilyPolicy":"RequireDualStack","clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50","None"],\#(port)}"#,
            refuses: [
                #"spec.clusterIPs[1]: Invalid value: "None": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#
            ]),
        ServiceRow(
            spec:
                #"{"ipFamilyPolicy":"RequireDualStack","clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50","10.96.0.51"],\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["10.96.0.50","10.96.0.51"]: may specify no more than one IP for each IP family"#
            ]),
        ServiceRow(
            spec:
                #"{"ipFamilyPolicy":"RequireDualStack","clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50","fd00:10:96::50","10.96.0.51"],\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["10.96.0.50","fd00:10:96::50","10.96.0.51"]: may only hold up to 2 values"#
            ]),
        ServiceRow(
            spec: #"{"clusterIP":"010.96.0.50",\#(port)}"#,
            refuses: [#"spec.clusterIPs[0]: Invalid value: "010.96.0.50": must not have leading 0s"#]),
        ServiceRow(
            spec: #"{"clusterIP":"::ffff:10.96.0.50",\#(port)}"#,
            refuses: [
                #"spec.clusterIPs[0]: Invalid value: "::ffff:10.96.0.50": must not be an IPv4-mapped IPv6 address"#
            ]),
        ServiceRow(
            on: ["46"], spec: #"{"clusterIP":"10.97.0.1",\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["10.97.0.1"]: failed to allocate IP 10.97.0.1: the provided network does not match the current range"#
            ]),
        ServiceRow(
            on: ["46"], spec: #"{"clusterIP":"10.96.0.0",\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["10.96.0.0"]: failed to allocate IP 10.96.0.0: the provided IP (10.96.0.0) is not in the valid range. The range of valid IPs is 10.96.0.0/16"#
            ]),
        ServiceRow(spec: #"{"selector":{"a":"b"}}"#, refuses: ["spec.ports: Required value"]),
        ServiceRow(spec: #"{"clusterIP":"None","selector":{"a":"b"}}"#, gives: #"{"clusterIPs":["None"]}"#),
        ServiceRow(
            spec: #"{"type":"LoadBalancer","ports":[{"port":10250}]}"#,
            refuses: [
                "spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet"
            ]),
        ServiceRow(
            spec: #"{"type":"NodePort","clusterIP":"None",\#(selected)}"#,
            refuses: [#"spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services"#]),
        ServiceRow(
            spec: #"{"type":"LoadBalancer","clusterIP":"None",\#(selected)}"#,
            refuses: [
                #"spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for LoadBalancer services"#
            ]),
        ServiceRow(
            spec:
                #"{"type":"ExternalName","externalName":"a.example.","clusterIPs":["10.96.0.50"],"clusterIP":"10.96.0.50","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack"}"#,
            refuses: [
                "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
                "spec.ipFamilies: Forbidden: may not be set for ExternalName services",
                "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services",
            ]),
        ServiceRow(spec: #"{"type":"ExternalName"}"#, refuses: ["spec.externalName: Required value"]),
        ServiceRow(
            spec: #"{"type":"ExternalName","externalName":"a.example.","ports":[{"port":80,"nodePort":30080}]}"#,
            gives: #"{"externalName":"a.example.","internalTrafficPolicy":null,"clusterIP":null,"ipFamilies":null}"#),
        ServiceRow(
            spec: #"{"externalIPs":["0.0.0.0","::1","169.254.0.1","ff02::1","192.0.2.1","2001:db8::1","x"],\#(port)}"#,
            refuses: [
                #"spec.externalIPs[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0 or ::)"#,
                #"spec.externalIPs[1]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)"#,
                #"spec.externalIPs[2]: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)"#,
                #"spec.externalIPs[3]: Invalid value: "ff02::1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"#,
                #"spec.externalIPs[6]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#,
            ]),
        ServiceRow(
            spec: #"{"externalIPs":["192.0.2.1","2001:db8::1"],\#(port)}"#,
            gives: #"{"externalTrafficPolicy":"Cluster","externalIPs":["192.0.2.1","2001:db8::1"]}"#),
        ServiceRow(
            spec: #"{"externalTrafficPolicy":"Local",\#(port)}"#,
            refuses: [
                #"spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services"#
            ]),
        ServiceRow(
            spec: #"{"healthCheckNodePort":32000,\#(port)}"#,
            refuses: [
                "spec.healthCheckNodePort: Invalid value: 32000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
            ]),
        ServiceRow(
            spec:
                #"{"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":86401}},\#(port)}"#,
            refuses: [
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400"
            ]),
        ServiceRow(
            spec: #"{"sessionAffinity":"None","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":5}},\#(port)}"#,
            gives: #"{"sessionAffinity":"None","sessionAffinityConfig":null}"#),
        ServiceRow(
            spec: #"{"sessionAffinity":"ClientIP",\#(port)}"#,
            gives: #"{"sessionAffinityConfig":{"clientIP":{"timeoutSeconds":10800}}}"#),
        ServiceRow(
            spec: #"{"internalTrafficPolicy":"Near",\#(port)}"#,
            refuses: [
                #"spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local""#
            ]),
        ServiceRow(
            spec: #"{"loadBalancerSourceRanges":["10.0.0.0/8"],\#(port)}"#,
            refuses: ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"]),
        ServiceRow(
            spec: #"{"loadBalancerClass":"a.example/b",\#(port)}"#,
            refuses: ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"]),
        ServiceRow(
            spec: #"{"allocateLoadBalancerNodePorts":false,\#(port)}"#,
            refuses: [
                "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"
            ]),
        ServiceRow(
            spec: #"{"type":"LoadBalancer","loadBalancerSourceRanges":[" 10.0.0.0/8 ","fd00::/8"],\#(port)}"#,
            gives: #"{"allocateLoadBalancerNodePorts":true,"externalTrafficPolicy":"Cluster"}"#),
        ServiceRow(
            spec: #"{"type":"LoadBalancer","allocateLoadBalancerNodePorts":false,\#(port)}"#,
            gives: #"{"ports":[{"port":80,"protocol":"TCP","targetPort":80}]}"#),
        ServiceRow(
            spec: #"{"type":"LoadBalancer","externalTrafficPolicy":"Local",\#(port)}"#,
            gives: #"{"healthCheckNodePort":"<port>"}"#),
    ]

    @Test(arguments: malformed)
    func `fields are checked and completed`(row: ServiceRow) throws { try row.check() }

    /// Columns: a spec as an old server stored it, and what reads see of families and policy with the primary IPv6.
    @Test(
        arguments: [
            (#"{"clusterIP":"10.96.0.9"}"#, #"["10.96.0.9"]"#, #"["IPv4"]"#, "SingleStack"),
            (#"{"clusterIP":"fd00::9"}"#, #"["fd00::9"]"#, #"["IPv6"]"#, "SingleStack"),
            (
                #"{"clusterIP":"fd00::9","clusterIPs":["fd00::9","10.0.0.1"]}"#, #"["fd00::9","10.0.0.1"]"#,
                #"["IPv6","IPv4"]"#, "RequireDualStack"
            ),
            (#"{"clusterIP":"None"}"#, #"["None"]"#, #"["IPv6","IPv4"]"#, "RequireDualStack"),
            (#"{"clusterIP":"None","selector":{"a":"b"}}"#, #"["None"]"#, #"["IPv6"]"#, "SingleStack"),
        ])
    func `old Services read as what they are`(spec: String, ips: String, families: String, policy: String) throws {
        let harness = try StrategyHarness(.services, ranges: ["fd00:10:96::/112", "10.96.0.0/16"])
        var object = JSONValue.object(["spec": try JSONValue(text: spec)])
        harness.strategy.defaultOnRead(&object)
        #expect(object.at("spec", "clusterIPs") == (try JSONValue(text: ips)))
        #expect(object.at("spec", "ipFamilies") == (try JSONValue(text: families)))
        #expect(object.at("spec", "ipFamilyPolicy")?.string == policy)
    }

    @Test func `an old ExternalName Service reads without policies`() throws {
        let harness = try StrategyHarness(.services)
        var object: JSONValue = ["spec": ["type": "ExternalName", "internalTrafficPolicy": "Cluster"]]
        harness.strategy.defaultOnRead(&object)
        #expect(object["spec"] == ["type": "ExternalName"])
    }

    /// Columns: the cluster, the default policy, the families asked for, and what comes of them.
    @Test(
        arguments: [
            ("46", "PreferDualStack", "", "PreferDualStack", 2), ("64", "RequireDualStack", "", "RequireDualStack", 2),
            ("46", "PreferDualStack", #""ipFamilies":["IPv6"],"#, "PreferDualStack", 2),
            ("46", "PreferDualStack", #""ipFamilyPolicy":"SingleStack","#, "SingleStack", 1),
            ("4", "PreferDualStack", "", "SingleStack", 1), ("6", "RequireDualStack", "", "SingleStack", 1),
            ("46", "SingleStack", "", "SingleStack", 1),
        ])
    func `a cluster may have another policy for Services that name none`(
        cluster: String, policy: String, asked: String, expected: String, count: Int
    ) throws {
        let harness = try StrategyHarness(
            .services, ranges: ServiceRow.ranges(cluster), defaultPolicy: policy)
        let object = try harness.created(#"{"spec":{\#(asked)\#(Self.port)}}"#)
        #expect(object.at("spec", "ipFamilyPolicy")?.string == expected)
        #expect(object.at("spec", "clusterIPs")?.array?.count == count)
    }
}
