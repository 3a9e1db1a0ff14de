import APIServer
import JSON
import KubernetesAPI
import Testing

/// Node ports and health check ports: one pool of numbers for all Services.
@Suite struct ServiceNodePortTests {
    private static let port = #""ports":[{"port":80}]"#

    /// Node ports.
    static let nodePorts: [ServiceRow] = [
        ServiceRow(
            spec: #"{"ports":[{"port":80,"nodePort":30080}]}"#,
            refuses: ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
        ServiceRow(
            spec: #"{"type":"NodePort","ports":[{"port":80,"nodePort":80}]}"#,
            refuses: [
                "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767"
            ]),
        ServiceRow(
            spec:
                #"{"type":"NodePort","ports":[{"name":"a","port":80,"nodePort":30080},{"name":"b","port":81,"nodePort":30080}]}"#,
            refuses: ["spec.ports[1].nodePort: Invalid value: 30080: provided port is already allocated"]),
        ServiceRow(
            spec:
                #"{"type":"NodePort","ports":[{"name":"a","port":53},{"name":"b","port":53,"protocol":"UDP","nodePort":30053}]}"#,
            gives:
                #"{"ports":[{"name":"a","port":53,"protocol":"TCP","targetPort":53,"nodePort":"<port>"},{"name":"b","port":53,"protocol":"UDP","targetPort":53,"nodePort":"<port>"}]}"#
        ),
        ServiceRow(
            spec: #"{"type":"NodePort",\#(port)}"#, patch: #"{"type":"ClusterIP"}"#,
            gives: #"{"ports":[{"port":80,"protocol":"TCP","targetPort":80}],"externalTrafficPolicy":null}"#),
        ServiceRow(
            spec: #"{"type":"NodePort",\#(port)}"#,
            patch: #"{"type":"ClusterIP","ports":[{"port":80,"nodePort":30001}]}"#,
            refuses: ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
        ServiceRow(
            spec: #"{"type":"NodePort","ports":[{"name":"a","port":80,"nodePort":30080}]}"#,
            patch: #"{"ports":[{"name":"a","port":80},{"name":"b","port":81,"protocol":"UDP","nodePort":30080}]}"#,
            gives: #"{"type":"NodePort"}"#),
        ServiceRow(
            spec: #"{"type":"NodePort","ports":[{"name":"a","port":80,"nodePort":30080}]}"#,
            patch: #"{"ports":[{"name":"a","port":80,"nodePort":30080},{"name":"b","port":81,"nodePort":30080}]}"#,
            refuses: ["duplicate nodePort: {TCP 30080}"]),
        ServiceRow(
            spec: #"{"type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":31000,\#(port)}"#,
            patch: #"{"healthCheckNodePort":31001}"#,
            refuses: ["spec.healthCheckNodePort: Forbidden: field is immutable"]),
        ServiceRow(
            spec: #"{"type":"LoadBalancer","externalTrafficPolicy":"Local",\#(port)}"#,
            patch: #"{"externalTrafficPolicy":"Cluster"}"#, gives: #"{"healthCheckNodePort":null}"#),
        ServiceRow(
            spec: #"{"type":"LoadBalancer","externalTrafficPolicy":"Local",\#(port)}"#,
            patch: #"{"type":"NodePort"}"#,
            gives: #"{"healthCheckNodePort":null,"allocateLoadBalancerNodePorts":null,"externalTrafficPolicy":"Local"}"#
        ),
        ServiceRow(
            spec: #"{"type":"LoadBalancer","loadBalancerClass":"a.example/b",\#(port)}"#,
            patch: #"{"type":"ClusterIP"}"#,
            gives: #"{"loadBalancerClass":null,"allocateLoadBalancerNodePorts":null,"externalTrafficPolicy":null}"#),
        ServiceRow(
            spec: #"{"type":"LoadBalancer","loadBalancerClass":"a.example/b",\#(port)}"#,
            patch: #"{"loadBalancerClass":"a.example/c"}"#,
            refuses: [#"spec.loadBalancerClass: Invalid value: "a.example/c": may not change once set"#]),
        ServiceRow(
            spec: #"{"type":"LoadBalancer",\#(port)}"#, patch: #"{"loadBalancerClass":"a.example/c"}"#,
            refuses: [#"spec.loadBalancerClass: Invalid value: "a.example/c": may not change once set"#]),
        ServiceRow(
            spec: #"{"type":"NodePort",\#(port)}"#,
            patch: #"{"type":"LoadBalancer","loadBalancerClass":"a.example/c"}"#,
            gives: #"{"loadBalancerClass":"a.example/c"}"#),
    ]

    @Test(arguments: nodePorts)
    func `node ports follow type and policy`(row: ServiceRow) throws { try row.check() }

    /// Columns: the first Service, the second, and the refusal of the second.
    @Test(
        arguments: [
            (
                #""type":"NodePort","ports":[{"port":80,"nodePort":30080}]"#,
                #""type":"NodePort","ports":[{"port":80,"nodePort":30080}]"#,
                ["spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated"]
            ),
            (
                // The number counts, not the protocol.
                #""type":"NodePort","ports":[{"port":80,"nodePort":30080}]"#,
                #""type":"NodePort","ports":[{"port":80,"protocol":"UDP","nodePort":30080}]"#,
                ["spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated"]
            ),
            (
                #""type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":31000,"ports":[{"port":80}]"#,
                #""type":"NodePort","ports":[{"port":80,"nodePort":31000}]"#,
                ["spec.ports[0].nodePort: Invalid value: 31000: provided port is already allocated"]
            ),
            (
                #""type":"NodePort","ports":[{"port":80,"nodePort":31000}]"#,
                #""type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":31000,"ports":[{"port":80}]"#,
                [
                    "Internal error occurred: failed to allocate requested HealthCheck NodePort 31000: provided port is already allocated"
                ]
            ),
            (
                #""type":"NodePort","ports":[{"port":80,"nodePort":31000}]"#,
                #""type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":80,"ports":[{"port":80}]"#,
                [
                    "Internal error occurred: failed to allocate requested HealthCheck NodePort 80: provided port is not in the valid range. The range of valid ports is 30000-32767"
                ]
            ),
            (
                // Without node ports of its own, a load balancer still gets what it asks for.
                #""type":"LoadBalancer","allocateLoadBalancerNodePorts":false,"ports":[{"port":80,"nodePort":30080}]"#,
                #""type":"NodePort","ports":[{"port":80,"nodePort":30080}]"#,
                ["spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated"]
            ),
            (
                #""type":"NodePort","ports":[{"port":80,"nodePort":30080}]"#,
                #""type":"NodePort","ports":[{"port":80,"nodePort":30081}]"#, []
            ),
        ])
    func `a number is given once`(first: String, second: String, refusals: [String]) throws {
        let harness = try StrategyHarness(.services)
        let object = try harness.created(#"{"spec":{\#(first)}}"#)
        let before = harness.held
        #expect(harness.refusal { try harness.created(#"{"spec":{\#(second)}}"#) } == refusals)
        #expect((harness.held == before) == !refusals.isEmpty)
        harness.strategy.didDelete(object)
        guard !refusals.isEmpty, !second.contains(#""healthCheckNodePort":80,"#) else { return }
        _ = try harness.created(#"{"spec":{\#(second)}}"#)
    }

    @Test func `when all numbers are taken the server says so`() throws {
        let harness = try StrategyHarness(.services, nodePorts: 30000...30001)
        let local = #"{"spec":{"type":"LoadBalancer","externalTrafficPolicy":"Local",\#(Self.port)}}"#
        let object = try harness.created(local)
        let held = harness.held
        for (spec, what) in [
            (#"{"spec":{"type":"NodePort",\#(Self.port)}}"#, "nodePort"),
            (
                #"{"spec":{"type":"LoadBalancer","allocateLoadBalancerNodePorts":false,"externalTrafficPolicy":"Local",\#(Self.port)}}"#,
                "HealthCheck NodePort 0"
            ),
        ] {
            #expect(
                harness.refusal { try harness.created(spec) } == [
                    "Internal error occurred: failed to allocate a \(what): range is full"
                ])
        }
        // Addresses that the refused Services were given first are free again.
        #expect(harness.held == held)
        harness.strategy.didDelete(object)
        _ = try harness.created(local)
    }

    /// Columns: the ports before, those of the update, and whether each number afterwards is one of before.
    @Test(
        arguments: [
            (#"[{"port":80}]"#, #"[{"port":80}]"#, [true]),
            (#"[{"name":"a","port":80}]"#, #"[{"name":"a","port":81}]"#, [true]),
            (#"[{"name":"a","port":80}]"#, #"[{"name":"b","port":80}]"#, [false]),
            (#"[{"name":"a","port":80}]"#, #"[{"name":"b","port":81},{"name":"a","port":80}]"#, [false, true]),
            (#"[{"name":"a","port":80},{"name":"b","port":81}]"#, #"[{"name":"b","port":81}]"#, [true]),
            (#"[{"name":"a","port":80}]"#, #"[{"name":"a","port":80,"nodePort":30080}]"#, [false]),
        ])
    func `a port keeps the number of its name`(before: String, after: String, kept: [Bool]) throws {
        let harness = try StrategyHarness(.services)
        let old = try harness.created(#"{"spec":{"type":"NodePort","ports":\#(before)}}"#)
        let new = try harness.updated(old, #"{"spec":{"ports":\#(after)}}"#)
        let numbers = ServiceObject(old).ports.map(\.nodePort)
        #expect(ServiceObject(new).ports.map { numbers.contains($0.nodePort) } == kept)
        #expect(harness.held == ServiceResources.claims(of: ServiceObject(new)))
    }

    @Test func `a dry run neither takes nor frees numbers`() throws {
        let harness = try StrategyHarness(.services)
        let object = try harness.created(#"{"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30080}]}}"#)
        let held = harness.held
        for patch in [#"{"spec":{"type":"ClusterIP"}}"#, #"{"spec":{"ports":[{"port":80,"nodePort":30081}]}}"#] {
            var changed = object
            changed.mergePatch(try JSONValue(text: patch))
            try harness.strategy.admitUpdate(&changed, replacing: object, AdmissionContext(isDryRun: true)).commit()
            #expect(harness.held == held)
        }
        #expect(
            harness.refusal {
                try harness.created(
                    #"{"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30080}]}}"#, isDryRun: true)
            } == ["spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated"])
    }
}
