package import JSON

/// A list of CNI plugins as a runtime reads it from its directory (`*.conflist`).
package struct NetworkList {
    private let json: JSONValue
    private let version: String

    /// The first version of CNI that can collect what nobody deleted.
    private static let collectingVersion = "1.1.0"

    /// Reads a list; nil when its plugins cannot be asked to collect.
    package init?(_ text: String) {
        guard let json = try? JSONValue(text: text), json["name"]?.string != nil, json["disableGC"]?.bool != true
        else { return nil }
        let offered = (json["cniVersions"]?.array ?? []).compactMap(\.string) + [json["cniVersion"]?.string ?? ""]
        guard offered.contains(Self.collectingVersion) else { return nil }
        self.json = json
        version = Self.collectingVersion
    }

    /// What each plugin is told, in order, with the attachments that must stay.
    package func collections(keeping sandboxes: [String]) -> [(type: String, configuration: JSONValue)] {
        (json["plugins"]?.array ?? []).compactMap { plugin in
            guard let type = plugin["type"]?.string, !type.contains("/") else { return nil }
            var configuration = plugin
            configuration["capabilities"] = nil
            configuration["cniVersion"] = .string(version)
            configuration["name"] = json["name"]
            configuration["cni.dev/valid-attachments"] = .array(
                // The runtime gives each sandbox one interface.
                sandboxes.map { .object(["containerID": .string($0), "ifname": "eth0"]) })
            return (type, configuration)
        }
    }
}
