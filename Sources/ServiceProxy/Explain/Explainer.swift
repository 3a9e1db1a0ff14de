package import Addresses
package import KubernetesAPI

/// What the API holds that `duet explain` asks for.
package struct ClusterSnapshot: Sendable {
    package var services: [Service] = []
    package var slices: [EndpointSlice] = []
    package var namespaces: [Namespace] = []
    package var serviceRanges: [ServiceCIDR] = []
    package var pods: [Pod] = []
    package var node = Node()
    package var network: NodeNetwork?

    package init() {}
}

/// What the kernel of the node holds for one family.
package struct KernelView: Sendable {
    /// The table; nil when there is none, or one that is not as this version of Duet makes it.
    package var table: ProxyTable?
    /// Whether node ports answer on loopback addresses.
    package var answersOnLoopback = false
    /// The addresses of the node's links.
    package var nodeAddresses: Set<IPAddress> = []
    /// The ways to endpoints.
    package var routes: [IPAddress: Explanation.RouteAccount] = [:]

    package init() {}
}

/// Answers questions about calls from what API and kernel hold: the same model that writes the kernel's table, asked
/// the same way as the tests ask it that compare it with packets.
package struct Explainer: Sendable {
    private let snapshot: ClusterSnapshot
    private var kernel: [IPFamily: KernelView]
    private let nodeName: String
    private let models: [IPFamily: ServiceProxyModel]

    package init(_ snapshot: ClusterSnapshot, kernel: [IPFamily: KernelView]) {
        self.snapshot = snapshot
        self.kernel = kernel
        nodeName = snapshot.node.name
        let candidates = CrossFamilyOptions.candidates(kernel.compactMapValues(\.table))
        let all = candidates.map { Self.models(snapshot, kernel, $0) }
        models = all.min { Self.disagreements($0, kernel) < Self.disagreements($1, kernel) } ?? [:]
    }

    private static func models(
        _ snapshot: ClusterSnapshot, _ kernel: [IPFamily: KernelView], _ crossFamily: CrossFamilyOptions?
    ) -> [IPFamily: ServiceProxyModel] {
        let fresh = kernel.mapValues { view in
            // The options are the agent's; what it made of them stands in the table.
            let kept = view.table?.entries.keys ?? [:].keys
            let ports = kept.compactMap { if case .nodePortRange(let range) = $0 { range } else { nil } }
            let isUnmasqueraded = kept.contains { if case .unmasqueraded = $0 { true } else { false } }
            return ProxyOptions(
                nodePortAddresses: view.table == nil ? .all : .within(ports), answersOnLoopback: view.answersOnLoopback,
                masqueradesAll: view.table != nil && !isUnmasqueraded, crossFamily: crossFamily)
        }.reduce(into: [IPFamily: ServiceProxyModel]()) { models, entry in
            var model = ServiceProxyModel(
                family: entry.key, nodeName: snapshot.node.name, options: entry.value,
                adoptingSlotsOf: kernel[entry.key]?.table)
            model.set(isTranslating: crossFamily != nil)
            for namespace in snapshot.namespaces { _ = model.update(namespace, named: namespace.name) }
            for service in snapshot.services { model.update(service) }
            for slice in snapshot.slices { model.update(slice) }
            model.update(snapshot.node)
            model.update(snapshot.network)
            model.update(snapshot.serviceRanges)
            models[entry.key] = model
        }
        return fresh.reduce(into: [:]) { models, entry in
            var model = entry.value
            _ = model.flush(seeing: fresh[entry.key.other])
            models[entry.key] = model
        }
    }

    /// How many elements of the kernel are not what the models say.
    private static func disagreements(_ models: [IPFamily: ServiceProxyModel], _ kernel: [IPFamily: KernelView]) -> Int
    {
        models.reduce(0) { count, entry in
            count + (kernel[entry.key]?.table?.difference(to: entry.value.table).count ?? 0)
        }
    }

    /// Takes the ways to endpoints.
    package mutating func add(_ routes: [IPAddress: Explanation.RouteAccount]) {
        for (address, route) in routes { kernel[address.family]?.routes[address] = route }
    }

    /// The addresses of the endpoints that a question may lead to: those whose ways are worth knowing.
    package func destinations(of question: ExplainQuestion) throws(InvalidQuestion) -> Set<IPAddress> {
        Set(try explain(question).families.flatMap { $0.endpoints.map(\.account.backend.address) })
    }

    /// The addresses of who calls.
    package func addresses(ofCallerOf question: ExplainQuestion) throws(InvalidQuestion) -> [IPAddress] {
        try caller(question).addresses
    }

    /// The answer to a question.
    package func explain(_ question: ExplainQuestion) throws(InvalidQuestion) -> Explanation {
        let caller = try caller(question)
        var service: Service?
        if case .service(let name) = question.target {
            service = snapshot.services.first { ServiceName($0.metadata) == name }
            guard service != nil else { throw InvalidQuestion("there is no Service \(name)") }
        }
        let port = try port(question, of: service)
        let families = models.keys.sorted { $0.name < $1.name }.map { family in
            explain(question, caller, service, port.number, port.transport, family)
        }
        let answering = families.lazy.compactMap(\.service).first
        let policied = service ?? snapshot.services.first { ServiceName($0.metadata) == answering }
        return Explanation(
            question: "\(caller.name) calls \(question.targetText) over \(port.transport)", node: nodeName,
            policy: policied.map(Self.policy), families: families)
    }

    private static func policy(_ service: Service) -> String {
        let families = service.spec?.ipFamilies ?? []
        return "\(service.spec?.ipFamilyPolicy ?? "SingleStack"), "
            + (families.isEmpty ? "no families" : families.joined(separator: " and "))
    }

    private struct Caller {
        let name: String
        let addresses: [IPAddress]
        let isHost: Bool
    }

    private func caller(_ question: ExplainQuestion) throws(InvalidQuestion) -> Caller {
        switch question.caller {
        case .address(let address):
            let isHost = kernel[address.family]?.nodeAddresses.contains(address) ?? false
            return Caller(name: "\(address)", addresses: [address], isHost: isHost)
        case .pod(let name):
            guard let pod = snapshot.pods.first(where: { ServiceName($0.metadata) == name }) else {
                throw InvalidQuestion("there is no pod \(name)")
            }
            guard pod.spec?.nodeName == nodeName else {
                throw InvalidQuestion(
                    "pod \(name) is on \(pod.spec?.nodeName.map { "node \($0)" } ?? "no node yet"), and its calls are "
                        + "decided there: ask there, not on node \(nodeName)")
            }
            return Caller(
                name: "pod \(name)", addresses: pod.addresses, isHost: pod.spec?.hostNetwork == true)
        }
    }

    private func port(
        _ question: ExplainQuestion, of service: Service?
    ) throws(InvalidQuestion) -> (number: UInt16, transport: TransportProtocol) {
        guard let service else {
            guard case .number(let number) = question.port else { throw InvalidQuestion("a port without a Service") }
            if let transport = question.transport { return (number, transport) }
            // Over whichever protocol somebody answers.
            guard case .address(let address) = question.target else { return (number, .tcp) }
            let known = TransportProtocol.allCases.first { transport in
                let places =
                    [Frontend(address: address, transport: transport, port: number)]
                    + [Frontend(address: nil, transport: transport, port: number)]
                return places.contains { models[address.family]?.servicePort(of: $0) != nil }
            }
            return (number, known ?? .tcp)
        }
        let ports = (service.spec?.ports ?? []).compactMap { port -> (String, UInt16, TransportProtocol)? in
            guard let transport = TransportProtocol(name: port.protocol), let number = UInt16(exactly: port.port)
            else { return nil }
            return (port.name ?? "", number, transport)
        }.filter { question.transport == nil || $0.2 == question.transport }
        let found = ports.first { name, number, _ in
            switch question.port {
            case .number(number): true
            case .name(name): true
            default: false
            }
        }
        if let found { return (found.1, found.2) }
        // On a port that it does not have a Service answers too.
        if case .number(let number) = question.port { return (number, question.transport ?? .tcp) }
        let names = ports.map { "\($0.0.isEmpty ? "" : "\($0.0) ")\($0.1)/\($0.2)" }.joined(separator: ", ")
        throw InvalidQuestion("the Service has no port \(question.port): it has \(names.isEmpty ? "none" : names)")
    }
}

