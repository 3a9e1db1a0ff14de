import CRI
import JSON
import Linux
import Logging

/// Makes sandboxes, and has the CNI plugins remove what the runtime lost while it made one (CNI 1.1, GC).
///
/// A runtime that is killed meanwhile does not know the sandbox afterwards, and nobody deletes its addresses and links.
actor NetworkCollector {
    private let configuration: NodeConfiguration
    private let runtime: CRIRuntime
    private let logger: Logger
    private let results = CachedResults()
    private var creating = 0
    private var isCollecting = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// When the next collection is due; the node itself may have been killed before.
    private var due: ContinuousClock.Instant? = .now + patience

    /// A plugin outlives the runtime that called it; after this it has ended.
    private static let patience = Duration.seconds(10)

    init(configuration: NodeConfiguration, runtime: CRIRuntime, logger: Logger) {
        self.configuration = configuration
        self.runtime = runtime
        self.logger = logger
    }

    /// Makes and starts a sandbox and returns its id; never while plugins collect, to whom it would look left behind.
    func runSandbox(_ sandbox: Runtime_V1_PodSandboxConfig) async throws(RuntimeError) -> String {
        while isCollecting { await withCheckedContinuation { waiting.append($0) } }
        creating += 1
        defer { creating -= 1 }
        do throws(RuntimeError) {
            return try await runtime.runSandbox(sandbox)
        } catch {
            due = .now + Self.patience
            throw error
        }
    }

    /// Collects when something may have been left, until the task is cancelled.
    func run() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            guard let due, .now >= due, creating == 0 else { continue }
            isCollecting = true
            if await collect() { self.due = nil }
            isCollecting = false
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
    }

    /// Whether it is done: a runtime that does not answer is asked again.
    private func collect() async -> Bool {
        do throws(SystemError) {
            for name in try results.removeTorn() {
                logger.info("removed what the runtime had noted in part", metadata: ["file": "\(name)"])
            }
        } catch {
            logger.warning("cannot remove what the runtime has noted in part: \(error)")
        }
        guard let list = networkList() else { return true }
        guard let sandboxes = try? await runtime.sandboxes() else { return false }
        for (type, plugin) in list.collections(keeping: sandboxes.map(\.id)) {
            do {
                let output = try ChildProcess.output(
                    of: ChildProcess.Specification(
                        executable: "\(configuration.cniBinDir)/\(type)",
                        environment: ["CNI_COMMAND": "GC", "CNI_PATH": configuration.cniBinDir]),
                    input: plugin.serialized())
                if output.status.isSuccess { continue }
                logger.warning("the CNI plugin \(type) cannot collect what is left: \(output.text)")
            } catch {
                logger.warning("the CNI plugin \(type) cannot collect what is left: \(error)")
            }
        }
        return true
    }

    /// The list that the runtime uses: the first by name.
    private func networkList() -> NetworkList? {
        let names = (try? FileSystem.list(configuration.cniConfDir)) ?? []
        guard let name = names.filter({ $0.hasSuffix(".conflist") }).min(),
            let text = try? FileSystem.readText("\(configuration.cniConfDir)/\(name)")
        else { return nil }
        return NetworkList(text)
    }
}
