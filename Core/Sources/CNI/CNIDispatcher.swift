import JSON

/// The frame around a plugin: checks environment and configuration, calls it, and forms what is printed.
///
/// The order of the checks and the texts are those of the reference library's plugin entry, so that a runtime sees the
/// same errors. Pure: input and output are values, and what it must know of the system is asked through closures.
public struct CNIDispatcher: Sendable {
    /// What the process shall print and return.
    public struct Outcome: Hashable, Sendable {
        /// The exit status.
        public var status: Int32 = 0
        /// The text for standard output.
        public var output = ""
        /// The text for standard error.
        public var log = ""
    }

    private let plugin: any CNIPlugin
    private let isOwnNamespace: @Sendable (String) -> Bool

    /// Frames a plugin; `isOwnNamespace` tells whether a path is the network namespace of this process.
    public init(_ plugin: any CNIPlugin, isOwnNamespace: @escaping @Sendable (String) -> Bool) {
        self.plugin = plugin
        self.isOwnNamespace = isOwnNamespace
    }

    /// Serves one call; `environment` tells variables, and `input` reads standard input to its end.
    public func run(environment: (String) -> String?, input: () throws -> [UInt8]) -> Outcome {
        guard let command = environment("CNI_COMMAND"), !command.isEmpty else { return about }
        var version = CNIVersion.newest.description
        do {
            let output = try serve(command, environment, input, version: &version)
            return Outcome(output: output)
        } catch {
            return Outcome(status: 1, output: error.json(version: version).text(pretty: true) + "\n")
        }
    }

    private var about: Outcome {
        let versions = CNIVersion.supported.map(\.description).joined(separator: ", ")
        return Outcome(log: "Duet CNI plugin \(plugin.name)\nCNI protocol versions supported: \(versions)\n")
    }

    private func serve(
        _ name: String, _ environment: (String) -> String?, _ input: () throws -> [UInt8], version: inout String
    ) throws(CNIError) -> String {
        let command = CNICommand(rawValue: name)
        let missing = (command?.requiredVariables ?? []).filter { (environment($0) ?? "").isEmpty }
        guard missing.isEmpty else {
            throw CNIError(
                .invalidEnvironment, "required env variables [\(missing.joined(separator: ","))] missing")
        }
        let bytes: [UInt8]
        do {
            bytes = try input()
        } catch {
            throw CNIError(.inputOutput, "error reading from stdin: \(error)")
        }
        if command == .version { return Self.versions(asked: bytes) }

        let (json, networkName) = try Self.decode(bytes)
        let versionText = try json.word("cniVersion")
        version = versionText.isEmpty ? CNIVersion.unspecified.description : versionText
        guard let command else {
            throw CNIError(.invalidEnvironment, "unknown CNI_COMMAND: \(name)")
        }
        if command.concernsAttachment {
            try Self.checkContainerID(environment("CNI_CONTAINERID") ?? "")
            try Self.checkInterfaceName(environment("CNI_IFNAME") ?? "")
        }
        let configuration = NetworkConfiguration(
            json: json, name: networkName, version: try Self.checkVersion(version, command))
        // DEL goes on with whatever can be read: its ADD may have been refused for the rest.
        if command != .delete { try configuration.checkShape() }
        let request = CNIRequest(command: command, environment: environment, configuration: configuration)
        try checkNamespace(request, environment)
        do {
            return try call(request)
        } catch {
            throw CNIError(error)
        }
    }

    private func call(_ request: CNIRequest) throws -> String {
        switch request.command {
        case .add:
            let result = try plugin.add(request)
            return try result.json(version: request.configuration.version).text(pretty: true) + "\n"
        case .delete: try plugin.delete(request)
        case .check: try plugin.check(request)
        case .collectGarbage: try plugin.collectGarbage(request)
        case .status: try plugin.status(request)
        case .version: break
        }
        return ""
    }

    /// The reference refuses after the fact and leaves its interface behind; refusing first has the same answer.
    private func checkNamespace(_ request: CNIRequest, _ environment: (String) -> String?) throws(CNIError) {
        guard request.command == .add || request.command == .delete, !request.namespacePath.isEmpty else { return }
        let override = environment("CNI_NETNS_OVERRIDE") ?? ""
        guard override != "1", override.uppercased() != "TRUE", isOwnNamespace(request.namespacePath) else { return }
        throw CNIError(
            .invalidNetworkNamespace, "plugin's netns and netns from CNI_NETNS should not be the same")
    }
}
