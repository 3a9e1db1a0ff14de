internal import Addresses
internal import Linux
internal import Netlink
internal import RouteNetlink

/// Reads from the kernel what the plan of routes must know of the network below.
struct UnderlayReader: ~Copyable {
    private var socket: RouteSocket
    private let interfaceName: String?
    private var interface: Int32?
    private var mtus: [Int32: Int] = [:]

    /// - Parameter interfaceName: the link that packets between nodes are confined to.
    init(interfaceName: String?) throws(NetlinkError) {
        socket = try RouteSocket()
        self.interfaceName = interfaceName
    }

    /// A snapshot for the node itself and the addresses of all others.
    mutating func snapshot(own: ClusterNode?, peers: Set<IPAddress>) throws(NetlinkError) -> Underlay {
        let links = try socket.links()
        interface = nil
        if let interfaceName {
            guard let link = links.first(where: { $0.name == interfaceName }) else {
                throw NetlinkError(
                    .noDevice, "use \(interfaceName) between nodes",
                    message: "there is no such link: see --underlay-interface")
            }
            interface = link.index
        }
        mtus = Dictionary(links.filter { Tunnel(linkName: $0.name) == nil }.map { ($0.index, $0.mtu) }) { $1 }
        let entries = try socket.addresses()
        let addresses = own?.addresses ?? []
        let uplink = interface ?? entries.first { addresses.contains($0.address.address) }?.interface
        return Underlay(
            paths: try paths(to: peers), localAddresses: Set(entries.map(\.address.address)), interface: interface,
            uplinkMTU: uplink.flatMap { mtus[$0] })
    }

    /// The paths to some addresses; those that cannot be reached, or only through a tunnel of Duet's, are left out.
    mutating func paths(to addresses: some Sequence<IPAddress>) throws(NetlinkError) -> [IPAddress: UnderlayPath] {
        var paths: [IPAddress: UnderlayPath] = [:]
        for address in addresses {
            guard let way = try socket.route(to: address, interface: interface), let link = way.interface,
                let mtu = mtus[link]
            else { continue }
            paths[address] = UnderlayPath(interface: link, gateway: way.gateway, mtu: min(mtu, way.mtu ?? mtu))
        }
        return paths
    }
}
