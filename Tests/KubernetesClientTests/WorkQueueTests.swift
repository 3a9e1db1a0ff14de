import KubernetesClient
import Testing

@Suite struct WorkQueueTests {
    @Test func `A key waits once, and is taken up again when it was added while it was worked on`() async {
        let queue = WorkQueue<String>()
        queue.add("a")
        queue.add("b")
        queue.add("a")
        #expect(await queue.next() == "a")
        queue.add("a")
        #expect(await queue.next() == "b")
        queue.done("b")
        queue.done("a")
        #expect(await queue.next() == "a")
    }

    @Test func `A failing key comes back, later each time`() async {
        let queue = WorkQueue<String>(minimumWait: .milliseconds(1), maximumWait: .milliseconds(4))
        for expected in 1...5 {
            queue.retry("a")
            #expect(queue.failures(of: "a") == expected)
            #expect(await queue.next() == "a")
            queue.done("a")
        }
        queue.forget("a")
        #expect(queue.failures(of: "a") == 0)
    }

    @Test func `The earlier of two appointments counts`() async {
        let queue = WorkQueue<String>()
        let start = ContinuousClock.now
        queue.add("a", after: .seconds(60))
        queue.add("a", after: .milliseconds(5))
        #expect(await queue.next() == "a")
        #expect(start.duration(to: .now) < .seconds(30))
    }

    @Test func `Waiting ends with the task`() async {
        let queue = WorkQueue<String>()
        let task = Task { await queue.next() }
        task.cancel()
        #expect(await task.value == nil)
    }

    @Test func `Work that throws is tried again until it succeeds`() async {
        let queue = WorkQueue<Int>(minimumWait: .milliseconds(1))
        let (results, sink) = AsyncStream.makeStream(of: Int.self)
        let task = Task {
            await queue.run(workers: 2) { key in
                if queue.failures(of: key) < key {
                    throw CancellationError()
                }
                sink.yield(key)
            }
        }
        for key in 0..<4 {
            queue.add(key)
        }
        var seen: Set<Int> = []
        for await key in results {
            seen.insert(key)
            if seen.count == 4 {
                break
            }
        }
        task.cancel()
        await task.value
        #expect(seen == [0, 1, 2, 3])
    }
}
