import JSON
import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization

/// Writes a pod's status to the API server, the newest only, until it is written.
final class StatusPublisher: Sendable {
    private let client: KubernetesClient
    private let logger: Logger
    private let stream: AsyncStream<Pod>
    private let continuation: AsyncStream<Pod>.Continuation
    private let last = Mutex<PodStatus?>(nil)
    private let idle = Mutex<(pending: Int, waiters: [CheckedContinuation<Void, Never>])>((0, []))

    init(client: KubernetesClient, logger: Logger) {
        self.client = client
        self.logger = logger
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Hands in the status of `pod` if it differs from the one handed in before.
    func publish(_ pod: Pod) {
        let isNew = last.withLock { last in
            guard last != pod.status else { return false }
            last = pod.status
            return true
        }
        guard isNew else { return }
        idle.withLock { $0.pending += 1 }
        if case .dropped = continuation.yield(pod) { settle(1) }
    }

    /// Returns when what was handed in is written, or given up.
    func finish() async {
        await withCheckedContinuation { waiter in
            let isIdle = idle.withLock { state in
                guard state.pending > 0 else { return true }
                state.waiters.append(waiter)
                return false
            }
            if isIdle { waiter.resume() }
        }
    }

    private func settle(_ count: Int) {
        let waiters = idle.withLock { state in
            state.pending -= count
            guard state.pending == 0 else { return [] as [CheckedContinuation<Void, Never>] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Writes until the task is cancelled.
    func run() async {
        var written: JSONValue?
        for await pod in stream {
            written = await write(pod, over: written)
            settle(1)
        }
        settle(idle.withLock { $0.pending })
    }

    /// Tries until it succeeds, a newer status waits, or the object is gone.
    private func write(_ pod: Pod, over old: JSONValue?) async -> JSONValue? {
        var delay = Duration.milliseconds(100)
        while !Task.isCancelled {
            do {
                let status = try JSONValueEncoder().encode(pod.status)
                var patch = status
                // A merge patch removes a field only by an explicit null.
                for (key, _) in old?.object ?? [:] where status[key] == nil {
                    patch[key] = .null
                }
                for key in ["reason", "message"] where status[key] == nil { patch[key] = .null }
                try await client.patch(
                    Pod.self, namespace: pod.namespace, name: pod.name, subresource: "status",
                    patch: ["metadata": ["uid": .string(pod.metadata.uid ?? "")], "status": patch])
                return status
            } catch let error as StatusError where error.code == 404 || error.code == 409 {
                return nil
            } catch {
                logger.warning("cannot write the status of \(pod.namespace)/\(pod.name): \(error)")
                guard last.withLock({ $0 == pod.status }) else { return old }
                try? await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(5))
            }
        }
        return old
    }
}
