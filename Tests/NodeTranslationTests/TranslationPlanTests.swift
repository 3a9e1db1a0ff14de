import Addresses
import KubernetesAPI
import NodeTranslation
import Testing

@Suite("The plan of a node's translation")
struct TranslationPlanTests {
    private func options(
        range: String = "100.64.0.0/24", byDefault: Bool = true
    ) throws -> NodeTranslationOptions {
        let range = try #require(IPPrefix(range))
        return try #require(NodeTranslationOptions(podRange: range, translatesUnlessDisabled: byDefault))
    }

    private func plan(range: String = "100.64.0.0/24", byDefault: Bool = true) throws -> TranslationPlan {
        TranslationPlan(options: try options(range: range, byDefault: byDefault), nodeName: "node-1")
    }

    private func pod(
        _ name: String, _ addresses: [String], namespace: String = "default", node: String = "node-1",
        hostNetwork: Bool? = nil, phase: String = "Running", _ annotations: [String: String]? = nil
    ) -> Pod {
        Pod(
            metadata: ObjectMeta(name: name, namespace: namespace, annotations: annotations),
            spec: PodSpec(containers: [], nodeName: node, hostNetwork: hostNetwork),
            status: PodStatus(phase: phase, podIPs: addresses.map { PodIP(ip: $0) }))
    }

    private static let nat64 = TranslationSwitch.translationAnnotation

    @Test("Holds the node's pods with IPv6 alone that run in a network of their own")
    func selection() throws {
        let cases: [(Pod, Bool, String)] = [
            (pod("a", ["fd00::1"]), true, "IPv6 alone"),
            (pod("b", ["fd00::2", "10.0.0.2"]), false, "both families"),
            (pod("c", ["10.0.0.3"]), false, "IPv4 alone"), (pod("d", []), false, "no address yet"),
            (pod("e", ["fd00::5"], hostNetwork: true), false, "the node's network"),
            (pod("f", ["fd00::6"], phase: "Succeeded"), false, "ended"),
            (pod("g", ["fd00::7"], node: "node-2"), false, "of another node"),
        ]
        for (pod, isTranslated, remark) in cases {
            var plan = try plan()
            plan.set(pod.key, pod: pod)
            let changes = plan.update()
            #expect(changes.count == (isTranslated ? 1 : 0), "\(remark)")
            #expect(plan.pods.values.first?.translated?.description == (isTranslated ? "100.64.0.2" : nil), "\(remark)")
        }
    }

    @Test(
        "Asks the pod, then its namespace, the node, and the option; what says something else says nothing",
        arguments: [
            (nil, nil, nil, true, true), (nil, nil, nil, false, false), (nil, nil, "disabled", true, false),
            (nil, nil, "enabled", false, true), (nil, "enabled", "disabled", false, true),
            (nil, "disabled", "enabled", true, false), ("enabled", "disabled", "disabled", false, true),
            ("disabled", "enabled", "enabled", true, false), ("off", nil, "disabled", true, false),
            ("", "yes", nil, true, true),
        ] as [(String?, String?, String?, Bool, Bool)])
    func switches(pod: String?, namespace: String?, node: String?, byDefault: Bool, expected: Bool) throws {
        func annotations(_ value: String?) -> [String: String]? { value.map { [Self.nat64: $0] } }
        for isLate in [false, true] {
            var plan = try plan(byDefault: byDefault)
            let pod = self.pod("a", ["fd00::1"], annotations(pod))
            plan.set(pod.key, pod: pod)
            if isLate { _ = plan.update() }
            plan.set(
                namespace: "default",
                Namespace(metadata: ObjectMeta(name: "default", annotations: annotations(namespace))))
            plan.set(node: "node-1", Node(metadata: ObjectMeta(name: "node-1", annotations: annotations(node))))
            plan.set(node: "node-2", Node(metadata: ObjectMeta(name: "node-2", annotations: annotations("enabled"))))
            _ = plan.update()
            #expect((plan.pods.values.first?.translated != nil) == expected)
            #expect(plan.addresses.pods(.translated).isEmpty == !expected)
        }
    }

