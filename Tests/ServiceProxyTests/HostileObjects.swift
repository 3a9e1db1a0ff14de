import Addresses
import KubernetesAPI
import TestSupport

/// Services and slices that contend for few names, addresses and ports, and hold what no API server admits.
struct HostileObjects {
    private let family: IPFamily
    private var generator: SeededGenerator

    init(family: IPFamily, seed: UInt64) {
        self.family = family
        generator = SeededGenerator(seed: seed)
    }

    /// True in one of so many cases.
    mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &generator) == 0 }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &generator)]
    }

    private mutating func several<Element>(_ most: Int, _ make: (inout Self) -> Element) -> [Element] {
        (0..<Int.random(in: 0...most, using: &generator)).map { _ in make(&self) }
    }

    private mutating func number() -> Int { pick([80, 80, 81, 443, 0, -1, 65_535, 65_536, 1 << 40, .min, .max]) }
    private mutating func transport() -> String? { pick(["TCP", "TCP", "UDP", "SCTP", nil, "", "QUIC", "tcp"]) }
    private mutating func portName() -> String? { pick(["", nil, "a", "b", String(repeating: "n", count: 300)]) }

    private mutating func address() -> String {
        let index = UInt128.random(in: 1...3, using: &generator)
        let family = chance(4) ? pick(IPFamily.allCases) : self.family
        return pick([
            clusterIP(family, index).description, clusterIP(family, index).description,
            podIP(family, index).description,
            "", "None", "host", "1.2.3", "010.001.002.003", "::ffff:10.96.0.1", "fe80::1%eth0", "0.0.0.0", "::",
            "255.255.255.255", "127.0.0.1", "::1", "ff02::1",
        ])
    }

    private mutating func range() -> String {
        pick(["", "/", "0.0.0.0/0", "::/0", "10.0.0.0/99", "::/129", " 10.244.0.0/16 "])
            + (chance(2) ? "" : address() + pick(["/0", "/8", "/20", "/32", "/128", "/-1"]))
    }

    mutating func service() -> Service {
        let addresses = several(3) { $0.address() }
        var object = Service(
            metadata: ObjectMeta(name: "web-\(Int.random(in: 1...5, using: &generator))", namespace: "default"),
            spec: ServiceSpec(
                type: pick(["ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer", nil, "ExternalName", "Nonsense"]),
                ports: several(5) {
                    ServicePort(
                        name: $0.portName(), protocol: $0.transport(), port: $0.number(), nodePort: $0.number())
                },
                clusterIP: addresses.first, clusterIPs: chance(5) ? nil : addresses))
        object.spec?.externalIPs = several(3) { $0.address() }
        object.spec?.loadBalancerSourceRanges = chance(2) ? nil : several(4) { $0.range() }
        object.spec?.internalTrafficPolicy = pick(["Local", "Cluster", nil, "Nonsense"])
        object.spec?.externalTrafficPolicy = pick(["Local", "Cluster", nil, "Nonsense"])
        object.spec?.sessionAffinity = pick(["ClientIP", "None", nil, "Nonsense"])
        object.spec?.sessionAffinityConfig = SessionAffinityConfig(clientIP: ClientIPConfig(timeoutSeconds: number()))
        object.spec?.healthCheckNodePort = number()
        object.status = ServiceStatus(
            loadBalancer: LoadBalancerStatus(
                ingress: several(3) {
                    LoadBalancerIngress(ip: $0.address(), ipMode: $0.pick([nil, "VIP", "Proxy", "Nonsense"]))
                }))
        return object
    }

    mutating func slice() -> EndpointSlice {
        let service = "web-\(Int.random(in: 1...5, using: &generator))"
        var object = ServiceProxyTests.slice(service, chance(4) ? pick(IPFamily.allCases) : family, [])
        object.metadata.name = "\(service)-\(Int.random(in: 1...2, using: &generator))"
        object.endpoints = several(6) {
            Endpoint(
                addresses: $0.several(2) { $0.address() },
                conditions: EndpointConditions(
                    ready: $0.pick([true, true, false, nil]), serving: $0.pick([true, false, nil]),
                    terminating: $0.pick([true, false, nil])),
                nodeName: $0.pick(["node", "other", "", nil]))
        }
        object.ports = several(4) {
            EndpointPort(name: $0.portName(), port: $0.chance(6) ? nil : $0.number(), protocol: $0.transport())
        }
        return object
    }
}
