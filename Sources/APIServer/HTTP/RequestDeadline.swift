import HTTPTypes
import HummingbirdCore
import KubernetesAPI
import NIOCore
import Synchronization

/// How long a request may take: what its `timeout` says, and a minute at most.
struct RequestDeadline: Sendable {
    /// Of requests that say nothing, or more.
    private static let maximum = Duration.seconds(60)

    private let limit: Duration

    /// The deadline of a request; nil for one that lasts as long as the client likes, and for one that waits for nothing.
    ///
    /// - Throws: 400 for a time-out that cannot be read.
    init?(_ request: Request, _ target: RequestTarget, _ query: Query) throws(StatusError) {
        var limit = Self.maximum
        let text = query["timeout"] ?? ""
        if !text.isEmpty {
            do throws(DurationText.ParseError) {
                let asked = try DurationText(text).duration
                if asked > .zero { limit = min(asked, limit) }
            } catch {
                throw .badRequest("invalid timeout specified in the request URL - \(error)")
            }
        }
        let isRead = request.method == .get || request.method == .head
        // Reads come from memory.
        guard !isRead || !text.isEmpty, !Self.isLongRunning(request.method, target, query) else { return nil }
        self.limit = limit
    }

    private static func isLongRunning(_ method: HTTPRequest.Method, _ target: RequestTarget, _ query: Query) -> Bool {
        if case .resource(let path) = target, path.subresource == "log" { return true }
        return LimitedResponder.isLongRunning(method, target, query)
    }

    /// Does the work, or gives up waiting for it; what is already on its way to the log is written all the same.
    ///
    /// - Throws: what the work throws, and 504 after the deadline.
    func run(
        on loop: any EventLoop, _ executor: any TaskExecutor, _ work: @escaping @Sendable () async throws -> Response
    ) async throws -> Response {
        let race = Race()
        let task = Task(executorPreference: executor) {
            do {
                race.finish(.success(try await work()))
            } catch {
                race.finish(.failure(error))
            }
        }
        let timer = loop.scheduleTask(in: TimeAmount(limit)) {
            race.finish(
                .failure(
                    StatusError.timeout(
                        "request did not complete within requested timeout - context deadline exceeded")))
            task.cancel()
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await race.outcome()
        } onCancel: {
            task.cancel()
        }
    }

    /// The first of two outcomes.
    private final class Race: Sendable {
        private enum State {
            case open
            case awaited(CheckedContinuation<Response, any Error>)
            case finished(Result<Response, any Error>)
        }

        private let state = Mutex(State.open)

        func finish(_ result: Result<Response, any Error>) {
            let waiting = state.withLock { state -> CheckedContinuation<Response, any Error>? in
                switch state {
                case .open:
                    state = .finished(result)
                    return nil
                case .awaited(let continuation):
                    state = .finished(result)
                    return continuation
                case .finished: return nil
                }
            }
            waiting?.resume(with: result)
        }

        func outcome() async throws -> Response {
            try await withCheckedThrowingContinuation { continuation in
                let known = state.withLock { state -> Result<Response, any Error>? in
                    if case .finished(let result) = state { return result }
                    state = .awaited(continuation)
                    return nil
                }
                if let known { continuation.resume(with: known) }
            }
        }
    }
}
