internal import Addresses
internal import Linux
internal import Netlink
internal import RouteNetlink

/// The inside of pods that 464XLAT is for (RFC 6877): an IPv4 address for continuity (RFC 7335), and the route that goes with
/// it, by the pod's IPv6 gateway.
///
/// The address is the same in all pods. On the host's end of the pod's link the rules of `TranslationTable` put the pod's
/// private one in its place.
struct PodCLAT {
    /// The address inside; that of the customer's end of a tunnel in RFC 6333 §5.7.
    static let address = IPv4Address(rawValue: 0xC000_0002)

    /// The names of pods' network namespaces.
    private var namespaces: [IPv6Address: String] = [:]

    /// Gives a pod the address and the route, or takes them away.
    ///
    /// - Parameter link: the host's end of the pod's link.
    /// - Returns: whether anything had to be done.
    mutating func apply(_ isWanted: Bool, to pod: IPv6Address, behind link: Link) throws -> Bool {
        guard let inner = link.peer, let number = link.peerNamespace else {
            throw SystemError(.noDevice, "find other end of link \(link.name)", "it has none in another namespace")
        }
        var socket = try RouteSocket()
        let known = namespaces[pod].map { [$0] } ?? []
        for name in try known + NetworkNamespace.names() {
            guard let namespace = try Self.open(name),
                try socket.namespaceNumber(of: namespace.descriptor.rawValue) == number
            else { continue }
            namespaces[pod] = name
            return try namespace.run { () throws -> Bool in
                var inside = try RouteSocket()
                return isWanted ? try Self.ensure(inner, &inside) : try Self.remove(inner, &inside)
            }
        }
        throw SystemError(
            .noEntry, "find network namespace of pod \(pod)",
            "\(NetworkNamespace.directory): none there is on the other end of link \(link.name); the agent must see it")
    }

    /// Forgets a pod that is gone.
    mutating func forget(_ pod: IPv6Address) { namespaces[pod] = nil }

    /// Opens a namespace; nil where the name went meanwhile, or is none of a namespace any more.
    private static func open(_ name: String) throws(SystemError) -> NetworkNamespace? {
        do throws(SystemError) {
            return try NetworkNamespace.open(name: name)
        } catch  where error.errno == .noEntry || error.errno == .invalidArgument {
            return nil
        }
    }

    private static func ensure(_ link: Int32, _ socket: inout RouteSocket) throws(NetlinkError) -> Bool {
        var isChanged = false
        if !(try socket.addresses(link).contains { $0.address.address == .v4(address) }) {
            try socket.addAddress(InterfaceAddress(.v4(address), length: 32), link)
            isChanged = true
        }
        // What another one has set is more than the pod needs.
        let defaults = try socket.routes(.ipv4, table: Route.mainTable).filter { $0.destination.length == 0 }
        guard isChanged || defaults.isEmpty else { return false }
        let gateways = try socket.routes(.ipv6, table: Route.mainTable).filter {
            $0.destination.length == 0 && $0.interface == link && $0.gateway != nil
        }
        guard let gateway = gateways.first?.gateway else { return isChanged }
        try socket.replaceRoute(
            Route(
                destination: IPPrefix(.unspecified(.ipv4), length: 0), gateway: gateway, interface: link,
                source: .v4(address), protocol: .duetTranslation, isOnLink: true))
        return true
    }

    private static func remove(_ link: Int32, _ socket: inout RouteSocket) throws(NetlinkError) -> Bool {
        guard try socket.addresses(link).contains(where: { $0.address.address == .v4(address) }) else { return false }
        for route in try socket.routes(.ipv4, table: Route.mainTable, protocol: .duetTranslation)
        where route.destination.length == 0 {
            try socket.deleteRoute(route)
        }
        try socket.removeAddress(InterfaceAddress(.v4(address), length: 32), link)
        return true
    }
}
