internal import Dispatch
package import Netlink
package import RouteNetlink
internal import Synchronization

/// Gathers what changes in a network namespace until somebody looks at it.
package final class KernelWatch: Sendable {
    private struct Pending {
        var changes: [RouteChange] = []
        var isIncomplete = false
    }

    private let monitor: RouteMonitor
    private let pending = Mutex(Pending())

    /// The most changes that are kept; beyond, it is only known that something changed.
    private static let limit = 4096

    /// Listens in the calling thread's network namespace.
    package init() throws(NetlinkError) {
        monitor = try RouteMonitor()
    }

    /// Yields whenever there are changes to `take`; ends with the task that iterates it.
    package func signals() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            // A dispatch source may be cancelled from anywhere.
            nonisolated(unsafe) let source = DispatchSource.makeReadSource(
                fileDescriptor: monitor.descriptor, queue: DispatchQueue(label: "duet.kernel-watch"))
            source.setEventHandler {
                self.read()
                continuation.yield()
            }
            continuation.onTermination = { _ in source.cancel() }
            source.activate()
        }
    }

    /// The changes since the last call; `nil` when some were lost, so that anything may have changed.
    package func take() -> [RouteChange]? {
        pending.withLock { pending in
            defer { pending = Pending() }
            return pending.isIncomplete ? nil : pending.changes
        }
    }

    private func read() {
        var news: [RouteChange]?
        do throws(NetlinkError) {
            news = try monitor.available()
        } catch {
            // ENOBUFS: they came faster than they were read.
        }
        pending.withLock { pending in
            guard let news, !pending.isIncomplete, pending.changes.count + news.count <= Self.limit else {
                pending = Pending(isIncomplete: true)
                return
            }
            pending.changes += news
        }
    }
}
