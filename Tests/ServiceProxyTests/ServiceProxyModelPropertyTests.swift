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
