import NIOCore
import Synchronization

/// Runs tasks on the thread that reads a connection, so that a short request is answered without a change of threads.
final class EventLoopTaskExecutor: TaskExecutor {
    /// One for each event loop, kept for ever, since a job may still return to it when its task has ended.
    private static let all = Mutex<[ObjectIdentifier: EventLoopTaskExecutor]>([:])

    private let eventLoop: any EventLoop
    /// Whether the next job runs where it is enqueued; belongs to the event loop's thread.
    nonisolated(unsafe) private var runsNextAtOnce = false

    private init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// The executor of an event loop.
    static func of(_ eventLoop: any EventLoop) -> EventLoopTaskExecutor {
        all.withLock { all in
            if let known = all[ObjectIdentifier(eventLoop)] { return known }
            let executor = EventLoopTaskExecutor(eventLoop)
            all[ObjectIdentifier(eventLoop)] = executor
            return executor
        }
    }

    /// Starts a task that has come to its first wait when this returns; to be called on the event loop.
    func startAtOnce(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        eventLoop.preconditionInEventLoop()
        runsNextAtOnce = true
        return Task(executorPreference: self) { await work() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if eventLoop.inEventLoop, runsNextAtOnce {
            runsNextAtOnce = false
            job.runSynchronously(on: asUnownedTaskExecutor())
        } else {
            eventLoop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }
}
