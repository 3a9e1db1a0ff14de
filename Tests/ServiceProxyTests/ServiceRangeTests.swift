import Addresses
import KubernetesAPI
import ServiceProxy
import Testing

@Suite("Ranges of Services' addresses")
struct ServiceRangeTests {
    private static func range(_ name: String, _ prefixes: [IPPrefix]) -> ServiceCIDR {
        ServiceCIDR(metadata: ObjectMeta(name: name), spec: ServiceCIDRSpec(cidrs: prefixes.map(\.description)))
    }

    private func ranges(_ table: ProxyTable) -> Set<IPPrefix> {
        Set(table.entries.keys.compactMap { if case .serviceRange(let range) = $0 { range } else { nil } })
    }

    @Test("They follow the ServiceCIDRs, each family's its own", arguments: IPFamily.allCases)
    func follows(family: IPFamily) {
        func prefix(_ family: IPFamily, _ host: Int) -> IPPrefix {
            IPPrefix(clusterIP(family, 0), length: family.bitWidth - host)
        }
        let both = Self.range("kubernetes", IPFamily.allCases.map { prefix($0, 8) })
        var model = ServiceProxyModel(family: family)
        _ = model.flush()
        model.update([both])
        #expect(model.hasPendingChanges)
        #expect(model.flush().difference.count == 1)
        #expect(ranges(model.table) == [prefix(family, 8)])
        // One that lies in another adds nothing; one that holds it takes its place.
        model.update([both, Self.range("inner", [prefix(family, 4)])])
        #expect(!model.hasPendingChanges)
        model.update([both, Self.range("outer", [prefix(family, 12)])])
        #expect(model.flush().difference.count == 2)
        #expect(ranges(model.table) == [prefix(family, 12)])
        model.update([Self.range("broken", []), ServiceCIDR(spec: ServiceCIDRSpec(cidrs: ["nonsense"])), ServiceCIDR()])
        _ = model.flush()
        #expect(ranges(model.table).isEmpty)
    }

    @Test(
        "An address of a range that nobody has is dropped, unless it is the node's", .enabled(if: NodeLab.isPossible),
        arguments: IPFamily.allCases, KernelPolicyTests.waysToLead)
    func drops(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        policy.update(policy.service("web", number: 1), ready: ["pod-1"])
        policy.table.update([Self.range("kubernetes", [IPPrefix(clusterIP(family, 1), length: family.bitWidth - 8)])])
        try policy.lab.shell("ip addr add \(clusterIP(family, 9))/\(family.bitWidth) dev lo", in: "node")
        try policy.table.flush()
        for place in ["client", "pod-2"] {
            let calls = ([1, 7, 9] as [UInt128]).map { number in
                (place, Call(from: policy.address(place), to: clusterIP(family, number), .tcp, 80), 0.5)
            }
            let answers = try policy.lab.answers(to: calls)
            #expect(answers[0].hasPrefix("pod-1") && answers[1...] == ["timeout", "refused"], "\(place): \(answers)")
            let node: Set = [clusterIP(family, 9)]
            #expect(calls.map { policy.table.outcome(of: $0.1, nodeAddresses: node) }[1...] == [.dropped, .untouched])
        }
    }
}