extension Explainer {
    private func explain(
        _ question: ExplainQuestion, _ caller: Caller, _ service: Service?, _ port: UInt16,
        _ transport: TransportProtocol, _ family: IPFamily
    ) -> Explanation.Family {
        var result = Explanation.Family(family)
        guard let model = models[family], let view = kernel[family] else { return result }
        let destination: IPAddress
        switch question.target {
        case .address(let address):
            guard address.family == family else {
                result.gap = "the address is of the other family"
                return result
            }
            destination = address
        case .service(let name):
            guard let own = model.services[name], own.clusterIP.family == family else {
                result.gap = Self.gap(service, family)
                return result
            }
            destination = own.clusterIP
        }
        guard let source = caller.addresses.first(where: { $0.family == family }) else {
            result.gap = "\(caller.name) has no \(family.name) address"
            return result
        }
        let call = Call(from: source, isFromNode: caller.isHost, to: destination, transport, port)
        let decision = model.decision(of: call, nodeAddresses: view.nodeAddresses)
        result.call = call
        result.decision = decision
        result.table = "\(TableLayout(family).table)"
        if let frontend = decision.frontend, let (owner, servicePort) = model.servicePort(of: frontend) {
            result.service = owner
            result.addresses =
                model.served(owner).map {
                    Self.addresses(of: servicePort, $0, cluster: model.services[owner]?.clusterIP)
                } ?? []
            result.endpoints = model.endpoints(of: frontend, decision.balance).map { account in
                endpoint(account, call, decision, view, model)
            }
            result.otherPods = podsWithoutEndpoint(of: owner, model, family)
        } else if case .service(let name) = question.target {
            result.service = name
        }
        compare(&result, model, view, call)
        return result
    }

