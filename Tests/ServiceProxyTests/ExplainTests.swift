import Addresses
import JSON
import KubernetesAPI
import ServiceProxy
import Testing

@Suite("Explanations of calls")
struct ExplainTests {
    /// Rows: the arguments, and the question, or a word of the complaint.
    static let questions: [(caller: String, target: String, transport: String?, meaning: String)] = [
        ("web/a", "web/api:80", nil, "pod(web/a) service(web/api) 80 nil"),
        ("a", "api:http", "UDP", "pod(apps/a) service(apps/api) http udp"),
        ("192.0.2.1", "10.96.0.1:53", "udp", "address(192.0.2.1) address(10.96.0.1) 53 udp"),
        ("2001:db8::1", "[fd00::1]:443", "sctp", "address(2001:db8::1) address(fd00::1) 443 sctp"),
        ("a", "fd00::1:443", nil, "write [fd00::1]:443"), ("a", "web/api", nil, "has no port"),
        ("a", "web/api:", nil, "has no port"), ("a", "10.96.0.1:http", nil, "no port"), ("a", "api:0", nil, "no port"),
        ("a", "api:65536", nil, "no port"), ("a/b/c", "api:80", nil, "neither an address nor a pod"),
        ("", "api:80", nil, "neither an address nor a pod"), ("a", "/api:80", nil, "neither an address nor a Service"),
        ("a", "api:80", "icmp", "no protocol"),
    ]

    @Test("Questions are read as they are meant, or refused with a remedy", arguments: questions.indices)
    func reads(row: Int) {
        let (caller, target, transport, meaning) = Self.questions[row]
        do {
            let question = try ExplainQuestion(
                caller: caller, target: target, transport: transport, namespace: "apps")
            let protocolText = question.transport.map { "\($0)" } ?? "nil"
            #expect("\(question.caller) \(question.target) \(question.port) \(protocolText)" == meaning)
        } catch {
            #expect(error.description.contains(meaning), "\(error)")
        }
    }

    /// A snapshot of one node, "node" in zone "a", and a Service "web" of both families with four pods.
    private static func snapshot() -> ClusterSnapshot {
        var snapshot = ClusterSnapshot()
        var web = service("web", IPFamily.allCases.map { clusterIP($0, 1) }, nodePort: 30_080)
        web.spec?.ipFamilyPolicy = "RequireDualStack"
        web.spec?.selector = ["app": "web"]
        snapshot.services = [web]
        snapshot.node = node(IPFamily.allCases.map { IPPrefix(podIP($0, 0), length: $0.bitWidth - 4) })
        snapshot.node.metadata.labels = [WellKnownLabel.zone: "a"]
        let names = ["ready", "unready", "ending", "remote"]
        for (index, name) in names.enumerated() {
            // The last one has no address of the second family.
            let families = name == "remote" ? [IPFamily.allCases[0]] : IPFamily.allCases
            var pod = Pod(metadata: ObjectMeta(name: name, namespace: "default", labels: ["app": "web"]))
            pod.spec = PodSpec(nodeName: name == "remote" ? "other" : "node")
            pod.status = PodStatus(podIPs: families.map { PodIP(ip: podIP($0, UInt128(index + 1)).description) })
            snapshot.pods.append(pod)
        }
        snapshot.slices = IPFamily.allCases.map { family in
            let members = snapshot.pods.filter {
                $0.status?.podIPs?.contains { IPAddress($0.ip)?.family == family } == true
            }
            var object = slice("web", family, [])
            object.endpoints = members.enumerated().map { index, pod in
                Endpoint(
                    addresses: [podIP(family, UInt128(index + 1)).description],
                    conditions: EndpointConditions(
                        ready: pod.name == "ready" || pod.name == "remote", serving: pod.name != "unready",
                        terminating: pod.name == "ending"), nodeName: pod.spec?.nodeName)
            }
            return object
        }
        return snapshot
    }

    /// What the kernel has if it has what the objects say.
    private static func views(_ snapshot: ClusterSnapshot) -> [IPFamily: KernelView] {
        IPFamily.allCases.reduce(into: [:]) { views, family in
            var model = ServiceProxyModel(family: family)
            model.update(snapshot.node)
            for service in snapshot.services { model.update(service) }
            for slice in snapshot.slices { model.update(slice) }
            _ = model.flush()
            var view = KernelView()
            view.table = model.table
            view.nodeAddresses = [address(family, network: 1, 1)]
            view.routes = [
                podIP(family, 1): Explanation.RouteAccount(
                    text: "here dev veth1", source: address(family, network: 1, 1))
            ]
            views[family] = view
        }
    }

    private func question(_ caller: String, _ target: String) throws -> ExplainQuestion {
        try ExplainQuestion(caller: caller, target: target, transport: nil, namespace: "default")
    }

