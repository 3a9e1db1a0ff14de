import Addresses
import PodRouting
import RouteNetlink
import Testing

@Suite("Which changes of the kernel matter")
struct ChangeTests {
    private func plan() -> RoutePlan {
        var plan = RoutePlan(nodeName: "node-1")
        _ = plan.update("node-1", clusterNode(1))
        _ = plan.update("node-2", clusterNode(2), paths: paths(to: clusterNode(2)))
        return plan
    }

    private func route(_ destination: String, protocol: RouteProtocol = .boot, table: UInt32 = Route.mainTable) throws
        -> RouteChange.Object
    {
        .route(
            Route(destination: try #require(IPPrefix(destination)), interface: 9, protocol: `protocol`, table: table))
    }

    @Test(
        "Routes of Duet, those in their place and those that lead to nodes do; pods' routes and other tables do not",
        arguments: [
            ("10.244.2.0/24", RouteProtocol.duet, Route.mainTable, true),
            ("10.244.2.0/24", .boot, Route.mainTable, true),
            ("10.244.2.0/24", .boot, 100, false),
            ("0.0.0.0/0", .boot, Route.mainTable, true),
            ("172.20.0.0/16", .static, Route.mainTable, true),
            ("fd00:20::2/128", .static, Route.mainTable, true),
            ("172.20.0.0/16", .static, 100, false),
            ("10.244.1.5/32", .boot, Route.mainTable, false),
            ("192.168.0.0/16", .static, Route.mainTable, false),
        ])
    func routes(destination: String, origin: RouteProtocol, table: UInt32, matters: Bool) throws {
        for isRemoval in [false, true] {
            let change = RouteChange(
                try route(destination, protocol: origin, table: table), isRemoval: isRemoval, port: 4711)
            #expect(plan().isAffected(by: change, links: [:], ownPorts: [1]) == matters)
            #expect(!plan().isAffected(by: change, links: [:], ownPorts: [4711]), "Duet's own changes never do")
        }
    }

    @Test("Neighbours do on tunnel links only")
    func neighbours() {
        let change = RouteChange(.neighbour(interface: 7), isRemoval: true)
        #expect(plan().isAffected(by: change, links: [.vxlan(.ipv4): 7], ownPorts: []))
        #expect(!plan().isAffected(by: change, links: [.vxlan(.ipv4): 8], ownPorts: []))
    }

    @Test("A forwarding entry does when it is not what the plan says")
    func forwarding() throws {
        let peer = clusterNode(2)
        var plan = RoutePlan(nodeName: "node-1", policy: RoutePolicy(mode: .vxlan))
        _ = plan.update("node-1", clusterNode(1))
        _ = plan.update("node-2", peer, paths: paths(to: peer))
        let station = try #require(plan.stations(.ipv4)["node-2"])
        let stranger = try #require(MACAddress("02:00:00:00:00:01"))
        let elsewhere = try #require(IPAddress("172.20.0.9"))
        func matters(_ mac: MACAddress, _ remote: IPAddress, isRemoval: Bool, link: Int32 = 7) -> Bool {
            let entry = ForwardingEntry(interface: 7, mac: mac, remote: remote)
            return plan.isAffected(
                by: RouteChange(.forwarding(entry), isRemoval: isRemoval), links: [.vxlan(.ipv4): link], ownPorts: [])
        }
        #expect(!matters(station.mac, station.remote, isRemoval: false), "it stands as it should")
        #expect(matters(station.mac, station.remote, isRemoval: true))
        #expect(matters(station.mac, elsewhere, isRemoval: false))
        #expect(!matters(station.mac, elsewhere, isRemoval: true))
        #expect(matters(stranger, elsewhere, isRemoval: false))
        #expect(!matters(stranger, elsewhere, isRemoval: true))
        #expect(!matters(station.mac, station.remote, isRemoval: true, link: 8), "another's link")
        _ = plan.update("node-2", nil)
        #expect(!matters(station.mac, station.remote, isRemoval: true))
        #expect(matters(station.mac, station.remote, isRemoval: false))
    }
}
