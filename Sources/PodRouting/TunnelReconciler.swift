internal import Addresses
internal import Linux
package import Netlink
internal import RouteNetlink

/// Makes the VXLAN links, their neighbours and forwarding entries, and the node's pod-side addresses what a plan says.
package struct TunnelReconciler: ~Copyable {
    private var socket: RouteSocket
    private var interfaces: [IPFamily: Int32] = [:]
    private var stations: [IPFamily: [String: Station]] = [:]
    private var loopbackAddresses: Set<IPAddress> = []

    /// The loopback link has the same number in every namespace.
    private static let loopback: Int32 = 1

    /// Works in the network namespace of the calling thread.
    package init() throws(NetlinkError) {
        socket = try RouteSocket()
    }

    /// The port that notifications of its own changes carry.
    package var port: UInt32 {
        socket.port
    }

    /// The links that stand.
    package var links: [Tunnel: Int32] {
        Dictionary(uniqueKeysWithValues: interfaces.map { (.vxlan($0.key), $0.value) })
    }

    /// Compares everything with the kernel and makes it what the plan says; what is equal is adopted.
    ///
    /// Removal of links that no route needs any more is left to `removeUnneeded`.
    package mutating func audit(_ plan: RoutePlan) throws(NetlinkError) -> [TunnelFailure] {
        try socket.keepPodSideAddresses(plan.loopbackAddresses, on: Self.loopback)
        loopbackAddresses = plan.loopbackAddresses
        var failures: [TunnelFailure] = []
        interfaces = [:]
        stations = [:]
        for family in IPFamily.allCases {
            do throws(NetlinkError) {
                try auditLink(family, plan)
            } catch {
                failures.append(TunnelFailure(tunnel: .vxlan(family), reason: "\(error)"))
            }
        }
        return failures
    }

    /// Makes the ends of some nodes what the plan says, and the links where the first needs one.
    package mutating func apply(_ plan: RoutePlan, to peers: Set<String>) -> [TunnelFailure] {
        var failures: [TunnelFailure] = []
        for family in IPFamily.allCases {
            do throws(NetlinkError) {
                if loopbackAddresses != plan.loopbackAddresses {
                    try socket.keepPodSideAddresses(plan.loopbackAddresses, on: Self.loopback)
                    loopbackAddresses = plan.loopbackAddresses
                }
                guard let mtu = plan.mtu(of: .vxlan(family)), plan.vxlan(family) != nil else { continue }
                guard let interface = interfaces[family] else {
                    try auditLink(family, plan)
                    continue
                }
                if try socket.link(at: interface)?.mtu != mtu {
                    // With too small a packet a link loses its IPv6 addresses.
                    try auditLink(family, plan)
                    continue
                }
                for name in peers { try set(plan.peer(name)?.stations[family], of: name, family, interface) }
            } catch {
                failures.append(TunnelFailure(tunnel: .vxlan(family), reason: "\(error)"))
            }
        }
        return failures
    }

    /// Removes links that the plan has no use for; routes lead elsewhere by now.
    package mutating func removeUnneeded(_ plan: RoutePlan) throws(NetlinkError) {
        for (family, interface) in interfaces where plan.vxlan(family) == nil {
            try socket.deleteLink(interface)
            interfaces[family] = nil
            stations[family] = nil
        }
    }

    private mutating func auditLink(_ family: IPFamily, _ plan: RoutePlan) throws(NetlinkError) {
        let name = Tunnel.vxlan(family).linkName
        var link = try socket.link(named: name)
        guard let settings = plan.vxlan(family), let mtu = plan.mtu(of: .vxlan(family)), let own = plan.own else {
            // It may still carry packets of routes that are to be changed.
            interfaces[family] = link?.index
            return
        }
        let mac = TunnelIdentity.mac(ofNode: own.name, underlay: family)
        if let present = link, present.vxlan != settings || present.mac != mac {
            // The kernel cannot change these of a link that stands.
            try socket.deleteLink(present.index)
            link = nil
        }
        if link == nil {
            do throws(NetlinkError) {
                try socket.createVXLAN(name: name, settings, mtu: mtu, mac: mac)
            } catch  where error.errno == .exists {
                // The kernel takes no second link with these settings: somebody has given it another name.
                let links = try socket.links()
                guard let renamed = links.first(where: { $0.vxlan == settings && $0.mac == mac }) else { throw error }
                try socket.deleteLink(renamed.index)
                try socket.createVXLAN(name: name, settings, mtu: mtu, mac: mac)
            }
            link = try socket.link(named: name)
        }
        guard let link else { throw NetlinkError(.noDevice, "create VXLAN link \(name)", message: "it went away") }
        if link.mtu != mtu { try socket.setMTU(link.index, mtu) }
        try Self.configureIPv6(name)
        if !link.isUp { try socket.setUp(link.index) }
        try socket.keepPodSideAddresses(plan.podSideAddresses(on: .vxlan(family)), on: link.index)
        try auditStations(link.index, family, plan)
        interfaces[family] = link.index
    }

    /// Pods' IPv6 packets pass, whatever new links of the machine do; another node is no router that advertises.
    private static func configureIPv6(_ link: String) throws(NetlinkError) {
        for (parameter, value) in [("disable_ipv6", "0"), ("accept_ra", "0")] {
            let path = "net/ipv6/conf/\(link)/\(parameter)"
            guard Sysctl.exists(path) else { continue }
            do throws(SystemError) {
                try Sysctl.set(path, value)
            } catch {
                throw NetlinkError(error.errno, "configure link \(link)", message: "\(error)")
            }
        }
    }

    private mutating func auditStations(
        _ interface: Int32, _ family: IPFamily, _ plan: RoutePlan
    ) throws(NetlinkError) {
        let wanted = plan.stations(family)
        let neighbours = Set(wanted.values.flatMap { $0.neighbourEntries(interface) })
        let entries = Set(wanted.values.map { $0.forwardingEntry(interface) })
        let presentNeighbours = Set(try socket.neighbours(interface))
        let presentEntries = Set(try socket.forwardingEntries(interface))
        // An entry that is set replaces one with the same key, so those that go are removed first.
        for entry in presentEntries.subtracting(entries) { try socket.deleteForwardingEntry(entry) }
        for neighbour in presentNeighbours.subtracting(neighbours) { try socket.deleteNeighbour(neighbour) }
        for entry in entries.subtracting(presentEntries) { try socket.replaceForwardingEntry(entry) }
        for neighbour in neighbours.subtracting(presentNeighbours) { try socket.replaceNeighbour(neighbour) }
        stations[family] = wanted
    }

    private mutating func set(
        _ station: Station?, of name: String, _ family: IPFamily, _ interface: Int32
    ) throws(NetlinkError) {
        let present = stations[family]?[name]
        guard present != station else { return }
        if let present {
            stations[family]?[name] = nil
            if present.mac != station?.mac || present.remote != station?.remote {
                try ignoringAbsence { (socket) throws(NetlinkError) in
                    try socket.deleteForwardingEntry(present.forwardingEntry(interface))
                }
            }
            for neighbour in present.neighbourEntries(interface)
            where station?.neighbours.contains(neighbour.address) != true {
                try ignoringAbsence { (socket) throws(NetlinkError) in try socket.deleteNeighbour(neighbour) }
            }
        }
        guard let station else { return }
        try socket.replaceForwardingEntry(station.forwardingEntry(interface))
        for neighbour in station.neighbourEntries(interface) { try socket.replaceNeighbour(neighbour) }
        stations[family, default: [:]][name] = station
    }

    private mutating func ignoringAbsence(
        _ body: (inout RouteSocket) throws(NetlinkError) -> Void
    ) throws(NetlinkError) {
        do throws(NetlinkError) {
            try body(&socket)
        } catch {
            guard error.errno == .noEntry else { throw error }
        }
    }
}

extension Station {
    fileprivate func forwardingEntry(_ interface: Int32) -> ForwardingEntry {
        ForwardingEntry(interface: interface, mac: mac, remote: remote)
    }

    fileprivate func neighbourEntries(_ interface: Int32) -> [Neighbour] {
        neighbours.map { Neighbour(interface: interface, address: $0, mac: mac) }
    }
}
