import Addresses
import Glibc
import KubernetesAPI
import ServiceProxy
import TestSupport
import Testing

/// What the policies of Services do to real connections.
@Suite("Service policies in the kernel", .enabled(if: NodeLab.isPossible), .blocking)
struct KernelPolicyTests {
    private func source(_ answer: String) -> String {
        answer.split(separator: " ").last.map(String.init) ?? ""
    }

    /// Whether calls of the node and its pods are led while they are made, or as packets only: the same rows are for both.
    static let waysToLead = [false, true]

    @Test(
        "External and load-balancer addresses answer; those of a proxy in front do not", arguments: IPFamily.allCases,
        waysToLead)
    func externalAddresses(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        var web = policy.service("web", number: 1, nodePort: 30_080)
        web.spec?.externalIPs = [policy.external(1).description, "203.0.113.1", "2001:db8:ffff::1"]
        web.status = ServiceStatus(
            loadBalancer: LoadBalancerStatus(ingress: [
                LoadBalancerIngress(ip: policy.external(2).description),
                LoadBalancerIngress(ip: policy.external(3).description, ipMode: "VIP"),
                LoadBalancerIngress(ip: policy.external(4).description, ipMode: "Proxy"),
                LoadBalancerIngress(hostname: "example.org"),
            ]))
        policy.update(web, ready: ["pod-1", "remote"])
        try policy.table.flush()
        let masked = NodeLab.address(family, of: "pod-1", nodeSide: true).description
        for number in 1...3 as ClosedRange<UInt128> {
            let answer = try policy.lab.call(policy.external(number), 80, from: "client")
            #expect(answer.hasPrefix("pod-1 \(masked)") || answer.hasPrefix("remote "), "\(answer)")
        }
        let targets = (1...4).map { (policy.external($0), UInt16(80)) }
        try policy.expectModel(of: targets + [(policy.nodeAddress, 30_080)], "external addresses")
    }

    /// Rows: internal and external policy, the endpoints, the answers of the cluster address to a pod of the node and
    /// of the node port to the outside and to a pod of the node.
    static let policies:
        [(
            internalLocal: Bool, externalLocal: Bool, pods: [String], cluster: Set<String>, outside: Set<String>,
            inside: Set<String>
        )] = [
            (false, false, ["pod-2", "remote"], ["pod-2", "remote"], ["pod-2", "remote"], ["pod-2", "remote"]),
            (false, true, ["pod-2", "remote"], ["pod-2", "remote"], ["pod-2"], ["pod-2", "remote"]),
            (true, false, ["pod-2", "remote"], ["pod-2"], ["pod-2", "remote"], ["pod-2", "remote"]),
            (true, true, ["pod-2", "remote"], ["pod-2"], ["pod-2"], ["pod-2", "remote"]),
            (false, true, ["remote"], ["remote"], ["timeout"], ["remote"]),
            (true, false, ["remote"], ["timeout"], ["remote"], ["remote"]),
            (true, true, ["remote"], ["timeout"], ["timeout"], ["remote"]),
            (true, true, [], ["refused"], ["refused"], ["refused"]),
        ]

    @Test("Traffic policies decide who is served by what", arguments: IPFamily.allCases, waysToLead)
    func policies(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        for (row, expected) in Self.policies.enumerated() {
            var web = policy.service("web", number: 1, nodePort: 30_080)
            web.spec?.internalTrafficPolicy = expected.internalLocal ? "Local" : "Cluster"
            web.spec?.externalTrafficPolicy = expected.externalLocal ? "Local" : "Cluster"
            policy.update(web, ready: expected.pods)
            try policy.table.flush()
            func expect(
                _ names: Set<String>, at address: IPAddress, _ port: UInt16, from place: String,
                sourceLocation: SourceLocation = #_sourceLocation
            ) throws {
                let call = Call(from: address, to: address, .tcp, port)
                let patience = names == ["timeout"] ? 0.4 : 4
                let answers = try policy.lab.answers(to: Array(repeating: (place, call, patience), count: 16))
                if place == "client", expected.externalLocal, answers[0] != "timeout", answers[0] != "refused" {
                    #expect(source(answers[0]) == policy.address("client").description, "row \(row)")
                }
                let met = Set(answers.map { String($0.prefix { $0 != " " }) })
                #expect(met == names, "row \(row)", sourceLocation: sourceLocation)
            }
            try expect(expected.cluster, at: clusterIP(family, 1), 80, from: "pod-1")
            try expect(expected.outside, at: policy.nodeAddress, 30_080, from: "client")
            try expect(expected.inside, at: policy.nodeAddress, 30_080, from: "pod-1")
            try policy.expectModel(of: [(clusterIP(family, 1), 80), (policy.nodeAddress, 30_080)], "row \(row)")
        }
    }

