import Addresses
import JSON
import KubernetesAPI

/// What `kubectl get` shows of Endpoints and EndpointSlices.
enum EndpointColumns {
    /// How many entries a cell shows.
    private static let shown = 3

    /// Addresses with ports of an Endpoints object.
    static let endpoints = TableColumn("Endpoints", "Addresses and ports that are ready.") { object in
        var texts: [String] = []
        for subset in object["subsets"]?.array ?? [] {
            let ports = subset["ports"]?.array ?? []
            for address in (subset["addresses"]?.array ?? []).compactMap({ $0["ip"]?.string }) {
                let host = IPAddress(address)?.uriHost ?? address
                texts += ports.isEmpty ? [address] : ports.map { "\(host):\($0["port"]?.int ?? 0)" }
            }
        }
        return shortened(texts, none: "<none>")
    }

    /// The columns of EndpointSlices.
    static let slices: [TableColumn] = [
        .name, TableColumn("AddressType", "The family of the addresses.") { $0["addressType"]?.string ?? "" },
        TableColumn("Ports", "The ports.") { slice in
            let ports = slice["ports"]?.array ?? []
            return shortened(
                ports.map { $0["port"]?.int.map(String.init) ?? $0["name"]?.string ?? "*" }, none: "<unset>")
        },
        TableColumn("Endpoints", "The addresses.") { slice in
            let addresses = (slice["endpoints"]?.array ?? []).flatMap {
                ($0["addresses"]?.array ?? []).compactMap(\.string)
            }
            return shortened(addresses, none: "<unset>")
        },
        .age,
    ]

    private static func shortened(_ texts: [String], none: String) -> String {
        guard !texts.isEmpty else { return none }
        let text = texts.prefix(shown).joined(separator: ",")
        return texts.count > shown ? "\(text) + \(texts.count - shown) more..." : text
    }
}
