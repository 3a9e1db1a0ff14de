import Addresses
import CNI
import Linux
import Netlink
import RouteNetlink

/// The addresses and routes of both ends of a ptp attachment.
///
/// The pod has its address with the subnet's length, but reaches the subnet, like everything, through the gateway; the
/// host has the gateway's address on every pod's link, and a route to the pod alone.
struct PointToPointLinks {
    private let ends: [(pod: InterfaceAddress, gateway: IPAddress)]

    /// Takes the addresses of an IPAM result; each needs a gateway.
    init(_ addresses: [CNIResult.Address]) throws(CNIError) {
        var ends: [(pod: InterfaceAddress, gateway: IPAddress)] = []
        for entry in addresses {
            guard let gateway = entry.gateway else {
                throw CNIError("IPAM plugin returned no gateway for \(entry.address); ptp needs one")
            }
            ends.append((entry.address, gateway))
        }
        self.ends = ends
    }

    /// What configures the end in the container, once it is up.
    func container(_ index: Int32) -> [LinkChange] {
        ends.flatMap { pod, gateway in
            // The kernel's own route to the subnet would bypass the gateway.
            let flags = ContainerInterface.flags(gateway.family, detectsDuplicates: false).union(.noPrefixRoute)
            return [.addAddress(pod, index, flags: flags, broadcast: ContainerInterface.broadcast(pod))]
                + routes(pod, gateway, index).map(LinkChange.addRoute)
        }
    }

    /// Whether an address is in a pod's subnet, which is reached through the gateway: as a gateway of its own it has to be
    /// taken to be on the link.
    func isBehindGateway(_ address: IPAddress) -> Bool {
        ends.contains { $0.pod.prefix.contains(address) && $0.gateway != address }
    }

    /// The two routes of one address in the container.
    func routes(_ pod: InterfaceAddress, _ gateway: IPAddress, _ index: Int32) -> [Route] {
        [
            Route(destination: single(gateway), interface: index, source: pod.address),
            Route(destination: pod.prefix, gateway: gateway, interface: index, source: pod.address),
        ]
    }

    /// Turns duplicate detection off on the host's end before it comes up: the gateway's address is on many links.
    func configureHostParameters(_ name: String) throws {
        guard ends.contains(where: { $0.gateway.family == .ipv6 }) else { return }
        try Sysctl.change("net/ipv6/conf/\(name)/accept_dad", "0")
    }

    /// Brings up and configures the end on the host, with a text that says whose it is.
    func configure(_ host: inout RouteSocket, _ index: Int32, alias: String) throws {
        let addresses = ends.flatMap { pod, gateway -> [LinkChange] in
            let own = InterfaceAddress(gateway, length: gateway.family.bitWidth)
            let flags = ContainerInterface.flags(gateway.family, detectsDuplicates: false)
            return [.addAddress(own, index, flags: flags), .addRoute(hostRoute(pod.address, index))]
        }
        let changes = [.bringUp(index, alias: alias)] + addresses
        guard let error = try host.make(changes).first else { return }
        guard case .addRoute = changes[error.index] else { throw error }
        throw CNIError("failed to add route on host: \(error)")
    }

    /// The host's route to a pod.
    func hostRoute(_ pod: IPAddress, _ index: Int32) -> Route {
        Route(destination: single(pod), interface: index, scope: pod.family == .ipv4 ? .host : .universe)
    }

    private func single(_ address: IPAddress) -> IPPrefix { IPPrefix(address, length: address.family.bitWidth) }
}
