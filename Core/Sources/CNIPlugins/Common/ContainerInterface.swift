import Addresses
import CNI
import Linux
import Netlink
import RouteNetlink

/// How an interface in a container gets its addresses and routes.
enum ContainerInterface {
    /// Sets the kernel parameters of an interface before it comes up, so that its addresses are usable at once; in the
    /// namespace of this thread.
    ///
    /// With `detectsDuplicates` an IPv6 address stays unusable until the kernel has asked the link for it.
    static func prepare(_ name: String, families: [IPFamily], detectsDuplicates: Bool) throws {
        guard families.contains(.ipv6) else { return }
        let settings = "net/ipv6/conf/\(name)"
        guard Sysctl.exists("\(settings)/disable_ipv6") else {
            throw CNIError("\(name) has no IPv6: its MTU is less than 1280, or the kernel does not have it")
        }
        // Writing this one takes the kernel's lock of links, also where nothing changes.
        for parameter in ["net/ipv6/conf/lo", settings] { try Sysctl.set("\(parameter)/disable_ipv6", "0") }
        try Sysctl.change("\(settings)/keep_addr_on_down", "1")
        try Sysctl.change("\(settings)/accept_dad", detectsDuplicates ? "1" : "0")
        if detectsDuplicates { try Sysctl.change("\(settings)/enhanced_dad", "1") }
    }

    /// The flags of an address that shall be usable at once, or after the kernel has looked for duplicates.
    static func flags(_ family: IPFamily, detectsDuplicates: Bool) -> AddressFlags {
        family == .ipv6 && !detectsDuplicates ? .noDAD : []
    }

    /// The broadcast address that `ip` and the reference give an address of the family; nil where there is none.
    static func broadcast(_ address: InterfaceAddress) -> IPAddress? {
        address.address.family == .ipv4 && address.prefix.hostBits > 1 ? address.prefix.last : nil
    }

    /// The routes of a result, each with the gateway of its family where it names none; several to one destination are
    /// several ways there.
    ///
    /// - Parameter isOnLink: whether a gateway is on the link although no route says so.
    static func routes(
        _ result: CNIResult, interface: Int32, where isOnLink: (IPAddress) -> Bool = { _ in false }
    ) -> [LinkChange] {
        result.routes.map { wanted in
            let gateway = wanted.gateway ?? result.gateway(of: wanted.destination.family)
            return .addWay(
                Route(
                    destination: wanted.destination, gateway: gateway, interface: interface,
                    scope: wanted.scope.map { RouteScope(rawValue: UInt8(truncatingIfNeeded: $0)) },
                    table: wanted.table.map { UInt32(truncatingIfNeeded: $0) } ?? Route.mainTable,
                    metric: wanted.priority.map { UInt32(truncatingIfNeeded: $0) } ?? 0, mtu: wanted.mtu,
                    advertisedMSS: wanted.advertisedMSS, isOnLink: gateway.map(isOnLink) ?? false))
        }
    }
}
