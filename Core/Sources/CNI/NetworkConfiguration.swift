public import JSON

/// The network configuration that a runtime writes to a plugin's standard input.
public struct NetworkConfiguration: Sendable {
    /// The whole object.
    public let json: JSONValue
    /// The network's name.
    public let name: String
    /// The protocol version that the configuration is written for.
    public let version: CNIVersion

    /// Takes a configuration apart; the caller has checked the name.
    init(json: JSONValue, name: String, version: CNIVersion) {
        self.json = json
        self.name = name
        self.version = version
    }

    /// The result of the plugins before this one, or of ADD; nil when there is none.
    ///
    /// Errors: code 6 when it cannot be read.
    public func previousResult() throws(CNIError) -> CNIResult? {
        guard let value = json["prevResult"], !value.isNull else { return nil }
        do {
            return try CNIResult(json: value, version: version)
        } catch {
            throw error.prefixed("could not parse prevResult")
        }
    }

    /// Checks that the parts that plugins look into have the shape that they expect there.
    func checkShape() throws(CNIError) {
        try json.section("runtimeConfig")
        try json.section("args")?.section("cni")
        _ = try json.section("ipam")?.word("type")
    }

    /// What the runtime adds for the capabilities that the plugin declared.
    public var runtime: JSONValue? { json["runtimeConfig"] }

    /// The arguments of the `args.cni` convention.
    public var conventionArguments: JSONValue? { json.at("args", "cni") }

    /// The type of the address management plugin; empty when there is none.
    public var ipamType: String { json.at("ipam", "type")?.string ?? "" }

    /// The resolver settings of the configuration itself.
    public func dns() throws(CNIError) -> CNIResult.DNS { try CNIResult.DNS(json: json["dns"]) }

    /// One attachment of a container to a network.
    public struct Attachment: Hashable, Sendable {
        /// The container.
        public let containerID: String
        /// The interface in the container.
        public let interfaceName: String

        /// Names an attachment.
        public init(containerID: String, interfaceName: String) {
            self.containerID = containerID
            self.interfaceName = interfaceName
        }
    }

    /// The attachments that GC must keep (`cni.dev/valid-attachments`).
    ///
    /// Errors: code 7 when the key is missing: collecting everything by mistake would cut off running containers.
    public func validAttachments() throws(CNIError) -> Set<Attachment> {
        let key = "cni.dev/valid-attachments"
        guard let value = json[key], !value.isNull else {
            throw CNIError(.invalidConfiguration, "missing \"\(key)\"")
        }
        var attachments: Set<Attachment> = []
        for entry in try json.list(key) {
            guard let containerID = entry["containerID"]?.string, let interface = entry["ifname"]?.string else {
                throw CNIResult.malformed(key, "objects of containerID and ifname")
            }
            attachments.insert(Attachment(containerID: containerID, interfaceName: interface))
        }
        return attachments
    }
}

extension JSONValue {
    /// The object under a key; absent and null count as none.
    @discardableResult
    public func section(_ key: String) throws(CNIError) -> JSONValue? {
        guard let value = self[key], !value.isNull else { return nil }
        guard value.object != nil else { throw CNIResult.malformed(key, "an object") }
        return value
    }

    /// Whether a key is true: for DEL, which takes anything else for false, since no ADD would have gone on with it.
    public func isTrue(_ key: String) -> Bool { self[key]?.bool ?? false }

    /// The boolean under a key; absent and null count as `standard`.
    public func flag(_ key: String, default standard: Bool = false) throws(CNIError) -> Bool {
        guard let value = self[key], !value.isNull else { return standard }
        guard let flag = value.bool else { throw CNIResult.malformed(key, "true or false") }
        return flag
    }

    /// The integer under a key; absent and null count as zero.
    public func number(_ key: String) throws(CNIError) -> Int {
        guard let value = self[key], !value.isNull else { return 0 }
        guard let number = value.int else { throw CNIResult.malformed(key, "an integer") }
        return number
    }

    /// The string under a key; absent and null count as empty.
    public func word(_ key: String) throws(CNIError) -> String {
        guard let value = self[key], !value.isNull else { return "" }
        guard let word = value.string else { throw CNIResult.malformed(key, "a string") }
        return word
    }
}
