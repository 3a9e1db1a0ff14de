import APIServer
import Addresses
import JSON
import KubernetesAPI
import Testing

/// The rules of Services beyond the families of new ones, each cell of the specification's tables by one row.
@Suite struct ServiceRuleTests {
    /// A Service, what a client changes of it, and what comes of that.
    struct Row: Sendable, CustomTestStringConvertible {
        /// Kinds of clusters: families in order.
        var on = ["4", "6", "46", "64"]
        /// The spec that is created.
        var spec: String
        /// A merge patch of the spec; nil when the creation itself is looked at.
        var patch: String?
        /// Fields of the spec afterwards; addresses that the server chose are `<4>` or `<6>`, ports `<port>`.
        var gives: String = "{}"
        /// The causes of a refusal.
        var refuses: [String] = []

        var testDescription: String { "\(spec) \(patch ?? "") on \(on.joined(separator: ", "))" }
    }

    private static let port = #""ports":[{"port":80}]"#
    private static let selected = #"\#(port),"selector":{"a":"b"}"#
    private static let notTwoIPs =
        #"spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified"#
    private static let notTwoFamilies =
        #"spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"#
    private static func lacks(_ index: Int, _ value: String, _ family: String) -> String {
        "spec.clusterIPs[\(index)]: Invalid value: \(value): \(family) is not configured on this cluster"
    }