    @Test(
        "A client keeps its endpoint whichever way it comes, and gets another when that is gone",
        arguments: IPFamily.allCases, waysToLead)
    func affinity(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        let place = atConnect ? "pod-1" : "client"
        var web = policy.service("web", number: 1, nodePort: 30_080)
        web.spec?.sessionAffinity = "ClientIP"
        web.spec?.sessionAffinityConfig = SessionAffinityConfig(clientIP: ClientIPConfig(timeoutSeconds: 77))
        policy.update(web, ready: ["pod-1", "pod-2", "remote"])
        try policy.table.flush()
        func names(_ calls: [Call]) throws -> Set<String> {
            Set(
                try policy.lab.answers(to: calls.map { (place, $0, 4) }).map { String($0.prefix { $0 != " " }) })
        }
        let cluster = Call(from: policy.address("client"), to: clusterIP(family, 1), .tcp, 80)
        let nodePort = Call(from: policy.address("client"), to: policy.nodeAddress, .tcp, 30_080)
        let first = try names([cluster])
        #expect(try names(Array(repeating: cluster, count: 12) + Array(repeating: nodePort, count: 12)) == first)
        if !atConnect {
            let shown = try policy.lab.shell(
                "nft list map \(family == .ipv4 ? "ip" : "ip6") duet-proxy affinity", in: "node")
            #expect(shown.contains("timeout 1m17s"), "\(shown)")
        }
        let rest = ["pod-1", "pod-2", "remote"].filter { !first.contains($0) }
        policy.update(web, ready: rest)
        try policy.table.flush()
        let second = try names([nodePort])
        #expect(second.isSubset(of: rest))
        #expect(try names(Array(repeating: cluster, count: 12) + Array(repeating: nodePort, count: 12)) == second)
    }

    @Test(
        "A client may go elsewhere when its time with an endpoint is over", arguments: IPFamily.allCases, waysToLead)
    func affinityEnds(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        var web = policy.service("web", number: 1)
        web.spec?.sessionAffinity = "ClientIP"
        web.spec?.sessionAffinityConfig = SessionAffinityConfig(clientIP: ClientIPConfig(timeoutSeconds: 1))
        policy.update(web, ready: ["pod-2", "remote"])
        try policy.table.flush()
        var met: Set<Substring> = []
        for _ in 0..<60 where met.count < 2 {
            met.formUnion(try policy.lab.call(clusterIP(family, 1), 80, from: "pod-1").split(separator: " ").prefix(1))
            usleep(1_100_000)
        }
        #expect(met == ["pod-2", "remote"])
    }

    @Test("Each address is a client of its own, and each call begins its time anew", arguments: IPFamily.allCases)
    func affinityTime(family: IPFamily) throws {
        let policy = try PolicyLab(family)
        var web = policy.service("web", number: 1)
        web.spec?.sessionAffinity = "ClientIP"
        web.spec?.sessionAffinityConfig = SessionAffinityConfig(clientIP: ClientIPConfig(timeoutSeconds: 77))
        policy.update(web, ready: ["pod-2", "remote"])
        try policy.table.flush()
        /// The milliseconds that are left for each client that is remembered.
        func rest() throws -> [Int] {
            let map = "\(family == .ipv4 ? "ip" : "ip6") duet-proxy affinity"
            let shown = try policy.lab.shell(
                "nft -j list map \(map) | grep -o \"expires.: [0-9]*\" || true", in: "node")
            return shown.split(separator: "\n").compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        }
        _ = try policy.lab.call(clusterIP(family, 1), 80, from: "client")
        while try rest()[0] > 74 { usleep(10_000) }
        _ = try policy.lab.call(clusterIP(family, 1), 80, from: "client")
        #expect(try rest()[0] >= 75)
        // A neighbour's address, however alike.
        let other = try #require(policy.address("client").advanced(by: 7))
        try policy.lab.shell("ip addr add \(other)/\(family.bitWidth) dev eth0", in: "client")
        try policy.lab.shell(
            "ip addr del \(policy.address("client"))/\(family == .ipv4 ? 24 : 64) dev eth0", in: "client")
        try policy.lab.shell(
            "ip route replace default via \(policy.nodeAddress) dev eth0 onlink src \(other)", in: "client")
        _ = try policy.lab.call(clusterIP(family, 1), 80, from: "client")
        #expect(try rest().count == 2)
    }

