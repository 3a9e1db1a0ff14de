import Addresses
import Linux
import Netlink
import RouteNetlink
import Translation

/// What the kernel needs to know so that packets find the translator: its device, addresses and routes.
///
/// All of it belongs to the device and goes away with it.
struct TranslatorNetwork: Sendable {
    let device: String
    let mtu: [IPFamily: Int]
    /// The addresses that answer pings, and that errors come from.
    let addresses: [IPAddress]
    let routes: [IPPrefix]

    /// The packets that may wait for a thread: some thousand small ones come between two of its turns.
    private static let queueLength = 4096
    /// The metric of the routes: one that leads straight to a host, past the device, is better.
    private static let metric: UInt32 = 1024

    init(_ configuration: TranslatorConfiguration) {
        device = configuration.device
        routes = configuration.routes
        let options = configuration.options
        mtu = [.ipv4: options.ipv4MTU, .ipv6: options.ipv6MTU]
        // An address that packets are routed into the device by would be the kernel's own on it.
        let (routes, own) = (configuration.routes, configuration.ownAddresses)
        addresses = own.filter { address in !routes.contains { $0.contains(address) } }
    }

    /// Whether there is a link of the device's name.
    func hasDevice() throws(NetlinkError) -> Bool {
        var socket = try RouteSocket()
        return try socket.link(named: device) != nil
    }

    /// Makes of the new device what it has to be.
    ///
    /// - Returns: its number.
    func ensure() throws(NetlinkError) -> Int32 {
        var socket = try RouteSocket()
        guard let link = try socket.link(named: device) else {
            throw NetlinkError(.noDevice, "find link \(device)")
        }
        _ = try ensure(link, &socket)
        return link.index
    }

    /// Makes of the device again what it has to be, and says what had to be done.
    func repair() throws(NetlinkError) -> [String] {
        var socket = try RouteSocket()
        // Without the device its threads end, and with them the process.
        guard let link = try socket.link(named: device) else { return [] }
        return try ensure(link, &socket)
    }

    private func ensure(_ link: Link, _ socket: inout RouteSocket) throws(NetlinkError) -> [String] {
        var changes: [String] = []
        let wantedMTU = max(mtu.values.max() ?? 1500, 1280)
        if link.mtu != wantedMTU {
            try socket.setMTU(link.index, wantedMTU)
            changes.append("mtu \(wantedMTU)")
        }
        if link.queueLength != Self.queueLength { try socket.setQueueLength(link.index, Self.queueLength) }
        if !link.isUp {
            // Without a link-local address the kernel looks for no routers behind the device.
            let name = "net/ipv6/conf/\(device)/addr_gen_mode"
            if Sysctl.exists(name) { try? Sysctl.set(name, "1") }
            try socket.setUp(link.index)
            changes.append("up")
        }
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
                        destination: destination, interface: index, protocol: .duet, metric: Self.metric,
                        mtu: mtu[family]))
                changes.append("route \(destination)")
            }
        }
        return changes
    }

    /// The families whose packets the kernel does not pass on.
    func unforwardedFamilies() -> [(family: IPFamily, sysctl: String)] {
        [(.ipv4, "net/ipv4/ip_forward"), (.ipv6, "net/ipv6/conf/all/forwarding")].filter { _, name in
            (try? Sysctl.get(name)) == "0"
        }
    }
}