    /// Addresses that the client asks for.
    static let requested: [Row] = {
        let (four, six) = ("10.96.0.50", "fd00:10:96::50")
        let both = #"["\#(four)","\#(six)"]"#
        let turned = #"["\#(six)","\#(four)"]"#
        func spec(_ policy: String, _ ips: String, _ rest: String = "") -> String {
            let first = ips.contains("None") ? "None" : ips.hasPrefix(#"["1"#) ? four : six
            let policy = policy.isEmpty ? "" : #""ipFamilyPolicy":"\#(policy)","#
            return #"{\#(policy)"clusterIP":"\#(first)","clusterIPs":\#(ips)\#(rest),\#(port)}"#
        }
        var rows: [Row] = []
        for policy in ["", "SingleStack"] {
            for (ip, family, own, other) in [
                (four, "IPv4", ["4", "46", "64"], "6"), (six, "IPv6", ["6", "46", "64"], "4"),
            ] {
                let list = #"["\#(ip)"]"#
                rows.append(
                    Row(
                        on: own, spec: spec(policy, list),
                        gives: #"{"clusterIPs":\#(list),"ipFamilies":["\#(family)"],"ipFamilyPolicy":"SingleStack"}"#))
                rows.append(Row(on: [other], spec: spec(policy, list), refuses: [lacks(0, list, family)]))
            }
            for (list, first, second) in [(both, "IPv4", "IPv6"), (turned, "IPv6", "IPv4")] {
                rows.append(Row(on: ["46", "64"], spec: spec(policy, list), refuses: [notTwoIPs]))
                let (own, foreign) = first == "IPv4" ? ("4", "6") : ("6", "4")
                rows.append(
                    Row(on: [own], spec: spec(policy, list), refuses: [notTwoIPs, lacks(1, list, second)]))
                rows.append(
                    Row(on: [foreign], spec: spec(policy, list), refuses: [notTwoIPs, lacks(0, list, first)]))
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
                    Row(
                        on: ["46", "64"], spec: spec(policy, list),
                        gives: #"{"clusterIPs":["\#(ip)","\#(masked)"],"ipFamilies":["\#(family)","\#(other)"]}"#))
                rows.append(Row(on: [foreign], spec: spec(policy, list), refuses: [lacks(0, list, family)]))
                rows.append(
                    policy == "PreferDualStack"
                        ? Row(
                            on: [own], spec: spec(policy, list),
                            gives: #"{"clusterIPs":\#(list),"ipFamilies":["\#(family)"],"ipFamilyPolicy":"\#(policy)"}"#
                        )
                        : Row(on: [own], spec: spec(policy, list), refuses: [unavailable]))
            }
            for (list, first, second) in [(both, "IPv4", "IPv6"), (turned, "IPv6", "IPv4")] {
                rows.append(
                    Row(
                        on: ["46", "64"], spec: spec(policy, list),
                        gives: #"{"clusterIPs":\#(list),"ipFamilies":["\#(first)","\#(second)"]}"#))
                let (own, foreign) = first == "IPv4" ? ("4", "6") : ("6", "4")
                rows.append(Row(on: [own], spec: spec(policy, list), refuses: [lacks(1, list, second)]))
                rows.append(Row(on: [foreign], spec: spec(policy, list), refuses: [lacks(0, list, first)]))
            }
            rows.append(
                Row(
                    on: ["46", "64"], spec: spec(policy, #"["\#(four)"]"#, #","ipFamilies":["IPv4","IPv6"]"#),
                    gives: #"{"clusterIPs":["\#(four)","<6>"],"ipFamilies":["IPv4","IPv6"]}"#))
            rows.append(
                Row(
                    on: ["46", "64"],
                    spec: spec(policy, #"["None"]"#, #","ipFamilies":["IPv6"],"selector":{"a":"b"}"#),
                    gives: #"{"clusterIP":"None","clusterIPs":["None"],"ipFamilies":["IPv6","IPv4"]}"#))
        }
        for policy in ["", "SingleStack", "PreferDualStack", "RequireDualStack"] {
            for (ip, wrong, expected) in [(four, "IPv6", "IPv6"), (six, "IPv4", "IPv4")] {
                rows.append(
                    Row(
                        spec: spec(policy, #"["\#(ip)"]"#, #","ipFamilies":["\#(wrong)"]"#),
                        refuses: [
                            #"spec.clusterIPs[0]: Invalid value: "\#(ip)": expected an \#(expected) value as indicated by `ipFamilies[0]`"#
                        ]))
            }
        }
        return rows
    }()

    @Test(arguments: requested)
    func `addresses that a client asks for decide with policy and families`(row: Row) throws { try check(row) }

    /// What is refused whatever the cluster is.
    static let malformed: [Row] = [
        Row(
            spec: #"{"clusterIPs":["10.96.0.50"],\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["10.96.0.50"]: must be empty when `clusterIP` is not specified"#
            ]),
        Row(
            spec: #"{"clusterIP":"10.96.0.51","clusterIPs":["10.96.0.50"],\#(port)}"#,
            refuses: [#"spec.clusterIPs: Invalid value: ["10.96.0.50"]: first value must match `clusterIP`"#]),
        Row(
            spec: #"{"ipFamilies":["IPv5"],\#(port)}"#,
            refuses: [#"spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6""#]),
        Row(
            spec: #"{"ipFamilyPolicy":"RequireDualStack","ipFamilies":["IPv4","IPv4"],\#(port)}"#,
            refuses: [#"spec.ipFamilies[1]: Duplicate value: "IPv4""#]),
        Row(
            spec: #"{"ipFamilyPolicy":"Both",\#(port)}"#,
            refuses: [
                #"spec.ipFamilyPolicy: Unsupported value: "Both": supported values: "PreferDualStack", "RequireDualStack", "SingleStack""#
            ]),
        Row(
            spec: #"{"clusterIP":"None","clusterIPs":["None","10.96.0.50"],\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["None","10.96.0.50"]: 'None' must be the first and only value"#
            ]),
        Row(
            spec:
                #"{"ipFamilyPolicy":"RequireDualStack","clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50","None"],\#(port)}"#,
            refuses: [
                #"spec.clusterIPs[1]: Invalid value: "None": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#
            ]),
        Row(
            spec:
                #"{"ipFamilyPolicy":"RequireDualStack","clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50","10.96.0.51"],\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["10.96.0.50","10.96.0.51"]: may specify no more than one IP for each IP family"#
            ]),
        Row(
            spec:
                #"{"ipFamilyPolicy":"RequireDualStack","clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50","fd00:10:96::50","10.96.0.51"],\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["10.96.0.50","fd00:10:96::50","10.96.0.51"]: may only hold up to 2 values"#
            ]),
        Row(
            spec: #"{"clusterIP":"010.96.0.50",\#(port)}"#,
            refuses: [#"spec.clusterIPs[0]: Invalid value: "010.96.0.50": must not have leading 0s"#]),
        Row(
            spec: #"{"clusterIP":"::ffff:10.96.0.50",\#(port)}"#,
            refuses: [
                #"spec.clusterIPs[0]: Invalid value: "::ffff:10.96.0.50": must not be an IPv4-mapped IPv6 address"#
            ]),
        Row(
            on: ["46"], spec: #"{"clusterIP":"10.97.0.1",\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["10.97.0.1"]: failed to allocate IP 10.97.0.1: the provided network does not match the current range"#
            ]),
        Row(
            on: ["46"], spec: #"{"clusterIP":"10.96.0.0",\#(port)}"#,
            refuses: [
                #"spec.clusterIPs: Invalid value: ["10.96.0.0"]: failed to allocate IP 10.96.0.0: the provided IP (10.96.0.0) is not in the valid range. The range of valid IPs is 10.96.0.0/16"#
            ]),
        Row(spec: #"{"selector":{"a":"b"}}"#, refuses: ["spec.ports: Required value"]),
        Row(spec: #"{"clusterIP":"None","selector":{"a":"b"}}"#, gives: #"{"clusterIPs":["None"]}"#),
        Row(
            spec: #"{"type":"LoadBalancer","ports":[{"port":10250}]}"#,
            refuses: [
                "spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet"
            ]),
        Row(
            spec: #"{"type":"NodePort","clusterIP":"None",\#(selected)}"#,
            refuses: [#"spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services"#]),
        Row(
            spec: #"{"type":"LoadBalancer","clusterIP":"None",\#(selected)}"#,
            refuses: [
                #"spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for LoadBalancer services"#
            ]),
        Row(
            spec:
                #"{"type":"ExternalName","externalName":"a.example.","clusterIPs":["10.96.0.50"],"clusterIP":"10.96.0.50","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack"}"#,
            refuses: [
                "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
                "spec.ipFamilies: Forbidden: may not be set for ExternalName services",
                "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services",
            ]),
        Row(spec: #"{"type":"ExternalName"}"#, refuses: ["spec.externalName: Required value"]),
        Row(
            spec: #"{"type":"ExternalName","externalName":"a.example.","ports":[{"port":80,"nodePort":30080}]}"#,
            gives: #"{"externalName":"a.example.","internalTrafficPolicy":null,"clusterIP":null,"ipFamilies":null}"#),
        Row(
            spec: #"{"externalIPs":["0.0.0.0","::1","169.254.0.1","ff02::1","192.0.2.1","2001:db8::1","x"],\#(port)}"#,
            refuses: [
                #"spec.externalIPs[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0 or ::)"#,
                #"spec.externalIPs[1]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)"#,
                #"spec.externalIPs[2]: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)"#,
                #"spec.externalIPs[3]: Invalid value: "ff02::1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"#,
                #"spec.externalIPs[6]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#,
            ]),
        Row(
            spec: #"{"externalIPs":["192.0.2.1","2001:db8::1"],\#(port)}"#,
            gives: #"{"externalTrafficPolicy":"Cluster","externalIPs":["192.0.2.1","2001:db8::1"]}"#),
        Row(
            spec: #"{"externalTrafficPolicy":"Local",\#(port)}"#,
            refuses: [
                #"spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services"#
            ]),
        Row(
            spec: #"{"healthCheckNodePort":32000,\#(port)}"#,
            refuses: [
                "spec.healthCheckNodePort: Invalid value: 32000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
            ]),
        Row(
            spec:
                #"{"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":86401}},\#(port)}"#,
            refuses: [
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400"
            ]),
        Row(
            spec: #"{"sessionAffinity":"None","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":5}},\#(port)}"#,
            gives: #"{"sessionAffinity":"None","sessionAffinityConfig":null}"#),
        Row(
            spec: #"{"sessionAffinity":"ClientIP",\#(port)}"#,
            gives: #"{"sessionAffinityConfig":{"clientIP":{"timeoutSeconds":10800}}}"#),
        Row(
            spec: #"{"internalTrafficPolicy":"Near",\#(port)}"#,
            refuses: [
                #"spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local""#
            ]),
        Row(
            spec: #"{"loadBalancerSourceRanges":["10.0.0.0/8"],\#(port)}"#,
            refuses: ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"]),
        Row(
            spec: #"{"loadBalancerClass":"a.example/b",\#(port)}"#,
            refuses: ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"]),
        Row(
            spec: #"{"allocateLoadBalancerNodePorts":false,\#(port)}"#,
            refuses: [
                "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"
            ]),
        Row(
            spec: #"{"type":"LoadBalancer","loadBalancerSourceRanges":[" 10.0.0.0/8 ","fd00::/8"],\#(port)}"#,
            gives: #"{"allocateLoadBalancerNodePorts":true,"externalTrafficPolicy":"Cluster"}"#),
        Row(
            spec: #"{"type":"LoadBalancer","allocateLoadBalancerNodePorts":false,\#(port)}"#,
            gives: #"{"ports":[{"port":80,"protocol":"TCP","targetPort":80}]}"#),
        Row(
            spec: #"{"type":"LoadBalancer","externalTrafficPolicy":"Local",\#(port)}"#,
            gives: #"{"healthCheckNodePort":"<port>"}"#),
    ]

    @Test(arguments: malformed)
    func `fields are checked and completed`(row: Row) throws { try check(row) }

    /// Node ports.
    static let nodePorts: [Row] = [
        Row(
            spec: #"{"ports":[{"port":80,"nodePort":30080}]}"#,
            refuses: ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
        Row(
            spec: #"{"type":"NodePort","ports":[{"port":80,"nodePort":80}]}"#,
            refuses: [
                "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767"
            ]),
        Row(
            spec:
                #"{"type":"NodePort","ports":[{"name":"a","port":80,"nodePort":30080},{"name":"b","port":81,"nodePort":30080}]}"#,
            refuses: ["spec.ports[1].nodePort: Invalid value: 30080: provided port is already allocated"]),
        Row(
            spec:
                #"{"type":"NodePort","ports":[{"name":"a","port":53},{"name":"b","port":53,"protocol":"UDP","nodePort":30053}]}"#,
            gives:
                #"{"ports":[{"name":"a","port":53,"protocol":"TCP","targetPort":53,"nodePort":"<port>"},{"name":"b","port":53,"protocol":"UDP","targetPort":53,"nodePort":"<port>"}]}"#
        ),
        Row(
            spec: #"{"type":"NodePort",\#(port)}"#, patch: #"{"type":"ClusterIP"}"#,
            gives: #"{"ports":[{"port":80,"protocol":"TCP","targetPort":80}],"externalTrafficPolicy":null}"#),
        Row(
            spec: #"{"type":"NodePort",\#(port)}"#,
            patch: #"{"type":"ClusterIP","ports":[{"port":80,"nodePort":30001}]}"#,
            refuses: ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
        Row(
            spec: #"{"type":"NodePort","ports":[{"name":"a","port":80,"nodePort":30080}]}"#,
            patch: #"{"ports":[{"name":"a","port":80},{"name":"b","port":81,"protocol":"UDP","nodePort":30080}]}"#,
            gives: #"{"type":"NodePort"}"#),
        Row(
            spec: #"{"type":"NodePort","ports":[{"name":"a","port":80,"nodePort":30080}]}"#,
            patch: #"{"ports":[{"name":"a","port":80,"nodePort":30080},{"name":"b","port":81,"nodePort":30080}]}"#,
            refuses: ["duplicate nodePort: {TCP 30080}"]),
        Row(
            spec: #"{"type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":31000,\#(port)}"#,
            patch: #"{"healthCheckNodePort":31001}"#,
            refuses: ["spec.healthCheckNodePort: Forbidden: field is immutable"]),
        Row(
            spec: #"{"type":"LoadBalancer","externalTrafficPolicy":"Local",\#(port)}"#,
            patch: #"{"externalTrafficPolicy":"Cluster"}"#, gives: #"{"healthCheckNodePort":null}"#),
        Row(
            spec: #"{"type":"LoadBalancer","externalTrafficPolicy":"Local",\#(port)}"#,
            patch: #"{"type":"NodePort"}"#,
            gives: #"{"healthCheckNodePort":null,"allocateLoadBalancerNodePorts":null,"externalTrafficPolicy":"Local"}"#
        ),
        Row(
            spec: #"{"type":"LoadBalancer","loadBalancerClass":"a.example/b",\#(port)}"#,
            patch: #"{"type":"ClusterIP"}"#,
            gives: #"{"loadBalancerClass":null,"allocateLoadBalancerNodePorts":null,"externalTrafficPolicy":null}"#),
        Row(
            spec: #"{"type":"LoadBalancer","loadBalancerClass":"a.example/b",\#(port)}"#,
            patch: #"{"loadBalancerClass":"a.example/c"}"#,
            refuses: [#"spec.loadBalancerClass: Invalid value: "a.example/c": may not change once set"#]),
        Row(
            spec: #"{"type":"LoadBalancer",\#(port)}"#, patch: #"{"loadBalancerClass":"a.example/c"}"#,
            refuses: [#"spec.loadBalancerClass: Invalid value: "a.example/c": may not change once set"#]),
        Row(
            spec: #"{"type":"NodePort",\#(port)}"#,
            patch: #"{"type":"LoadBalancer","loadBalancerClass":"a.example/c"}"#,
            gives: #"{"loadBalancerClass":"a.example/c"}"#),
    ]

    @Test(arguments: nodePorts)
    func `node ports follow type and policy`(row: Row) throws { try check(row) }

    /// Changes of families.
    static let changes: [Row] = {
        let fixed = "may not change once set"
        let require = #"{"ipFamilyPolicy":"RequireDualStack",\#(port)}"#
        return [
            Row(
                on: ["46"], spec: #"{\#(port)}"#, patch: #"{"ipFamilyPolicy":"PreferDualStack"}"#,
                gives: #"{"clusterIPs":["<4>","<6>"],"ipFamilies":["IPv4","IPv6"]}"#),
            Row(
                on: ["64"], spec: #"{\#(port)}"#, patch: #"{"ipFamilyPolicy":"RequireDualStack"}"#,
                gives: #"{"clusterIPs":["<6>","<4>"],"ipFamilies":["IPv6","IPv4"]}"#),
            Row(
                on: ["4"], spec: #"{\#(port)}"#, patch: #"{"ipFamilyPolicy":"PreferDualStack"}"#,
                gives: #"{"clusterIPs":["<4>"],"ipFamilies":["IPv4"],"ipFamilyPolicy":"PreferDualStack"}"#),
            Row(
                on: ["4", "6"], spec: #"{\#(port)}"#, patch: #"{"ipFamilyPolicy":"RequireDualStack"}"#,
                refuses: [
                    #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services"#
                ]),
            Row(
                on: ["46"], spec: #"{\#(port)}"#, patch: #"{"ipFamilies":["IPv4","IPv6"]}"#,
                refuses: [notTwoFamilies]),
            Row(
                on: ["46"], spec: #"{\#(port)}"#,
                patch: #"{"ipFamilies":["IPv4","IPv6"],"ipFamilyPolicy":"PreferDualStack"}"#,
                gives: #"{"clusterIPs":["<4>","<6>"]}"#),
            Row(
                on: ["46"], spec: require, patch: #"{"ipFamilyPolicy":"SingleStack"}"#,
                gives: #"{"clusterIPs":["<4>"],"ipFamilies":["IPv4"]}"#),
            Row(
                on: ["46"], spec: require, patch: #"{"ipFamilyPolicy":"SingleStack","ipFamilies":["IPv4"]}"#,
                gives: #"{"clusterIPs":["<4>"],"ipFamilies":["IPv4"]}"#),
            Row(
                on: ["46"], spec: require, patch: #"{"ipFamilies":["IPv4"]}"#,
                refuses: [
                    #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be 'SingleStack' to release the secondary IP family"#
                ]),
            Row(
                on: ["46"], spec: #"{"clusterIP":"10.96.0.50","ipFamilyPolicy":"RequireDualStack",\#(port)}"#,
                patch: #"{"clusterIPs":["10.96.0.50"]}"#,
                refuses: [
                    #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be 'SingleStack' to release the secondary cluster IP"#
                ]),
            Row(
                on: ["46"], spec: require, patch: #"{"clusterIPs":null}"#,
                gives: #"{"clusterIPs":["<4>","<6>"]}"#),
            Row(
                on: ["46"], spec: require, patch: #"{"clusterIPs":null,"clusterIP":null}"#,
                gives: #"{"clusterIPs":["<4>","<6>"]}"#),
            Row(
                on: ["46"], spec: require, patch: #"{"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}"#,
                gives: #"{"clusterIPs":["<4>","<6>"],"ipFamilies":["IPv4","IPv6"],"ipFamilyPolicy":"RequireDualStack"}"#
            ),
            Row(
                on: ["4"], spec: #"{"clusterIP":"10.96.0.50",\#(port)}"#, patch: #"{"clusterIP":"10.96.0.51"}"#,
                refuses: [#"spec.clusterIPs[0]: Invalid value: ["10.96.0.51"]: \#(fixed)"#]),
            Row(
                on: ["46"],
                spec:
                    #"{"clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50","fd00:10:96::50"],"ipFamilyPolicy":"RequireDualStack",\#(port)}"#,
                patch: #"{"clusterIPs":["10.96.0.50","fd00:10:96::51"]}"#,
                refuses: [
                    #"spec.clusterIPs[1]: Invalid value: ["10.96.0.50","fd00:10:96::51"]: \#(fixed)"#
                ]),
            Row(
                on: ["46"],
                spec:
                    #"{"clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50","fd00:10:96::50"],"ipFamilyPolicy":"RequireDualStack",\#(port)}"#,
                patch: #"{"ipFamilies":["IPv6","IPv4"]}"#,
                refuses: [
                    #"spec.clusterIPs[0]: Invalid value: "10.96.0.50": expected an IPv6 value as indicated by `ipFamilies[0]`"#,
                    #"spec.clusterIPs[1]: Invalid value: "fd00:10:96::50": expected an IPv4 value as indicated by `ipFamilies[1]`"#,
                ]),
            Row(
                on: ["46"], spec: #"{"clusterIP":"None",\#(selected)}"#,
                patch: #"{"ipFamilies":["IPv6"],"ipFamilyPolicy":"RequireDualStack"}"#,
                gives: #"{"clusterIPs":["None"],"ipFamilies":["IPv6","IPv4"]}"#),
            Row(
                on: ["4"], spec: #"{"clusterIP":"None",\#(selected)}"#, patch: #"{"ipFamilies":["IPv6"]}"#,
                refuses: [#"spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster"#]),
            Row(
                on: ["4"], spec: #"{"clusterIP":"None",\#(selected)}"#,
                patch: #"{"clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50"]}"#,
                refuses: [#"spec.clusterIPs[0]: Invalid value: ["10.96.0.50"]: \#(fixed)"#]),
            Row(
                on: ["46"], spec: require, patch: #"{"type":"ExternalName","externalName":"a.example"}"#,
                gives: #"{"clusterIP":null,"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}"#),
            Row(
                on: ["46"], spec: #"{"type":"ExternalName","externalName":"a.example"}"#,
                patch: #"{"type":"ClusterIP","externalName":null,"ipFamilyPolicy":"PreferDualStack",\#(port)}"#,
                gives: #"{"clusterIPs":["<4>","<6>"],"ipFamilies":["IPv4","IPv6"],"internalTrafficPolicy":"Cluster"}"#),
            Row(
                on: ["64"], spec: #"{"type":"ExternalName","externalName":"a.example"}"#,
                patch: #"{"type":"ClusterIP","externalName":null,\#(port)}"#,
                gives: #"{"clusterIPs":["<6>"],"ipFamilies":["IPv6"],"ipFamilyPolicy":"SingleStack"}"#),
            Row(
                on: ["46"], spec: #"{\#(port)}"#, patch: #"{"type":"NodePort","ipFamilyPolicy":"PreferDualStack"}"#,
                gives:
                    #"{"clusterIPs":["<4>","<6>"],"ports":[{"port":80,"protocol":"TCP","targetPort":80,"nodePort":"<port>"}],"externalTrafficPolicy":"Cluster"}"#
            ),
        ]
    }()

    @Test(arguments: changes)
    func `families change as far as the rules allow`(row: Row) throws { try check(row) }

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
            .services, ranges: Self.ranges(cluster), defaultPolicy: policy)
        let object = try harness.created(#"{"spec":{\#(asked)\#(Self.port)}}"#)
        #expect(object.at("spec", "ipFamilyPolicy")?.string == expected)
        #expect(object.at("spec", "clusterIPs")?.array?.count == count)
    }

    private static func ranges(_ cluster: String) -> [String] {
        cluster.map { $0 == "4" ? "10.96.0.0/16" : "fd00:10:96::/112" }
    }

    private func check(_ row: Row) throws {
        for cluster in row.on {
            let harness = try StrategyHarness(.services, ranges: Self.ranges(cluster))
            var object: JSONValue = [:]
            let refusals = harness.refusal {
                object = try harness.created(#"{"spec":\#(row.spec)}"#)
                if let patch = row.patch { object = try harness.updated(object, #"{"spec":\#(patch)}"#) }
                return object
            }
            #expect(refusals == row.refuses, "on \(cluster)")
            guard refusals.isEmpty, row.refuses.isEmpty else { continue }
            for (field, value) in try JSONValue(text: row.gives).object ?? [:] {
                let found = Self.masked(object.at("spec", field) ?? .null, row.spec + (row.patch ?? ""))
                #expect(found == value, "\(field) on \(cluster)")
            }
        }
    }

    /// The value with the server's own choices replaced.
    private static func masked(_ value: JSONValue, _ asked: String) -> JSONValue {
        switch value {
        case .string(let text):
            guard let address = IPAddress(text), !asked.contains(text) else { return value }
            return address.family == .ipv4 ? "<4>" : "<6>"
        case .array(let elements):
            return .array(
                elements.map { element in
                    var element = masked(element, asked)
                    if element["nodePort"] != nil { element["nodePort"] = "<port>" }
                    return element
                })
        default:
            return (value.int ?? 0) >= 30000 ? "<port>" : value
        }
    }
}