    private static func gap(_ service: Service?, _ family: IPFamily) -> String {
        guard let service, let spec = service.spec else { return "there is no such Service" }
        if let proxy = service.metadata.labels?[WellKnownLabel.serviceProxyName] {
            return "the label \(WellKnownLabel.serviceProxyName) leaves the Service to \"\(proxy)\""
        }
        if spec.type == "ExternalName" { return "the Service is another name for \(spec.externalName ?? "nothing")" }
        if spec.clusterIP == "None" { return "the Service is headless: its name leads to the pods themselves" }
        return "the Service has no \(family.name) address: its family policy is \(policy(service))"
    }

    private static func addresses(
        of port: ProxiedService.Port, _ service: ProxiedService, cluster: IPAddress?
    ) -> [String] {
        service.frontends(of: port).map { frontend, kind in
            let place = frontend.address.map { Backend(address: $0, port: frontend.port).text }
            return switch kind {
            case .cluster:
                "\(place ?? "") (\(frontend.address == cluster ? "" : "stands for the ")cluster address)"
            case .loadBalancer: "\(place ?? "") (load balancer)"
            case .external: "\(place ?? "") (external address)"
            case .node: "node port \(frontend.port)"
            }
        }.sorted()
    }

    private func endpoint(
        _ account: EndpointAccount, _ call: Call, _ decision: CallDecision, _ view: KernelView,
        _ model: ServiceProxyModel
    ) -> Explanation.Endpoint {
        let address = account.backend.address
        let translated = model.translations[address]
        let own = translated ?? address
        let pod = snapshot.pods.first { $0.addresses.contains(own) && $0.spec?.hostNetwork != true }
        var source: IPAddress?
        let route = account.exclusion == nil ? view.routes[address] : nil
        if let route, case .delivered(_, let isMasqueraded) = decision.outcome {
            source = isMasqueraded || address == call.source ? route.source : call.source
        }
        if translated != nil, source != nil { source = model.translationAddresses?.source(of: call.source) }
        return Explanation.Endpoint(
            account: account, translated: translated.map { Backend(address: $0, port: account.backend.port) },
            pod: pod.map { "\(ServiceName($0.metadata))" }, route: route, source: source)
    }

