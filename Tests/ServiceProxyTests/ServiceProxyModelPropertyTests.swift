import Addresses
import ServiceProxy
import TestSupport
import Testing

@Suite("Service proxy model under random events")
struct ServiceProxyModelPropertyTests {
    /// What the events so far amount to.
    private struct World {
        var services: [ServiceName: ProxiedService] = [:]
        var slices: [ServiceName: ProxiedSlice] = [:]
        var node = ProxiedNode()

        mutating func change(
            _ family: IPFamily, using generator: inout SeededGenerator, in model: inout ServiceProxyModel
        ) {
            if Int.random(in: 0..<10, using: &generator) == 0 {
                node = ProxiedNode(
                    zone: ["a", "c", nil].randomElement(using: &generator) ?? nil,
                    addresses: [podIP(family, UInt128.random(in: 4...9, using: &generator))])
                model.set(node)
                return
            }
            let service = UInt128.random(in: 0..<6, using: &generator)
            let name = ServiceName("service-\(service)")
            if Bool.random(using: &generator) {
                let value = Bool.random(using: &generator) ? nil : randomService(service, family, using: &generator)
                services[name] = value
                model.set(value, named: name)
            } else {
                let slice = ServiceName("slice-\(Int.random(in: 0..<8, using: &generator))")
                let value =
                    Int.random(in: 0..<4, using: &generator) == 0 ? nil : randomSlice(name, family, using: &generator)
                slices[slice] = value
                model.set(value, named: slice)
            }
        }

