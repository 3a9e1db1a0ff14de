import Logging
import ServiceLifecycle
import UnixSignals

/// Runs long-running parts until one fails or the process is told to end.
enum ServiceRunner {
    /// Runs `services` until SIGTERM or SIGINT, then `cleanUp`.
    static func run(
        _ services: [any Service], logger: Logger, cleanUp: () async -> Void = {}
    ) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger))
        do {
            try await group.run()
        } catch {
            await cleanUp()
            throw error
        }
        await cleanUp()
    }
}
