public import Addresses
internal import CLinux
internal import Glibc
public import Netlink

/// A change of links, addresses or routes, to be made with others in one call.
public enum LinkChange: Sendable, Hashable {
    /// Brings a link up, as a port of a bridge where one is given, with a text of at most 255 bytes that the kernel keeps.
    case bringUp(Int32, master: Int32? = nil, alias: String? = nil)
    /// Adds an address to a link.
    case addAddress(InterfaceAddress, Int32, flags: AddressFlags = [], broadcast: IPAddress? = nil)
    /// Adds a route; one to the same destination with the same metric is an error.
    case addRoute(Route)
    /// Adds a route, or beside others to the same destination another way there; the same one is an error.
    case addWay(Route)

    var request: NetlinkRequest {
        switch self {
        case .bringUp(let index, let master, let alias):
            RouteSocket.bringUp(index, master: master, alias: alias)
        case .addAddress(let address, let index, let flags, let broadcast):
            RouteSocket.addition(of: address, index, flags: flags, broadcast: broadcast)
        case .addRoute(let route): RouteSocket.addition(of: route)
        case .addWay(let route): RouteSocket.addition(of: route, beside: true)
        }
    }

    var operation: String {
        switch self {
        case .bringUp(let index, _, _): "bring up link \(index)"
        case .addAddress(let address, let index, _, _): "add address \(address) to link \(index)"
        case .addRoute(let route), .addWay(let route): "add route \(route)"
        }
    }
}

extension RouteSocket {
    /// Makes changes in order, all of them whatever becomes of those before; returns what was refused, in order.
    ///
    /// `NetlinkError.index` says which. They are no transaction, but take one call instead of one each.
    public mutating func make(_ changes: [LinkChange]) throws(NetlinkError) -> [NetlinkError] {
        try netlink.executeAll(changes.map(\.request)) { changes[$0].operation }
    }
}
