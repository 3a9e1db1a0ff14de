import Foundation
import Linux
import Testing

/// Runs the tests of a suite on threads of their own, which they may block.
///
/// They wait for the kernel and for other programs most of the time, and Swift's tasks share no more threads than there are
/// processors.
struct BlockingTests: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let threads = try BlockingThreads.shared.get()
        try await withTaskExecutorPreference(threads) { try await function() }
    }
}

extension Trait where Self == BlockingTests {
    /// Runs the tests of a suite beside those of others, on threads that they may block.
    static var blocking: BlockingTests { BlockingTests() }
}

/// A few threads that run jobs in the order in which they come.
private final class BlockingThreads: TaskExecutor, @unchecked Sendable {
    /// More would keep two processors busy, and what they wait for too long.
    static let shared = Result { try BlockingThreads(count: 6) }

    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []

    private init(count: Int) throws {
        for _ in 0..<count { try OSThread.detach(name: "blocking-test") { [self] in runForEver() } }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.withLock {
            jobs.append(job)
            condition.signal()
        }
    }

    private func runForEver() {
        while true {
            let job = condition.withLock {
                while jobs.isEmpty { condition.wait() }
                return jobs.removeFirst()
            }
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
