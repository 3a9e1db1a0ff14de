import Dispatch
import Synchronization

/// Takes in elements one after another on a thread of its own, the part of the work that needs no order on further ones.
package struct OrderedPipeline<Input: Sendable, Output: Sendable, State: Sendable> {
    /// Elements that are worked on together.
    package static var batch: Int { 512 }
    /// Batches on their way, which bound the memory.
    private static var depth: Int { 8 }

    private final class Batch: Sendable {
        let inputs: [Input]
        private let isDone = DispatchGroup()
        private let result = Mutex<Result<[Output], any Error>>(.success([]))

        init(_ inputs: [Input], on queue: DispatchQueue, _ prepare: @escaping @Sendable (Input) throws -> Output) {
            self.inputs = inputs
            queue.async(group: isDone) { [self] in
                let outputs = Result { try inputs.map(prepare) }
                result.withLock { $0 = outputs }
            }
        }

        func outputs() throws -> [Output] {
            isDone.wait()
            return try result.withLock { $0 }.get()
        }
    }

    /// What the elements led to, and what one failed with, behind which nothing is taken.
    private final class Taken: Sendable {
        let state: Mutex<State>
        let failure = Mutex<(any Error)?>(nil)

        init(_ state: State) {
            self.state = Mutex(state)
        }

        func take(_ batch: Batch, _ take: (inout State, Input, Output) -> Void) {
            do {
                let outputs = try batch.outputs()
                guard failure.withLock({ $0 }) == nil else { return }
                state.withLock { state in
                    for (input, output) in zip(batch.inputs, outputs) { take(&state, input, output) }
                }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }

        func check() throws {
            if let error = failure.withLock({ $0 }) { throw error }
        }
    }

    private let prepare: @Sendable (Input) throws -> Output
    private let take: @Sendable (inout State, Input, Output) -> Void
    private let preparing = DispatchQueue(label: "pipeline.prepare", attributes: .concurrent)
    private let taking = DispatchQueue(label: "pipeline.take")
    private let free = DispatchSemaphore(value: Self.depth)
    private let taken: Taken
    private var waiting: [Input] = []

    /// A pipeline without elements.
    ///
    /// - Parameters:
    ///   - state: What there is before the first.
    ///   - prepare: What is done with each element in no order.
    ///   - take: What is done with each afterwards, in the order in which they were added.
    package init(
        _ state: State, prepare: @escaping @Sendable (Input) throws -> Output,
        take: @escaping @Sendable (inout State, Input, Output) -> Void
    ) {
        self.prepare = prepare
        self.take = take
        taken = Taken(state)
    }

    /// Adds an element; waits while too many are on their way.
    ///
    /// - Throws: What an earlier element failed with.
    package mutating func add(_ input: Input) throws {
        waiting.append(input)
        guard waiting.count == Self.batch else { return }
        dispatch()
        try taken.check()
    }

    /// Waits for all that was added; returns what it led to.
    ///
    /// - Throws: What the first element failed with that did.
    package mutating func finish() throws -> State {
        dispatch()
        taking.sync {}
        try taken.check()
        return taken.state.withLock { $0 }
    }

    private mutating func dispatch() {
        free.wait()
        let batch = Batch(waiting, on: preparing, prepare)
        waiting = []
        taking.async { [taken, take, free] in
            taken.take(batch, take)
            free.signal()
        }
    }
}
