import Addresses
import KubernetesAPI
import ServiceProxy
import Testing

/// Services of more endpoints than there are pods: those of one pod differ in ports, which all lead to its server.
@Suite("Services of many endpoints in the kernel", .enabled(if: NodeLab.isPossible), .blocking)
struct KernelSizeTests {
    /// A lab in which connections to many ports of "pod-2" end at its server, and the ports are remembered.
    private func lab(_ family: IPFamily, atConnect: Bool) throws -> PolicyLab {
        let policy = try PolicyLab(family, atConnect: atConnect)
        let rules = [
            "add table inet ends", "add set inet ends seen { typeof tcp dport; flags dynamic; }",
            "add chain inet ends entry { type nat hook prerouting priority -100; }",
            "add rule inet ends entry tcp dport 9000-9999 update @seen { tcp dport } redirect to :8080",
        ]
        try policy.lab.shell("nft \"\(rules.joined(separator: "; "))\"", in: "pod-2")
        return policy
    }

    /// How many of the ports were called since the last time.
    private func seen(_ policy: PolicyLab) throws -> Int {
        let list = "nft list set inet ends seen | grep -ow 9[0-9][0-9][0-9] | sort -u | wc -l"
        let count = try policy.lab.shell(list, in: "pod-2")
        try policy.lab.shell("nft flush set inet ends seen", in: "pod-2")
        return Int(count) ?? -1
    }

    @Test(
        "Calls reach each of many endpoints, and none is lost, however the number lies to the range",
        arguments: IPFamily.allCases, KernelPolicyTests.waysToLead)
    func spreads(family: IPFamily, atConnect: Bool) throws {
        let policy = try lab(family, atConnect: atConnect)
        var web = policy.service("web", number: 1, nodePort: 30_080)
        policy.table.update(web)
        func call(times: Int, from place: String) throws -> Set<String> {
            var met: Set<String> = []
            for (address, port) in [(clusterIP(family, 1), UInt16(80)), (policy.nodeAddress, 30_080)] {
                let call = Call(from: policy.address(place), to: address, .tcp, port)
                let answers = try policy.lab.answers(to: Array(repeating: (place, call, 30), count: times))
                met.formUnion(answers.map { String($0.prefix { $0 != " " }) })
            }
            return met
        }
        var count = 0
        // With one below the range, half of it, and as many as it.
        for more in [17, 14, 1] {
            for number in count..<count + more {
                var object = slice("web", family, [policy.address("pod-2")])
                object.metadata.name = "web-\(number)"
                object.ports = [EndpointPort(name: "tcp", port: 9000 + number, protocol: "TCP")]
                policy.table.update(object)
            }
            count += more
            try policy.table.flush()
            for place in ["pod-1", "client"] {
                // One of 32 is left out by 800 calls in 3 of 10 billion cases.
                for _ in 0..<4 { #expect(try call(times: 100, from: place) == ["pod-2"], "\(count), \(place)") }
                #expect(try seen(policy) == count, "\(place)")
            }
        }
        web.spec?.sessionAffinity = "ClientIP"
        policy.table.update(web)
        try policy.table.flush()
        for place in ["pod-1", "client"] {
            #expect(try call(times: 1, from: place) == ["pod-2"])
            #expect(try call(times: 40, from: place) == ["pod-2"])
            #expect(try seen(policy) == 1, "\(place)")
        }
    }

    @Test("A Service of 100,000 endpoints stands beside others, and goes again")
    func manyEndpoints() throws {
        let family = IPFamily.ipv6
        let policy = try PolicyLab(family)
        policy.update(policy.service("web", number: 1), ready: ["pod-2"])
        policy.table.update(policy.service("huge", number: 2))
        let slices = (0..<100 as Range<UInt128>).map { part in
            var object = slice("huge", family, (0..<1000).map { address(family, network: 1000, part * 1000 + $0) })
            object.metadata.name = "huge-\(part)"
            object.ports = [EndpointPort(name: "tcp", port: 8080, protocol: "TCP")]
            return object
        }
        for object in slices { policy.table.update(object) }
        // A slot and a hairpin of each.
        #expect(try policy.table.flush().elements >= 200_000)
        #expect(try policy.lab.call(clusterIP(family, 1), 80, from: "pod-1").hasPrefix("pod-2"))
        for object in slices { policy.table.remove(object) }
        try policy.table.flush()
        #expect(try policy.lab.call(clusterIP(family, 1), 80, from: "pod-1").hasPrefix("pod-2"))
        #expect(try policy.lab.call(clusterIP(family, 2), 80, from: "pod-1") == "refused")
        #expect(try policy.table.audit() == TableReconciler.Report())
    }
}
