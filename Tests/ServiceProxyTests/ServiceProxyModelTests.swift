import Addresses
import ServiceProxy
import Testing

@Suite("Service proxy model")
struct ServiceProxyModelTests {
    /// A model of one Service with a node port and the given pods, already flushed.
    private func web(_ family: IPFamily, pods: [UInt128], transport: TransportProtocol = .tcp) -> ServiceProxyModel {
        var model = ServiceProxyModel(family: family)
        model.set(
            ProxiedService(
                clusterIP: clusterIP(family, 1),
                ports: [.init(transport: transport, port: 80, nodePort: 30_080)]), named: ServiceName("web"))
        model.set(
            ProxiedSlice("web", family, port: 8080, transport: transport, pods: pods), named: ServiceName("web-1"))
        _ = model.flush()
        return model
    }

    @Test(
        "A Service becomes an action for each frontend and a slot for each endpoint", arguments: IPFamily.allCases
    )
    func compiles(family: IPFamily) {
        let table = web(family, pods: [1, 2, 3]).table
        let cluster = Frontend(address: clusterIP(family, 1), transport: .tcp, port: 80)
        let node = Frontend(address: nil, transport: .tcp, port: 30_080)
        #expect(
            table.actions == [
                cluster: .balance(Balance(.cluster, over: 3)), node: .balance(Balance(.external, over: 3)),
            ])
        let backends = Set([1, 2, 3].map { Backend(address: podIP(family, $0), port: 8080) })
        #expect(table.backends(of: cluster) == backends)
        #expect(table.aliases == [node: cluster])
        #expect(table.slots.count == 3)
        #expect(table.clusterAddresses == [clusterIP(family, 1)])
        #expect(table.hairpins == Set(backends.map(\.address)))
    }

    @Test("A Service without endpoints refuses on each of its frontends", arguments: IPFamily.allCases)
    func refuses(family: IPFamily) {
        let table = web(family, pods: []).table
        #expect(table.actions.count == 2)
        #expect(table.actions.values.allSatisfy { $0 == .refuse })
        #expect(table.slots.isEmpty)
        #expect(table.clusterAddresses == [clusterIP(family, 1)])
    }

    @Test("One endpoint more changes its slot and the counts, nothing else", arguments: IPFamily.allCases)
    func addsOneEndpoint(family: IPFamily) {
        var model = web(family, pods: [1, 2, 3])
        model.set(ProxiedSlice("web", family, port: 8080, pods: [0, 1, 2, 3]), named: ServiceName("web-1"))
        let cluster = Frontend(address: clusterIP(family, 1), transport: .tcp, port: 80)
        let difference = model.flush().difference
        let fresh = Backend(address: podIP(family, 0), port: 8080)
        #expect(difference.changes[.slot(Slot(cluster, .everywhere, 3))]?.new == .backend(fresh))
        #expect(difference.changes[.hairpin(podIP(family, 0))]?.new == .present)
        #expect(
            difference.changes[.action(cluster)]?.new == .action(.balance(Balance(.cluster, over: 4))))
        #expect(difference.count == 4)
    }

    @Test("Of many endpoints one more changes its own elements alone, and most often the range stays")
    func addsOneToMany() {
        for (count, range) in [(16, 16), (17, 32), (31, 32), (32, 32), (33, 64), (1000, 1024)] as [(UInt32, UInt32)] {
            #expect(Balance(.cluster, over: count).range == range)
        }
        var model = web(.ipv6, pods: Array(1...17))
        model.set(ProxiedSlice("web", .ipv6, port: 8080, pods: Array(1...18)), named: ServiceName("web-1"))
        #expect(model.flush().difference.count == 2)
    }

    @Test("One endpoint less moves the last one into its slot", arguments: [1, 2, 3] as [UInt128])
    func removesOneEndpoint(gone: UInt128) {
        var model = web(.ipv6, pods: [1, 2, 3])
        model.set(
            ProxiedSlice("web", .ipv6, port: 8080, pods: [1, 2, 3].filter { $0 != gone }), named: ServiceName("web-1"))
        let difference = model.flush().difference
        let cluster = Frontend(address: clusterIP(.ipv6, 1), transport: .tcp, port: 80)
        // Two actions, the hairpin, the last slot, and the one that its backend moved to.
        #expect(difference.count == (gone == 3 ? 4 : 5))
        #expect(
            difference.changes[.action(cluster)]?.new == .action(.balance(Balance(.cluster, over: 2))))
        #expect(difference.changes[.hairpin(podIP(.ipv6, gone))] == .init(from: .present, to: nil))
    }

    @Test("An event that changes nothing flushes nothing")
    func ignoresRepeats() {
        var model = web(.ipv4, pods: [1])
        model.set(ProxiedSlice("web", .ipv4, port: 8080, pods: [1]), named: ServiceName("web-1"))
        #expect(!model.hasPendingChanges)
        #expect(model.flush().difference.isEmpty)
    }

    /// A row: ready, serving, terminating of two endpoints; which of them take connections.
    static let conditions:
        [(first: (Bool, Bool, Bool), second: (Bool, Bool, Bool), chosen: Set<UInt128>, remark: String)] = [
            ((true, true, false), (true, true, false), [1, 2], "both ready"),
            ((true, true, false), (false, true, true), [1], "a terminating one gives way to a ready one"),
            ((false, false, false), (false, true, true), [2], "terminating but serving, as none is ready"),
            ((false, true, true), (false, true, true), [1, 2], "all terminating and serving"),
            (
                (false, false, true), (false, true, false), [],
                "not serving, or serving but neither ready nor terminating"
            ),
            ((true, false, true), (false, false, false), [1], "published although not ready"),
        ]

    @Test("Ready endpoints are chosen, else terminating ones that still serve", arguments: conditions.indices)
    func choosesByCondition(row: Int) {
        let (first, second, chosen, remark) = Self.conditions[row]
        var model = web(.ipv4, pods: [])
        let endpoints = [(UInt128(1), first), (2, second)].map { number, conditions in
            ProxiedSlice.Endpoint(
                address: podIP(.ipv4, number), isReady: conditions.0, isServing: conditions.1,
                isTerminating: conditions.2)
        }
        model.set(
            ProxiedSlice(service: ServiceName("web"), ports: [.init(port: 8080)], endpoints: endpoints),
            named: ServiceName("web-1"))
        _ = model.flush()
        #expect(
            Set(model.table.slots.values.map(\.address)) == Set(chosen.map { podIP(.ipv4, $0) }), "\(remark)")
    }

    @Test("Slice ports are matched by name and protocol")
    func matchesPorts() {
        var model = ServiceProxyModel(family: .ipv4)
        model.set(
            ProxiedService(
                clusterIP: clusterIP(.ipv4, 1),
                ports: [
                    .init(name: "dns", transport: .udp, port: 53), .init(name: "dns-tcp", transport: .tcp, port: 53),
                    .init(name: "http", transport: .tcp, port: 80),
                ]), named: ServiceName("dns"))
        model.set(
            ProxiedSlice(
                service: ServiceName("dns"),
                ports: [
                    .init(name: "dns", transport: .udp, port: 1053),
                    .init(name: "dns-tcp", transport: .tcp, port: 1054),
                    .init(name: "http", transport: .udp, port: 8080),
                ], endpoints: [.init(address: podIP(.ipv4, 1))]), named: ServiceName("dns-1"))
        _ = model.flush()
        func ports(_ transport: TransportProtocol, _ port: UInt16) -> [UInt16] {
            model.table.backends(of: Frontend(address: clusterIP(.ipv4, 1), transport: transport, port: port))
                .map(\.port)
        }
        #expect(ports(.udp, 53) == [1053])
        #expect(ports(.tcp, 53) == [1054])
        #expect(ports(.tcp, 80).isEmpty)
    }

    @Test("Of two Services with one node port the first by name has it, and the other after it")
    func resolvesConflicts() {
        let node = Frontend(address: nil, transport: .tcp, port: 30_080)
        for order in [["a", "b"], ["b", "a"]] {
            var model = ServiceProxyModel(family: .ipv4)
            for name in order {
                let number: UInt128 = name == "a" ? 1 : 2
                model.set(
                    ProxiedService(clusterIP: clusterIP(.ipv4, number), ports: [.init(port: 80, nodePort: 30_080)]),
                    named: ServiceName(name))
                model.set(ProxiedSlice(name, .ipv4, port: 8080, pods: [number]), named: ServiceName("\(name)-1"))
                _ = model.flush()
            }
            #expect(model.table.backends(of: node).map(\.address) == [podIP(.ipv4, 1)])
            model.set(nil as ProxiedService?, named: ServiceName("a"))
            _ = model.flush()
            #expect(model.table.backends(of: node).map(\.address) == [podIP(.ipv4, 2)])
            model.set(nil as ProxiedService?, named: ServiceName("b"))
            _ = model.flush()
            #expect(model.table.actions.isEmpty && model.table.slots.isEmpty)
            #expect(model.table.clusterAddresses.isEmpty && model.table.hairpins.isEmpty)
        }
    }

    @Test("Datagram flows are named when endpoints go away or first come")
    func namesStaleFlows() {
        var model = web(.ipv4, pods: [1, 2], transport: .udp)
        let slice = ServiceName("web-1")
        func update(_ pods: [UInt128]) -> Set<Set<IPAddress>> {
            model.set(ProxiedSlice("web", .ipv4, port: 8080, transport: .udp, pods: pods), named: slice)
            return Set(model.flush().datagramFrontends.values)
        }
        #expect(update([1, 2, 3]).isEmpty)
        #expect(update([1, 3]) == [[podIP(.ipv4, 1), podIP(.ipv4, 3)]])
        #expect(update([]) == [[]])
        #expect(update([4]) == [[podIP(.ipv4, 4)]])
    }

    @Test("A model that adopts the kernel's slots changes nothing", arguments: IPFamily.allCases)
    func adopts(family: IPFamily) {
        var model = web(family, pods: [5, 6, 7, 8])
        // Slots in an order that compiling anew would not give.
        model.set(ProxiedSlice("web", family, port: 8080, pods: [6, 7, 8, 9]), named: ServiceName("web-1"))
        _ = model.flush()
        let kernel = model.table
        var successor = ServiceProxyModel(family: family, adoptingSlotsOf: kernel)
        successor.set(
            ProxiedService(clusterIP: clusterIP(family, 1), ports: [.init(port: 80, nodePort: 30_080)]),
            named: ServiceName("web"))
        successor.set(ProxiedSlice("web", family, port: 8080, pods: [9, 8, 7, 6]), named: ServiceName("web-1"))
        _ = successor.flush()
        #expect(kernel.difference(to: successor.table).isEmpty)
    }

    @Test("While the node has no block every source keeps its address, and none counts as a local pod")
    func localPods() throws {
        var model = ServiceProxyModel(family: .ipv6)
        _ = model.flush()
        let everything = try #require(IPPrefix("::/0"))
        let blocks = try ["10.244.1.0/24", "fd00:10:244:1::/64"].map { try #require(IPPrefix($0)) }
        #expect(model.table.entries[.unmasqueraded(everything)] == .present)
        #expect(model.table.entries[.localPods(everything)] == nil)
        model.set(ProxiedNode(podPrefixes: Set(blocks)))
        _ = model.flush()
        #expect(model.table.entries[.unmasqueraded(everything)] == nil)
        #expect(model.table.entries[.unmasqueraded(blocks[1])] == .present)
        #expect(model.table.entries[.localPods(blocks[1])] == .present)
        #expect(model.table.entries[.localPods(blocks[0])] == nil)
        model.set(furtherPods: [try #require(IPPrefix("fd00:10:244:7::/64")), try #require(IPPrefix("10.7.0.0/26"))])
        _ = model.flush()
        #expect(model.table.entries[.localPods(try #require(IPPrefix("fd00:10:244:7::/64")))] == .present)
        #expect(model.table.entries[.localPods(blocks[1])] == .present)
    }
}
