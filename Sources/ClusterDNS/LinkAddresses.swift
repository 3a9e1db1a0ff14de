package import Addresses
import Linux
package import Netlink
import RouteNetlink

/// Puts addresses on a link of this node, each with the full prefix length of its family.
package enum LinkAddresses {
    /// Adds the wanted addresses, those already there being adopted, and removes the others of `former`.
    package static func apply(_ wanted: Set<IPAddress>, former: Set<IPAddress>, link name: String) throws(NetlinkError)
    {
        var socket = try RouteSocket()
        guard let link = try socket.link(named: name) else { throw NetlinkError(.noDevice, "find link \(name)") }
        let present = Set(try socket.addresses(link.index).map(\.address.address))
        for address in wanted.subtracting(present).sorted() {
            try socket.addAddress(
                InterfaceAddress(address, length: address.family.bitWidth), link.index, flags: .noDAD, scope: .host)
        }
        for address in former.subtracting(wanted).intersection(present).sorted() {
            try socket.removeAddress(InterfaceAddress(address, length: address.family.bitWidth), link.index)
        }
    }
}
