internal import Addresses
internal import Netlink
internal import RouteNetlink

extension RouteSocket {
    /// Gives a link the node's addresses among its own pods, and takes away those of Duet's that it shall not have.
    mutating func keepPodSideAddresses(_ wanted: Set<IPAddress>, on interface: Int32) throws(NetlinkError) {
        let present = try addresses(interface)
        for entry in present where entry.protocol == .duet && !wanted.contains(entry.address.address) {
            try removeAddress(entry.address, interface)
        }
        for address in wanted where !present.contains(where: { $0.address.address == address }) {
            try addAddress(
                InterfaceAddress(address, length: address.family.bitWidth), interface, flags: .noDAD, protocol: .duet)
        }
    }
}
