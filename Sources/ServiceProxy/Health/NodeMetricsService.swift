internal import Addresses
public import Logging
public import ServiceLifecycle

/// Answers `/metrics` for other parts of the node's network where another proxy makes Services answer.
public struct NodeMetricsService: ServiceLifecycle.Service {
    private let port: UInt16
    private let text: @Sendable () -> String
    private let logger: Logger

    private static let retryInterval = Duration.seconds(1)

    /// Describes where, and what.
    ///
    /// - Parameter text: what there is to tell, as Prometheus reads it.
    public init(port: UInt16, text: @escaping @Sendable () -> String, logger: Logger) {
        self.port = port
        self.text = text
        self.logger = logger
    }

    /// Answers in both families until the task is cancelled or the service group shuts down.
    public func run() async {
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                for family in IPFamily.allCases { group.addTask { await serve(family) } }
            }
        }
    }

    private func serve(_ family: IPFamily) async {
        var isReported = false
        while !Task.isCancelled {
            do {
                let listener = try await HealthListener(IPAddress(family: family, bits: 0), port: port) { [text] path in
                    path == "/metrics" ? HealthAnswer(metrics: text()) : nil
                }
                try? await gracefulShutdown()
                await listener.close()
            } catch {
                if !isReported {
                    logger.error(
                        "metrics cannot be told: free the port, or use another with --health-port",
                        metadata: ["family": "\(family.name)", "port": "\(port)", "error": "\(error)"])
                }
                isReported = true
                try? await Task.sleep(for: Self.retryInterval)
            }
        }
    }
}