    @Test("Each family tells endpoints, reasons, source and elements, and agrees with its kernel")
    func explains() throws {
        let snapshot = Self.snapshot()
        let answer = try Explainer(snapshot, kernel: Self.views(snapshot)).explain(question("ready", "web:80"))
        #expect(answer.isAgreed && answer.families.count == 2)
        #expect(answer.policy?.hasPrefix("RequireDualStack") == true)
        for (index, part) in answer.families.enumerated() {
            let family = part.family
            #expect(part.gap == nil && part.call?.destination == clusterIP(family, 1))
            let reasons = part.endpoints.map(\.account.exclusion)
            let isFirst = family == IPFamily.allCases[0]
            #expect(reasons == [nil, .notReady, .terminating] + (isFirst ? [nil] : []), "\(index)")
            #expect(
                part.otherPods == (isFirst ? [] : ["pod default/remote: left out, without an \(family.name) address"]))
            // A pod that calls itself is masqueraded.
            #expect(part.endpoints[0].source == address(family, network: 1, 1))
            #expect(part.endpoints[0].pod == "default/ready")
            #expect(part.elements.contains("cluster-addresses \(clusterIP(family, 1))"))
            #expect(
                part.elements.contains { $0.hasPrefix("services \(clusterIP(family, 1)) . tcp . 80 : goto cluster-") })
            #expect(
                part.elements.contains("endpoints \(clusterIP(family, 1)) . 80 . tcp . 0 : \(podIP(family, 1)) . 8080"))
        }
        let text = answer.text
        for line in [
            "family policy: RequireDualStack", "left out, not ready", "left out, terminating, and others", "dev veth1",
        ] {
            #expect(text.contains(line), "\(line)")
        }
        #expect(!text.contains("DISAGREES"))
        #expect(answer.json["kernelAgrees"] == true)
        #expect(answer.json["families"]?.array?.first?["endpoints"]?.array?.first?["takesConnections"] == true)
    }

    @Test("It says what the kernel lacks, has too much, and has otherwise", arguments: IPFamily.allCases)
    func disagrees(family: IPFamily) throws {
        let snapshot = Self.snapshot()
        let cluster = Frontend(address: clusterIP(family, 1), transport: .tcp, port: 80)
        let slot = Slot(cluster, .everywhere, 0)
        for (change, words) in [
            ({ $0.table?.entries[.slot(slot)] = nil }, ["it lacks endpoints"]),
            (
                { $0.table?.entries[.slot(slot)] = .backend(Backend(address: podIP(family, 9), port: 1)) },
                ["it has endpoints", "and should"]
            ), ({ $0.table?.entries[.clusterAddress(podIP(family, 1))] = .present }, ["and should not"]),
            (
                { $0.table?.entries[.clusterAddress(clusterIP(family, 77))] = .present },
                ["1 more elements, of other Services"]
            ), ({ $0.table = nil }, ["there is no table"]),
        ] as [((inout KernelView) -> Void, [String])] {
            var views = Self.views(snapshot)
            change(&views[family, default: KernelView()])
            let answer = try Explainer(snapshot, kernel: views).explain(question("ready", "web:80"))
            #expect(!answer.isAgreed && answer.text.contains("!! THE KERNEL DISAGREES WITH THE API"))
            #expect(answer.json["kernelAgrees"] == false)
            let said = answer.families.first { $0.family == family }?.disagreements.joined(separator: "\n") ?? ""
            for word in words { #expect(said.contains(word), "\(said)") }
            #expect(answer.families.filter { $0.family != family }.allSatisfy { $0.disagreements.isEmpty })
        }
    }

    /// Rows: caller and target, with words of the answer or the complaint.
    static let replies: [(caller: String, target: String, words: [String])] = [
        (
            "198.51.100.1", "10.96.0.1:80",
            ["masqueraded: the caller is no pod of this node", "the address is of the other family"]
        ),
        ("10.244.0.1", "10.96.0.1:81", ["refused: the Service does not have this port"]),
        (
            "10.244.0.1", "10.1.0.1:30080",
            ["Service     default/web", "node port 30080", "masqueraded: the traffic is external"]
        ),
        ("10.244.0.1", "192.0.2.1:80", ["untouched: no Service has this address and port"]),
        ("remote", "web:80", ["pod default/remote is on node other"]),
        ("nobody", "web:80", ["there is no pod default/nobody"]),
        ("ready", "nothing:80", ["there is no Service default/nothing"]),
        ("ready", "web:http", ["has no port http: it has 80/tcp"]),
    ]

    @Test("Addresses, node ports and what does not exist are answered for", arguments: replies.indices)
    func answers(row: Int) throws {
        let (caller, target, words) = Self.replies[row]
        let snapshot = Self.snapshot()
        let explainer = Explainer(snapshot, kernel: Self.views(snapshot))
        let question = try question(caller, target)
        do {
            let answer = try explainer.explain(question).text
            for word in words { #expect(answer.contains(word), "\(answer)") }
        } catch {
            for word in words { #expect(error.description.contains(word), "\(error)") }
        }
    }

    @Test("Headless, named and foreign Services are told apart")
    func gaps() throws {
        var snapshot = Self.snapshot()
        for (change, word) in [
            (
                {
                    $0.spec?.clusterIPs = ["None"]; $0.spec?.clusterIP = "None"
                }, "headless"
            ),
            (
                {
                    $0.spec?.type = "ExternalName"; $0.spec?.externalName = "example.org"
                }, "example.org"
            ),
            ({ $0.metadata.labels = [WellKnownLabel.serviceProxyName: "mine"] }, "\"mine\""),
            (
                {
                    $0.spec?.clusterIPs = ["10.96.0.1"]; $0.spec?.ipFamilies = ["IPv4"]
                }, "no IPv6 address"
            ),
        ] as [((inout Service) -> Void, String)] {
            snapshot = Self.snapshot()
            change(&snapshot.services[0])
            let answer = try Explainer(snapshot, kernel: Self.views(snapshot)).explain(question("ready", "web:80"))
            #expect(answer.families.contains { $0.gap?.contains(word) == true }, "\(word)")
        }
    }
}
