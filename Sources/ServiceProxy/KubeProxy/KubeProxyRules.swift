internal import Linux
package import Logging
internal import NFTables

/// What kube-proxy has written to the kernel, in its nftables and its iptables mode.
///
/// Connections that its rules have translated go on without them, as long as some translation is there: the kernel
/// remembers each connection's own.
package enum KubeProxyRules {
    /// Removes them, in the namespace of the calling thread, and says how many tables of nftables and listings of
    /// iptables had any.
    ///
    /// What Duet does for Services must be there before: of chains at the same place the newer one is asked first, so
    /// new connections go by Duet's while both are there, and by nobody's in no moment.
    @discardableResult
    package static func remove(logger: Logger) throws -> Int {
        var socket = try NFTablesSocket()
        let tables = try socket.tables().filter { $0.name == "kube-proxy" }
        try socket.commit(Transaction(tables.map { .deleteTable($0) }))
        var count = tables.count
        for tool in XTablesTool.all {
            // A node without the tool has no rules that it wrote.
            guard let listing = try? run(tool.save, []), let removal = KubeProxyChains.removal(of: listing)
            else { continue }
            _ = try run(tool.restore, ["--noflush", "-w", "5"], input: removal)
            count += 1
        }
        if count > 0 { logger.notice("took the Services over from kube-proxy", metadata: ["rulesets": "\(count)"]) }
        return count
    }

    private static func run(_ tool: String, _ arguments: [String], input: String = "") throws -> String {
        let output = try ChildProcess.output(
            of: ChildProcess.Specification(executable: tool, arguments: arguments), input: Array(input.utf8))
        guard output.status.isSuccess else { throw ToolFailed(tool: tool, message: output.errorText) }
        return output.text
    }

    private struct ToolFailed: Error, CustomStringConvertible {
        let tool: String
        let message: String

        var description: String { "\(tool) cannot remove kube-proxy's chains: \(message)" }
    }
}
