internal import Addresses
package import Linux

/// Lets the kernel pass packets on between pods, nodes and the outside.
package enum Forwarding {
    private static let switches: [IPFamily: String] = [
        .ipv4: "net/ipv4/ip_forward", .ipv6: "net/ipv6/conf/all/forwarding",
    ]

    /// Turns forwarding on for each family that the kernel has.
    package static func enable() throws(SystemError) {
        for (_, name) in switches.sorted(by: { $0.key < $1.key }) where Sysctl.exists(name) {
            guard try Sysctl.get(name) == "0" else { continue }
            try keepRouterAdvertisements()
            try Sysctl.set(name, "1")
        }
    }

    // A kernel that forwards IPv6 ignores router advertisements unless told otherwise (ip-sysctl, accept_ra = 2): a node
    // that has its default route from one would lose it.
    private static func keepRouterAdvertisements() throws(SystemError) {
        let links = "net/ipv6/conf"
        guard Sysctl.exists(links) else { return }
        for link in try FileSystem.list("/proc/sys/\(links)") where link != "all" {
            // The link may go away meanwhile.
            if (try? Sysctl.get("\(links)/\(link)/accept_ra")) == "1" {
                try? Sysctl.set("\(links)/\(link)/accept_ra", "2")
            }
        }
    }
}
