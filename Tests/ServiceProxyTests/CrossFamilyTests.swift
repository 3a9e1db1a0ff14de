import Addresses
import KubernetesAPI
import ServiceProxy
import TestSupport
import Testing

/// Both families' models of a node with blocks of pods, fed together.
struct TranslatingNode {
    var models: [IPFamily: ServiceProxyModel] = [:]
    static let range = IPPrefix("250.68.0.0/16") ?? CrossFamilyOptions.defaultStandIns

    init(
        range: IPPrefix = Self.range, includesAll: Bool = false, blocks: [String] = ["10.244.1.0/24", "fd00:1::/64"],
        adopting tables: [IPFamily: ProxyTable] = [:]
    ) {
        for family in IPFamily.allCases {
            let options = ProxyOptions(crossFamily: CrossFamilyOptions(standIns: range, includesAll: includesAll))
            var model = ServiceProxyModel(
                family: family, nodeName: "node", options: options, adoptingSlotsOf: tables[family])
            model.set(isTranslating: true)
            models[family] = model
        }
        for family in IPFamily.allCases { models[family]?.update(node(blocks.compactMap { IPPrefix($0) })) }
    }

    mutating func forEach(_ body: (inout ServiceProxyModel) -> Void) {
        for family in IPFamily.allCases {
            if var model = models.removeValue(forKey: family) {
                body(&model)
                models[family] = model
            }
        }
    }

    @discardableResult
    mutating func flush() -> [IPFamily: TableDifference] {
        var differences: [IPFamily: TableDifference] = [:]
        let seen = models
        forEach { differences[$0.family] = $0.flush(seeing: seen[$0.family.other]).difference }
        return differences
    }

    /// The addresses that a frontend on the cluster address leads to.
    func backends(_ clusterIP: IPAddress) -> Set<IPAddress> {
        let frontend = Frontend(address: clusterIP, transport: .tcp, port: 80)
        return Set(models[clusterIP.family]?.table.backends(of: frontend).map(\.address) ?? [])
    }

    func translations(_ family: IPFamily) -> [IPAddress: IPAddress] { models[family]?.translations ?? [:] }
}

/// A Service of some families, with an annotation.
private func asking(_ families: [IPFamily], _ annotation: String? = "enabled") -> Service {
    var web = service("web", families.map { clusterIP($0, 1) })
    web.metadata.annotations = annotation.map { [Service.crossFamilyAnnotation: $0] }
    return web
}

/// A slice whose endpoints are pods, each with its identifier.
private func podSlice(
    _ family: IPFamily, _ pods: [UInt128], label: String = WellKnownLabel.serviceName
) -> EndpointSlice {
    var result = slice("web", family, pods.map { podIP(family, $0) })
    result.metadata.labels = [label: "web"]
    for (index, pod) in pods.enumerated() {
        result.endpoints?[index].targetRef = ObjectReference(kind: "Pod", name: "web-\(pod)", uid: "uid-\(pod)")
    }
    return result
}

@Suite("Services across families")
struct CrossFamilyTests {
    /// What a Service of one family leads to, by who asks and what its pods have.
    struct Row: CustomTestStringConvertible {
        let remark: String
        let annotation: String?
        var includesAll = false
        /// The pods that have an address of the Service's family, and those that have one of the other.
        let own: [UInt128]
        let other: [UInt128]
        /// The pods that are reached by translation.
        let translated: [UInt128]
        var testDescription: String { remark }
    }

