import JSON

extension CNIDispatcher {
    /// The answer to VERSION, in the version that was asked in.
    static func versions(asked bytes: [UInt8]) -> String {
        let asked = (try? JSONValue(parsing: bytes))?["cniVersion"]?.string ?? ""
        let value: JSONValue = .object([
            "cniVersion": .string(asked.isEmpty ? CNIVersion.newest.description : asked),
            "supportedVersions": .array(CNIVersion.supported.map { .string($0.description) }),
        ])
        return value.text() + "\n"
    }

    /// Reads the configuration and its name.
    static func decode(_ bytes: [UInt8]) throws(CNIError) -> (JSONValue, name: String) {
        let json: JSONValue
        do {
            json = ConfigurationKeys.normalised(try JSONValue(parsing: bytes))
        } catch {
            throw CNIError(.decodingFailure, "error unmarshall network config: \(error)")
        }
        guard json.object != nil else {
            throw CNIError(.decodingFailure, "error unmarshall network config: expected an object")
        }
        let name = try json.word("name")
        guard !name.isEmpty else { throw CNIError(.invalidConfiguration, "missing network name") }
        guard isIdentifier(name) else {
            throw CNIError(.invalidConfiguration, "invalid characters found in network name", details: name)
        }
        return (json, name)
    }

    /// Checks that the configuration's version is spoken and has the command.
    static func checkVersion(_ text: String, _ command: CNICommand) throws(CNIError) -> CNIVersion {
        if let version = CNIVersion(text) {
            let isServed =
                switch command {
                case .check: version.hasCheck
                case .collectGarbage, .status: version.hasGarbageCollection
                case .add, .delete, .version: true
                }
            guard isServed else {
                throw CNIError(.incompatibleVersion, "config version does not allow \(command.rawValue)")
            }
            if CNIVersion.supported.contains(version), version.description == text { return version }
        }
        let supported = CNIVersion.supported.map { "\"\($0)\"" }.joined(separator: " ")
        throw CNIError(
            .incompatibleVersion, "incompatible CNI versions",
            details: "config is \"\(text)\", plugin supports [\(supported)]")
    }

    static func checkContainerID(_ id: String) throws(CNIError) {
        guard isIdentifier(id) else {
            throw CNIError(.invalidEnvironment, "invalid characters in containerID", details: id)
        }
    }

    static func checkInterfaceName(_ name: String) throws(CNIError) {
        guard name.utf8.count <= 15 else {
            throw CNIError(
                .invalidEnvironment, "interface name is too long",
                details: "interface name should be less than 16 characters")
        }
        guard name != ".", name != ".." else {
            throw CNIError(.invalidEnvironment, "interface name is . or ..")
        }
        guard !name.unicodeScalars.contains(where: { $0 == "/" || $0 == ":" || $0.properties.isWhitespace }) else {
            throw CNIError(.invalidEnvironment, "interface name contains / or : or whitespace characters")
        }
    }

    /// Whether a text has the form of container identifiers and network names.
    static func isIdentifier(_ text: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"):
                true
            default: false
            }
        }
        guard let first = text.utf8.first, isAlphanumeric(first) else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || [0x2D, 0x2E, 0x5F].contains($0) }
    }
}
