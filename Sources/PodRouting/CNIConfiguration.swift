package import Addresses
internal import JSON

/// The network configuration that the container runtime reads from its CNI directory.
package enum CNIConfiguration {
    /// The file's name; it sorts before what other installations leave.
    package static let fileName = "10-duet.conflist"

    /// The file's content for a node: routed links, and addresses from its own blocks, primary family first.
    ///
    /// - Parameter mtu: the largest packet of the node's uplink in bytes; `nil` leaves the links' default.
    package static func text(podPrefixes: [IPPrefix], mtu: Int?) -> String {
        var plugin: JSONObject = ["type": "ptp"]
        if let mtu { plugin["mtu"] = .integer(Int64(mtu)) }
        plugin["ipam"] = [
            "type": "host-local",
            "ranges": .array(podPrefixes.map { [["subnet": .string("\($0)")]] }),
            "routes": .array(
                podPrefixes.map { ["dst": .string("\(IPPrefix(.unspecified($0.family), length: 0))")] }),
        ]
        let list: JSONValue = ["cniVersion": "1.0.0", "name": "duet", "plugins": [.object(plugin)]]
        return list.text(pretty: true) + "\n"
    }
}