    @Test(
        arguments: [
            Row(remark: "nobody asks", annotation: nil, own: [], other: [1], translated: []),
            Row(remark: "the Service asks", annotation: "enabled", own: [], other: [1, 2], translated: [1, 2]),
            Row(remark: "the cluster asks", annotation: nil, includesAll: true, own: [], other: [1], translated: [1]),
            Row(
                remark: "the Service refuses", annotation: "disabled", includesAll: true, own: [], other: [1],
                translated: []),
            Row(remark: "nonsense is not asking", annotation: "yes", own: [], other: [1], translated: []),
            Row(remark: "a pod of both families", annotation: "enabled", own: [1], other: [1], translated: []),
            Row(remark: "pods of every kind", annotation: "enabled", own: [1, 2], other: [2, 3], translated: [3]),
        ], IPFamily.allCases)
    func `Pods of the other family are reached where that is asked for, and needed`(row: Row, family: IPFamily) throws {
        var lab = TranslatingNode(includesAll: row.includesAll)
        lab.forEach {
            $0.update(asking([family], row.annotation))
            $0.update(podSlice(family, row.own))
            $0.update(podSlice(family.other, row.other))
        }
        lab.flush()
        let translations = lab.translations(family)
        #expect(Set(translations.values) == Set(row.translated.map { podIP(family.other, $0) }))
        #expect(
            lab.backends(clusterIP(family, 1)) == Set(row.own.map { podIP(family, $0) }).union(translations.keys))
        let addresses = try #require(lab.models[family]?.translationAddresses)
        #expect(translations.keys.allSatisfy { addresses.range(family).contains($0) })
        #expect(lab.translations(family.other).isEmpty)
    }

    @Test(arguments: IPFamily.allCases)
    func `A Service without an address of a family answers on what else it has of it`(family: IPFamily) throws {
        var lab = TranslatingNode()
        var web = asking([family.other])
        let balanced = address(family, network: 200, 1)
        web.spec?.type = "LoadBalancer"
        web.spec?.externalTrafficPolicy = "Local"
        web.spec?.ports = [ServicePort(port: 80, nodePort: 30_080)]
        web.status = ServiceStatus(loadBalancer: LoadBalancerStatus(ingress: [LoadBalancerIngress(ip: "\(balanced)")]))
        var local = podSlice(family.other, [1])
        local.endpoints?[0].nodeName = "node"
        lab.forEach {
            $0.update(web)
            $0.update(local)
        }
        lab.flush()
        let model = try #require(lab.models[family])
        let pod = try #require(model.translations.first { $0.value == podIP(family.other, 1) }).key
        for place in [balanced, nil] {
            let frontend = Frontend(address: place, transport: .tcp, port: place == nil ? 30_080 : 80)
            #expect(model.table.backends(of: frontend, .local) == [Backend(address: pod, port: 8080)])
            #expect(model.table.actions[frontend] == .balance(Balance(.insider, over: 1)))
            #expect(model.servicePort(of: frontend)?.0 == ServiceName("web"))
        }
        // Something has to stand for its cluster address, and is none of the translator's endpoints.
        #expect(model.translations.count == 2)
        #expect(!model.table.hairpins.contains { model.translations[$0] == clusterIP(family.other, 1) })
        #expect(ServiceWarning.warnings(of: web).map(\.reason) == ["KubeProxyIncorrectIPVersion"])
        #expect(ServiceWarning.warnings(of: web, isTranslated: true).isEmpty)

        web.metadata.annotations = nil
        lab.forEach { $0.update(web) }
        lab.flush()
        let table = try #require(lab.models[family]?.table)
        #expect(table.actions.isEmpty && table.slots.isEmpty && table.hairpins.isEmpty)
        #expect(lab.translations(family).isEmpty)
    }

    @Test(arguments: [nil, "enabled", "disabled"], [nil, "enabled", "disabled"])
    func `What a Service says counts before what its namespace says, and that before the node`(
        own: String?, ofNamespace: String?
    ) {
        for includesAll in [false, true] {
            var lab = TranslatingNode(includesAll: includesAll)
            let web = asking([.ipv4], own)
            lab.forEach {
                $0.update(web)
                $0.update(podSlice(.ipv6, [1]))
            }
            lab.flush()
            let before = (own ?? (includesAll ? "enabled" : "disabled")) == "enabled"
            #expect(lab.translations(.ipv4).isEmpty == !before)
            var namespace = Namespace(metadata: ObjectMeta(name: web.namespace))
            for step in [ofNamespace, nil] {
                namespace.metadata.annotations = step.map { [Service.crossFamilyAnnotation: $0] }
                lab.forEach {
                    if $0.update(namespace, named: namespace.name) { $0.update(web) }
                }
                lab.flush()
                let wanted = own ?? step ?? (includesAll ? "enabled" : "disabled")
                #expect(lab.translations(.ipv4).isEmpty == (wanted == "disabled"))
            }
        }
    }

    @Test func `Slices that only proxies find count as those of the Service`() {
        var lab = TranslatingNode()
        lab.forEach {
            $0.update(asking([.ipv4]))
            $0.update(podSlice(.ipv6, [1], label: WellKnownLabel.translatedServiceName))
        }
        lab.flush()
        #expect(Set(lab.translations(.ipv4).values) == [podIP(.ipv6, 1)])
    }

    @Test func `Of endpoints that name no pod those of the caller's family are enough`() {
        var lab = TranslatingNode()
        lab.forEach {
            $0.update(asking([.ipv4]))
            $0.update(slice("web", .ipv6, [podIP(.ipv6, 1)]))
        }
        lab.flush()
        #expect(lab.translations(.ipv4).count == 1)
        lab.forEach { $0.update(slice("web", .ipv4, [podIP(.ipv4, 2)])) }
        lab.flush()
        #expect(lab.translations(.ipv4).isEmpty)
        #expect(lab.backends(clusterIP(.ipv4, 1)) == [podIP(.ipv4, 2)])
    }

    @Test(arguments: IPFamily.allCases)
    func `Without a translator the endpoints of the other family are none, and it is noticed when one comes`(
        family: IPFamily
    ) {
        var lab = TranslatingNode()
        lab.forEach {
            $0.set(isTranslating: false)
            $0.update(asking([family]))
            $0.update(podSlice(family.other, [1]))
        }
        lab.flush()
        #expect(lab.backends(clusterIP(family, 1)).isEmpty)
        func isRange(_ entry: TableEntry) -> Bool { if case .translated = entry { true } else { false } }
        #expect(lab.models[family]?.table.entries.keys.contains(where: isRange) == false)
        lab.forEach { $0.set(isTranslating: true) }
        let difference = lab.flush()[family]
        #expect(lab.backends(clusterIP(family, 1)).count == 1)
        #expect(difference?.changes.keys.contains(where: isRange) == true)
    }

    @Test func `A stand-in stays as long as any Service needs it, and a restart finds it again`() throws {
        var lab = TranslatingNode()
        var second = asking([.ipv4])
        second.metadata.name = "second"
        second.spec?.clusterIPs = ["10.96.0.2"]
        var slices = (1...200).map { podSlice(.ipv6, [$0]) }
        for index in slices.indices { slices[index].metadata.name = "web-\(index)" }
        var shared = podSlice(.ipv6, [1])
        shared.metadata.name = "second-1"
        shared.metadata.labels = [WellKnownLabel.serviceName: "second"]
        lab.forEach { model in
            model.update(asking([.ipv4]))
            model.update(second)
            for slice in slices + [shared] { model.update(slice) }
        }
        lab.flush()
        let before = lab.translations(.ipv4)
        #expect(before.count == 200)
        let kept = try #require(before.first { $0.value == podIP(.ipv6, 1) })

        let tables = lab.models.mapValues(\.table)
        var restarted = TranslatingNode(adopting: tables)
        #expect(restarted.translations(.ipv4) == before, "the translator knows them before any Service is there")
        restarted.forEach { model in
            model.update(asking([.ipv4]))
            for slice in slices.reversed() { model.update(slice) }
        }
        restarted.flush()
        #expect(restarted.translations(.ipv4) == before)

        lab.forEach { $0.remove(asking([.ipv4])) }
        lab.flush()
        #expect(lab.translations(.ipv4) == [kept.key: kept.value])
        lab.forEach { $0.remove(second) }
        let last = lab.flush()[.ipv4]
        #expect(lab.translations(.ipv4).isEmpty)
        #expect(last?.changes[.standIn(kept.key)] == .init(from: .address(kept.value), to: nil))
    }

    @Test func `A range that is full leaves endpoints out, and takes them when there is room again`() throws {
        let range = try #require(IPPrefix("250.68.7.0/24"))
        var lab = TranslatingNode(range: range)
        lab.forEach {
            $0.update(asking([.ipv4]))
            $0.update(podSlice(.ipv6, Array(1...300)))
        }
        lab.flush()
        let full = lab.translations(.ipv4)
        // Sixteen are the translator's, and the last is the broadcast address.
        #expect(full.count == 239)
        #expect(lab.backends(clusterIP(.ipv4, 1)) == Set(full.keys))
        lab.forEach { $0.update(podSlice(.ipv6, Array(201...300))) }
        lab.flush()
        lab.forEach { $0.update(podSlice(.ipv6, Array(1...10) + Array(201...300))) }
        lab.flush()
        #expect(Set(lab.translations(.ipv4).values).isSuperset(of: (1...10).map { podIP(.ipv6, $0) }))
    }

    @Test(arguments: [
        (["10.244.1.0/24", "fd00:1::/64"], "fd00:1::ff:ffff:0:0/96", true),
        (["fd00:1:0:100::/56"], "fd00:1:0:1ff:ff:ffff::/96", true),
        (["10.244.1.0/24"], "64:ff9b:1:d0e7::/96", false),
        (["fd00:1::/112"], "64:ff9b:1:d0e7::/96", false),
        (["fd00:1:0:0:aa00::/72"], "64:ff9b:1:d0e7::/96", false),
    ])
    func `Callers are embedded in the node's own block where it has room`(
        blocks: [String], prefix: String, isRouted: Bool
    ) throws {
        let lab = TranslatingNode(blocks: blocks)
        let addresses = try #require(lab.models[.ipv4]?.translationAddresses)
        #expect(addresses.prefix.prefix == IPPrefix(prefix))
        #expect(addresses.isRouted == isRouted)
        #expect((addresses.unanswered(.ipv6) == nil) == isRouted)
        #expect(addresses == lab.models[.ipv6]?.translationAddresses)
    }

    @Test func `Another block moves the addresses that endpoints are embedded in`() throws {
        var lab = TranslatingNode(blocks: ["10.244.1.0/24"])
        lab.forEach {
            $0.update(asking([.ipv6]))
            $0.update(podSlice(.ipv4, [1]))
        }
        lab.flush()
        let before = try #require(lab.translations(.ipv6).keys.first)
        lab.forEach { $0.update(node(["10.244.1.0/24", "fd00:1::/64"].compactMap { IPPrefix($0) })) }
        let difference = lab.flush()[.ipv6]
        let after = try #require(lab.translations(.ipv6).keys.first)
        #expect(before != after)
        #expect(difference?.changes[.standIn(before)]?.new == nil)
        #expect(difference?.changes[.standIn(after)]?.new == .address(podIP(.ipv4, 1)))
        #expect(lab.backends(clusterIP(.ipv6, 1)) == [after])
    }

    @Test(arguments: [false, true], [nil, "enabled"] as [String?])
    func `An explanation names the endpoint behind a stand-in and the source that it sees`(
        includesAll: Bool, annotation: String?
    ) throws {
        var lab = TranslatingNode(includesAll: includesAll)
        var snapshot = ClusterSnapshot()
        snapshot.node = node(["10.244.1.0/24", "fd00:1::/64"].compactMap { IPPrefix($0) })
        snapshot.services = [asking([.ipv4], annotation)]
        snapshot.slices = [podSlice(.ipv6, [1], label: WellKnownLabel.translatedServiceName)]
        // One that needs it in any case, so that the node translates.
        var second = asking([.ipv6])
        second.metadata.name = "second"
        snapshot.services.append(second)
        lab.forEach { model in
            for service in snapshot.services { model.update(service) }
            for slice in snapshot.slices { model.update(slice) }
        }
        lab.flush()
        let kernel = lab.models.mapValues { model in
            var view = KernelView()
            view.table = model.table
            return view
        }
        var explainer = Explainer(snapshot, kernel: kernel)
        let question = try ExplainQuestion(
            caller: "10.244.1.7", target: "default/web:80", transport: nil, namespace: "default")
        let routes = try explainer.destinations(of: question).map {
            ($0, Explanation.RouteAccount(text: "\($0) dev duet-services", source: nil))
        }
        explainer.add(Dictionary(routes) { $1 })
        let answer = try explainer.explain(question)
        #expect(answer.isAgreed, "\(answer.text)")
        if includesAll || annotation != nil {
            let standIn = try #require(lab.translations(.ipv4).keys.first)
            #expect(answer.text.contains("\(standIn):8080 for [\(podIP(.ipv6, 1))]:8080"), "\(answer.text)")
            #expect(answer.text.contains("translated to IPv6, sees fd00:1::ff:ffff:af4:107"), "\(answer.text)")
        } else {
            #expect(answer.text.contains("has no endpoint"), "\(answer.text)")
        }
    }

    @Test(arguments: 0..<20)
    func `Whatever the order of events, tables follow the differences, and stand-ins are one to one`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var lab = TranslatingNode()
        var tables = IPFamily.allCases.reduce(into: [IPFamily: ProxyTable]()) { $0[$1] = ProxyTable(family: $1) }
        var held: [IPAddress: IPAddress] = [:]
        for _ in 0..<60 {
            let family = IPFamily.allCases[Int.random(in: 0...1, using: &random)]
            let pods = (1...8).filter { _ in Bool.random(using: &random) }.map { UInt128($0) }
            let families: [IPFamily] = [[.ipv4], [.ipv6], [.ipv4, .ipv6]][Int.random(in: 0...2, using: &random)]
            let annotation = ["enabled", "enabled", "disabled"][Int.random(in: 0...2, using: &random)]
            switch Int.random(in: 0...5, using: &random) {
            case 0: lab.forEach { $0.update(asking(families, annotation)) }
            case 1: lab.forEach { $0.remove(podSlice(family, pods)) }
            default: lab.forEach { $0.update(podSlice(family, pods)) }
            }
            for (family, difference) in lab.flush() { tables[family]?.apply(difference) }
            for (family, model) in lab.models {
                let translations = model.translations
                #expect(tables[family] == model.table)
                #expect(Set(translations.values).count == translations.count)
                let reached = Set(model.table.slots.values.map(\.address))
                #expect(reached.allSatisfy { translations[$0] != nil || $0.bits >> 16 == podIP(family, 0).bits >> 16 })
                for (standIn, endpoint) in translations where family == .ipv4 {
                    #expect(held[endpoint] == nil || held[endpoint] == standIn, "the same one again")
                    held[endpoint] = standIn
                }
            }
        }
    }
}
