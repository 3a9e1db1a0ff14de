internal import Addresses
internal import Linux
internal import Netlink
internal import PodTranslation
internal import RouteNetlink

/// The kernel's side of the link that packets of Services are translated at: its addresses, whose prefixes are the routes.
///
/// The link stays when the agent ends, so that connections find the next agent where they left the last one.
struct TranslationDevice: Sendable {
    static let name = "duet-services"
    private static let leastMTU = 1500

    let addresses: TranslationAddresses

    /// The largest packet that any link of the node takes: smaller ones on the way are told by whoever has to send on.
    static func mtu() throws(NetlinkError) -> Int {
        var socket = try RouteSocket()
        let others = try socket.links().filter { $0.isUp && !$0.flags.contains(.loopback) && $0.name != name }
        return min(others.map(\.mtu).max() ?? leastMTU, 65535).atLeast(leastMTU)
    }

    /// Makes of the link what it has to be, and says what had to be done.
    func ensure(mtu: Int) throws(NetlinkError) -> [String] {
        var socket = try RouteSocket()
        guard let link = try socket.link(named: Self.name) else {
            throw NetlinkError(.noDevice, "find link \(Self.name)")
        }
        let changes = try TranslatorLink.ensure(link, mtu: mtu, &socket)
        return changes + (try ensureAddresses(&socket, link.index))
    }

    private func ensureAddresses(_ socket: inout RouteSocket, _ index: Int32) throws(NetlinkError) -> [String] {
        let wanted = Set(
            IPFamily.allCases.map { InterfaceAddress(addresses.own($0), length: addresses.range($0).length) })
        let present = Set(try socket.addresses(index).filter { $0.interface == index }.map(\.address))
        var changes: [String] = []
        for address in present.subtracting(wanted) where !address.address.isLinkLocalUnicast {
            try socket.removeAddress(address, index)
            changes.append("no address \(address)")
        }
        for address in wanted.subtracting(present) {
            try socket.addAddress(address, index, flags: address.address.family == .ipv6 ? .noDAD : [])
            changes.append("address \(address)")
        }
        return changes
    }

    /// Takes the link away, in the namespace of the calling thread; false when there is none.
    static func remove() throws(NetlinkError) -> Bool {
        var socket = try RouteSocket()
        guard let link = try socket.link(named: name) else { return false }
        try socket.deleteLink(link.index)
        return true
    }
}

extension Int {
    fileprivate func atLeast(_ least: Int) -> Int { Swift.max(self, least) }
}
