import Addresses
import KubernetesAPI
import ServiceProxy
import Testing

/// Choices of endpoints, errors on the way, and protocols, as packets meet them.
@Suite("Packets of Services", .enabled(if: NodeLab.isPossible), .blocking)
struct KernelPacketTests {
    /// Who answers calls of a frontend from a place, in so many calls that nobody stays unheard.
    private func names(_ policy: PolicyLab, _ address: IPAddress, _ port: UInt16, from place: String) throws -> Set<
        String
    > {
        let call = Call(from: policy.address(place), to: address, .tcp, port)
        let answers = try policy.lab.answers(to: Array(repeating: (place, call, 4), count: 40))
        return Set(answers.map { String($0.prefix { $0 != " " }) })
    }

    private static let pods = ["pod-1", "pod-2", "remote"]

    /// Rows: the zones and nodes that each pod is meant for; who answers in zone "a".
    static let hints: [(zones: [String?], nodes: [String?], met: Set<String>, remark: String)] = [
        (["a", "b", "a"], [nil, nil, nil], ["pod-1", "remote"], "those for the zone"),
        (["b", "b", "b"], [nil, nil, nil], ["pod-1", "pod-2", "remote"], "none is for the zone"),
        (["a", nil, "b"], [nil, nil, nil], ["pod-1", "pod-2", "remote"], "one has no hint"),
        (["b", "a", "a"], ["node", "other", "other"], ["pod-1"], "the node comes before the zone"),
        (["a", "b", "a"], ["other", "other", "other"], ["pod-1", "remote"], "none is for the node"),
        (["a", "b", "b"], ["node", nil, "node"], ["pod-1"], "one has no hint of a node"),
    ]

