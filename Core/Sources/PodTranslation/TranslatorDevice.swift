public import Addresses
internal import Linux
public import Netlink
internal import RouteNetlink

/// What the kernel needs to know so that packets find a translator in userspace: its device, addresses and routes.
///
/// All of it belongs to the device and goes away with it.
public struct TranslatorDevice: Hashable, Sendable {
    /// The name of the TUN device.
    public let name: String
    /// The largest packets of each family in bytes.
    public let mtu: [IPFamily: Int]
    /// The addresses that answer pings, and that errors come from.
    public let addresses: [IPAddress]
    /// What is to be routed into the device.
    public let routes: [IPPrefix]

    /// The metric of the routes: one that leads straight to a host, past the device, is better.
    private static let metric: UInt32 = 1024

    /// Describes a device.
    ///
    /// - Parameters:
    ///   - addresses: the translator's own; those that packets are routed into the device by are left out, since the kernel
    ///     would take them for its own.
    public init(name: String, mtu: [IPFamily: Int], addresses: [IPAddress], routes: [IPPrefix]) {
        self.name = name
        self.mtu = mtu
        self.routes = routes
        self.addresses = addresses.filter { address in !routes.contains { $0.contains(address) } }
    }

    /// Whether there is a link of the device's name.
    public func exists() throws(NetlinkError) -> Bool {
        var socket = try RouteSocket()
        return try socket.link(named: name) != nil
    }

    /// Makes of the new device what it has to be.
    ///
    /// - Returns: its number.
    public func ensure() throws(NetlinkError) -> Int32 {
        var socket = try RouteSocket()
        guard let link = try socket.link(named: name) else {
            throw NetlinkError(.noDevice, "find link \(name)")
        }
        _ = try ensure(link, &socket)
        return link.index
    }

    /// Makes of the device again what it has to be, and says what had to be done.
    public func repair() throws(NetlinkError) -> [String] {
        var socket = try RouteSocket()
        // Without the device its threads end, and with them the process.
        guard let link = try socket.link(named: name) else { return [] }
        return try ensure(link, &socket)
    }

    private func ensure(_ link: Link, _ socket: inout RouteSocket) throws(NetlinkError) -> [String] {
        var changes = try TranslatorLink.ensure(link, mtu: max(mtu.values.max() ?? 1500, 1280), &socket)
        changes += try ensureAddresses(&socket, link.index)
        changes += try ensureRoutes(&socket, link.index)
        return changes
    }

    private func ensureAddresses(_ socket: inout RouteSocket, _ index: Int32) throws(NetlinkError) -> [String] {
        // One that another link has is there for the same purpose.
        let present = Set(try socket.addresses().map(\.address.address))
        var changes: [String] = []
        for address in addresses where !present.contains(address) {
            let whole = InterfaceAddress(address, length: address.family.bitWidth)
            do throws(NetlinkError) {
                try socket.addAddress(whole, index, flags: address.family == .ipv6 ? .noDAD : [])
                changes.append("address \(address)")
            } catch  where error.errno == .exists {}
        }
        return changes
    }

    private func ensureRoutes(_ socket: inout RouteSocket, _ index: Int32) throws(NetlinkError) -> [String] {
        var changes: [String] = []
        for family in IPFamily.allCases where routes.contains(where: { $0.family == family }) {
            let present = Set(
                try socket.routes(family, table: Route.mainTable, protocol: nil).filter { $0.interface == index }
                    .map(\.destination))
            for destination in routes where destination.family == family && !present.contains(destination) {
                try socket.addRoute(
                    Route(
                        destination: destination, interface: index, protocol: .duetTranslation, metric: Self.metric,
                        mtu: mtu[family]))
                changes.append("route \(destination)")
            }
        }
        return changes
    }

    /// The families whose packets the kernel does not pass on.
    public func unforwardedFamilies() -> [(family: IPFamily, sysctl: String)] {
        [(.ipv4, "net/ipv4/ip_forward"), (.ipv6, "net/ipv6/conf/all/forwarding")].filter { _, sysctl in
            (try? Sysctl.get(sysctl)) == "0"
        }
    }
}
