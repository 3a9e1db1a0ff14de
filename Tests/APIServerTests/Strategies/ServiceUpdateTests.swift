import APIServer
import Addresses
import JSON
import KubernetesAPI
import Testing

/// What becomes of a Service that a client changes, each cell of the specification's tables by one row.
@Suite struct ServiceUpdateTests {
    private static let port = #""ports":[{"port":80}]"#
    private static let selected = #"\#(port),"selector":{"a":"b"}"#
    private static let notTwoFamilies =
        #"spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"#

    /// Changes of families.
    static let changes: [ServiceRow] = {
        let fixed = "may not change once set"
        let require = #"{"ipFamilyPolicy":"RequireDualStack",\#(port)}"#
        return [
            ServiceRow(
                on: ["46"], spec: #"{\#(port)}"#, patch: #"{"ipFamilyPolicy":"PreferDualStack"}"#,
                gives: #"{"clusterIPs":["<4>","<6>"],"ipFamilies":["IPv4","IPv6"]}"#),
            ServiceRow(
                on: ["64"], spec: #"{\#(port)}"#, patch: #"{"ipFamilyPolicy":"RequireDualStack"}"#,
                gives: #"{"clusterIPs":["<6>","<4>"],"ipFamilies":["IPv6","IPv4"]}"#),
            ServiceRow(
                on: ["4"], spec: #"{\#(port)}"#, patch: #"{"ipFamilyPolicy":"PreferDualStack"}"#,
                gives: #"{"clusterIPs":["<4>"],"ipFamilies":["IPv4"],"ipFamilyPolicy":"PreferDualStack"}"#),
            ServiceRow(
                on: ["4", "6"], spec: #"{\#(port)}"#, patch: #"{"ipFamilyPolicy":"RequireDualStack"}"#,
                refuses: [
                    #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services"#
                ]),
            ServiceRow(
                on: ["46"], spec: #"{\#(port)}"#, patch: #"{"ipFamilies":["IPv4","IPv6"]}"#,
                refuses: [notTwoFamilies]),
            ServiceRow(
                on: ["46"], spec: #"{\#(port)}"#,
                patch: #"{"ipFamilies":["IPv4","IPv6"],"ipFamilyPolicy":"PreferDualStack"}"#,
                gives: #"{"clusterIPs":["<4>","<6>"]}"#),
            ServiceRow(
                on: ["46"], spec: require, patch: #"{"ipFamilyPolicy":"SingleStack"}"#,
                gives: #"{"clusterIPs":["<4>"],"ipFamilies":["IPv4"]}"#),
            ServiceRow(
                on: ["46"], spec: require, patch: #"{"ipFamilyPolicy":"SingleStack","ipFamilies":["IPv4"]}"#,
                gives: #"{"clusterIPs":["<4>"],"ipFamilies":["IPv4"]}"#),
            ServiceRow(
                on: ["46"], spec: require, patch: #"{"ipFamilies":["IPv4"]}"#,
                refuses: [
                    #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be 'SingleStack' to release the secondary IP family"#
                ]),
            ServiceRow(
                on: ["46"], spec: #"{"clusterIP":"10.96.0.50","ipFamilyPolicy":"RequireDualStack",\#(port)}"#,
                patch: #"{"clusterIPs":["10.96.0.50"]}"#,
                refuses: [
                    #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be 'SingleStack' to release the secondary cluster IP"#
                ]),
            ServiceRow(
                on: ["46"], spec: require, patch: #"{"clusterIPs":null}"#,
                gives: #"{"clusterIPs":["<4>","<6>"]}"#),
            ServiceRow(
                on: ["46"], spec: require, patch: #"{"clusterIPs":null,"clusterIP":null}"#,
                gives: #"{"clusterIPs":["<4>","<6>"]}"#),
            ServiceRow(
                on: ["46"], spec: require, patch: #"{"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}"#,
                gives: #"{"clusterIPs":["<4>","<6>"],"ipFamilies":["IPv4","IPv6"],"ipFamilyPolicy":"RequireDualStack"}"#
            ),
            ServiceRow(
                on: ["4"], spec: #"{"clusterIP":"10.96.0.50",\#(port)}"#, patch: #"{"clusterIP":"10.96.0.51"}"#,
                refuses: [#"spec.clusterIPs[0]: Invalid value: ["10.96.0.51"]: \#(fixed)"#]),
            ServiceRow(
                on: ["46"],
                spec:
                    #"{"clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50","fd00:10:96::50"],"ipFamilyPolicy":"RequireDualStack",\#(port)}"#,
                patch: #"{"clusterIPs":["10.96.0.50","fd00:10:96::51"]}"#,
                refuses: [
                    #"spec.clusterIPs[1]: Invalid value: ["10.96.0.50","fd00:10:96::51"]: \#(fixed)"#
                ]),
            ServiceRow(
                on: ["46"],
                spec:
                    #"{"clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50","fd00:10:96::50"],"ipFamilyPolicy":"RequireDualStack",\#(port)}"#,
                patch: #"{"ipFamilies":["IPv6","IPv4"]}"#,
                refuses: [
                    #"spec.clusterIPs[0]: Invalid value: "10.96.0.50": expected an IPv6 value as indicated by `ipFamilies[0]`"#,
                    #"spec.clusterIPs[1]: Invalid value: "fd00:10:96::50": expected an IPv4 value as indicated by `ipFamilies[1]`"#,
                ]),
            ServiceRow(
                on: ["46"], spec: #"{"clusterIP":"None",\#(selected)}"#,
                patch: #"{"ipFamilies":["IPv6"],"ipFamilyPolicy":"RequireDualStack"}"#,
                gives: #"{"clusterIPs":["None"],"ipFamilies":["IPv6","IPv4"]}"#),
            ServiceRow(
                on: ["4"], spec: #"{"clusterIP":"None",\#(selected)}"#, patch: #"{"ipFamilies":["IPv6"]}"#,
                refuses: [#"spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster"#]),
            ServiceRow(
                on: ["4"], spec: #"{"clusterIP":"None",\#(selected)}"#,
                patch: #"{"clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50"]}"#,
                refuses: [#"spec.clusterIPs[0]: Invalid value: ["10.96.0.50"]: \#(fixed)"#]),
            ServiceRow(
                on: ["46"], spec: require, patch: #"{"type":"ExternalName","externalName":"a.example"}"#,
                gives: #"{"clusterIP":null,"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}"#),
            ServiceRow(
                on: ["46"], spec: #"{"type":"ExternalName","externalName":"a.example"}"#,
                patch: #"{"type":"ClusterIP","externalName":null,"ipFamilyPolicy":"PreferDualStack",\#(port)}"#,
                gives: #"{"clusterIPs":["<4>","<6>"],"ipFamilies":["IPv4","IPv6"],"internalTrafficPolicy":"Cluster"}"#),
            ServiceRow(
                on: ["64"], spec: #"{"type":"ExternalName","externalName":"a.example"}"#,
                patch: #"{"type":"ClusterIP","externalName":null,\#(port)}"#,
                gives: #"{"clusterIPs":["<6>"],"ipFamilies":["IPv6"],"ipFamilyPolicy":"SingleStack"}"#),
            ServiceRow(
                on: ["46"], spec: #"{\#(port)}"#, patch: #"{"type":"NodePort","ipFamilyPolicy":"PreferDualStack"}"#,
                gives:
                    #"{"clusterIPs":["<4>","<6>"],"ports":[{"port":80,"protocol":"TCP","targetPort":80,"nodePort":"<port>"}],"externalTrafficPolicy":"Cluster"}"#
            ),
        ]
    }()

    @Test(arguments: changes)
    func `families change as far as the rules allow`(row: ServiceRow) throws { try row.check() }

    /// What a change of type or policy drops, and what the client may not change with it.
    static let dropped: [ServiceRow] = {
        let both = #"{"ipFamilyPolicy":"RequireDualStack","clusterIP":"10.96.0.50",\#(port)}"#
        let name = #""type":"ExternalName","externalName":"a.example""#
        func forbidden(_ field: String) -> String {
            "spec.\(field): Forbidden: may not be set for ExternalName services"
        }
        return [
            // To ExternalName: addresses, families and policy, each unless it was changed.
            ServiceRow(
                on: ["46", "64"], spec: both, patch: #"{\#(name)}"#,
                gives: #"{"clusterIP":null,"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}"#),
            ServiceRow(
                on: ["46", "64"], spec: both, patch: #"{\#(name),"clusterIP":null}"#,
                gives: #"{"clusterIP":null,"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}"#),
            ServiceRow(
                on: ["46", "64"], spec: both,
                patch: #"{\#(name),"clusterIP":null,"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}"#,
                gives: #"{"clusterIP":null,"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}"#),
            ServiceRow(
                on: ["46"], spec: both, patch: #"{\#(name),"clusterIP":"10.96.0.51"}"#,
                refuses: [forbidden("clusterIPs")]
            ),
            ServiceRow(
                on: ["46"], spec: both, patch: #"{\#(name),"ipFamilies":["IPv4"]}"#, refuses: [forbidden("ipFamilies")]),
            ServiceRow(
                on: ["46"], spec: both, patch: #"{\#(name),"ipFamilyPolicy":"SingleStack"}"#,
                refuses: [forbidden("ipFamilyPolicy")]),
            ServiceRow(
                spec: #"{"clusterIP":"None",\#(selected)}"#, patch: #"{\#(name)}"#,
                gives: #"{"clusterIP":null,"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}"#),
            // From node ports: those that the Service had, whatever became of its other ports.
            ServiceRow(
                spec: #"{"type":"NodePort","ports":[{"name":"a","port":80},{"name":"b","port":81}]}"#,
                patch: #"{"type":"ClusterIP","ports":[{"name":"b","port":81}]}"#,
                gives: #"{"ports":[{"name":"b","port":81,"protocol":"TCP","targetPort":81}]}"#),
            ServiceRow(
                spec: #"{"type":"LoadBalancer",\#(port)}"#, patch: #"{\#(name)}"#,
                gives:
                    #"{"ports":[{"port":80,"protocol":"TCP","targetPort":80}],"allocateLoadBalancerNodePorts":null,"externalTrafficPolicy":null,"internalTrafficPolicy":null}"#
            ),
            // The traffic policy: where clients outside the cluster reached the Service, and no longer do.
            ServiceRow(
                spec: #"{"type":"NodePort","externalTrafficPolicy":"Local",\#(port)}"#, patch: #"{"type":"ClusterIP"}"#,
                gives: #"{"externalTrafficPolicy":null}"#),
            ServiceRow(
                spec: #"{"type":"NodePort","externalTrafficPolicy":"Local",\#(port)}"#,
                patch: #"{"type":"ClusterIP","externalIPs":["192.0.2.1"]}"#,
                gives: #"{"externalTrafficPolicy":"Local","ports":[{"port":80,"protocol":"TCP","targetPort":80}]}"#),
            ServiceRow(
                spec: #"{"externalIPs":["192.0.2.1","2001:db8::1"],\#(port)}"#, patch: #"{"externalIPs":null}"#,
                gives: #"{"externalTrafficPolicy":null,"externalIPs":null}"#),
            ServiceRow(
                spec: #"{"externalIPs":["192.0.2.1"],\#(port)}"#, patch: #"{"type":"NodePort","externalIPs":null}"#,
                gives: #"{"externalTrafficPolicy":"Cluster"}"#),
            ServiceRow(
                spec: #"{"type":"NodePort","externalTrafficPolicy":"Local",\#(port)}"#,
                patch: #"{"type":"ClusterIP","externalTrafficPolicy":"Cluster"}"#,
                refuses: [
                    #"spec.externalTrafficPolicy: Invalid value: "Cluster": may only be set for externally-accessible services"#
                ]),
            // What only load balancers have.
            ServiceRow(
                spec: #"{"type":"LoadBalancer","externalTrafficPolicy":"Local",\#(port)}"#,
                patch: #"{"externalTrafficPolicy":"Cluster","healthCheckNodePort":31001}"#,
                refuses: [
                    "spec.healthCheckNodePort: Invalid value: 31001: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
                ]),
            ServiceRow(
                spec: #"{"type":"LoadBalancer",\#(port)}"#,
                patch: #"{"type":"NodePort","allocateLoadBalancerNodePorts":false}"#,
                refuses: [
                    "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"
                ]),
            ServiceRow(
                spec: #"{"type":"LoadBalancer","loadBalancerClass":"a.example/b",\#(port)}"#,
                patch: #"{"type":"NodePort","loadBalancerClass":"a.example/c"}"#,
                refuses: [
                    "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
                    "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
                ]),
            ServiceRow(
                spec: #"{"type":"LoadBalancer","loadBalancerSourceRanges":["10.0.0.0/8"],\#(port)}"#,
                patch: #"{"type":"NodePort"}"#,
                refuses: ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"]),
        ]
    }()

    @Test(arguments: dropped)
    func `a change of type drops what the client left alone`(row: ServiceRow) throws { try row.check() }

    /// What addresses are taken and given back; that no others are held is part of every row.
    static let moves: [ServiceRow] = {
        let name = #"{"type":"ExternalName","externalName":"a.example"}"#
        let dual = #"{"ipFamilyPolicy":"RequireDualStack",\#(port)}"#
        let (four, six) = (#"["IPv4"]"#, #"["IPv6"]"#)
        return [
            ServiceRow(
                on: ["4", "46"], spec: name, patch: #"{"type":"ClusterIP","externalName":null,\#(port)}"#,
                gives: #"{"clusterIPs":["<4>"],"ipFamilies":\#(four),"ipFamilyPolicy":"SingleStack"}"#),
            ServiceRow(
                on: ["6", "64"], spec: name, patch: #"{"type":"NodePort","externalName":null,\#(port)}"#,
                gives: #"{"clusterIPs":["<6>"],"ipFamilies":\#(six),"ipFamilyPolicy":"SingleStack"}"#),
            ServiceRow(
                on: ["46"], spec: name,
                patch: #"{"type":"LoadBalancer","ipFamilyPolicy":"RequireDualStack","ipFamilies":["IPv6"],\#(port)}"#,
                gives: #"{"clusterIPs":["<6>","<4>"],"ipFamilies":["IPv6","IPv4"]}"#),
            ServiceRow(
                spec: name, patch: #"{"type":"ClusterIP","clusterIP":"None",\#(port)}"#,
                gives: #"{"clusterIPs":["None"],"ipFamilyPolicy":"RequireDualStack"}"#),
            ServiceRow(
                on: ["46"], spec: name, patch: #"{"type":"ClusterIP","clusterIP":"10.97.0.1",\#(port)}"#,
                refuses: [
                    #"spec.clusterIPs: Invalid value: ["10.97.0.1"]: failed to allocate IP 10.97.0.1: the provided network does not match the current range"#
                ]),
            ServiceRow(
                on: ["46"], spec: dual, patch: name, again: #"{"type":"ClusterIP","externalName":null,\#(port)}"#,
                gives: #"{"clusterIPs":["<4>"],"ipFamilies":\#(four),"ipFamilyPolicy":"SingleStack"}"#),
            ServiceRow(
                on: ["46"], spec: #"{"clusterIP":"10.96.0.50",\#(port)}"#,
                patch:
                    #"{"ipFamilyPolicy":"RequireDualStack","clusterIPs":["10.96.0.50","fd00:10:96::50"]}"#,
                gives: #"{"clusterIPs":["10.96.0.50","fd00:10:96::50"],"ipFamilies":["IPv4","IPv6"]}"#),
            ServiceRow(
                on: ["46"], spec: #"{"clusterIP":"10.96.0.50",\#(port)}"#,
                patch: #"{"ipFamilyPolicy":"RequireDualStack","clusterIPs":["10.96.0.50","fd00:10:97::50"]}"#,
                refuses: [
                    #"spec.clusterIPs: Invalid value: ["10.96.0.50","fd00:10:97::50"]: failed to allocate IP fd00:10:97::50: the provided network does not match the current range"#
                ]),
            ServiceRow(
                on: ["46", "64"], spec: dual, patch: #"{"ipFamilyPolicy":"SingleStack"}"#,
                again: #"{"ipFamilyPolicy":"PreferDualStack"}"#, gives: #"{"ipFamilyPolicy":"PreferDualStack"}"#),
            ServiceRow(
                on: ["46"], spec: dual, patch: #"{"ipFamilyPolicy":"PreferDualStack","selector":{"c":"d"}}"#,
                gives: #"{"clusterIPs":["<4>","<6>"],"ipFamilyPolicy":"PreferDualStack"}"#),
            ServiceRow(
                on: ["46"], spec: #"{"clusterIP":"None",\#(selected)}"#,
                patch: #"{"ipFamilyPolicy":"RequireDualStack"}"#,
                gives: #"{"clusterIPs":["None"],"ipFamilies":["IPv4","IPv6"]}"#),
            ServiceRow(
                on: ["46"], spec: #"{"clusterIP":"None","ipFamilyPolicy":"RequireDualStack",\#(selected)}"#,
                patch: #"{"ipFamilyPolicy":"SingleStack"}"#, gives: #"{"clusterIPs":["None"],"ipFamilies":\#(four)}"#),
            ServiceRow(
                on: ["4"], spec: #"{"clusterIP":"None",\#(port)}"#, patch: #"{"selector":{"a":"b"}}"#,
                refuses: [
                    #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services"#,
                    #"spec.ipFamilies[1]: Invalid value: "IPv6": not configured on this cluster"#,
                ]),
        ]
    }()

    @Test(arguments: moves)
    func `addresses are taken and given back as types and families change`(row: ServiceRow) throws { try row.check() }

    /// What a Service keeps for life.
    static let fixed: [ServiceRow] = {
        let text = "may not change once set"
        let four = #"{"clusterIP":"10.96.0.50",\#(port)}"#
        let both =
            #"{"clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50","fd00:10:96::50"],"ipFamilyPolicy":"RequireDualStack",\#(port)}"#
        let notReleased = [
            #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be 'SingleStack' to release the secondary cluster IP"#,
            #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be 'SingleStack' to release the secondary IP family"#,
        ]
        return [
            ServiceRow(
                on: ["46"], spec: four,
                patch:
                    #"{"clusterIP":"10.96.0.51","clusterIPs":["10.96.0.51","fd00:10:96::50"],"ipFamilyPolicy":"RequireDualStack"}"#,
                refuses: [#"spec.clusterIPs[0]: Invalid value: ["10.96.0.51","fd00:10:96::50"]: \#(text)"#]),
            ServiceRow(
                on: ["46"], spec: both,
                patch: #"{"clusterIP":"10.96.0.51","clusterIPs":["10.96.0.51"],"ipFamilyPolicy":"SingleStack"}"#,
                refuses: [#"spec.clusterIPs[0]: Invalid value: ["10.96.0.51"]: \#(text)"#]),
            ServiceRow(
                on: ["46"], spec: four,
                patch: #"{"clusterIP":"fd00:10:96::50","clusterIPs":["fd00:10:96::50"],"ipFamilies":["IPv6"]}"#,
                refuses: [
                    #"spec.clusterIPs[0]: Invalid value: ["fd00:10:96::50"]: \#(text)"#,
                    #"spec.ipFamilies[0]: Invalid value: ["IPv6"]: \#(text)"#,
                ]),
            ServiceRow(
                on: ["46", "64"], spec: four, patch: #"{"ipFamilies":["IPv6"]}"#,
                refuses: [
                    #"spec.clusterIPs[0]: Invalid value: "10.96.0.50": expected an IPv6 value as indicated by `ipFamilies[0]`"#
                ]),
            ServiceRow(
                on: ["46", "64"], spec: four,
                patch: #"{"ipFamilies":["IPv6","IPv4"],"ipFamilyPolicy":"PreferDualStack"}"#,
                refuses: [
                    #"spec.clusterIPs[0]: Invalid value: "10.96.0.50": expected an IPv6 value as indicated by `ipFamilies[0]`"#
                ]),
            ServiceRow(
                on: ["46"], spec: both, patch: #"{"ipFamilies":["IPv4"],"clusterIPs":["10.96.0.50"]}"#,
                refuses: notReleased),
            ServiceRow(
                on: ["46"], spec: both,
                patch: #"{"ipFamilies":["IPv4"],"clusterIPs":["10.96.0.50"],"ipFamilyPolicy":"SingleStack"}"#,
                gives: #"{"clusterIPs":["10.96.0.50"],"ipFamilies":["IPv4"]}"#),
            ServiceRow(
                on: ["46"], spec: both, patch: #"{"clusterIPs":["10.96.0.50"],"ipFamilyPolicy":"SingleStack"}"#,
                gives: #"{"clusterIPs":["10.96.0.50"],"ipFamilies":["IPv4"]}"#),
            ServiceRow(
                on: ["46"], spec: both,
                patch:
                    #"{"clusterIP":"fd00:10:96::50","clusterIPs":["fd00:10:96::50"],"ipFamilies":["IPv6"],"ipFamilyPolicy":"SingleStack"}"#,
                refuses: [
                    #"spec.clusterIPs[0]: Invalid value: ["fd00:10:96::50"]: \#(text)"#,
                    #"spec.ipFamilies[0]: Invalid value: ["fd00:10:96::50"]: \#(text)"#,
                ]),
            ServiceRow(
                on: ["4", "46"], spec: #"{"clusterIP":"10.96.0.50",\#(selected)}"#, patch: #"{"clusterIP":"None"}"#,
                refuses: [#"spec.clusterIPs[0]: Invalid value: ["None"]: \#(text)"#]),
            ServiceRow(
                on: ["46"], spec: both, patch: #"{"clusterIP":"None"}"#, refuses: [notReleased[0]]),
            ServiceRow(
                on: ["46"], spec: #"{"clusterIP":"None","ipFamilies":["IPv6"],\#(selected)}"#,
                patch: #"{"clusterIP":"10.96.0.50","clusterIPs":["10.96.0.50"],"ipFamilies":["IPv4"]}"#,
                refuses: [#"spec.clusterIPs[0]: Invalid value: ["10.96.0.50"]: \#(text)"#]),
            ServiceRow(
                on: ["46", "64"], spec: both, patch: #"{"ipFamilyPolicy":null,"ipFamilies":[],"clusterIPs":[]}"#,
                gives:
                    #"{"clusterIPs":["10.96.0.50","fd00:10:96::50"],"ipFamilies":["IPv4","IPv6"],"ipFamilyPolicy":"RequireDualStack"}"#
            ),
        ]
    }()

    @Test(arguments: fixed)
    func `a Service keeps its first address and family`(row: ServiceRow) throws { try row.check() }

    /// Columns: the cluster then, the policy, the cluster now, and the families then and now.
    @Test(
        arguments: [
            (["4"], "PreferDualStack", ["4", "6"], ["IPv4"]), (["6"], "PreferDualStack", ["6", "4"], ["IPv6"]),
            (["4", "6"], "PreferDualStack", ["4"], ["IPv4", "IPv6"]),
            (["6", "4"], "PreferDualStack", ["4"], ["IPv6", "IPv4"]),
            (["4"], "SingleStack", ["4", "6"], ["IPv4"]), (["4"], "SingleStack", ["6", "4"], ["IPv4"]),
        ])
    func `a Service does not follow a cluster that gains or loses a family`(
        then: [String], policy: String, now: [String], families: [String]
    ) throws {
        let before = try StrategyHarness(.services, ranges: ServiceRow.ranges(then.joined()))
        let object = try before.created(#"{"spec":{"ipFamilyPolicy":"\#(policy)",\#(Self.port)}}"#)
        let after = try StrategyHarness(.services, ranges: ServiceRow.ranges(now.joined()))
        after.strategy.recover(object)
        let changed = try after.updated(object, #"{"spec":{"selector":{"a":"b"}}}"#)
        #expect(changed.at("spec", "ipFamilies") == .array(families.map { .string($0) }))
        #expect(changed.at("spec", "clusterIPs") == object.at("spec", "clusterIPs"))
        #expect(after.held == ServiceResources.claims(of: ServiceObject(changed)))
        after.strategy.didDelete(changed)
        #expect(after.held.isEmpty)
    }
}