    /// The pods that a Service selects and that are in none of its slices of the family.
    private func podsWithoutEndpoint(of name: ServiceName, _ model: ServiceProxyModel, _ family: IPFamily) -> [String] {
        guard let selector = snapshot.services.first(where: { ServiceName($0.metadata) == name })?.spec?.selector,
            !selector.isEmpty
        else { return [] }
        let known = Set(
            model.endpoints(of: name).flatMap(\.endpoints).map { model.translations[$0.address] ?? $0.address })
        return snapshot.pods.compactMap { pod in
            let labels = pod.metadata.labels ?? [:]
            guard pod.metadata.namespace == name.namespace, selector.allSatisfy({ labels[$0.key] == $0.value }),
                !pod.addresses.contains(where: known.contains)
            else { return nil }
            let own = pod.addresses.first { $0.family == family }
            let cause =
                own != nil
                ? "in no EndpointSlice of the Service with its address"
                : pod.addresses.isEmpty ? "without an address yet" : "without an \(family.name) address"
            return "pod \(ServiceName(pod.metadata)): left out, \(cause)"
        }.sorted()
    }

    /// Notes what the kernel has about a call, and where that is not what the model has.
    private func compare(
        _ result: inout Explanation.Family, _ model: ServiceProxyModel, _ view: KernelView, _ call: Call
    ) {
        guard let present = view.table else {
            result.disagreements = [
                "there is no table \(result.table) as this version of Duet makes it: the agent does not run on this "
                    + "node, or someone changed chains or rules"
            ]
            return
        }
        let layout = TableLayout(model.family, model.options)
        var frontends: Set<Frontend> = [Frontend(address: call.destination, transport: call.transport, port: call.port)]
        if let frontend = result.decision?.frontend { frontends.insert(frontend) }
        if let frontend = result.decision?.frontend, let (owner, port) = model.servicePort(of: frontend) {
            frontends.formUnion(model.served(owner).map { Array($0.frontends(of: port).keys) } ?? [])
        }
        let addresses = Set(result.endpoints.map(\.account.backend.address) + [call.source, call.destination])
        func isRelevant(_ entry: TableEntry) -> Bool { entry.concerns(frontends, addresses) }
        result.elements = present.entries.filter { isRelevant($0.key) }.map { layout.text($0.key, $0.value) }.sorted()
        let changes = present.difference(to: model.table).changes
        result.disagreements = changes.filter { isRelevant($0.key) }.map { entry, change in
            switch (change.old, change.new) {
            case (let old?, let new?): "it has \(layout.text(entry, old)), and should have \(layout.text(entry, new))"
            case (let old?, nil): "it has \(layout.text(entry, old)), and should not"
            case (nil, let new?): "it lacks \(layout.text(entry, new))"
            case (nil, nil): ""
            }
        }.sorted()
        let others = changes.count - result.disagreements.count
        if others > 0 { result.disagreements.append("\(others) more elements, of other Services, differ") }
    }
}

extension TableEntry {
    /// Whether it has to do with one of some frontends, or with one of some addresses.
    fileprivate func concerns(_ frontends: Set<Frontend>, _ addresses: Set<IPAddress>) -> Bool {
        switch self {
        case .action(let frontend), .outsiders(let frontend), .alias(let frontend), .guarded(let frontend),
            .admitted(let frontend, _), .member(let frontend, _):
            frontends.contains(frontend)
        case .slot(let slot), .stickySlot(let slot): frontends.contains(slot.anchor)
        case .clusterAddress(let address), .hairpin(let address), .standIn(let address): addresses.contains(address)
        case .localPods(let prefix), .unmasqueraded(let prefix), .nodePortRange(let prefix), .serviceRange(let prefix),
            .translated(let prefix), .unanswered(let prefix):
            addresses.contains { prefix.contains($0) }
        }
    }
}

extension Pod {
    /// The addresses that it has, the first one first.
    var addresses: [IPAddress] {
        (status?.podIPs?.map(\.ip) ?? status?.podIP.map { [$0] } ?? []).compactMap { IPAddress(sloppy: $0) }
    }
}

extension ExplainQuestion {
    fileprivate var targetText: String {
        switch target {
        case .service(let name): "Service \(name) port \(port)"
        case .address(let address): "\(address) port \(port)"
        }
    }
}
