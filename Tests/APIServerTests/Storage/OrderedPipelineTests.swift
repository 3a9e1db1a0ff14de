import APIServer
import Synchronization
import Testing

@Suite("Work that is prepared on many threads and taken in order")
struct OrderedPipelineTests {
    private typealias Pipeline = OrderedPipeline<Int, Int, [Int]>

    private struct Refusal: Error {}

    private final class Progress: Sendable {
        let taken = Atomic(0)
    }

    @Test(
        "Every element is taken once, in its order, however many there are",
        arguments: [0, 1, 2, 511, 512, 513, 5_000, 20_000])
    func order(count: Int) throws {
        let progress = Progress()
        var pipeline = Pipeline([-1]) {
            $0 * 3
        } take: { taken, input, output in
            #expect(output == input * 3)
            taken.append(input)
            progress.taken.add(1, ordering: .relaxed)
        }
        for number in 0..<count {
            try pipeline.add(number)
            #expect(number - progress.taken.load(ordering: .relaxed) <= 10 * Pipeline.batch, "What waits is bounded")
        }
        #expect(try pipeline.finish() == Array(-1..<count))
    }

    @Test("What fails is told, and nothing behind it is taken", arguments: [0, 700, 6_000])
    func failure(at position: Int) {
        let progress = Progress()
        var pipeline = Pipeline([]) { number in
            if number == position { throw Refusal() }
            return number
        } take: { _, input, _ in
            progress.taken.store(input, ordering: .relaxed)
        }
        #expect(throws: Refusal.self) {
            for number in 0..<8_000 { try pipeline.add(number) }
            _ = try pipeline.finish()
        }
        #expect(progress.taken.load(ordering: .relaxed) <= position)
    }
}