        private func randomService(
            _ number: UInt128, _ family: IPFamily, using generator: inout SeededGenerator
        ) -> ProxiedService {
            // Few addresses and node ports, so that Services contend for them.
            let address = clusterIP(family, number + UInt128.random(in: 0..<2, using: &generator))
            let ports = ["", "b"].prefix(Int.random(in: 1...2, using: &generator)).map { name in
                ProxiedService.Port(
                    name: name, transport: Bool.random(using: &generator) ? .tcp : .udp,
                    port: UInt16.random(in: 80...82, using: &generator),
                    nodePort: Bool.random(using: &generator)
                        ? UInt16.random(in: 30_000...30_003, using: &generator) : nil)
            }
            var service = ProxiedService(clusterIP: address, ports: ports)
            func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &generator) == 0 }
            service.internalIsLocal = chance(3)
            service.externalIsLocal = chance(3)
            service.stickySeconds = chance(3) ? 600 : nil
            // An external address may be another Service's cluster address.
            if chance(3) { service.externalIPs = [clusterIP(family, UInt128.random(in: 0...8, using: &generator))] }
            if chance(3) { service.loadBalancerIPs = [podIP(family, 200), podIP(family, 201)] }
            if chance(3) { service.admittedSources = [IPPrefix(podIP(family, 4), length: family.bitWidth - 2)] }
            return service
        }

        private func randomSlice(
            _ service: ServiceName, _ family: IPFamily, using generator: inout SeededGenerator
        ) -> ProxiedSlice {
            let ports = ["", "b"].map { name in
                ProxiedSlice.Port(
                    name: name, transport: Bool.random(using: &generator) ? .tcp : .udp,
                    port: UInt16.random(in: 8080...8081, using: &generator))
            }
            let endpoints = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                var endpoint = ProxiedSlice.Endpoint(
                    address: podIP(family, UInt128.random(in: 1...9, using: &generator)),
                    isReady: Bool.random(using: &generator), isServing: Bool.random(using: &generator),
                    isTerminating: Bool.random(using: &generator))
                endpoint.nodeName = Bool.random(using: &generator) ? "node" : "other"
                endpoint.forZones = Bool.random(using: &generator) ? ["a"] : ["b"]
                return endpoint
            }
            return ProxiedSlice(service: service, ports: ports, endpoints: endpoints)
        }

        /// The table compiled from nothing.
        func compiled(_ family: IPFamily) -> ProxyTable {
            var model = ServiceProxyModel(family: family)
            for (name, service) in services { model.set(service, named: name) }
            for (name, slice) in slices { model.set(slice, named: name) }
            model.set(node)
            _ = model.flush()
            return model.table
        }
    }

    @Test("Changes applied one by one end where compiling from nothing ends", arguments: 0..<60)
    func incrementalEqualsFromScratch(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let family: IPFamily = seed.isMultiple(of: 2) ? .ipv4 : .ipv6
        var world = World()
        var model = ServiceProxyModel(family: family)
        var kernel = ProxyTable(family: family)
        for step in 0..<150 {
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                world.change(family, using: &generator, in: &model)
            }
            let difference = model.flush().difference
            kernel.apply(difference)
            #expect(
                kernel.difference(to: model.table).isEmpty, "seed \(seed), step \(step): the differences do not add up")
            let error = kernel.canonical().difference(to: world.compiled(family).canonical()).changes
            #expect(error.isEmpty, "seed \(seed), step \(step): not what compiling from nothing gives")
            guard error.isEmpty else { return }
        }
    }

    /// A kernel's table that follows a model, and how many entries it should have by adding up.
    private struct Lab {
        var generator: SeededGenerator
        let family: IPFamily
        var world = World()
        var model: ServiceProxyModel
        var kernel: ProxyTable
        var count = 0

        init(seed: Int) {
            generator = SeededGenerator(seed: UInt64(seed))
            family = seed.isMultiple(of: 2) ? .ipv4 : .ipv6
            model = ServiceProxyModel(family: family)
            kernel = ProxyTable(family: family)
        }

        /// Changes something, in the model and the kernel.
        mutating func change() -> TableDifference {
            world.change(family, using: &generator, in: &model)
            let difference = model.flush().difference
            kernel.apply(difference)
            count += difference.growth
            return difference
        }

        /// Compares all in small parts, with changes in between; false if the kernel is not as it should be.
        mutating func compares() -> Bool {
            var comparison = TableComparison()
            func isNow() -> Bool { Int.random(in: 0..<6, using: &generator) == 0 }
            for kind in EntryKind.allCases.shuffled(using: &generator) {
                if isNow() { comparison.note(change()) }
                let content = kernel.entries.filter { $0.key.kind == kind }.map { ($0.key, $0.value) }
                if isNow() { comparison.note(change()) }
                comparison.begin(kind, content)
                var finding = comparison.advance(by: 2, model)
                while finding == .more {
                    if isNow() { comparison.note(change()) }
                    finding = comparison.advance(by: 2, model)
                }
                guard finding == .agrees else { return false }
            }
            return comparison.isComplete(model, count)
        }
    }

    @Test("A comparison in parts, between changes, finds nothing where nothing is wrong", arguments: 0..<100)
    func comparison(seed: Int) {
        var lab = Lab(seed: seed)
        for _ in 0..<20 {
            for _ in 0..<10 { _ = lab.change() }
            let table = lab.model.table.entries
            #expect(lab.count == table.count, "seed \(seed)")
            #expect(table.allSatisfy { lab.model.value(of: $0.key) == $0.value }, "seed \(seed)")
            let agrees = lab.compares()
            #expect(agrees, "seed \(seed)")
        }
    }

    @Test("A comparison finds an entry too many, one that lacks, and one that is another", arguments: 0..<100)
    func comparisonOfWrongTables(seed: Int) {
        var lab = Lab(seed: seed)
        for _ in 0..<40 { _ = lab.change() }
        // What no change touches, and the change of it.
        let stranger = Slot(Frontend(address: clusterIP(lab.family, 99), transport: .tcp, port: 9), .everywhere, 0)
        let cluster = Frontend(address: clusterIP(lab.family, 98), transport: .tcp, port: 9)
        lab.model.set(
            ProxiedService(clusterIP: clusterIP(lab.family, 98), ports: [.init(port: 9)]), named: ServiceName("still"))
        _ = lab.change()
        let backend = Backend(address: podIP(lab.family, 1), port: 80)
        let address = TableEntry.clusterAddress(clusterIP(lab.family, 98))
        let wrong: [(String, TableEntry, TableValue?)] = [
            ("too many", .slot(stranger), .backend(backend)), ("lacking", address, nil),
            ("another", .action(cluster), .action(.drop)),
        ]
        for (name, entry, value) in wrong {
            let agrees = lab.compares()
            #expect(agrees, "seed \(seed), before \(name)")
            let right = lab.kernel.entries[entry]
            lab.kernel.entries[entry] = value
            let seesNothing = lab.compares()
            #expect(!seesNothing, "seed \(seed), \(name)")
            lab.kernel.entries[entry] = right
        }
    }

    @Test("Slots are complete, hold each backend once, and move no more than they must", arguments: 0..<200)
    func slotAssignment(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        func randomBackends() -> Set<Backend> {
            Set(
                (0..<Int.random(in: 0...8, using: &generator)).map { _ in
                    Backend(address: podIP(.ipv4, UInt128.random(in: 1...10, using: &generator)), port: 80)
                })
        }
        let previous = randomBackends().shuffled(using: &generator)
        let desired = randomBackends()
        let slots = assignSlots(previous: previous, desired: desired)
        #expect(Set(slots) == desired && slots.count == desired.count, "seed \(seed)")
        let kept = zip(previous, slots).count { $0 == $1 }
        let keepable = previous.prefix(desired.count).count { desired.contains($0) }
        #expect(kept == keepable, "seed \(seed)")
    }
}