    @Test("Hints keep traffic near", arguments: IPFamily.allCases, KernelPolicyTests.waysToLead)
    func hints(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, zone: "a", atConnect: atConnect)
        let web = policy.service("web", number: 1, nodePort: 30_080)
        for row in Self.hints {
            policy.update(web, ready: Self.pods)
            var object = slice("web", family, Self.pods.map(policy.address))
            object.ports = [EndpointPort(name: "tcp", port: 8080, protocol: "TCP")]
            for index in Self.pods.indices {
                object.endpoints?[index].nodeName = Self.pods[index] == "remote" ? "other" : "node"
                object.endpoints?[index].hints = EndpointHints(
                    forZones: row.zones[index].map { [ForName(name: $0)] },
                    forNodes: row.nodes[index].map { [ForName(name: $0)] })
            }
            policy.table.update(object)
            try policy.table.flush()
            #expect(try names(policy, clusterIP(family, 1), 80, from: "pod-1") == row.met, "\(row.remark)")
            #expect(try names(policy, policy.nodeAddress, 30_080, from: "client") == row.met, "\(row.remark)")
        }
        // Where traffic stays on the node, hints say nothing.
        var local = web
        local.spec?.internalTrafficPolicy = "Local"
        local.spec?.externalTrafficPolicy = "Local"
        policy.table.update(local)
        try policy.table.flush()
        #expect(try names(policy, clusterIP(family, 1), 80, from: "pod-1") == ["pod-1", "pod-2"])
        #expect(try names(policy, policy.nodeAddress, 30_080, from: "client") == ["pod-1", "pod-2"])
    }

    private static let ready = EndpointConditions(ready: true)
    private static let ending = EndpointConditions(ready: false, serving: true, terminating: true)
    private static let ended = EndpointConditions(ready: false, serving: false, terminating: true)

    /// Rows: an endpoint of the node and one of another; who answers on the cluster address and, where external traffic
    /// stays local, on the node port.
    static let terminating:
        [(own: EndpointConditions, other: EndpointConditions, inside: Set<String>, outside: Set<String>)] = [
            (ready, ending, ["pod-1"], ["pod-1"]), (ending, ready, ["remote"], ["pod-1"]),
            (ending, ending, ["pod-1", "remote"], ["pod-1"]), (ended, ending, ["remote"], ["timeout"]),
            (ended, ended, ["refused"], ["refused"]),
        ]

    @Test(
        "Endpoints that terminate serve where none is ready", arguments: IPFamily.allCases, KernelPolicyTests.waysToLead
    )
    func terminating(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        var web = policy.service("web", number: 1, nodePort: 30_080)
        web.spec?.externalTrafficPolicy = "Local"
        for (number, row) in Self.terminating.enumerated() {
            policy.update(web, [("pod-1", row.own, nil), ("remote", row.other, nil)])
            try policy.table.flush()
            #expect(try names(policy, clusterIP(family, 1), 80, from: "pod-2") == row.inside, "row \(number)")
            #expect(try names(policy, policy.nodeAddress, 30_080, from: "client") == row.outside, "row \(number)")
        }
    }

    @Test(
        "What an endpoint refuses is refused to the caller, in the Service's name", arguments: IPFamily.allCases,
        KernelPolicyTests.waysToLead)
    func endpointErrors(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        policy.update(policy.service("web", number: 1, nodePort: 30_080), ready: ["pod-2"])
        var object = slice("web", family, [policy.address("pod-2")])
        // Nobody listens there.
        object.ports = ["tcp", "udp"].map { EndpointPort(name: $0, port: 8081, protocol: $0.uppercased()) }
        policy.table.update(object)
        try policy.table.flush()
        let frontends = [(clusterIP(family, 1), UInt16(80)), (policy.nodeAddress, 30_080)]
        for place in ["pod-1", "client", "node"] {
            let calls = frontends.flatMap { address, port in
                [TransportProtocol.tcp, .udp].map {
                    (place, Call(from: policy.address(place), to: address, $0, port), 4.0)
                }
            }
            #expect(Set(try policy.lab.answers(to: calls)) == ["refused"], "\(place)")
        }
    }

    /// Sends datagrams that must not be split until one is too big; prints the largest that fits.
    private static let bigSender = """
        import socket, sys, time
        target = (sys.argv[1], int(sys.argv[2]))
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        s = socket.socket(family, socket.SOCK_DGRAM)
        level, discover, mtu = (41, 23, 24) if family == socket.AF_INET6 else (0, 10, 14)
        s.setsockopt(level, discover, 2)
        s.connect(target)
        end = time.monotonic() + 30
        while time.monotonic() < end and s.getsockopt(level, mtu) == 1500:
            try: s.send(bytes(1400))
            except OSError: pass
            time.sleep(0.01)
        print(s.getsockopt(level, mtu))
        """

    @Test(
        "A caller learns that its packets are too big for the way behind the Service", arguments: IPFamily.allCases)
    func packetTooBigForCaller(family: IPFamily) throws {
        let policy = try PolicyLab(family)
        policy.update(policy.service("web", number: 1, nodePort: 30_080), ready: ["remote"])
        try policy.table.flush()
        try policy.lab.shell("ip link set to-remote mtu 1300", in: "node")
        for (place, address, port) in [
            ("pod-1", clusterIP(family, 1), UInt16(80)), ("client", policy.nodeAddress, 30_080),
        ] {
            #expect(
                try policy.lab.python(Self.bigSender, "\(address)", "\(port)", in: place) == "1300", "\(place)")
        }
    }

    @Test(
        "Services of another proxy are left alone, and slices of headless Services count nowhere",
        arguments: KernelPolicyTests.waysToLead)
    func labels(atConnect: Bool) throws {
        let policy = try PolicyLab(.ipv6, atConnect: atConnect)
        var foreign = policy.service("foreign", number: 1)
        foreign.metadata.labels = [WellKnownLabel.serviceProxyName: "another"]
        policy.update(foreign, ready: ["pod-2"])
        policy.table.update(policy.service("web", number: 2))
        var headless = slice("web", .ipv6, [policy.address("pod-2")])
        headless.metadata.labels?[WellKnownLabel.headless] = ""
        headless.ports = [EndpointPort(name: "tcp", port: 8080, protocol: "TCP")]
        policy.table.update(headless)
        try policy.table.flush()
        for place in ["client", "pod-1"] {
            let calls = ([1, 2] as [UInt128]).map { number in
                (
                    place, Call(from: policy.address(place), to: clusterIP(.ipv6, number), .tcp, 80),
                    number == 1 ? 0.4 : 4
                )
            }
            let answers = try policy.lab.answers(to: calls)
            #expect(!answers[0].hasPrefix("pod-2") && answers[0] != "refused", "\(place): \(answers)")
            #expect(answers[1] == "refused", "\(place)")
        }
    }
}
