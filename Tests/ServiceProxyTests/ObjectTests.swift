import Addresses
import KubernetesAPI
import ServiceProxy
import Testing

@Suite("What the proxy keeps of objects")
struct ObjectTests {
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test("A dual-stack Service has in each family the address of that family, whichever is first")
    func families() throws {
        let addresses = [try address("fd00:10:96::7"), try address("10.96.0.7")]
        let dual = service("web", addresses, nodePort: 30_080)
        #expect(ProxiedService(dual, family: .ipv6)?.clusterIP == addresses[0])
        #expect(ProxiedService(dual, family: .ipv4)?.clusterIP == addresses[1])
        #expect(ProxiedService(service("web", [addresses[0]]), family: .ipv4) == nil)
    }

    /// Rows: a change of a Service, whether it is proxied.
    static let changes: [(change: @Sendable (inout Service) -> Void, isProxied: Bool, remark: String)] = [
        ({ _ in }, true, "unchanged"),
        ({ $0.spec?.clusterIPs = nil }, true, "written by an old server, with the one address only"),
        ({ $0.spec?.clusterIPs = ["None"] }, false, "headless"),
        ({ $0.spec?.clusterIPs = [""] }, false, "not yet allocated"),
        ({ $0.spec?.type = "ExternalName" }, false, "an alias"),
        ({ $0.metadata.labels = [WellKnownLabel.serviceProxyName: "other"] }, false, "served by another proxy"),
        ({ $0.spec = nil }, false, "without content"),
    ]

    @Test("Only Services with an address of their own are proxied", arguments: changes.indices)
    func isProxied(row: Int) throws {
        var changed = service("web", [try address("10.96.0.7")])
        Self.changes[row].change(&changed)
        #expect(
            (ProxiedService(changed, family: .ipv4) != nil) == Self.changes[row].isProxied,
            "\(Self.changes[row].remark)")
    }

    @Test("Node ports count for the types that have them")
    func nodePorts() throws {
        var object = service("web", [try address("10.96.0.7")], nodePort: 30_080)
        for (type, port) in [("NodePort", 30_080), ("LoadBalancer", 30_080), ("ClusterIP", nil)] as [(String, UInt16?)]
        {
            object.spec?.type = type
            #expect(ProxiedService(object, family: .ipv4)?.ports.first?.nodePort == port)
        }
    }

    @Test("A slice counts in its own family, and each endpoint with its first address")
    func slices() throws {
        var object = slice("web", .ipv6, [try address("fd00::1"), try address("fd00::2")])
        object.endpoints?[0].addresses.append("fd00::3")
        object.endpoints?[1].conditions = EndpointConditions(ready: false)
        let kept = try #require(ProxiedSlice(object, family: .ipv6))
        #expect(kept.service == ServiceName("web"))
        #expect(kept.endpoints.map(\.address) == [try address("fd00::1"), try address("fd00::2")])
        #expect(kept.endpoints.map(\.isReady) == [true, false])
        #expect(kept.endpoints.map(\.isServing) == [true, false])
        #expect(ProxiedSlice(object, family: .ipv4) == nil)
        object.metadata.labels?[WellKnownLabel.headless] = ""
        #expect(ProxiedSlice(object, family: .ipv6) == nil)
    }
}
