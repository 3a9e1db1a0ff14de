internal import Addresses

extension ServiceProxyModel {
    /// Brings the frontends and slots of one Service to what its objects say, and notes what they were before.
    mutating func compile(_ name: ServiceName, seeing other: ServiceProxyModel?, before: inout Before) {
        translate(name, seeing: other)
        var wanted: [Frontend: FrontendState] = [:]
        var wantedPorts: [Frontend: PortState] = [:]
        if let service = served(name) {
            let slices = endpoints(of: name)
            for port in service.ports {
                let anchor = service.anchor(of: port)
                // A port that stands there twice counts once.
                guard wanted[anchor] == nil else { continue }
                // Without its cluster address a port has no slots that its other frontends could share.
                guard claim(anchor, for: name, .cluster, before: &before) else {
                    wanted[anchor] = placeholder(name)
                    continue
                }
                let choice = EndpointChoice(port: port, slices: slices, nodeName: nodeName, zone: node.zone)
                let states = PortPlan(service, choice, node: node).states(of: port, owner: name)
                wanted.merge(states.frontends) { first, _ in first }
                wantedPorts[anchor] = states.port
            }
        }
        for frontend in claims[name] ?? [] where wanted[frontend] == nil {
            withdraw(name, from: frontend, before: &before)
        }
        claims[name] = wanted.isEmpty ? nil : Array(wanted.keys)
        for (anchor, state) in wantedPorts {
            let previous = ports[anchor] ?? before.ports[anchor] ?? nil
            before.note(anchor, ports[anchor])
            var state = state
            for pool in Pool.allCases {
                guard let backends = state[pool] else { continue }
                state[pool] = assignSlots(
                    previous: previous?[pool] ?? adopted[anchor]?[pool] ?? [], desired: Set(backends))
            }
            ports[anchor] = state
        }
        for (frontend, state) in wanted where wantedPorts[state.anchor ?? frontend] != nil {
            guard claim(frontend, for: name, state.kind, before: &before) else { continue }
            // What was the Service's cluster address may now be another address of it, and has no slots of its own.
            if state.kind != .cluster { vacate(frontend, before: &before) }
            before.note(frontend, frontends[frontend])
            frontends[frontend] = state
        }
    }

    /// What stands for a frontend that another Service has: the claim is kept, and nothing is served.
    private func placeholder(_ name: ServiceName) -> FrontendState {
        FrontendState(owner: name, kind: .cluster, action: .refuse, serving: [])
    }

    /// Whether `name` may hold `frontend`: of several Services that want the same, the one to which it belongs more
    /// closely does, and among equals the one that sorts first.
    private mutating func claim(
        _ frontend: Frontend, for name: ServiceName, _ kind: ProxiedService.Kind, before: inout Before
    ) -> Bool {
        guard let holder = frontends[frontend], holder.owner != name else {
            dismiss(name, from: frontend)
            return true
        }
        guard (kind, name) < (holder.kind, holder.owner) else {
            queue(name, kind, for: frontend, behind: holder.owner)
            return false
        }
        queue(holder.owner, holder.kind, for: frontend, behind: name)
        dismiss(name, from: frontend)
        vacate(frontend, before: &before)
        // Its other frontends may have shared the slots.
        if holder.kind == .cluster { dirty.insert(holder.owner) }
        return true
    }

    private mutating func withdraw(_ name: ServiceName, from frontend: Frontend, before: inout Before) {
        dismiss(name, from: frontend)
        if frontends[frontend]?.owner == name { vacate(frontend, before: &before) }
        // Also when another gave it up just now: `name` may have been the next in line.
        guard frontends[frontend] == nil else { return }
        if let next = contenders[frontend]?.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
            dirty.insert(next.key)
        }
    }

    private mutating func vacate(_ frontend: Frontend, before: inout Before) {
        before.note(frontend, frontends[frontend])
        if frontends[frontend]?.kind == .cluster {
            before.note(frontend, ports[frontend])
            ports[frontend] = nil
        }
        frontends[frontend] = nil
    }

    /// Puts `name` among those who wait for `frontend`.
    private mutating func queue(
        _ name: ServiceName, _ kind: ProxiedService.Kind, for frontend: Frontend, behind holder: ServiceName
    ) {
        guard contenders[frontend, default: [:]].updateValue(kind, forKey: name) == nil else { return }
        conflicts.insert(FrontendConflict(frontend: frontend, loser: name, holder: holder))
    }

    /// Takes `name` out of those who wait for `frontend`.
    private mutating func dismiss(_ name: ServiceName, from frontend: Frontend) {
        contenders[frontend]?[name] = nil
        if contenders[frontend]?.isEmpty == true { contenders[frontend] = nil }
    }
}

/// What the frontends of one Service port do, by the policies of the Service.
private struct PortPlan {
    private let service: ProxiedService
    private let choice: EndpointChoice
    private let node: ProxiedNode

    init(_ service: ProxiedService, _ choice: EndpointChoice, node: ProxiedNode) {
        self.service = service
        self.choice = choice
        self.node = node
    }

    func states(
        of port: ProxiedService.Port, owner: ServiceName
    ) -> (frontends: [Frontend: FrontendState], port: PortState) {
        let anchor = service.anchor(of: port)
        let kinds = service.frontends(of: port)
        let hasOutside = kinds.count > 1
        var slots = PortState(isSticky: service.stickySeconds != nil)
        if !service.internalIsLocal || hasOutside { slots[.everywhere] = Array(choice.pools[.everywhere] ?? []) }
        if service.internalIsLocal || service.externalIsLocal && hasOutside {
            slots[.local] = Array(choice.pools[.local] ?? [])
        }
        var states: [Frontend: FrontendState] = [:]
        for (frontend, kind) in kinds {
            var state = FrontendState(
                owner: owner, kind: kind, action: action(kind), anchor: kind == .cluster ? nil : anchor,
                serving: port.transport == .udp ? choice.serving : [])
            if kind != .cluster, service.externalIsLocal, choice.hasEndpoints {
                state.outsiders = Balance(.outsider, .local, over: count(.local), stickySeconds: service.stickySeconds)
            }
            if kind == .loadBalancer { state.admitted = admittedSources }
            states[frontend] = state
        }
        return (states, slots)
    }

    private func count(_ pool: Pool) -> UInt32 {
        UInt32(choice.pools[pool]?.count ?? 0)
    }

    private func action(_ kind: ProxiedService.Kind) -> FrontendAction {
        guard choice.hasEndpoints else { return .refuse }
        let entry: Balance.Entry = kind == .cluster ? .cluster : service.externalIsLocal ? .insider : .external
        let pool: Pool = kind == .cluster && service.internalIsLocal ? .local : .everywhere
        guard count(pool) > 0 else { return .drop }
        return .balance(Balance(entry, pool, over: count(pool), stickySeconds: service.stickySeconds))
    }

    /// The sources that may call the load balancer's addresses.
    ///
    /// A node that is admitted may call with one of these addresses, as it does when it holds them itself.
    private var admittedSources: Set<IPPrefix>? {
        guard var sources = service.admittedSources else { return nil }
        let admitsNode = node.addresses.contains { address in sources.contains { $0.contains(address) } }
        if admitsNode { sources.formUnion(service.loadBalancerIPs.map { IPPrefix($0, length: $0.family.bitWidth) }) }
        return sources.withoutContained
    }
}
