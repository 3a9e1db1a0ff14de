import Addresses
import KubernetesAPI
import PodRouting
import RouteNetlink
import TestSupport
import Testing
import WireGuard

func clusterNode(
    _ number: Int, pods: [String]? = nil, addresses: [String]? = nil, key: WireGuardKey? = nil
) -> ClusterNode {
    ClusterNode(
        name: "node-\(number)",
        podPrefixes: (pods ?? ["10.244.\(number).0/24", "fd00:10:244:\(number)::/64"]).compactMap { IPPrefix($0) },
        addresses: (addresses ?? ["172.20.0.\(number)", "fd00:20::\(number)"]).compactMap { IPAddress($0) },
        wireGuardKey: key)
}

/// The paths to nodes' addresses, all on one link or all behind a router.
func paths(
    to nodes: ClusterNode..., behind gateway: String? = nil, interface: Int32 = 2, mtu: Int = 1500
) -> [IPAddress: UnderlayPath] {
    let pairs = nodes.flatMap(\.addresses).map { address in
        let router = gateway.map { address.family == .ipv4 ? $0 : "fd00:20::ffff" }
        return (address, UnderlayPath(interface: interface, gateway: router.flatMap { IPAddress($0) }, mtu: mtu))
    }
    return Dictionary(uniqueKeysWithValues: pairs)
}

@Suite("The plan of routes between nodes")
struct RoutePlanTests {
    private func plan(
        _ nodes: ClusterNode..., policy: RoutePolicy = RoutePolicy(),
        paths given: [IPAddress: UnderlayPath] = [:]
    ) -> RoutePlan {
        var plan = RoutePlan(nodeName: "node-1", policy: policy)
        _ = plan.update(
            Underlay(localAddresses: Set(["172.20.0.1", "fd00:20::1"].compactMap { IPAddress($0) }), uplinkMTU: 1500))
        for node in nodes {
            _ = plan.update(node.name, node, paths: given.merging(paths(to: node)) { given, _ in given })
        }
        return plan
    }

    private func text(_ plan: RoutePlan) -> [String] {
        plan.destinations.sorted().compactMap { plan.route(to: $0) }.map { route in
            let source = route.source.map { " src \($0)" } ?? ""
            return switch route.hop {
            case .link(let interface, let gateway): "\(route.destination) via \(gateway) dev \(interface)\(source)"
            case .tunnel(let tunnel, let gateway):
                "\(route.destination) via \(gateway.map(String.init) ?? "-") dev \(tunnel.linkName)\(source)"
            }
        }
    }

    private func mac(_ number: Int, _ underlay: IPFamily) -> MACAddress {
        TunnelIdentity.mac(ofNode: "node-\(number)", underlay: underlay)
    }

    private func linkLocal(_ number: Int, _ underlay: IPFamily) -> IPAddress {
        TunnelIdentity.linkLocalAddress(mac(number, underlay))
    }

