import Addresses
import KubernetesAPI
import ServiceProxy
import Testing

/// What an administrator sees of the kernel's tables, whichever version of nft it is.
@Suite("Listings of the kernel's tables", .enabled(if: NodeLab.isPossible), .blocking)
struct KernelListingTests {
    @Test("nft lists the tables of every shape of Service, as text and as JSON", arguments: IPFamily.allCases)
    func lists(family: IPFamily) throws {
        let policy = try PolicyLab(family)
        var number: UInt128 = 0
        for isLocal in [false, true] {
            for seconds in [nil, 77] {
                for pods in [[], ["remote"], ["pod-1", "remote"], ["pod-1", "pod-2", "remote"]] {
                    number += 1
                    var web = policy.service("web-\(number)", number: number, nodePort: 30_080 + Int(number))
                    web.spec?.ports?.append(
                        ServicePort(name: "sctp", protocol: "SCTP", port: 80, nodePort: 30_080 + Int(number)))
                    web.spec?.internalTrafficPolicy = isLocal ? "Local" : "Cluster"
                    web.spec?.externalTrafficPolicy = isLocal ? "Local" : "Cluster"
                    web.spec?.sessionAffinity = seconds == nil ? "None" : "ClientIP"
                    web.spec?.sessionAffinityConfig = SessionAffinityConfig(
                        clientIP: ClientIPConfig(timeoutSeconds: seconds))
                    web.spec?.externalIPs = [policy.external(number).description]
                    web.spec?.loadBalancerSourceRanges = [
                        IPPrefix(policy.address("client"), length: family.bitWidth - 4).description
                    ]
                    web.status = ServiceStatus(
                        loadBalancer: LoadBalancerStatus(ingress: [
                            LoadBalancerIngress(ip: policy.external(100 + number).description)
                        ]))
                    policy.update(web, ready: pods)
                }
            }
        }
        try policy.table.flush()
        // Clients with affinity are elements too.
        let calls = (1...number).flatMap { number in
            [(clusterIP(family, number), UInt16(80)), (policy.nodeAddress, 30_080 + UInt16(number))].map {
                ("client", Call(from: policy.address("client"), to: $0, .tcp, $1), 0.5)
            }
        }
        _ = try policy.lab.answers(to: calls)
        let text = try policy.lab.shell("nft list ruleset", in: "node")
        let json = try policy.lab.shell("nft -j list ruleset", in: "node")
        for chain in [
            "cluster-2", "cluster-local-1", "node-external-3", "external-1-sticky-77", "insider-2", "node-outsider-0",
            "node-outsider-2-sticky-77", "cluster-local-2-sticky-77", "node-insider-3-sticky-77",
        ] {
            #expect(text.contains("chain \(chain) {"), "\(chain)")
            #expect(json.contains("\"name\": \"\(chain)\""), "\(chain)")
        }
        #expect(!text.contains("Error") && !json.contains("Error"))
        #expect(text.contains("expires 1m1"), "no client is remembered")
        #expect(text.contains("daddr . th dport . meta l4proto . numgen random mod 2 map @endpoints"))
        #expect(text.contains("\(clusterIP(family, 2)) . sctp . 80 : 0x00000000 . 0x00000001 . 0x00000000"))
        #expect(text.contains("0x00000001 . 0x00000000 : goto cluster-1"))
        #expect(text.contains("meta l4proto . th dport vmap @shapes"))
    }
}
