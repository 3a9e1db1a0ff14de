internal import Addresses
internal import Linux
package import Logging

/// Keeps a routing daemon's configuration what a node's blocks call for.
package actor BGPSpeaker {
    private let configuration: BGPConfiguration
    private let logger: Logger
    private var loaded: String?

    /// How many seconds the daemon may take to read its configuration.
    private static let patience = "30"

    /// A speaker for one node.
    package init(configuration: BGPConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Takes the node's state; the daemon reads its configuration again when that changes, and when the last attempt failed.
    package func update(_ node: ClusterNode?) {
        // A node that is gone for a moment keeps its sessions.
        guard let node, !node.podPrefixes.isEmpty else { return }
        let text = configuration.text(for: node)
        guard text != loaded else { return }
        do {
            if (try? FileSystem.readText(configuration.file)) != text {
                try FileSystem.writeFileAtomically(configuration.file, Array(text.utf8))
            }
            try reload()
            loaded = text
            logger.info("routers are told of the pods' blocks", metadata: ["blocks": "\(node.podPrefixes)"])
        } catch {
            logger.error(
                "routers cannot be told of the pods' blocks",
                metadata: ["error": "\(error)", "file": "\(configuration.file)"])
        }
    }

    private func reload() throws {
        guard !configuration.reloadCommand.isEmpty else { return }
        let output = try ChildProcess.output(
            of: .init(executable: "timeout", arguments: [Self.patience] + configuration.reloadCommand))
        guard output.status.isSuccess else {
            throw BGPReloadError(
                command: configuration.reloadCommand.joined(separator: " "), output: output.text + output.errorText)
        }
    }
}

/// A routing daemon that did not take its configuration.
struct BGPReloadError: Error, CustomStringConvertible {
    let command: String
    let output: String

    var description: String {
        "\"\(command)\" failed: \(output.suffix(2000))"
    }
}
