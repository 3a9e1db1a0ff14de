import Addresses
public import ArgumentParser
import PodRouting

/// Options about pods' way to other nodes and to the outside that make sense for a node and for a whole cluster.
struct PodWayOptions: ParsableArguments {
    @Option(help: "Way between nodes: auto (direct on a shared link, else vxlan), direct, vxlan or wireguard.")
    var routeMode = RouteMode.auto

    @Option(
        help: """
            Whether pods leave the cluster under their node's address: auto (all but globally routed blocks), always or \
            never; for each family apart as in ipv4=always,ipv6=never.
            """)
    var masquerade = "auto"

    @Option(help: "Destinations outside the cluster that see pods' own addresses: prefixes, separated by commas.")
    var nonMasqueradeRanges: String?

    func validate() throws {
        _ = try masqueradePolicy()
    }

    /// The options as arguments of `duet agent`, without those that have their defaults.
    var arguments: [String] {
        var arguments: [String] = []
        if routeMode != .auto { arguments += ["--route-mode", routeMode.rawValue] }
        if masquerade != "auto" { arguments += ["--masquerade", masquerade] }
        if let nonMasqueradeRanges { arguments += ["--non-masquerade-ranges", nonMasqueradeRanges] }
        return arguments
    }

    /// Which packets leave the cluster under the node's address.
    func masqueradePolicy() throws -> MasqueradePolicy {
        var modes: [IPFamily: Masquerading] = [:]
        for part in masquerade.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            let families = words.count == 2 ? IPFamily.allCases.filter { $0.name.lowercased() == words[0] } : []
            guard let mode = words.last.flatMap(Masquerading.init), words.count == 1 || families.count == 1 else {
                throw ValidationError(
                    "--masquerade \(masquerade): give auto, always or never, or one for each family as in "
                        + "ipv4=always,ipv6=never")
            }
            for family in words.count == 1 ? IPFamily.allCases : families { modes[family] = mode }
        }
        let ranges = try nonMasqueradeRanges?.split(separator: ",", omittingEmptySubsequences: false).map { item in
            guard let prefix = IPPrefix(String(item)) else {
                throw ValidationError(
                    "--non-masquerade-ranges: \"\(item)\" is no prefix; write an address and a length: 192.0.2.0/24")
            }
            return prefix
        }
        return MasqueradePolicy(modes: modes, exempt: ranges ?? [])
    }
}

extension RouteMode: ExpressibleByArgument {}
