import NIOCore
import Synchronization

/// Runs tasks on the thread that reads a connection, so that a short request is answered without a change of threads.
final class EventLoopTaskExecutor: TaskExecutor {
    /// One for each event loop, kept for ever, since a job may still return to it when its task has ended.
    private static let all = Mutex<[ObjectIdentifier: EventLoopTaskExecutor]>([:])

    private let eventLoop: any EventLoop

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

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
