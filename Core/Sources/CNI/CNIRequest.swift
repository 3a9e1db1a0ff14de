/// What a runtime asks a plugin to do (`CNI_COMMAND`).
public enum CNICommand: String, Sendable, CaseIterable {
    /// Attach a container.
    case add = "ADD"
    /// Detach a container.
    case delete = "DEL"
    /// Verify an attachment.
    case check = "CHECK"
    /// Remove what belongs to no listed attachment.
    case collectGarbage = "GC"
    /// Tell whether ADD can be served.
    case status = "STATUS"
    /// Tell the versions spoken.
    case version = "VERSION"

    /// The environment variables that must not be empty.
    var requiredVariables: [String] {
        switch self {
        case .add, .check: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]
        case .delete: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"]
        case .collectGarbage, .status: ["CNI_PATH"]
        case .version: []
        }
    }

    /// Whether the command concerns one attachment.
    var concernsAttachment: Bool { self == .add || self == .delete || self == .check }
}

/// One call of a plugin: the environment's variables and the configuration, checked.
public struct CNIRequest: Sendable {
    /// What to do.
    public let command: CNICommand
    /// The container's identifier; empty for GC and STATUS.
    public let containerID: String
    /// The path of the container's network namespace; may be empty for DEL.
    public let namespacePath: String
    /// The name of the interface in the container.
    public let interfaceName: String
    /// The text of `CNI_ARGS`.
    public let arguments: String
    /// The directories in which plugins are sought.
    public let searchPath: [String]
    /// The configuration from standard input.
    public let configuration: NetworkConfiguration

    init(command: CNICommand, environment: (String) -> String?, configuration: NetworkConfiguration) {
        self.command = command
        containerID = environment("CNI_CONTAINERID") ?? ""
        namespacePath = environment("CNI_NETNS") ?? ""
        interfaceName = environment("CNI_IFNAME") ?? ""
        arguments = environment("CNI_ARGS") ?? ""
        searchPath = (environment("CNI_PATH") ?? "").split(separator: ":").map(String.init)
        self.configuration = configuration
    }

    private init(_ other: CNIRequest, command: CNICommand) {
        self.command = command
        containerID = other.containerID
        namespacePath = other.namespacePath
        interfaceName = other.interfaceName
        arguments = other.arguments
        searchPath = other.searchPath
        configuration = other.configuration
    }

    /// The same request with another command, as a plugin makes one to undo its delegate's ADD.
    public func with(command: CNICommand) -> CNIRequest { CNIRequest(self, command: command) }

    /// The environment for a delegated plugin.
    public var environment: [String: String] {
        [
            "CNI_COMMAND": command.rawValue, "CNI_CONTAINERID": containerID, "CNI_NETNS": namespacePath,
            "CNI_IFNAME": interfaceName, "CNI_ARGS": arguments, "CNI_PATH": searchPath.joined(separator: ":"),
        ]
    }
}
