import Addresses
import KubernetesAPI
import Linux
import Netlink
import RouteNetlink
import ServiceProxy
import Testing

/// What goes wrong between the proxy and a real kernel.
@Suite("Faults between the proxy and the kernel", .enabled(if: NodeLab.isPossible), .blocking)
struct KernelFaultTests {
    @Test(
        "Random nonsense disturbs nobody, and leaves the table that the objects say", arguments: IPFamily.allCases,
        KernelPolicyTests.waysToLead)
    func nonsense(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        // No nonsense has this address.
        let address = clusterIP(family, 99)
        policy.update(policy.service("sane", number: 99), ready: ["pod-2"])
        try policy.table.flush()
        var source = HostileObjects(family: family, seed: 5)
        for step in 0..<120 {
            let web = source.service()
            let ends = source.slice()
            if source.chance(4) {
                policy.table.remove(web)
                policy.table.remove(ends)
            } else {
                policy.table.update(web)
                policy.table.update(ends)
            }
            #expect(try !policy.table.flush().isRebuilt, "step \(step)")
            guard step % 10 == 9 else { continue }
            #expect(try policy.table.audit() == TableReconciler.Report(), "step \(step)")
            for place in ["pod-1", "client"] {
                #expect(try policy.lab.call(address, 80, from: place).hasPrefix("pod-2"), "step \(step), \(place)")
            }
            if atConnect { #expect(policy.balancer?.state == .active, "step \(step)") }
        }
    }

    @Test("Where news of the node's addresses were lost, all are looked at", arguments: IPFamily.allCases)
    func lostNews(family: IPFamily) throws {
        let policy = try PolicyLab(family, atConnect: true)
        policy.update(policy.service("web", number: 1, nodePort: 30_080), ready: ["pod-2"])
        try policy.table.flush()
        let balancer = try #require(policy.balancer)
        balancer.followNode()
        // Hears what the proxy hears, and does not read it either.
        let witness = try policy.lab.run(in: "node") { try RouteMonitor() }
        let (passing, last) = (policy.external(1), policy.external(2))
        let own = "\(passing)/\(family.bitWidth) dev lo"
        let change = "echo addr add \(own); echo addr del \(own)"
        try policy.lab.shell("for i in {1..10000}; do \(change); done | ip -batch -", in: "node")
        try policy.lab.shell("ip addr add \(last)/\(family.bitWidth) dev lo", in: "node")
        let error = #expect(throws: NetlinkError.self) { try witness.available() }
        #expect(error?.errno == .noBufferSpace)
        balancer.followNode()
        #expect(balancer.state == .active)
        // As itself, so it was led; as a packet it would come from the node.
        let met = try policy.lab.call(last, 30_080, from: "pod-1")
        #expect(met == "pod-2 \(policy.address("pod-1"))")
    }
}
