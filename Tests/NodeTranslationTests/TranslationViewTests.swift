import Addresses
import NFTables
import NodeTranslation
import Testing

@Suite("What becomes of a pod's packets to IPv4")
struct TranslationViewTests {
    private static func address(_ text: String) throws -> IPv4Address { try #require(IPv4Address(text)) }

    private static func view() throws -> TranslationView {
        let pods = try ["fd00::1", "fd00::2", "fd00::3"].map { try #require(IPv6Address($0)) }
        var content = TranslationTable.Content()
        content.setDestinations(
            Destinations(
                allowed: ["10.0.0.0/8", "192.0.2.8/32"].compactMap { IPPrefix($0) },
                refused: [
                    .pods: Set(["10.244.0.0/16"].compactMap { IPPrefix($0) }),
                    .services: Set(["10.245.0.0/16"].compactMap { IPPrefix($0) }),
                    .nodes: Set(["198.18.0.1/32"].compactMap { IPPrefix($0) }),
                ]))
        var kernel = NFTablesFake()
        try kernel.commit(
            TranslationTable.rebuilding(
                .init(pods: NodeTranslationOptions.defaultPodRange, nodes: NodeTranslationOptions.defaultGatewayRange),
                content))
        var view = TranslationView()
        view.destinations = kernel.elements(of: TranslationTable.table, set: "destinations")
        view.translated = [pods[0]: try address("100.127.0.2"), pods[1]: try address("100.127.0.3")]
        view.clat = [pods[0]: try address("100.127.0.4")]
        view.egress = [try address("100.127.0.4"): try address("203.0.113.5")]
        view.engines = [pods[0]: .kernel(link: "veth1")]
        view.nodeAddresses = [try address("9.9.9.1")]
        view.prefix = .wellKnown
        for target in ["9.9.9.9", "10.0.0.1", "192.0.2.8"] {
            view.outside[try address(target)] = try address("9.9.9.1")
        }
        return view
    }

    /// Rows: the pod, the target, and what is said of it.
    static let rows = [
        ("fd00::1", "64:ff9b::9.9.9.9", "at link veth1", "goes to 9.9.9.9, which sees 9.9.9.1, the node's"),
        ("fd00::1", "9.9.9.9", "CLAT", "goes to 9.9.9.9, which sees 203.0.113.5, an egress address of the node"),
        ("fd00::1", "64:ff9b::10.0.0.1", "veth1", "goes to 10.0.0.1"),
        ("fd00::1", "64:ff9b::192.0.2.8", "veth1", "goes to 192.0.2.8"),
        ("fd00::1", "64:ff9b::192.0.2.9", "veth1", "private or special"),
        ("fd00::1", "64:ff9b::192.0.2.7", "veth1", "private or special"),
        ("fd00::1", "64:ff9b::10.244.0.1", "veth1", "a network of pods"),
        ("fd00::1", "64:ff9b::10.245.0.0", "veth1", "is a Service's"),
        ("fd00::1", "198.18.0.1", "CLAT", "is a node's"),
        ("fd00::1", "64:ff9b::9.9.9.1", "veth1", "is a node's"),
        ("fd00::1", "64:ff9b::9.9.9.8", "veth1", "no way to 9.9.9.8"),
        ("fd00::2", "64:ff9b::9.9.9.9", "no translator", "waits for the agent"),
        ("fd00::2", "9.9.9.9", "", "call 64:ff9b::909:909, or annotate"),
        ("fd00::3", "64:ff9b::9.9.9.9", "", "does not translate for the pod"),
    ]

    @Test("It is said by what, as whom, and why not", arguments: rows.indices)
    func account(row: Int) throws {
        let (pod, target, way, outcome) = Self.rows[row]
        let (caller, callee) = (try #require(IPv6Address(pod)), try #require(IPAddress(target)))
        let account = try #require(try Self.view().account(of: caller, to: callee))
        #expect(account.text.contains(outcome), "\(account.text)")
        #expect(account.text.contains("\n  by ") == !way.isEmpty && account.text.contains(way), "\(account.text)")
    }

    @Test("A node with a gateway hands packets over, as soon as rules and routes say so as well")
    func gateway() throws {
        let (pod, target) = (try #require(IPv6Address("fd00::1")), try #require(IPAddress("9.9.9.9")))
        let own = try Self.address("100.126.0.3")
        var view = try Self.view()
        view.exit = .sender(own, gateway: "node-9")
        view.hasGatewayRoute = true
        // The rules still have an address of before.
        #expect(view.account(of: pod, to: target)?.outcome == .noGateway("node-9"))
        view.egress = [try Self.address("100.127.0.4"): own]
        #expect(
            view.account(of: pod, to: target)?.text.contains(
                "9.9.9.9 by gateway node-9, which knows this node as 100.126.0.3")
                == true)
        view.gatewayEgress = [try Self.address("203.0.113.8"), try Self.address("203.0.113.9")]
        let outcome = view.account(of: pod, to: target)?.outcome
        #expect(outcome == .handedOver(gateway: "node-9", address: own, seen: try Self.address("203.0.113.9")))
        // What is refused here never gets there.
        let refused = try #require(IPAddress("198.18.0.1"))
        #expect(view.account(of: pod, to: refused)?.outcome == .refused(.nodes))
        view.hasGatewayRoute = false
        #expect(view.account(of: pod, to: target)?.outcome == .noGateway("node-9"))
    }

    @Test("Addresses outside the prefix are none of it")
    func others() throws {
        let (pod, other) = (try #require(IPv6Address("fd00::1")), try #require(IPAddress("2001:db8::1")))
        #expect(try Self.view().account(of: pod, to: other) == nil)
    }
}
