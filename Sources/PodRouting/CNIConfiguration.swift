package import Addresses
internal import JSON
package import KubernetesAPI

/// The network configuration that the container runtime reads from its CNI directory.
package enum CNIConfiguration {
    /// The file's name; it sorts before what other installations leave.
    package static let fileName = "10-duet.conflist"

    /// The network's name, under which the plugins keep its addresses.
    package static let networkName = "duet"

    /// The file's content for a node: routed links, and an address of each family from one of the blocks, the family of the
    /// first block first.
    ///
    /// - Parameter mtu: the largest packet of the node's uplink in bytes; `nil` leaves the links' default.
    package static func text(podPrefixes: [IPPrefix], mtu: Int?) -> String {
        let families = families(of: podPrefixes)
        var plugin: JSONObject = ["type": "ptp"]
        if let mtu { plugin["mtu"] = .integer(Int64(mtu)) }
        plugin["ipam"] = [
            "type": "host-local",
            "ranges": .array(
                families.map { family in
                    .array(podPrefixes.filter { $0.family == family }.map { .object(range($0)) })
                }),
            "routes": .array(families.map { ["dst": .string("\(IPPrefix(.unspecified($0), length: 0))")] }),
        ]
        // Runtimes that know no list of versions take the single one; from 1.1.0 on there is GC.
        let list: JSONValue = [
            "cniVersion": "1.0.0", "cniVersions": ["1.0.0", "1.1.0"], "name": .string(networkName),
            "plugins": [.object(plugin)],
        ]
        return list.text(pretty: true) + "\n"
    }

    /// A block without the addresses that stand for IPv4 callers of its pods.
    private static func range(_ block: IPPrefix) -> JSONObject {
        var range: JSONObject = ["subnet": .string("\(block)")]
        if let callers = block.callers?.prefix {
            range["rangeEnd"] = .string("\(IPAddress(family: block.family, bits: callers.address.bits - 1))")
        }
        return range
    }

    /// The blocks that pods may get addresses from: without those that the node gives back.
    ///
    /// Families keep their order even when the first block of the primary one goes.
    package static func offered(_ podPrefixes: [IPPrefix], _ network: NodeNetwork?) -> [IPPrefix] {
        let releasing = (network?.spec?.blocks ?? []).filter(\.isReleasing).compactMap { IPPrefix($0.cidr) }
        return families(of: podPrefixes).flatMap { family in
            podPrefixes.filter { $0.family == family && !releasing.contains($0) }
        }
    }

    /// The families of some blocks, that of the first block first.
    private static func families(of prefixes: [IPPrefix]) -> [IPFamily] {
        prefixes.map(\.family).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
