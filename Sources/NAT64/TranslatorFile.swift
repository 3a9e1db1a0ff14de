import Yams

/// A configuration file as it is written, before its values are looked at.
///
/// Every property is a key of the file; `docs/translation.md` describes them.
struct TranslatorFile: Decodable {
    var device: String?
    var mode: String?
    var queues: Int?
    var prefix: String?
    var pool: [String]?
    var ports: String?
    var forwards: [Forward]?
    var map: [Pair]?
    var hostsInPrefix: Bool?
    var links: [String]?
    var announce: Announcements?
    var filtering: String?
    var deny: [String]?
    var embedsNonGlobal: Bool?
    var addresses: Own?
    var mtu: Sizes?
    var limits: Limits?
    var timeouts: Timeouts?
    var makesUDPChecksums: Bool?
    var copiesTrafficClass: Bool?
    var control: String?
    var metrics: String?

    /// A public port that leads to a client.
    struct Forward: Decodable {
        var `protocol`: String
        var `public`: String
        var client: String
    }

    /// An address, or network, of each family that stand for each other.
    struct Pair: Decodable {
        var ipv4: String
        var ipv6: String
    }

    /// Where hosts are told the prefix.
    struct Announcements: Decodable {
        var links: [String]
        var routerLifetime: Int?
    }

    /// The translator's own addresses.
    struct Own: Decodable {
        var ipv4: String?
        var ipv6: String?
    }

    struct Sizes: Decodable {
        var ipv4: Int?
        var ipv6: Int?
        var lowestIPv6: Int?
    }

    struct Limits: Decodable {
        var sessions: Int?
        var sessionsPerClient: Int?
        var portsPerClient: Int?
        var clientPrefixLength: Int?
        var heldFragments: Int?
        var heldOpens: Int?
        var restingPorts: Int?
        var errorsPerSecond: Int?
    }

    struct Timeouts: Decodable {
        var udp: Int?
        var tcpEstablished: Int?
        var tcpTransitory: Int?
        var tcpIncomingOpen: Int?
        var icmp: Int?
        var fragment: Int?
        var portRest: Int?
    }

    /// The keys of each mapping, by the place it is at; "[]" stands for any item of a list.
    private static let keys: [String: Set<String>] = [
        "": [
            "device", "mode", "queues", "prefix", "pool", "ports", "forwards", "map", "hostsInPrefix", "links",
            "announce", "filtering", "deny", "embedsNonGlobal", "addresses", "mtu", "limits", "timeouts",
            "makesUDPChecksums", "copiesTrafficClass", "control", "metrics",
        ],
        "forwards[]": ["protocol", "public", "client"],
        "map[]": ["ipv4", "ipv6"],
        "announce": ["links", "routerLifetime"],
        "addresses": ["ipv4", "ipv6"],
        "mtu": ["ipv4", "ipv6", "lowestIPv6"],
        "limits": [
            "sessions", "sessionsPerClient", "portsPerClient", "clientPrefixLength", "heldFragments", "heldOpens",
            "restingPorts", "errorsPerSecond",
        ],
        "timeouts": ["udp", "tcpEstablished", "tcpTransitory", "tcpIncomingOpen", "icmp", "fragment", "portRest"],
    ]

    /// Reads a file's text.
    static func parse(_ text: String) throws(TranslatorConfigurationError) -> TranslatorFile {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw TranslatorConfigurationError("", "the file is empty: a translator needs at least a pool or a map")
            }
            try checkKeys(node, at: "")
            return try YAMLDecoder().decode(TranslatorFile.self, from: node)
        } catch let error as TranslatorConfigurationError {
            throw error
        } catch let error as DecodingError {
            throw TranslatorConfigurationError(error)
        } catch {
            throw TranslatorConfigurationError("", "the file is no YAML: \(error)")
        }
    }

    /// Refuses keys that nothing reads: a misspelt one would be a setting that is not set.
    private static func checkKeys(_ node: Node, at place: String) throws(TranslatorConfigurationError) {
        if let mapping = node.mapping {
            guard let known = keys[place] else { return }
            for (key, value) in mapping {
                let name = key.string ?? ""
                guard known.contains(name) else {
                    throw TranslatorConfigurationError(
                        place.isEmpty ? name : "\(place).\(name)",
                        "there is no such key; there are \(known.sorted().joined(separator: ", "))")
                }
                try checkKeys(value, at: place.isEmpty ? name : "\(place).\(name)")
            }
        } else if let sequence = node.sequence {
            for item in sequence { try checkKeys(item, at: "\(place)[]") }
        }
    }
}

/// A configuration that a translator cannot run with.
public struct TranslatorConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The key that is at fault; empty for the file as a whole.
    public let key: String
    /// What is wrong with it, and what to do.
    public let problem: String

    init(_ key: String, _ problem: String) {
        self.key = key
        self.problem = problem
    }

    init(_ error: DecodingError) {
        let (context, problem): (DecodingError.Context, String) =
            switch error {
            case .keyNotFound(let key, let context): (context, "\(key.stringValue) is missing")
            case .valueNotFound(_, let context): (context, "a value is missing")
            case .typeMismatch(let type, let context): (context, "the value is no \(Self.name(type))")
            case .dataCorrupted(let context): (context, context.debugDescription)
            @unknown default: (.init(codingPath: [], debugDescription: ""), "\(error)")
            }
        var key = ""
        for part in context.codingPath {
            if let index = part.intValue {
                key += "[\(index)]"
            } else {
                key += (key.isEmpty ? "" : ".") + part.stringValue
            }
        }
        self.init(key, key.isEmpty ? "the file names no keys, such as pool: [192.0.2.64]" : problem)
    }

    private static func name(_ type: Any.Type) -> String {
        switch type {
        case is Int.Type: "number"
        case is Bool.Type: "true or false"
        case is Node.Sequence.Type: "list"
        case is Node.Mapping.Type: "mapping"
        default: "text"
        }
    }

    /// The key and what is wrong with it.
    public var description: String { key.isEmpty ? problem : "\(key): \(problem)" }
}
