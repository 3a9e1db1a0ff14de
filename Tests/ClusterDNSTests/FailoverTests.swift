import Addresses
import ClusterDNS
import Foundation
import Linux
import NFTables
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
        plan.choose(among: standIns, for: node)
        return plan
    }

    @Test func `is shared by the others, by each node's in a way of its own that lasts`() {
        let all = standIns(100)
        var uses: [IPAddress: Int] = [:]
        for node in 0..<100 {
            let chosen = plan("node-\(node)", all).standIns
            #expect(chosen.count == FailoverPlan.maximum * 2, "so many of each family")
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
