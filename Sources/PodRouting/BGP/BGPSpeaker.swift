internal import Addresses
internal import Dispatch
internal import Linux
package import Logging
internal import Synchronization

/// Keeps a routing daemon's configuration what a node's blocks call for.
package actor BGPSpeaker {
    private let configuration: BGPConfiguration
    private let logger: Logger
    private let wanted = Mutex<ClusterNode?>(nil)
    private var node: ClusterNode?
    private var text = ""
    private var schedule = BGPSchedule()
    private let executor = BlockingExecutor(label: "duet.bgp")

    /// How many seconds the daemon may take to answer.
    private static let patience = "30"
    /// How soon a change is noticed.
    private static let interval = Duration.milliseconds(200)

    /// A speaker for one node.
    package init(configuration: BGPConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Commands of the daemon take seconds: nobody else's work waits for them.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// Takes the node's state, and returns at once.
    package nonisolated func update(_ node: ClusterNode?) {
        // A node that is gone for a moment keeps its sessions.
        guard let node, !node.podPrefixes.isEmpty else { return }
        wanted.withLock { $0 = node }
    }

    /// Tells the daemon what it shall know until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            settle()
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func settle() {
        if let wanted = wanted.withLock({ $0 }), wanted != node {
            node = wanted
            let text = configuration.text(for: wanted)
            if text != self.text {
                self.text = text
                schedule.changed(at: .now)
            }
        }
        guard let node else { return }
        do {
            if schedule.step(at: .now) == .check {
                do {
                    try check(node)
                    schedule.confirmed(at: .now)
                } catch {
                    logger.warning("the routing daemon is told again", metadata: ["error": "\(error)"])
                    schedule.lost(at: .now)
                }
            }
            guard schedule.step(at: .now) == .load else { return }
            if (try? FileSystem.readText(configuration.file)) != text {
                try FileSystem.writeFileAtomically(configuration.file, Array(text.utf8))
            }
            _ = try output(of: configuration.reloadCommand)
            try check(node)
            schedule.confirmed(at: .now)
            logger.info("routers are told of the pods' blocks", metadata: ["blocks": "\(node.podPrefixes)"])
        } catch {
            guard schedule.failed("\(error)", at: .now) else { return }
            logger.error(
                "routers cannot be told of the pods' blocks",
                metadata: ["error": "\(error)", "file": "\(configuration.file)"])
        }
    }

    private func check(_ node: ClusterNode) throws {
        guard let text = try output(of: configuration.checkCommand) else { return }
        let missing = configuration.missingBlocks(of: node, in: text)
        guard missing.isEmpty else {
            throw RoutingDaemonError(
                command: configuration.checkCommand,
                problem: "does not name \(missing.map(\.description).joined(separator: ", "))", output: text)
        }
    }

    private func output(of command: [String]) throws -> String? {
        guard !command.isEmpty else { return nil }
        let output = try ChildProcess.output(of: .init(executable: "timeout", arguments: [Self.patience] + command))
        guard output.status.isSuccess else {
            throw RoutingDaemonError(command: command, problem: "failed", output: output.text + output.errorText)
        }
        return output.text
    }
}

/// Runs an actor on a thread of its own queue, where it may block.
private final class BlockingExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        unsafe UnownedSerialExecutor(ordinary: self)
    }
}

/// A routing daemon that did not take its configuration.
package struct RoutingDaemonError: Error, CustomStringConvertible {
    let command: [String]
    let problem: String
    let output: String

    /// Describes what a command printed.
    package init(command: [String], problem: String, output: String) {
        self.command = command
        self.problem = problem
        self.output = output
    }

    /// The end of the output, without lines that hold passwords: it goes into logs.
    package var description: String {
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.contains("password") }
        let text = lines.joined(separator: "\n").drop { $0 == "\n" }
        let end = text.lastIndex { $0 != "\n" }.map { text[...$0] } ?? ""
        return "\"\(command.joined(separator: " "))\" \(problem): \(end.suffix(2000))"
    }
}
