import Addresses
import Glibc
import Linux
import Netlink
import RouteNetlink
import Synchronization
import Testing

/// A fresh network namespace and `ip` as the second opinion.
struct Sandbox {
    let name: String
    private static let made = Atomic(0)

    init(_ purpose: String) throws {
        // The rows of a table run at the same time.
        let number = Self.made.wrappingAdd(1, ordering: .relaxed).newValue
        name = "dt-kernel-\(purpose)\(number)-\(ProcessInformation.currentPID)"
        try NetworkNamespace.create(name: name)
    }

    func remove() {
        try? NetworkNamespace.delete(name: name)
    }

    func open() throws -> RouteSocket {
        try NetworkNamespace.open(name: name).run { try RouteSocket() }
    }

    @discardableResult
    func ip(_ arguments: String...) throws -> String {
        let output = try ChildProcess.output(
            of: .init(executable: "ip", arguments: ["-n", name] + arguments))
        return output.text + output.errorText
    }
}

@Suite("Links, addresses and routes in a namespace")
struct RouteSocketTests {
    private func withSandbox(_ purpose: String, _ body: (Sandbox, inout RouteSocket) throws -> Void) throws {
        let sandbox = try Sandbox(purpose)
        defer { sandbox.remove() }
        var socket = try sandbox.open()
        try body(sandbox, &socket)
    }

    @Test("The other end of a veth pair is known by the number of its namespace")
    func namespaceNumber() throws {
        let (other, stranger) = (try Sandbox("peer"), try Sandbox("stranger"))
        defer {
            other.remove()
            stranger.remove()
        }
        try withSandbox("nsid") { _, socket in
            let namespace = try NetworkNamespace.open(name: other.name)
            try socket.createVeth(name: "host", peer: "eth0", peerNamespace: namespace.descriptor.rawValue)
            let link = try #require(try socket.link(named: "host"))
            let number = try #require(link.peerNamespace)
            #expect(try socket.namespaceNumber(of: namespace.descriptor.rawValue) == number)
            let unknown = try NetworkNamespace.open(name: stranger.name)
            #expect(try socket.namespaceNumber(of: unknown.descriptor.rawValue) == nil)
        }
    }

    @Test("A link whose addresses are given by hand makes none itself")
    func addressesByHand() throws {
        try withSandbox("byhand") { sandbox, socket in
            try socket.createBridge(name: "bridge")
            let link = try #require(try socket.link(named: "bridge"))
            #expect(try sandbox.ip("-d", "link", "show", "bridge").contains("addrgenmode eui64"))
            try socket.setAddressesByHand(link.index)
            #expect(try sandbox.ip("-d", "link", "show", "bridge").contains("addrgenmode none"))
        }
    }

    @Test("A veth pair reaches into another namespace with its MTU, addresses and names")
    func veth() throws {
        let other = try Sandbox("peer")
        defer { other.remove() }
        try withSandbox("veth") { sandbox, socket in
            let mac = try #require(MACAddress("02:00:00:00:00:01"))
            let namespace = try NetworkNamespace.open(name: other.name)
            try socket.createVeth(
                name: "host0", peer: "eth0", peerNamespace: namespace.descriptor.rawValue, mtu: 1400, peerMAC: mac)
            let host = try #require(try socket.link(named: "host0"))
            #expect(host.kind == "veth" && host.mtu == 1400 && !host.isUp)
            var inside = try other.open()
            let end = try #require(try inside.link(named: "eth0"))
            #expect(end.mac == mac && end.mtu == 1400)
            #expect(host.peer == end.index && host.peerNamespace != nil)
            try inside.setUp(end.index)
            try socket.setUp(host.index)
            #expect(try socket.link(named: "host0")?.isUp == true)
            #expect(try other.ip("-br", "link").contains("02:00:00:00:00:01"))
            let error = #expect(throws: NetlinkError.self) { try socket.createVeth(name: "host0", peer: "x") }
            #expect(error?.errno == .exists)
            try socket.deleteLink(host.index)
            #expect(try inside.link(named: "eth0") == nil)
        }
    }

