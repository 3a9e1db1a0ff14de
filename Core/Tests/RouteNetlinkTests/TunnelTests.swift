import Addresses
import Linux
import Netlink
import RouteNetlink
import Testing

@Suite("Tunnel links, their neighbours, and news of changes")
struct TunnelTests {
    private func withSandbox(_ purpose: String, _ body: (Sandbox, inout RouteSocket) throws -> Void) throws {
        let sandbox = try Sandbox(purpose)
        defer { sandbox.remove() }
        var socket = try sandbox.open()
        try body(sandbox, &socket)
    }

    @Test(
        "A VXLAN link over either family reads back, and forwards to the ends it is told", arguments: IPFamily.allCases)
    func vxlan(family: IPFamily) throws {
        try withSandbox("vxlan") { sandbox, socket in
            let settings = VXLAN(id: 68, port: 4789, local: .loopback(family))
            let mac = try #require(MACAddress("02:00:00:00:00:68"))
            try socket.createVXLAN(name: "tunnel", settings, mtu: 1400, mac: mac)
            let link = try #require(try socket.link(named: "tunnel"))
            #expect(link.kind == "vxlan" && link.vxlan == settings && link.mtu == 1400 && link.mac == mac)
            try socket.setUp(link.index)
            let text = try sandbox.ip("-d", "link", "show", "tunnel")
            #expect(text.contains("nolearning") && text.contains("dstport 4789") && text.contains("vxlan id 68"))

            let peer = try #require(MACAddress("02:00:00:00:00:69"))
            let neighbours = try ["10.244.9.0", "fe80::9"].map {
                Neighbour(interface: link.index, address: try #require(IPAddress($0)), mac: peer)
            }
            let remote = try #require(IPAddress(family == .ipv4 ? "192.0.2.9" : "2001:db8::9"))
            let entry = ForwardingEntry(interface: link.index, mac: peer, remote: remote)
            for _ in 0..<2 {
                for neighbour in neighbours { try socket.replaceNeighbour(neighbour) }
                try socket.replaceForwardingEntry(entry)
            }
            #expect(try Set(socket.neighbours(link.index)) == Set(neighbours))
            #expect(try socket.forwardingEntries(link.index) == [entry])
            #expect(try sandbox.ip("neigh").contains("10.244.9.0 dev tunnel lladdr \(peer) PERMANENT"))
            for neighbour in neighbours { try socket.deleteNeighbour(neighbour) }
            try socket.deleteForwardingEntry(entry)
            #expect(try socket.neighbours(link.index).isEmpty)
            #expect(try socket.forwardingEntries(link.index).isEmpty)
            let error = #expect(throws: NetlinkError.self) { try socket.deleteForwardingEntry(entry) }
            #expect(error?.errno == .noEntry)
        }
    }

    @Test("A packet grows by 50 bytes over IPv4 and by 70 over IPv6")
    func overhead() {
        #expect(IPFamily.allCases.map(VXLAN.overhead) == [50, 70])
    }

    @Test("Every change is heard of, with the port of who asked for it")
    func monitor() throws {
        try withSandbox("watch") { sandbox, socket in
            let monitor = try NetworkNamespace.open(name: sandbox.name).run { try RouteMonitor() }
            #expect(try monitor.available().isEmpty)
            try socket.createVeth(name: "a", peer: "b")
            for name in ["a", "b"] { try socket.setUp(#require(try socket.link(named: name)).index) }
            let link = try #require(try socket.link(named: "a")).index
            let address = try #require(InterfaceAddress("172.16.0.1/24"))
            try socket.addAddress(address, link)
            let route = Route(
                destination: try #require(IPPrefix("10.9.0.0/16")), gateway: IPAddress("172.16.0.2"), interface: link,
                protocol: .duet)
            try socket.addRoute(route)
            try socket.replaceNeighbour(
                Neighbour(
                    interface: link, address: try #require(IPAddress("172.16.0.2")),
                    mac: try #require(MACAddress("02:00:00:00:00:01"))))
            let changes = try monitor.available()
            #expect(
                changes.contains { change in
                    guard case .link(let link) = change.object else { return false }
                    return link.name == "a" && link.isUp
                })
            #expect(
                changes.contains { change in
                    guard case .address(let entry) = change.object else { return false }
                    return entry.address == address && !change.isRemoval
                })
            #expect(changes.contains(RouteChange(.route(route), isRemoval: false, port: socket.port)))
            #expect(changes.contains { $0.object == .neighbour(interface: link) })
            // Another's deletion carries another's port.
            try sandbox.ip("route", "del", "10.9.0.0/16")
            let removal = try #require(try monitor.available().last)
            #expect(removal.object == .route(route) && removal.isRemoval)
            #expect(removal.port != socket.port && socket.port != 0)
        }
    }

    @Test("Packets that are passed on no more are news, for each family")
    func packetForwardingNews() throws {
        try withSandbox("passed") { sandbox, _ in
            let namespace = try NetworkNamespace.open(name: sandbox.name)
            let switches = [(IPFamily.ipv4, "net/ipv4/ip_forward"), (.ipv6, "net/ipv6/conf/all/forwarding")]
            // A new namespace has what the machine has.
            for (_, name) in switches { try namespace.run { try Sysctl.set(name, "0") } }
            let monitor = try namespace.run { try RouteMonitor() }
            for (family, name) in switches {
                for isOn in [true, false] {
                    try namespace.run { try Sysctl.set(name, isOn ? "1" : "0") }
                    let change = RouteChange(.packetForwarding(family, isOn: isOn), isRemoval: false)
                    #expect(try monitor.available() == [change])
                }
            }
        }
    }

    @Test("News of a forwarding entry tells what it is, and not who set it")
    func forwardingNews() throws {
        try withSandbox("fdb") { sandbox, socket in
            let monitor = try NetworkNamespace.open(name: sandbox.name).run { try RouteMonitor() }
            let settings = VXLAN(id: 68, port: 4789, local: .loopback(.ipv4))
            try socket.createVXLAN(
                name: "tunnel", settings, mtu: 1400, mac: #require(MACAddress("02:00:00:00:00:68")))
            let link = try #require(try socket.link(named: "tunnel")).index
            let entry = ForwardingEntry(
                interface: link, mac: try #require(MACAddress("02:00:00:00:00:69")),
                remote: try #require(IPAddress("192.0.2.9")))
            try socket.replaceForwardingEntry(entry)
            #expect(try monitor.available().last == RouteChange(.forwarding(entry), isRemoval: false))
            try socket.deleteForwardingEntry(entry)
            #expect(try monitor.available().last == RouteChange(.forwarding(entry), isRemoval: true))
        }
    }

    @Test("An address tells who added it", arguments: ["10.244.1.0/32", "fd00:10:244:1::/128"])
    func origin(text: String) throws {
        try withSandbox("origin") { sandbox, socket in
            let address = try #require(InterfaceAddress(text))
            try socket.setUp(1)
            try socket.addAddress(address, 1, flags: .noDAD, protocol: .duet)
            #expect(try socket.addresses(1).first { $0.address == address }?.protocol == .duet)
            try socket.removeAddress(address, 1)
            #expect(try !sandbox.ip("addr").contains(text))
        }
    }

    @Test("Temporary and deprecated addresses are never the machine's own")
    func lasting() throws {
        try withSandbox("lasting") { sandbox, socket in
            try socket.createVeth(name: "a", peer: "b")
            for name in ["a", "b"] { try socket.setUp(#require(try socket.link(named: name)).index) }
            try sandbox.ip("addr", "add", "2001:db8::bad/64", "dev", "a", "nodad", "preferred_lft", "0")
            try sandbox.ip("addr", "add", "2001:db8::1/64", "dev", "a", "nodad")
            try sandbox.ip("addr", "add", "2001:db8::bad2/64", "dev", "a", "nodad", "preferred_lft", "0")
            try sandbox.ip("route", "add", "default", "via", "2001:db8::ffff", "dev", "a")
            let link = try #require(try socket.link(named: "a")).index
            let deprecated = try socket.addresses(link).filter { $0.flags.contains(.deprecated) }
            #expect(deprecated.count == 2 && deprecated.allSatisfy { !$0.isLasting })
            #expect(try socket.primaryAddress(.ipv6) == IPAddress("2001:db8::1"))
        }
    }
}