    @Test("Each other node's blocks lead to its address of the same family on a shared link, the own ones nowhere")
    func families() {
        let plan = plan(clusterNode(1), clusterNode(2), clusterNode(3))
        #expect(
            text(plan) == [
                "10.244.2.0/24 via 172.20.0.2 dev 2 src 172.20.0.1",
                "10.244.3.0/24 via 172.20.0.3 dev 2 src 172.20.0.1",
                "fd00:10:244:2::/64 via fd00:20::2 dev 2 src fd00:20::1",
                "fd00:10:244:3::/64 via fd00:20::3 dev 2 src fd00:20::1",
            ])
        #expect(plan.podMTU == 1500 && plan.loopbackAddresses.isEmpty && plan.refusals().isEmpty)
        #expect(IPFamily.allCases.allSatisfy { plan.vxlan($0) == nil })
    }

    @Test("A node behind a router is reached through a tunnel over the own primary family, with its overhead")
    func tunnel() throws {
        let far = clusterNode(3)
        let plan = plan(clusterNode(1), clusterNode(2), far, paths: paths(to: far, behind: "172.20.0.254"))
        #expect(
            text(plan) == [
                "10.244.2.0/24 via 172.20.0.2 dev 2 src 172.20.0.1",
                "10.244.3.0/24 via 10.244.3.0 dev duet-vxlan4 src 10.244.1.0",
                "fd00:10:244:2::/64 via fd00:20::2 dev 2 src fd00:20::1",
                "fd00:10:244:3::/64 via \(linkLocal(3, .ipv4)) dev duet-vxlan4 src fd00:10:244:1::",
            ])
        #expect(plan.mtu(of: .vxlan(.ipv4)) == 1450 && plan.podMTU == 1450)
        #expect(plan.vxlan(.ipv4)?.local == IPAddress("172.20.0.1") && plan.vxlan(.ipv6) == nil)
        let station = try #require(plan.stations(.ipv4)["node-3"])
        #expect(station.mac == mac(3, .ipv4) && station.remote == IPAddress("172.20.0.3"))
        #expect(station.neighbours == Set([IPAddress("10.244.3.0"), linkLocal(3, .ipv4)].compactMap { $0 }))
        #expect(
            plan.podSideAddresses(on: .vxlan(.ipv4))
                == Set(["10.244.1.0", "fd00:10:244:1::"].compactMap { IPAddress($0) }))
        #expect(plan.podSideAddresses(on: .vxlan(.ipv6)).isEmpty && plan.loopbackAddresses.isEmpty)
        // Answers of a node come back another way than through the tunnel: pods show their node's address there.
        #expect(plan.peer("node-3")?.nativeAddresses == [])
        #expect(plan.peer("node-2")?.nativeAddresses == Set(clusterNode(2).addresses))
    }

    @Test(
        "Translated packets go to the node's gateway as IPv4 pods' would, and come back by the address that stands for the node",
        arguments: [
            (RouteMode.auto, nil, "via fd00:20::9 dev 2", "via fd00:20::2 dev 2"),
            (.auto, "172.20.0.254", "via 100.126.0.9 dev duet-vxlan6", "via 100.126.0.2 dev duet-vxlan6"),
            (.vxlan, nil, "via 100.126.0.9 dev duet-vxlan6", "via 100.126.0.2 dev duet-vxlan6"),
            (.direct, nil, "via fd00:20::9 dev 2", "via fd00:20::2 dev 2"), (.direct, "172.20.0.254", nil, nil),
        ] as [(RouteMode, String?, String?, String?)])
    func translated(mode: RouteMode, router: String?, there: String?, back: String?) throws {
        func node(_ number: Int, _ gateway: TranslationGateway? = nil) -> ClusterNode {
            ClusterNode(
                name: "node-\(number)", podPrefixes: [IPPrefix("fd00:10:244:\(number)::/64")].compactMap { $0 },
                addresses: [IPAddress("fd00:20::\(number)")].compactMap { $0 }, gateway: gateway)
        }
        func plan(of own: Int, _ nodes: [ClusterNode]) -> RoutePlan {
            // Routers that know pods' blocks know nothing of these addresses.
            var plan = RoutePlan(
                nodeName: "node-\(own)", policy: RoutePolicy(mode: mode, routersKnowPods: true),
                gateways: TranslationGateways())
            for node in nodes { _ = plan.update(node.name, node, paths: paths(to: node, behind: router)) }
            return plan
        }
        let nodes = [node(1), node(2), node(9, TranslationGateway())]
        func translated(_ plan: RoutePlan) -> [String] { text(plan).filter { !$0.hasPrefix("fd00") } }
        func rows(_ way: String?, _ destinations: String...) -> [String] {
            way.map { way in destinations.map { "\($0) \(way)" } } ?? []
        }
        var sender = plan(of: 2, nodes)
        #expect(translated(sender) == rows(there, "0.0.0.0/0", "100.126.0.9/32"))
        #expect(sender.refusals().count == (there == nil ? 2 : 0))
        let everything = TranslationGateways.everything
        #expect(sender.route(to: everything)?.table == (there == nil ? nil : RoutePolicy.translatedTable))
        #expect(
            translated(plan(of: 9, nodes)).filter { $0.hasPrefix("100.126.0.2/32") } == rows(back, "100.126.0.2/32"))

        // Another gateway takes over: two destinations of the one that is gone and of the new one, and nothing else.
        let change = sender.update(
            "node-9", node(9, TranslationGateway(isReady: false)), paths: paths(to: node(9), behind: router))
        #expect(change.peers == ["node-9"] && sender.route(to: everything) != nil || there == nil)
        let other = node(8, TranslationGateway())
        #expect(sender.update("node-8", other, paths: paths(to: other, behind: router)).peers == ["node-8", "node-9"])
        #expect(
            translated(sender)
                == rows(
                    there?.replacing("fd00:20::9", with: "fd00:20::8").replacing("0.9", with: "0.8"), "0.0.0.0/0",
                    "100.126.0.8/32"))
        // Without translation the annotation means nothing.
        var off = RoutePlan(nodeName: "node-2", policy: RoutePolicy(mode: mode))
        for node in nodes { _ = off.update(node.name, node, paths: paths(to: node)) }
        #expect(translated(off).isEmpty)
    }

    @Test("IPv4 pods cross an IPv6 link as they are, IPv6 pods an IPv4 link in a tunnel")
    func otherFamily() {
        let onIPv6 = [clusterNode(1, addresses: ["fd00:20::1"]), clusterNode(2, addresses: ["fd00:20::2"])]
        #expect(
            text(plan(onIPv6[0], onIPv6[1])) == [
                "10.244.2.0/24 via fd00:20::2 dev 2 src 10.244.1.0",
                "fd00:10:244:2::/64 via fd00:20::2 dev 2 src fd00:20::1",
            ])
        #expect(plan(onIPv6[0], onIPv6[1]).loopbackAddresses == Set([IPAddress("10.244.1.0")].compactMap { $0 }))
        let onIPv4 = [clusterNode(1, addresses: ["172.20.0.1"]), clusterNode(2, addresses: ["172.20.0.2"])]
        #expect(
            text(plan(onIPv4[0], onIPv4[1])) == [
                "10.244.2.0/24 via 172.20.0.2 dev 2 src 172.20.0.1",
                "fd00:10:244:2::/64 via \(linkLocal(2, .ipv4)) dev duet-vxlan4 src fd00:10:244:1::",
            ])
        #expect(
            text(plan(onIPv6[0], onIPv6[1], policy: RoutePolicy(mode: .vxlan))) == [
                "10.244.2.0/24 via 10.244.2.0 dev duet-vxlan6 src 10.244.1.0",
                "fd00:10:244:2::/64 via \(linkLocal(2, .ipv6)) dev duet-vxlan6 src fd00:10:244:1::",
            ])
    }

    @Test(
        "The MTU inside is the link's less the overhead; below what a family needs, the tunnel is refused",
        arguments: [
            // underlay, MTU of the link, MTU inside, families that pass
            (["172.20.0.1", "172.20.0.2"], 1500, 1450, [IPFamily.ipv4, .ipv6]),
            (["fd00:20::1", "fd00:20::2"], 1500, 1430, [.ipv4, .ipv6]),
            (["172.20.0.1", "172.20.0.2"], 1330, 1280, [.ipv4, .ipv6]),
            (["172.20.0.1", "172.20.0.2"], 1329, 1279, [.ipv4]),
            (["172.20.0.1", "172.20.0.2"], 1280, 1230, [.ipv4]),
            (["fd00:20::1", "fd00:20::2"], 1280, 1210, [.ipv4]),
            (["172.20.0.1", "172.20.0.2"], 600, nil, []),
        ] as [([String], Int, Int?, [IPFamily])])
    func mtu(addresses: [String], link: Int, inside: Int?, passing: [IPFamily]) {
        let far = clusterNode(2, addresses: [addresses[1]])
        let plan = plan(
            clusterNode(1, addresses: [addresses[0]]), far, paths: paths(to: far, behind: "172.20.0.254", mtu: link))
        #expect(IPFamily.allCases.compactMap { plan.mtu(of: .vxlan($0)) } == (inside.map { [$0] } ?? []))
        #expect(plan.destinations.map(\.family).sorted() == passing)
        let refused = IPFamily.allCases.filter { !passing.contains($0) }
        #expect(plan.refusals().map(\.destination.family) == refused)
        #expect(plan.refusals().allSatisfy { $0.reason.contains("\(link)") && $0.reason.contains("raise the MTU") })
    }

    @Test("A narrow link to one node does not take IPv6 from the others")
    func narrow() {
        let narrow = clusterNode(2)
        let wide = clusterNode(3)
        let plan = plan(
            clusterNode(1), narrow, wide,
            paths: paths(to: narrow, behind: "172.20.0.254", mtu: 1280).merging(paths(to: wide, behind: "172.20.0.254"))
            {
                $1
            })
        #expect(
            plan.destinations.map(String.init).sorted() == ["10.244.2.0/24", "10.244.3.0/24", "fd00:10:244:3::/64"])
        #expect(plan.mtu(of: .vxlan(.ipv4)) == 1280 && plan.podMTU == 1280)
    }

    @Test("In mode direct a node behind a router is refused, unless the routers know the pods")
    func direct() {
        let far = clusterNode(2)
        let way = paths(to: far, behind: "172.20.0.254")
        let refused = plan(clusterNode(1), far, policy: RoutePolicy(mode: .direct), paths: way)
        #expect(refused.destinations.isEmpty && refused.refusals().count == 2)
        #expect(refused.refusals().first?.reason.contains("behind the router 172.20.0.254") == true)
        let known = plan(
            clusterNode(1), far, policy: RoutePolicy(mode: .direct, routersKnowPods: true), paths: way)
        #expect(
            text(known) == [
                "10.244.2.0/24 via 172.20.0.254 dev 2 src 172.20.0.1",
                "fd00:10:244:2::/64 via fd00:20::ffff dev 2 src fd00:20::1",
            ])
        #expect(known.peer("node-2")?.nativeAddresses.isSuperset(of: far.addresses) == true)
    }

    @Test("WireGuard takes all pods of nodes whose key is known to one peer each")
    func wireGuard() throws {
        let key = try #require(WireGuardKey(bytes: [UInt8](repeating: 7, count: 32)))
        let plan = plan(
            clusterNode(1), clusterNode(2, key: key), clusterNode(3), policy: RoutePolicy(mode: .wireguard))
        #expect(
            text(plan) == [
                "10.244.2.0/24 via - dev duet-wireguard src 10.244.1.0",
                "fd00:10:244:2::/64 via - dev duet-wireguard src fd00:10:244:1::",
            ])
        #expect(
            plan.wireGuardPeers == [
                "node-2": WireGuardPeer(
                    publicKey: key, endpoint: WireGuardEndpoint(try #require(IPAddress("172.20.0.2")), port: 51820),
                    allowed: Set(clusterNode(2).podPrefixes))
            ])
        #expect(plan.mtu(of: .wireGuard) == 1440)
        #expect(plan.refusals().allSatisfy { $0.reason.contains("node-3 has not published") })
    }

    @Test("A node that cannot be reached, or has no address of a family and no tunnel, is refused with the reason")
    func unreachable() {
        var plan = plan(clusterNode(1))
        _ = plan.update("node-2", clusterNode(2))
        #expect(plan.refusals().count == 2)
        #expect(plan.refusals().allSatisfy { $0.reason == "there is no way to node node-2 (172.20.0.2, fd00:20::2)" })
        _ = plan.update("node-2", clusterNode(2, addresses: []))
        #expect(plan.refusals().allSatisfy { $0.reason == "node node-2 has no address in its status yet" })
    }

    @Test("What overlaps the own blocks never leads away, whichever node is heard of first")
    func overlap() {
        let thief = clusterNode(2, pods: ["10.244.0.0/16", "fd00:10:244:2::/64"])
        let expected = ["fd00:10:244:2::/64 via fd00:20::2 dev 2 src fd00:20::1"]
        #expect(text(plan(clusterNode(1), thief)) == expected)
        #expect(text(plan(thief, clusterNode(1))) == expected)
    }

    @Test("A change of one node touches its own blocks only")
    func incremental() {
        var plan = plan(clusterNode(1), clusterNode(2), clusterNode(3))
        #expect(plan.update("node-2", clusterNode(2), paths: paths(to: clusterNode(2))).isEmpty)
        let moved = clusterNode(2, addresses: ["172.20.0.22", "fd00:20::2"])
        let change = plan.update("node-2", moved, paths: paths(to: moved))
        #expect(change == RoutePlanChange(destinations: Set(moved.podPrefixes), peers: ["node-2"]))
        #expect(plan.update("node-3", nil).destinations == Set(clusterNode(3).podPrefixes))
        #expect(
            text(plan) == [
                "10.244.2.0/24 via 172.20.0.22 dev 2 src 172.20.0.1",
                "fd00:10:244:2::/64 via fd00:20::2 dev 2 src fd00:20::1",
            ])
    }

    @Test("A block that moved to another node is not lost when the old node goes")
    func takeover() {
        var plan = plan(clusterNode(1), clusterNode(2))
        let next = clusterNode(9, pods: ["10.244.2.0/24"])
        _ = plan.update("node-9", next, paths: paths(to: next))
        _ = plan.update("node-2", nil)
        #expect(text(plan) == ["10.244.2.0/24 via 172.20.0.9 dev 2 src 172.20.0.1"])
    }

    @Test("Random changes applied one by one end where a fresh plan starts", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func property(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var incremental = RoutePlan(nodeName: "node-1")
        var present: [String: (ClusterNode, [IPAddress: UnderlayPath])] = [:]
        for _ in 0..<300 {
            let number = Int.random(in: 1...6, using: &generator)
            let addresses = Array(
                ["172.20.\(Int.random(in: 0...2, using: &generator)).\(number)", "fd00:20::\(number)"].shuffled(
                    using: &generator
                ).prefix(Int.random(in: 0...2, using: &generator)))
            let node = clusterNode(number, addresses: addresses)
            let way = paths(
                to: node, behind: Bool.random(using: &generator) ? nil : "172.20.0.254",
                mtu: [1280, 1400, 1500].randomElement(using: &generator) ?? 1500)
            // The node itself stays once it is known.
            if number == 1 || Bool.random(using: &generator) {
                present["node-\(number)"] = (node, way)
                _ = incremental.update("node-\(number)", node, paths: way)
            } else {
                present["node-\(number)"] = nil
                _ = incremental.update("node-\(number)", nil)
            }
            var fresh = RoutePlan(nodeName: "node-1")
            for (name, (node, way)) in present { _ = fresh.update(name, node, paths: way) }
            #expect(text(incremental) == text(fresh), "seed \(seed)")
            #expect(incremental.refusals() == fresh.refusals(), "seed \(seed)")
            for tunnel in Tunnel.all { #expect(incremental.mtu(of: tunnel) == fresh.mtu(of: tunnel), "seed \(seed)") }
            for family in IPFamily.allCases {
                #expect(incremental.stations(family) == fresh.stations(family), "seed \(seed)")
            }
            #expect(incremental.loopbackAddresses == fresh.loopbackAddresses, "seed \(seed)")
        }
    }

    @Test("A node's station follows from its name, as its link-local address does from that")
    func identity() throws {
        let address = try #require(MACAddress("02:42:ac:11:00:02"))
        #expect(TunnelIdentity.linkLocalAddress(address) == IPAddress("fe80::42:acff:fe11:2"))
        #expect(mac(1, .ipv4) == mac(1, .ipv4))
        let all = (1...2000).flatMap { number in IPFamily.allCases.map { mac(number, $0) } }
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { !$0.isMulticast && $0.rawValue >> 41 & 1 == 1 })
    }

    @Test("A Node without blocks or with only a single one is read as it is")
    func parse() {
        var node = Node(metadata: ObjectMeta(name: "n"))
        #expect(ClusterNode(node) == ClusterNode(name: "n", podPrefixes: [], addresses: []))
        node.spec = NodeSpec(podCIDR: "10.244.7.0/24")
        node.status = NodeStatus(addresses: [
            NodeAddress(type: "Hostname", address: "n"), NodeAddress(type: "InternalIP", address: "fd00::7"),
        ])
        let read = ClusterNode(node)
        #expect(read.podPrefixes.map(String.init) == ["10.244.7.0/24"])
        #expect(read.addresses.map(String.init) == ["fd00::7"])
    }
}
