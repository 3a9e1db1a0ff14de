import APIServer
import Testing

@Suite("Work that is prepared on many threads and taken in order")
struct OrderedPipelineTests {
    private typealias Pipeline = OrderedPipeline<Int, Int>

    private struct Refusal: Error {}

    @Test(
        "Every element is taken once, in its order, however many there are",
        arguments: [0, 1, 2, 511, 512, 513, 5_000, 20_000])
    func order(count: Int) throws {
        var pipeline = Pipeline { $0 * 3 }
        var taken: [Int] = []
        for number in 0..<count {
            try pipeline.add(number) { input, output in
                #expect(output == input * 3)
                taken.append(input)
            }
            #expect(number - taken.count <= 10 * Pipeline.batch, "What waits is bounded")
        }
        try pipeline.finish { input, _ in taken.append(input) }
        #expect(taken == Array(0..<count))
    }

    @Test("What fails is told, and nothing behind it is taken", arguments: [0, 700, 6_000])
    func failure(at position: Int) {
        var pipeline = Pipeline { number in
            if number == position { throw Refusal() }
            return number
        }
        var last = -1
        #expect(throws: Refusal.self) {
            for number in 0..<8_000 { try pipeline.add(number) { input, _ in last = input } }
            try pipeline.finish { input, _ in last = input }
        }
        #expect(last < position)
    }
}
