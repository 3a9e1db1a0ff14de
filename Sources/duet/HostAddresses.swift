import Addresses
import RouteNetlink

/// The machine's own addresses.
enum HostAddresses {
    /// The address of each family that others know the machine under, the primary family first; the loopback address
    /// of the primary family when there is none.
    static func global(primary: IPFamily?) throws -> [IPAddress] {
        let primary = primary ?? .ipv4
        var socket = try RouteSocket()
        var addresses: [IPAddress] = []
        for family in [primary, primary.other] {
            if let address = try socket.primaryAddress(family) { addresses.append(address) }
        }
        guard addresses.isEmpty else { return addresses }
        return [IPAddress(family: primary, bits: primary == .ipv4 ? 0x7f00_0001 : 1)]
    }
}
