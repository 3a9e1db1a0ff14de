public import Addresses
public import CNI
import JSON
import Linux

/// The `ipam` part of a network configuration, as host-local understands it.
public struct HostLocalConfiguration: Sendable {
    /// One set for each address that an attachment gets.
    public let rangeSets: [RangeSet]
    /// The routes to return.
    public let routes: [CNIResult.Route]
    /// A resolv.conf to return the settings of; empty for none.
    public let resolverFile: String
    /// The addresses that the runtime asks for.
    public let requested: [IPAddress]

    /// The directory that the reference plugin uses too.
    public static let standardDataDirectory = "/var/lib/cni/networks"

    /// Reads the configuration of a request; errors carry the reference plugin's texts.
    public init(_ request: CNIRequest) throws(CNIError) {
        let configuration = request.configuration
        guard let ipam = try configuration.json.section("ipam") else {
            throw CNIError("IPAM config missing 'ipam' key")
        }
        _ = try ipam.word("dataDir")
        resolverFile = try ipam.word("resolvConf")
        requested = try Self.requested(request)

        var sets: [RangeSet] = []
        // The order of preference: runtime, then the flat form of old configurations, then the list.
        var sources = try configuration.runtime?.list("ipRanges") ?? []
        if let subnet = ipam["subnet"], !subnet.isNull { sources.append(.array([ipam])) }
        sources += try ipam.list("ranges")
        if sources.isEmpty, let range = try Self.range(fromFile: try ipam.word("rangeFromFile")) {
            sources.append(.array([range]))
        }
        for (index, value) in sources.enumerated() {
            do {
                sets.append(try RangeSet(json: value))
            } catch {
                throw error.prefixed("invalid range set \(index)")
            }
        }
        try Self.check(sets, version: configuration.version)
        rangeSets = sets
        var routes: [CNIResult.Route] = []
        for value in try ipam.list("routes") { routes.append(try CNIResult.Route(json: value)) }
        self.routes = routes
    }

    /// The directory that holds one for each network, of a configuration that may be wrong in every other respect.
    static func dataDirectory(_ configuration: NetworkConfiguration) -> String {
        let directory = configuration.json.at("ipam", "dataDir")?.string ?? ""
        return directory.isEmpty ? standardDataDirectory : directory
    }

    /// The range that a file holds, which another program writes; nil when none is named.
    private static func range(fromFile path: String) throws(CNIError) -> JSONValue? {
        if path.isEmpty { return nil }
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileSystem.readFile(path)
        } catch {
            throw CNIError("failed to read rangeFromFile \"\(path)\": \(error)")
        }
        guard let json = try? JSONValue(parsing: bytes), json["subnet"]?.string != nil else {
            throw CNIError("failed to parse rangeFromFile \"\(path)\" as a Range")
        }
        return json
    }

    private static func check(_ sets: [RangeSet], version: CNIVersion) throws(CNIError) {
        guard !sets.isEmpty else { throw CNIError("no IP ranges specified") }
        let isMultiple = IPFamily.allCases.contains { family in sets.count { $0.family == family } > 1 }
        guard !isMultiple || version >= CNIVersion(0, 3, 0) else {
            throw CNIError("CNI version \(version) does not support more than 1 address per family")
        }
        for (index, set) in sets.enumerated() {
            for (other, later) in sets.enumerated().dropFirst(index + 1) where later.overlaps(set) {
                throw CNIError("range set \(index) overlaps with \(other)")
            }
        }
    }

    private static func requested(_ request: CNIRequest) throws(CNIError) -> [IPAddress] {
        var addresses: [IPAddress] = []
        let arguments = try CNIArguments(request.arguments, known: ["IP"])
        if let text = arguments["IP"], !text.isEmpty {
            guard let address = address(text) else {
                throw CNIError("ARGS: error parsing value of pair \"IP=\(text)\": invalid IP address \(text)")
            }
            addresses.append(address)
        }
        let lists = [request.configuration.conventionArguments, request.configuration.runtime]
        for case let list? in lists {
            for text in try list.strings("ips") {
                guard let address = address(text) else { throw CNIError("invalid IP address \(text)") }
                addresses.append(address)
            }
        }
        // The runtime may ask for the same one in several ways.
        var seen: Set<IPAddress> = []
        return addresses.filter { seen.insert($0).inserted }
    }

    /// Reads `address` or `address/length`.
    private static func address(_ text: String) -> IPAddress? {
        (IPAddress(text) ?? InterfaceAddress(text)?.address)?.unmapped
    }
}