    @Test("Gives a second address to pods that ask for one, but not where translation is off")
    func clat() throws {
        var plan = try plan()
        let clat = [TranslationSwitch.clatAnnotation: "enabled"]
        let first = pod("a", ["fd00::1"], clat)
        let second = pod("b", ["fd00::2"], clat.merging([Self.nat64: "disabled"]) { $1 })
        for pod in [first, second] { plan.set(pod.key, pod: pod) }
        _ = plan.update()
        #expect(plan.pods.count == 1)
        let found = try #require(plan.pods.values.first)
        #expect(found.key == first.key && found.clat != nil && found.clat != found.translated)
        plan.set(first.key, pod: pod("a", ["fd00::1"]))
        let changes = plan.update()
        #expect(changes.count == 1 && changes[0].old == found)
        #expect(changes[0].new?.translated == found.translated && changes[0].new?.clat == nil)
    }

    @Test(
        "Gives a CLAT to pods of which the nearest annotation says so",
        arguments: [
            (nil, nil, nil, false, false), (nil, nil, nil, true, true), (nil, nil, "enabled", false, true),
            (nil, "disabled", "enabled", true, false), ("enabled", "disabled", "disabled", false, true),
            ("disabled", "enabled", "enabled", true, false), ("maybe", "enabled", nil, false, true),
        ] as [(String?, String?, String?, Bool, Bool)])
    func clatOfMany(pod: String?, namespace: String?, node: String?, byDefault: Bool, expected: Bool) throws {
        func metadata(_ name: String, _ value: String?) -> ObjectMeta {
            ObjectMeta(name: name, annotations: value.map { [TranslationSwitch.clatAnnotation: $0] })
        }
        for isLate in [false, true] {
            let options = try #require(NodeTranslationOptions(givesCLATUnlessDisabled: byDefault, translatesNode: true))
            var plan = TranslationPlan(options: options, nodeName: "node-1")
            let first = self.pod("a", ["fd00::1"], metadata("a", pod).annotations)
            plan.set(first.key, pod: first)
            if isLate { _ = plan.update() }
            plan.set(namespace: "default", Namespace(metadata: metadata("default", namespace)))
            var own = Node(metadata: metadata("node-1", node))
            own.status = NodeStatus(addresses: [NodeAddress(type: "InternalIP", address: "fd00:a::1")])
            plan.set(node: "node-1", own)
            _ = plan.update()
            #expect((plan.pods[try #require(IPv6Address("fd00::1"))]?.clat != nil) == expected)
            #expect(plan.clatCount == (expected ? 1 : 0), "the node itself has none")
        }
    }

    @Test("Leaves alone what does not change, and hands an address on with the pod that gets it")
    func changes() throws {
        var plan = try plan()
        for number in 1...3 { plan.set(pod("p\(number)", []).key, pod: pod("p\(number)", ["fd00::\(number)"])) }
        var counts = [plan.update().count, plan.update().count]
        plan.set(pod("p1", []).key, pod: pod("p1", ["fd00::1"]))
        counts.append(plan.update().count)
        #expect(counts == [3, 0, 0])
        // A pod is gone only after another one has got its address.
        let former = plan.pods
        plan.set(pod("new", []).key, pod: pod("new", ["fd00::2"]))
        counts = [plan.update().count]
        plan.set(pod("p2", []).key, pod: nil)
        counts.append(plan.update().count)
        #expect(counts == [1, 0])
        #expect(plan.pods.mapValues(\.translated) == former.mapValues(\.translated))
        #expect(plan.pods.values.map(\.key.name).sorted() == ["new", "p1", "p3"])
        plan.set(pod("new", []).key, pod: nil)
        let last = plan.update()
        #expect(last.count == 1 && last[0].new == nil)
        #expect(plan.addresses.pods(.translated).count == 2)
    }

