import Dispatch
import Synchronization

/// Takes in elements one after another, the part of the work that needs no order on other threads meanwhile.
package struct OrderedPipeline<Input: Sendable, Output: Sendable> {
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

    private let prepare: @Sendable (Input) throws -> Output
    private let queue = DispatchQueue(label: "pipeline", attributes: .concurrent)
    private var waiting: [Input] = []
    private var batches = ArrayQueue<Batch>()

    /// A pipeline without elements.
    ///
    /// - Parameter prepare: What is done with each element in no order.
    package init(_ prepare: @escaping @Sendable (Input) throws -> Output) {
        self.prepare = prepare
    }

    /// Adds an element; `take` gets earlier ones that are prepared, in the order in which they were added.
    package mutating func add(_ input: Input, _ take: (Input, Output) throws -> Void) throws {
        waiting.append(input)
        guard waiting.count == Self.batch else { return }
        dispatch()
        if batches.count > Self.depth { try takeFirst(take) }
    }

    /// Waits for all that was added.
    package mutating func finish(_ take: (Input, Output) throws -> Void) throws {
        dispatch()
        while batches.count > 0 { try takeFirst(take) }
    }

    private mutating func dispatch() {
        batches.append(Batch(waiting, on: queue, prepare))
        waiting = []
    }

    private mutating func takeFirst(_ take: (Input, Output) throws -> Void) throws {
        guard let batch = batches.first else { return }
        batches.removeFirst()
        for (input, output) in zip(batch.inputs, try batch.outputs()) { try take(input, output) }
    }
}
