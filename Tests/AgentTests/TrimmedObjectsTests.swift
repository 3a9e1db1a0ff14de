import Addresses
import Agent
import KubernetesAPI
import ServiceProxy
import Testing

@Suite("What an agent keeps of objects")
struct TrimmedObjectsTests {
    private let metadata = ObjectMeta(
        name: "web", generateName: "w", namespace: "default", uid: "1-2-3", resourceVersion: "7", generation: 4,
        creationTimestamp: "2026-01-01T00:00:00Z",
        labels: [
            "app": "web", WellKnownLabel.serviceName: "web", WellKnownLabel.headless: "",
            WellKnownLabel.serviceProxyName: "another",
        ],
        annotations: [
            "network.duet.dev/any": "a", "service.alpha.kubernetes.io/tolerate-unready-endpoints": "true",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
        ],
        ownerReferences: [OwnerReference(apiVersion: "v1", kind: "Service", name: "web", uid: "u")], finalizers: ["f"])

    private var service: Service {
        Service(
            metadata: metadata,
            spec: ServiceSpec(
                type: "LoadBalancer", selector: ["app": "web"],
                ports: [
                    ServicePort(
                        name: "http", protocol: "TCP", appProtocol: "h2c", port: 80, targetPort: .int(8080),
                        nodePort: 30_080)
                ],
                clusterIP: "fd00::1", clusterIPs: ["fd00::1", "10.0.0.1"], ipFamilies: ["IPv6", "IPv4"],
                ipFamilyPolicy: "RequireDualStack", externalIPs: ["192.0.2.1", "2001:db8::1"], externalName: "e",
                externalTrafficPolicy: "Local", internalTrafficPolicy: "Local", sessionAffinity: "ClientIP",
                sessionAffinityConfig: SessionAffinityConfig(clientIP: ClientIPConfig(timeoutSeconds: 9)),
                loadBalancerSourceRanges: ["192.0.2.0/24"], loadBalancerClass: "c", healthCheckNodePort: 31_000,
                publishNotReadyAddresses: true),
            status: ServiceStatus(
                loadBalancer: LoadBalancerStatus(ingress: [LoadBalancerIngress(ip: "192.0.2.7", ipMode: "VIP")])))
    }

    @Test("A Service is proxied alike, and named alike", arguments: [true, false])
    func services(isForeign: Bool) {
        var whole = service
        if !isForeign { whole.metadata.labels?[WellKnownLabel.serviceProxyName] = nil }
        var kept = whole
        kept.trimForNode()
        for family in IPFamily.allCases {
            let proxied = ProxiedService(kept, family: family)
            #expect(proxied == ProxiedService(whole, family: family))
            #expect((proxied == nil) == isForeign)
        }
        #expect(kept.reference == whole.reference && kept.key == whole.key)
        #expect(kept.metadata.resourceVersion == "7")
        #expect(kept.spec?.publishNotReadyAddresses == true && kept.spec?.externalName == "e")
        #expect(kept.spec?.ports?.first?.name == "http" && kept.spec?.ports?.first?.targetPort == nil)
        #expect(
            kept.metadata.annotations == [
                "network.duet.dev/any": "a", "service.alpha.kubernetes.io/tolerate-unready-endpoints": "true",
            ])
        #expect(kept.spec?.selector == nil && kept.metadata.labels?["app"] == nil)
    }

    @Test("A slice leads to the same endpoints, with the same names", arguments: [true, false])
    func slices(isHeadless: Bool) {
        var whole = EndpointSlice(
            metadata: metadata, addressType: "IPv6",
            endpoints: [
                Endpoint(
                    addresses: ["fd00::9"],
                    conditions: EndpointConditions(ready: false, serving: true, terminating: true), hostname: "h",
                    targetRef: ObjectReference(kind: "Pod", namespace: "default", name: "web-1", uid: "u"),
                    nodeName: "node", zone: "a",
                    hints: EndpointHints(forZones: [ForName(name: "a")], forNodes: [ForName(name: "node")]),
                    deprecatedTopology: ["a": "b"])
            ], ports: [EndpointPort(name: "http", port: 8080, protocol: "TCP")])
        if !isHeadless { whole.metadata.labels?[WellKnownLabel.headless] = nil }
        var kept = whole
        kept.trimForNode()
        let proxied = ProxiedSlice(kept, family: .ipv6)
        #expect(proxied == ProxiedSlice(whole, family: .ipv6))
        #expect((proxied == nil) == isHeadless)
        #expect(kept.key == whole.key && kept.metadata.uid == "1-2-3" && kept.metadata.resourceVersion == "7")
        let endpoint = kept.endpoints?.first
        #expect(endpoint?.hostname == "h" && endpoint?.targetRef?.name == "web-1" && endpoint?.targetRef?.uid == "u")
        #expect(endpoint?.zone == nil && endpoint?.deprecatedTopology == nil)
    }
}