    @Test("Keeps what an earlier process gave out to pods that are still there")
    func adoption() throws {
        var plan = try plan()
        let (stays, gone) = (try #require(IPv6Address("fd00::1")), try #require(IPv6Address("fd00::9")))
        let (first, second) = (try #require(IPv4Address("100.64.0.77")), try #require(IPv4Address("100.64.0.78")))
        plan.adopt([first: .init(stays, .translated), second: .init(gone, .translated)])
        plan.set(pod("a", []).key, pod: pod("a", ["fd00::1"]))
        _ = plan.update()
        plan.releaseAdopted()
        #expect(plan.pods[stays]?.translated == first)
        #expect(plan.addresses.pods(.translated) == [first: stays])
    }

    @Test("Says which pods get nothing, and serves them once another one goes")
    func exhaustion() throws {
        var plan = try plan(range: "100.64.0.0/29")
        for number in 1...6 { plan.set(pod("p\(number)", []).key, pod: pod("p\(number)", ["fd00::\(number)"])) }
        _ = plan.update()
        #expect(plan.unserved.map(\.name) == ["p6"])
        plan.set(pod("p2", []).key, pod: nil)
        _ = plan.update()
        #expect(plan.unserved.isEmpty)
        #expect(plan.pods.count == 5)
    }

    @Test("Refuses what the cluster has, as its objects come and go")
    func destinations() throws {
        var plan = try plan()
        let service = Service(
            metadata: ObjectMeta(name: "a", namespace: "default"),
            spec: ServiceSpec(clusterIP: "192.0.3.9", clusterIPs: ["192.0.3.9", "fd00::9"]))
        plan.set(service.key, service: service)
        plan.set(
            node: "node-2",
            Node(
                metadata: ObjectMeta(name: "node-2"), spec: NodeSpec(podCIDRs: ["11.0.0.0/24", "fd00::/64"]),
                status: NodeStatus(addresses: [NodeAddress(type: "ExternalIP", address: "12.0.0.1")])))
        plan.set(
            node: "node-2",
            network: NodeNetwork(
                metadata: ObjectMeta(name: "node-2"), spec: NodeNetworkSpec(blocks: [NodeBlock(cidr: "13.0.0.0/24")])))
        func found(_ destinations: Destinations) -> [String] {
            destinations.spans.filter { $0.reason != .special }.map {
                "\($0.first)-\($0.last) \($0.reason.map(\.rawValue) ?? "allowed")"
            }
        }
        let all = found(plan.destinations())
        #expect(
            all == [
                "11.0.0.0-11.0.0.255 pods", "12.0.0.1-12.0.0.1 nodes", "13.0.0.0-13.0.0.255 pods",
                "100.64.0.0-100.64.0.255 pods", "100.126.0.0-100.126.255.255 pods", "192.0.3.9-192.0.3.9 services",
            ])
        plan.set(
            serviceRange: "kubernetes",
            ServiceCIDR(metadata: ObjectMeta(name: "kubernetes"), spec: ServiceCIDRSpec(cidrs: ["192.0.3.0/24"])))
        let wider = found(plan.destinations())
        #expect(wider.contains("192.0.3.0-192.0.3.255 services"))
        plan.set(node: "node-2", nil)
        plan.set(node: "node-2", network: nil)
        let rest = found(plan.destinations())
        #expect(
            rest == [
                "100.64.0.0-100.64.0.255 pods", "100.126.0.0-100.126.255.255 pods", "192.0.3.0-192.0.3.255 services",
            ])
    }

