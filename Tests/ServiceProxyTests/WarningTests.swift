import Addresses
import KubernetesAPI
import ServiceProxy
import Testing

@Suite("Warnings to the authors of Services")
struct WarningTests {
    private static let both = [clusterIP(.ipv4, 1), clusterIP(.ipv6, 1)]

    /// A load-balanced Service of some families, changed.
    private static func balanced(
        _ addresses: [IPAddress] = both, _ change: (inout ServiceSpec) -> Void = { _ in }, ingress: [String] = []
    ) -> Service {
        var service = service("web", addresses, nodePort: 30_080)
        var spec = service.spec ?? ServiceSpec()
        spec.type = "LoadBalancer"
        change(&spec)
        service.spec = spec
        service.status = ServiceStatus(
            loadBalancer: LoadBalancerStatus(ingress: ingress.map { LoadBalancerIngress(ip: $0) }))
        return service
    }

    /// Rows: a Service, and reason and a word of each warning.
    static let rows: [(service: Service, warnings: [String: String], remark: String)] = [
        (balanced(), [:], "nothing special"),
        (balanced { $0.loadBalancerSourceRanges = ["192.0.2.0/24", "2001:db8::/32"] }, [:], "ranges of both families"),
        (
            balanced { $0.loadBalancerSourceRanges = [" 192.0.2.0/24"] }, ["SourceRangesOfOneFamily": "::/0"],
            "ranges of IPv4 alone"
        ),
        (
            balanced { $0.loadBalancerSourceRanges = ["2001:db8::/32"] }, ["SourceRangesOfOneFamily": "0.0.0.0/0"],
            "ranges of IPv6 alone"
        ),
        (
            balanced([clusterIP(.ipv4, 1)]) { $0.loadBalancerSourceRanges = ["192.0.2.0/24"] }, [:],
            "a Service of the family that the ranges have"
        ),
        (
            balanced {
                $0.loadBalancerSourceRanges = ["192.0.2.0/24"]
                $0.type = "NodePort"
            }, [:], "ranges without a load balancer"
        ),
        (balanced { $0.externalIPs = ["192.0.2.1", "2001:db8::1"] }, [:], "external addresses of both families"),
        (
            balanced([clusterIP(.ipv4, 1)]) { $0.externalIPs = ["192.0.2.1", "2001:db8::1"] },
            ["KubeProxyIncorrectIPVersion": "2001:db8::1 in externalIPs"], "an external address of the other family"
        ),
        (
            balanced([clusterIP(.ipv6, 1)], ingress: ["192.0.2.1"]),
            ["KubeProxyIncorrectIPVersion": "192.0.2.1 in status.loadBalancer.ingress"],
            "an address of the load balancer of the other family"
        ),
        (balanced([]) { $0.externalIPs = ["192.0.2.1"] }, [:], "no cluster address"),
    ]

    @Test("They name what does not answer, and whom it does not answer", arguments: rows.indices)
    func warnings(row: Int) {
        let (service, expected, remark) = Self.rows[row]
        let warnings = ServiceWarning.warnings(of: service)
        #expect(Set(warnings.map(\.reason)) == Set(expected.keys), "\(remark)")
        for warning in warnings {
            #expect(warning.message.contains(expected[warning.reason] ?? "?"), "\(remark): \(warning.message)")
        }
        var other = service
        other.metadata.labels = [WellKnownLabel.serviceProxyName: "another"]
        #expect(ServiceWarning.warnings(of: other).isEmpty, "\(remark), of another proxy")
    }

    @Test("A Service that wants another's address is told so once", arguments: IPFamily.allCases)
    func conflicts(family: IPFamily) {
        var model = ServiceProxyModel(family: family)
        var thief = service("thief", [clusterIP(family, 2)])
        thief.spec?.externalIPs = [clusterIP(family, 1).description]
        model.update(thief)
        #expect(model.flush().conflicts.isEmpty)
        model.update(service("web", [clusterIP(family, 1)]))
        let conflict = FrontendConflict(
            frontend: Frontend(address: clusterIP(family, 1), transport: .tcp, port: 80),
            loser: ServiceName("thief"), holder: ServiceName("web"))
        #expect(model.flush().conflicts == [conflict])
        #expect(conflict.warning.message.contains("belongs to Service default/web"))
        model.update(slice("thief", family, [podIP(family, 1)]))
        #expect(model.flush().conflicts.isEmpty)
        // The address is free, then taken again.
        model.remove(service("web", [clusterIP(family, 1)]))
        #expect(model.flush().conflicts.isEmpty)
        model.update(service("web", [clusterIP(family, 1)]))
        #expect(model.flush().conflicts == [conflict])
    }
}
