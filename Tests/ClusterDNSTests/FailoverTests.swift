import Addresses
import ClusterDNS
import Foundation
import Linux
import NFTables
import TestSupport
import Testing

@Suite struct `A server's absence` {
    private static let addresses = Set(["10.96.0.10", "fd00:10:96::a"].compactMap { IPAddress($0) })

    private func standIns(_ count: Int) -> [FailoverPlan.StandIn] {
        (1...count).flatMap { number in
            ["192.0.2.\(number)", "2001:db8::\(number)"].compactMap { IPAddress($0) }.map {
                FailoverPlan.StandIn($0, datagramPort: 10053, streamPort: 10053)
            }
        }
    }

    private func plan(_ node: String, _ standIns: [FailoverPlan.StandIn]) -> FailoverPlan {
        var plan = FailoverPlan(port: 53)
        plan.addresses = Self.addresses
        var choice = StandInChoice(for: node)
        for standIn in standIns { choice.insert(standIn) }
        plan.standIns = choice.standIns
        return plan
    }

    @Test func `is shared by the others, by each node's in a way of its own that lasts`() {
        let all = standIns(100)
        var uses: [IPAddress: Int] = [:]
        for node in 0..<100 {
            let chosen = plan("node-\(node)", all).standIns
            #expect(chosen.count == StandInChoice.maximum * 2, "so many of each family")
            for standIn in chosen { uses[standIn.address, default: 0] += 1 }
            #expect(plan("node-\(node)", all.shuffled()).standIns == chosen)
            // Without one that was not chosen nothing changes; without one that was, one other comes.
            let others = all.filter { !chosen.contains($0) }
            #expect(plan("node-\(node)", all.filter { $0 != others[0] }).standIns == chosen)
            let fewer = plan("node-\(node)", all.filter { $0 != chosen[0] }).standIns
            #expect(Set(fewer).subtracting(chosen).count == 1)
        }
        #expect(uses.values.max() ?? 0 < 40, "16 on average")
    }

    @Test(arguments: UInt64(1)...4)
    func `is filled from those that are left, whoever comes and goes`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let all = standIns(60)
        var choice = StandInChoice(for: "a")
        var present: [FailoverPlan.StandIn] = []
        for _ in 0..<1000 {
            if let gone = present.randomElement(using: &generator), Bool.random(using: &generator) {
                choice.remove(gone)
                present.remove(at: present.firstIndex(of: gone) ?? 0)
            } else if let new = all.randomElement(using: &generator) {
                choice.insert(new)  // again too: two nodes may say that they have an address
                present.append(new)
            }
            #expect(choice.standIns == plan("a", present.shuffled(using: &generator)).standIns, "seed \(seed)")
        }
    }

    @Test(arguments: [500, 5000])
    func `costs the same for each node that comes or goes, however many there are`(count: Int) {
        func standIn(_ number: Int) -> FailoverPlan.StandIn {
            FailoverPlan.StandIn(
                .v4(IPv4Address(rawValue: UInt32(0x0A00_0000 + number))), datagramPort: 10053, streamPort: 10053)
        }
        var choice = StandInChoice(for: "a")
        for number in 0..<count { choice.insert(standIn(number)) }
        #expect(choice.steps == count)
        for number in 0..<200 {
            choice.insert(standIn(count + number))
            choice.remove(standIn(number * count / 200))
        }
        // One step for each, and all others once for each of those that had been chosen.
        #expect((choice.steps - count) / 400 < 2 * StandInChoice.maximum, "\(choice.steps)")
    }

    @Test func `needs a table only where there are addresses, and one that fits stays as it is`() throws {
        var reconciler = FailoverReconciler(NFTablesFake())
        #expect(try !reconciler.apply(FailoverPlan(port: 53)))
        let one = plan("a", standIns(3))
        #expect(try reconciler.apply(one))
        #expect(try !reconciler.apply(one))
        #expect(try reconciler.apply(plan("a", standIns(4))), "another node")
        #expect(try reconciler.apply(plan("a", [])), "none")
        #expect(try reconciler.apply(FailoverPlan(port: 53)))
        #expect(try !reconciler.remove())
    }

    @Test(arguments: [Errno.noEntry, .notSupported])
    func `is noticed by heartbeats alone where the kernel's rules cannot see sockets`(refusal: Errno) throws {
        var fake = NFTablesFake()
        fake.nextFailure = refusal
        var reconciler = FailoverReconciler(fake)
        #expect(try reconciler.apply(plan("a", standIns(3))))
        let usesSockets = reconciler.usesSockets
        #expect(!usesSockets)
        #expect(try !reconciler.apply(plan("a", standIns(3))), "the rules that such a kernel takes are the right ones")
        #expect(try reconciler.apply(plan("a", standIns(2))))
    }

    @Test func `is not taken for a kernel without that when the rules fail otherwise`() throws {
        var fake = NFTablesFake()
        fake.nextFailure = .notPermitted
        var reconciler = FailoverReconciler(fake)
        #expect(throws: NFTablesError.self) { try reconciler.apply(plan("a", standIns(3))) }
        #expect(try reconciler.apply(plan("a", standIns(3))))
        let usesSockets = reconciler.usesSockets
        #expect(usesSockets)
    }

    @Test(.enabled(if: getuid() == 0)) func `is in the kernel what it is in the plan, whatever was there before`()
        throws
    {
        let name = "dt-fail-\(UInt32.random(in: .min ... .max))"
        let namespace = try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }
        try namespace.run {
            var reconciler = FailoverReconciler(try NFTablesSocket())
            #expect(try reconciler.apply(plan("a", standIns(3))))
            let usesSockets = reconciler.usesSockets
            #expect(usesSockets)
            // Another process finds the table and changes nothing.
            var next = FailoverReconciler(try NFTablesSocket())
            #expect(try !next.apply(plan("a", standIns(3))))
            #expect(try next.apply(plan("a", standIns(2))))
            #expect(try !next.apply(plan("a", standIns(2))))
            // What somebody takes away comes back.
            var socket = try NFTablesSocket()
            let table = try #require(try socket.tables().first)
            try socket.commit(Transaction([.flushChain(table, "arrivals")]))
            #expect(try next.apply(plan("a", standIns(2))))
            let sets = try socket.sets(of: table)
            for set in sets where set.name.hasPrefix("addresses") {
                try socket.commit(Transaction([.flushSet(table, set.name)]))
            }
            #expect(try next.apply(plan("a", standIns(2))))
            #expect(try !next.apply(plan("a", standIns(2))))
            #expect(try next.remove())
            #expect(try socket.tables().isEmpty)
        }
    }
}
