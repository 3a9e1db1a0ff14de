import Addresses
import KubernetesAPI
import PodRuntime
import Testing

@Suite struct NodeTests {
    private static func builder(_ addresses: [String]) -> NodeObject {
        NodeObject(
            configuration: NodeConfiguration(nodeName: "node-1", kubeconfigPath: "/none", labels: ["zone": "a"]),
            addresses: addresses.compactMap { IPAddress($0) },
            facts: NodeFacts(
                processors: 2, memory: 4 << 30, storage: 1 << 30, system: NodeSystemInfo(architecture: "amd64")))
    }

    private static let good = ["RuntimeReady", "NetworkReady"].map {
        NodeObject.RuntimeCondition(type: $0, isTrue: true)
    }

    @Test func `addresses of both families stand in the configured order, then the host name`() {
        let status = Self.builder(["2001:db8::1", "192.0.2.1"])
            .status(runtime: .success(Self.good), replacing: [], at: Timestamp(seconds: 0))
        #expect(
            status.addresses == [
                NodeAddress(type: "InternalIP", address: "2001:db8::1"),
                NodeAddress(type: "InternalIP", address: "192.0.2.1"),
                NodeAddress(type: "Hostname", address: "node-1"),
            ])
        #expect(status.conditions?.isTrue("Ready") == true)
        #expect(status.capacity?["cpu"]?.value == 2)
        #expect(status.daemonEndpoints?.kubeletEndpoint?.port == 10250)
    }

    @Test func `a node whose network is not ready says so`() {
        let bad = NodeObject.RuntimeCondition(
            type: "NetworkReady", isTrue: false, reason: "NetworkPluginNotReady", message: "cni plugin not initialized")
        let status = Self.builder(["192.0.2.1"])
            .status(runtime: .success([Self.good[0], bad]), replacing: [], at: Timestamp(seconds: 0))
        #expect(
            status.conditions?["Ready"]?.message
                == "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
                + "message:cni plugin not initialized")
    }

    @Test func `only changes of substance are reported before the time`() {
        let builder = Self.builder(["192.0.2.1"])
        let first = builder.status(runtime: .success(Self.good), replacing: [], at: Timestamp(seconds: 0))
        let second = builder.status(
            runtime: .success(Self.good), replacing: first.conditions ?? [], at: Timestamp(seconds: 60))
        #expect(first.equalsExceptTimes(second))
        #expect(second.conditions?["Ready"]?.lastTransitionTime == "1970-01-01T00:00:00Z")
        #expect(second.conditions?["Ready"]?.lastHeartbeatTime == "1970-01-01T00:01:00Z")
        let down = builder.status(
            runtime: .failure(PodActionFailure(reason: "", message: "gone")), replacing: [], at: Timestamp(seconds: 60))
        #expect(!first.equalsExceptTimes(down))
    }

    @Test(arguments: [
        (["192.0.2.1", "2001:db8::1"], ""), (["2001:db8::1", "192.0.2.1"], ""), (["2001:db8::1"], ""),
        (["192.0.2.1", "192.0.2.2"], pairText("192.0.2.1,192.0.2.2")),
        (["192.0.2.1", "2001:db8::1", "192.0.2.3"], pairText("192.0.2.1,2001:db8::1,192.0.2.3")),
        (["192.0.2.1", "::"], #"dual-stack --node-ip "192.0.2.1,::" cannot include '0.0.0.0' or '::'"#),
        (["0.0.0.0", "2001:db8::1"], #"dual-stack --node-ip "0.0.0.0,2001:db8::1" cannot include '0.0.0.0' or '::'"#),
        (["127.0.0.1"], uselessText("127.0.0.1")), (["::"], uselessText("::")), (["fe80::1"], uselessText("fe80::1")),
        (["224.0.0.1"], uselessText("224.0.0.1")),
    ])
    func `node addresses are checked`(texts: [String], refusal: String) {
        var found = ""
        do {
            try NodeAddresses.check(texts.compactMap { IPAddress($0) })
        } catch {
            found = error.description
        }
        #expect(found == refusal)
    }

    private static func pairText(_ addresses: String) -> String {
        #"bad --node-ip "\#(addresses)"; must contain either a single IP or a dual-stack pair of IPs"#
    }

    private static func uselessText(_ address: String) -> String {
        #"bad --node-ip "\#(address)"; must not be an unspecified, loopback, link-local or multicast address"#
    }

    @Test(arguments: [(["0.0.0.0"], IPFamily.ipv4), (["::"], .ipv6), ([], .ipv4)])
    func `an address that says nothing but its family asks for those of the machine`(texts: [String], first: IPFamily) {
        // A machine without default routes has none to offer, and says what to do.
        do {
            let found = try NodeAddresses.resolve(texts.compactMap { IPAddress($0) })
            #expect(found.count <= 2)
            if found.count == 2 { #expect(found.map(\.family) == [first, first.other]) }
        } catch {
            #expect("\(error)".contains("--node-ip"))
        }
    }
}
