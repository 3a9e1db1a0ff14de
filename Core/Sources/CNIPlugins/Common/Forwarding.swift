import Addresses
import CNI
import Linux

/// The kernel's switch that lets packets pass from one link to another.
enum Forwarding {
    /// Turns it on for families, in the namespace of this thread.
    static func enable(_ families: [IPFamily]) throws {
        for family in families {
            do throws(SystemError) {
                try Sysctl.set(parameter(family), "1")
            } catch {
                throw CNIError("could not enable IP forwarding: \(error)")
            }
        }
    }

    private static func parameter(_ family: IPFamily) -> String {
        family == .ipv4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding"
    }
}