    @Test(
        "The node itself is translated for by its first IPv6 address, if that is asked for, and is no pod",
        arguments: [false, true])
    func ownNode(isAsked: Bool) throws {
        var options = try options()
        options.translatesNode = isAsked
        var plan = TranslationPlan(options: options, nodeName: "node-1")
        var own = node(1)
        own.status?.addresses = ["172.31.0.1", "fd31::1", "fd31::2"].map {
            NodeAddress(type: "InternalIP", address: $0)
        }
        plan.set(node: "node-1", own)
        plan.set(node: "node-2", own)
        let changes = plan.update()
        #expect(changes.count == (isAsked ? 1 : 0) && plan.translatedCount == 0)
        #expect(plan.ownAddress?.description == (isAsked ? "fd31::1" : nil))
        #expect(plan.pods.values.allSatisfy { $0.isNode && $0.translated?.description == "100.64.0.2" })
        // Another address gets another private one, and a Node that is gone for a moment keeps its own.
        own.status?.addresses?.remove(at: 1)
        plan.set(node: "node-1", own)
        #expect(plan.update().count == (isAsked ? 2 : 0))
        plan.set(node: "node-1", nil)
        #expect(plan.update().isEmpty && plan.ownAddress?.description == (isAsked ? "fd31::2" : nil))
    }

    private func node(_ number: Int, gateway: String? = nil, ready: String = "True") -> Node {
        Node(
            metadata: ObjectMeta(
                name: "node-\(number)", annotations: gateway.map { ["network.duet.dev/nat64-gateway": $0] }),
            spec: NodeSpec(podCIDRs: ["fd00:10:244:\(number)::/64"]),
            status: NodeStatus(
                conditions: [Condition(type: "Ready", status: ready)],
                addresses: [NodeAddress(type: "InternalIP", address: "fd31::\(number)")]))
    }

    @Test("Packets leave by the node itself, by a gateway, or by the node for others, as the Nodes say")
    func exit() throws {
        var plan = try plan()
        func senders() -> [[String]] {
            let (gone, new) = plan.updateSenders()
            return [gone, new].map { $0.map(\.description).sorted() }
        }
        plan.set(node: "node-1", node(1))
        plan.set(node: "node-2", node(2))
        #expect(plan.exit == .own && senders() == [[], []])
        plan.set(node: "node-2", node(2, gateway: "203.0.113.5"))
        let own = try #require(IPv4Address("100.126.0.1"))
        #expect(plan.exit == .sender(own, gateway: "node-2"))
        // A node of which nothing is known for a moment keeps its way.
        plan.set(node: "node-1", nil)
        #expect(plan.exit == .sender(own, gateway: "node-2"))
        plan.set(node: "node-3", node(3, gateway: "enabled"))
        plan.set(node: "node-2", node(2, gateway: "203.0.113.5", ready: "Unknown"))
        #expect(plan.exit == .sender(own, gateway: "node-3"))
        plan.set(node: "node-1", node(1, gateway: "203.0.113.9,203.0.113.8"))
        let egress = try ["203.0.113.8", "203.0.113.9"].map { try #require(IPv4Address($0)) }
        #expect(plan.exit == .gateway(egress: egress) && senders() == [[], []])
        plan.set(node: "node-4", node(4))
        let sender = try #require(IPv4Address("100.126.0.4"))
        #expect(senders() == [[], ["\(sender)"]] && senders() == [[], []])
        #expect(plan.senderAddresses == [sender])
        #expect(plan.unreadableGateway == nil)
        plan.set(node: "node-1", node(1, gateway: "yes"))
        #expect(plan.exit == .sender(own, gateway: "node-3") && plan.unreadableGateway == "yes")
        #expect(senders() == [["\(sender)"], []])
        // A node that becomes a gateway sends nothing any more, and all that are none send to a new one.
        plan.set(node: "node-1", node(1, gateway: "enabled"))
        plan.set(node: "node-5", node(5))
        #expect(senders() == [[], ["\(sender)", "100.126.0.5"]])
        plan.set(node: "node-4", node(4, gateway: "enabled"))
        #expect(senders() == [["\(sender)"], []])
    }
}