    @Test("A link's summary says what its netlink message says, without one")
    func summary() throws {
        try withSandbox("summary") { _, socket in
            #expect(try socket.summary(ofLink: "none") == nil)
            #expect(try socket.summary(ofLink: String(repeating: "a", count: 16)) == nil)
            try socket.createVeth(name: "a", peer: "b", mtu: 1400, mac: MACAddress("02:00:00:00:00:0a"))
            for name in ["a", "b"] {
                #expect(try socket.summary(ofLink: name) == socket.link(named: name)?.summary)
            }
        }
    }

    @Test("A link is operational when both its ends are up, not before")
    func operational() throws {
        try withSandbox("operational") { sandbox, socket in
            try socket.createVeth(name: "a", peer: "b")
            for name in ["a", "b"] {
                #expect(try socket.link(named: "a")?.isOperational == false)
                try socket.setUp(#require(try socket.summary(ofLink: name)).index)
            }
            for _ in 0..<200 where try socket.link(named: "a")?.isOperational == false { usleep(10_000) }
            #expect(try socket.link(named: "a")?.isOperational == true)
            #expect(try sandbox.ip("link", "show", "a").contains("state UP"))
            // A loopback link never tells.
            try socket.setUp(1)
            #expect(try socket.link(at: 1)?.isOperational == false)
        }
    }

    @Test("Changes are made in one call, in order, and those after a refused one too")
    func changes() throws {
        try withSandbox("changes") { sandbox, socket in
            try socket.createBridge(name: "bridge")
            try socket.createVeth(name: "a", peer: "b")
            let bridge = try #require(try socket.summary(ofLink: "bridge")).index
            let index = try #require(try socket.summary(ofLink: "a")).index
            let address = try #require(InterfaceAddress("10.1.0.2/24"))
            let route = Route(
                destination: try #require(IPPrefix("10.2.0.0/16")), gateway: IPAddress("10.1.0.1"), interface: index)
            var second = route
            second.gateway = IPAddress("10.1.0.3")
            let changes: [LinkChange] = [
                .bringUp(bridge), .bringUp(index, master: bridge, alias: "mine"), .addAddress(address, index),
                .addAddress(address, index), .addRoute(route), .addRoute(route),
                .addAddress(try #require(InterfaceAddress("fd00:1::2/64")), index, flags: .noDAD),
                .addWay(second), .addWay(second),
            ]
            let refused = try socket.make(changes)
            #expect(refused.map(\.index) == [3, 5, 8])
            #expect(refused.allSatisfy { $0.errno == .exists })
            #expect(
                refused.map(\.operation) == [
                    "add address 10.1.0.2/24 to link \(index)", "add route 10.2.0.0/16 via 10.1.0.1 dev \(index)",
                    "add route 10.2.0.0/16 via 10.1.0.3 dev \(index)",
                ])
            let shown = try sandbox.ip("addr", "show", "dev", "a")
            #expect(try socket.link(at: index)?.alias == "mine")
            for text in ["master bridge", "10.1.0.2/24", "fd00:1::2/64"] {
                #expect(shown.contains(text), "\(text): \(shown)")
            }
            for gateway in ["10.1.0.1", "10.1.0.3"] {
                #expect(try sandbox.ip("route").contains("10.2.0.0/16 via \(gateway) dev a"))
            }
            let ways = try ["fd00:1::7", "fd00:1::8"].map { gateway in
                Route(destination: try #require(IPPrefix("fd20::/64")), gateway: IPAddress(gateway), interface: index)
            }
            #expect(try socket.make(ways.map(LinkChange.addWay)).isEmpty)
            let listed = try socket.routes(.ipv6).filter { $0.destination == ways[0].destination }
            #expect(Set(listed.map(\.gateway)) == Set(ways.map(\.gateway)))
            #expect(try socket.make([]).isEmpty)
        }
    }

    @Test("A link is deleted by its name, and one that is not there is told")
    func deletion() throws {
        try withSandbox("deletion") { _, socket in
            try socket.createVeth(name: "a", peer: "b")
            #expect(try socket.deleteLink(named: "a"))
            #expect(try socket.link(named: "b") == nil)
            #expect(try !socket.deleteLink(named: "a"))
        }
    }

    @Test("A bridge takes ports, and their hairpin and isolation settings read back")
    func bridge() throws {
        try withSandbox("bridge") { sandbox, socket in
            try socket.createBridge(name: "br0", mtu: 1450)
            try socket.createVeth(name: "p0", peer: "p1")
            let bridge = try #require(try socket.link(named: "br0"))
            let port = try #require(try socket.link(named: "p0"))
            try socket.setMaster(port.index, bridge.index)
            try socket.setBridgePort(port.index, hairpin: true, isolated: true)
            let changed = try #require(try socket.link(at: port.index))
            #expect(changed.master == bridge.index)
            #expect(changed.bridgePort?.hairpin == true && changed.bridgePort?.isolated == true)
            #expect(try sandbox.ip("-d", "link", "show", "p0").contains("hairpin on"))
            try socket.setMaster(port.index, nil)
            try socket.setName(port.index, "renamed")
            try socket.setPromiscuous(port.index, true)
            #expect(try sandbox.ip("link", "show", "renamed").contains("PROMISC"))
        }
    }

    @Test(
        "An address of each family is usable at once, reads back, and leaves",
        arguments: ["10.1.2.3/24", "fd00:1::3/64", "10.9.9.9/32", "fd00:9::9/128"])
    func addresses(text: String) throws {
        let address = try #require(InterfaceAddress(text))
        try withSandbox("addr") { sandbox, socket in
            try socket.createVeth(name: "a", peer: "b")
            for name in ["a", "b"] { try socket.setUp(#require(try socket.link(named: name)).index) }
            let link = try #require(try socket.link(named: "a"))
            try socket.addAddress(address, link.index, flags: [.noDAD])
            let entry = try #require(try socket.addresses(link.index).first { $0.address == address })
            #expect(entry.interface == link.index && !entry.flags.contains(.tentative) && entry.peer == nil)
            #expect(try sandbox.ip("addr", "show", "dev", "a").contains(" \(text) "))
            let error = #expect(throws: NetlinkError.self) { try socket.addAddress(address, link.index) }
            #expect(error?.errno == .exists)
            try socket.removeAddress(address, link.index)
            #expect(try !socket.addresses().contains { $0.address == address })
        }
    }

    @Test("Routes of each family read back as they were added, and only those of the protocol asked for")
    func routes() throws {
        try withSandbox("route") { sandbox, socket in
            try socket.createVeth(name: "a", peer: "b")
            for name in ["a", "b"] { try socket.setUp(#require(try socket.link(named: name)).index) }
            let link = try #require(try socket.link(named: "a")).index
            for text in ["172.16.0.1/24", "fd00:16::1/64"] {
                try socket.addAddress(#require(InterfaceAddress(text)), link, flags: .noDAD)
            }
            let rows = [
                ("10.244.1.0/24", "172.16.0.2"), ("fd00:10:244:1::/64", "fd00:16::2"), ("10.244.2.0/24", "fd00:16::3"),
            ]
            for (destination, gateway) in rows {
                let prefix = try #require(IPPrefix(destination))
                let route = Route(
                    destination: prefix, gateway: IPAddress(gateway), interface: link, protocol: .duet, metric: 1024,
                    mtu: 1400, advertisedMSS: 1300)
                try socket.addRoute(route)
                #expect(try socket.routes(prefix.family, protocol: .duet).contains(route))
                #expect(try sandbox.ip("-4", "route").contains("proto 68") || prefix.family == .ipv6)
                let found = try #require(try socket.route(to: prefix.first))
                #expect(found.gateway == route.gateway && found.interface == link)
                try socket.replaceRoute(route)
                #expect(throws: NetlinkError.self) { try socket.addRoute(route) }
            }
            #expect(try socket.routes(.ipv4, protocol: .duet).count == 2)
            #expect(try socket.routes(.ipv4).count == 3)
            for family in IPFamily.allCases {
                for route in try socket.routes(family, protocol: .duet) { try socket.deleteRoute(route) }
                #expect(try socket.routes(family, protocol: .duet).isEmpty)
            }
            #expect(try socket.routes(.ipv4, table: 4711) == [])
        }
    }

    @Test("A refusal carries the kernel's own words")
    func refusal() throws {
        try withSandbox("refuse") { _, socket in
            let route = Route(
                destination: try #require(IPPrefix("10.0.0.0/8")), gateway: IPAddress("192.0.2.1"), interface: 1)
            let error = #expect(throws: NetlinkError.self) { try socket.addRoute(route) }
            #expect(error?.message.isEmpty == false)
            #expect(error?.operation == "add route 10.0.0.0/8 via 192.0.2.1 dev 1")
        }
    }
}