    @Test(
        "Callers of cluster addresses appear as the node where all are masqueraded", arguments: IPFamily.allCases,
        waysToLead)
    func masqueradeAll(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, options: ProxyOptions(masqueradesAll: true), atConnect: atConnect)
        policy.update(policy.service("web", number: 1, nodePort: 30_080), ready: ["pod-2"])
        try policy.table.flush()
        let masked = "pod-2 \(NodeLab.address(family, of: "pod-2", nodeSide: true))"
        for place in PolicyLab.places {
            #expect(try policy.lab.call(clusterIP(family, 1), 80, from: place) == masked, "\(place)")
        }
    }

    @Test(
        "Only listed sources reach a load balancer's address, and none when the list is of the other family",
        arguments: IPFamily.allCases, waysToLead)
    func sourceRanges(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        let other: IPFamily = family == .ipv4 ? .ipv6 : .ipv4
        let client = IPPrefix(NodeLab.address(family, of: "client"), length: family.bitWidth - 8).description
        let anyOther = IPPrefix(IPAddress(family: other, bits: 0), length: 0).description
        func serve(_ ranges: [String]) throws {
            var web = policy.service("web", number: 1, nodePort: 30_080)
            web.spec?.loadBalancerSourceRanges = ranges
            web.status = ServiceStatus(
                loadBalancer: LoadBalancerStatus(
                    ingress: [2, 3].map { LoadBalancerIngress(ip: policy.external($0).description) }))
            policy.update(web, ready: ["pod-1"])
            try policy.table.flush()
        }
        /// Calls an address of the load balancer's, with the first where the node does.
        func expect(isAnswered: Bool, from place: String, to balanced: UInt128 = 2, _ ranges: [String]) throws {
            let source = place == "node" ? policy.external(2) : policy.address(place)
            let call = Call(from: source, to: policy.external(balanced), .tcp, 80)
            let met = try policy.lab.answers(to: [(place, call, isAnswered ? 4 : 0.4)])
            #expect(
                met[0].hasPrefix(isAnswered ? "pod-1" : "timeout"), "\(place) to \(balanced) of \(ranges): \(met)")
        }
        for (ranges, isAnswered) in [([client, client, anyOther], true), ([" \(client) "], true), ([anyOther], false)] {
            try serve(ranges)
            try expect(isAnswered: isAnswered, from: "client", ranges)
            try expect(isAnswered: false, from: "remote", ranges)
            try policy.expectModel(
                of: [(policy.external(2), 80), (policy.nodeAddress, 30_080), (clusterIP(family, 1), 80)],
                "sources \(ranges)")
        }
        // A node that holds an address itself calls it with just that, and may call the other with it.
        try policy.lab.shell("ip addr add \(policy.external(2))/\(family.bitWidth) dev lo", in: "node")
        let link = IPPrefix(policy.nodeAddress, length: family.bitWidth).description
        for (ranges, isAnswered) in [([link], true), ([anyOther], false)] {
            try serve(ranges)
            for balanced: UInt128 in [2, 3] {
                try expect(isAnswered: isAnswered, from: "node", to: balanced, ranges)
            }
        }
    }

    @Test(
        "On another port of a Service's cluster address a second one has its own policies and ranges",
        arguments: IPFamily.allCases, waysToLead)
    func sharedAddress(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        policy.update(policy.service("first", number: 1), ready: ["pod-1"])
        let client = IPPrefix(policy.address("client"), length: family.bitWidth - 8).description
        for (isLocal, pods) in [(true, ["pod-2", "remote"]), (false, ["pod-2"]), (true, ["remote"]), (true, [])] {
            var second = policy.service("second", number: 2, nodePort: 30_080)
            second.spec?.ports = ["TCP", "UDP"].map {
                ServicePort(name: $0.lowercased(), protocol: $0, port: 81, nodePort: 30_080)
            }
            second.spec?.externalTrafficPolicy = isLocal ? "Local" : "Cluster"
            second.spec?.externalIPs = [policy.external(1).description]
            second.spec?.loadBalancerSourceRanges = [client]
            second.status = ServiceStatus(
                loadBalancer: LoadBalancerStatus(ingress: [
                    LoadBalancerIngress(ip: clusterIP(family, 1).description)
                ]))
            policy.update(second, ready: pods)
            try policy.table.flush()
            try policy.expectModel(
                of: [(clusterIP(family, 1), 80), (clusterIP(family, 1), 81), (policy.external(1), 81)],
                "local: \(isLocal), \(pods)")
        }
    }

    @Test("Node ports answer where they are told to", arguments: IPFamily.allCases, waysToLead)
    func nodePortAddresses(family: IPFamily, atConnect: Bool) throws {
        let loopback = IPAddress(family: family, bits: family == .ipv4 ? 0x7f00_0001 : 1)
        let link = NodeLab.address(family, of: "pod-1", nodeSide: true)
        let ofOther = IPPrefix(NodeLab.address(family == .ipv4 ? .ipv6 : .ipv4, of: "client"), length: 8)
        for (options, onLink, onFirst, onLoopback) in [
            (ProxyOptions(), "pod-2", "pod-2", "refused"),
            (ProxyOptions(nodePortAddresses: .primary), "refused", "pod-2", "refused"),
            (
                ProxyOptions(nodePortAddresses: .within([IPPrefix(link, length: family.bitWidth - 8)])), "pod-2",
                "refused", "refused"
            ),
            (ProxyOptions(nodePortAddresses: .within([ofOther])), "refused", "refused", "refused"),
            // What comes back for ::1 does not get in; a call that is led has no such source.
            (
                ProxyOptions(answersOnLoopback: true), "pod-2", "pod-2",
                family == .ipv4 || atConnect ? "pod-2" : "refused"
            ),
        ] {
            let policy = try PolicyLab(family, options: options, atConnect: atConnect)
            policy.update(policy.service("web", number: 1, nodePort: 30_080), ready: ["pod-2"])
            try policy.table.flush()
            #expect(try policy.lab.call(link, 30_080, from: "pod-1").hasPrefix(onLink), "\(options)")
            #expect(try policy.lab.call(loopback, 30_080, from: "node").hasPrefix(onLoopback), "\(options)")
            #expect(try policy.lab.call(policy.nodeAddress, 30_080, from: "client").hasPrefix(onFirst), "\(options)")
        }
    }

    @Test("A router's word that packets are too big reaches the pod behind the address", arguments: IPFamily.allCases)
    func packetTooBig(family: IPFamily) throws {
        let policy = try PolicyLab(family)
        policy.update(policy.service("web", number: 1, nodePort: 30_080), ready: ["pod-1"])
        try policy.table.flush()
        for (address, port) in [(clusterIP(family, 1), UInt16(80)), (policy.nodeAddress, 30_080)] {
            // From outside the pod answers to the node, which stands for the caller.
            let peer = NodeLab.address(family, of: "pod-1", nodeSide: true)
            try policy.lab.shell("ip -4 route flush cache; ip -6 route flush cache", in: "pod-1")
            try policy.lab.tellPacketTooBig(address, port, from: "client", mtu: 1300)
            // The error is on its way while the sender has gone on.
            var route = ""
            for _ in 0..<100 where !route.contains("mtu 1300") {
                route = try policy.lab.shell("ip route get \(peer)", in: "pod-1")
            }
            #expect(route.contains("mtu 1300"), "\(address): \(route)")
        }
    }

    @Test("Random Services do to packets what the model says", arguments: IPFamily.allCases, waysToLead)
    func oracle(family: IPFamily, atConnect: Bool) throws {
        for seed in 0..<4 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &generator) == 0 }
            let policy = try PolicyLab(family, zone: "a", atConnect: atConnect)
            for number in 1...3 as ClosedRange<UInt128> {
                var web = policy.service("web-\(number)", number: number, nodePort: 30_080 + Int(number))
                web.spec?.internalTrafficPolicy = chance(3) ? "Local" : "Cluster"
                web.spec?.externalTrafficPolicy = chance(2) ? "Local" : "Cluster"
                web.spec?.sessionAffinity = chance(3) ? "ClientIP" : "None"
                web.spec?.externalIPs = [policy.external(number).description]
                web.status = ServiceStatus(
                    loadBalancer: LoadBalancerStatus(ingress: [
                        LoadBalancerIngress(ip: policy.external(number + 10).description)
                    ]))
                if chance(2) {
                    web.spec?.loadBalancerSourceRanges = ["client", "pod-1", "remote"].filter { _ in chance(2) }.map {
                        IPPrefix(policy.address($0), length: family.bitWidth - 4).description
                    }
                }
                policy.update(
                    web,
                    ["pod-1", "pod-2", "remote"].filter { _ in !chance(3) }.map { name in
                        let isReady = !chance(3)
                        return (
                            name,
                            EndpointConditions(
                                ready: isReady, serving: isReady || chance(2), terminating: !isReady && chance(2)),
                            chance(2) ? "a" : chance(2) ? "b" : nil
                        )
                    })
            }
            try policy.table.flush()
            let targets = (1...3 as ClosedRange<UInt128>).flatMap { number -> [(IPAddress, UInt16)] in
                [
                    (clusterIP(family, number), UInt16(80)), (policy.external(number), 80),
                    (policy.external(number + 10), 80), (policy.nodeAddress, 30_080 + UInt16(number)),
                ]
            }
            try policy.expectModel(of: targets, "seed \(seed)")
        }
    }
}
