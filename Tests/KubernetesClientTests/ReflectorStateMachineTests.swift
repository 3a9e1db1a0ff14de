import KubernetesClient
import Testing

@Suite struct ReflectorStateMachineTests {
    @Test func `A list in pages leads to a watch from its version`() {
        var machine = ReflectorStateMachine()
        #expect(machine.start() == .list(continue: nil))
        let second = machine.listed(version: "5", next: "token")
        #expect(second == .list(continue: "token"))
        let watch = machine.listed(version: "5", next: "")
        #expect(watch == .watch(from: "5"))
    }

    @Test func `A watch that ends after events resumes at once from the last version`() {
        var machine = Self.watching(from: "5")
        machine.received(version: "9")
        machine.received(version: nil)
        let next = machine.watchEnded(afterMilliseconds: 1, jitter: 1)
        #expect(next == .watch(from: "9"))
    }

    @Test func `A watch that ends again and again without events is slowed down`() {
        var machine = Self.watching(from: "5")
        let waits = (0..<9).map { _ in machine.watchEnded(afterMilliseconds: 5, jitter: 1) }
        let expected = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        #expect(waits == expected.map { .wait(milliseconds: $0) })
        #expect(machine.waited() == .watch(from: "5"))
    }

    @Test func `A quiet watch that lasted long resumes at once`() {
        var machine = Self.watching(from: "5")
        let next = machine.watchEnded(afterMilliseconds: 300_000, jitter: 1)
        #expect(next == .watch(from: "5"))
    }

    @Test func `An expired version leads to a new list, a second time after a wait`() {
        var machine = Self.watching(from: "5")
        let first = machine.failed(.expired, jitter: 1)
        let second = machine.failed(.expired, jitter: 1)
        #expect(first == .list(continue: nil))
        #expect(second == .wait(milliseconds: 100))
        #expect(machine.waited() == .list(continue: nil))
    }

    @Test func `While the server is away attempts never lie more than a second apart`() {
        var machine = Self.watching(from: "5")
        var last = ReflectorStateMachine.Action.list(continue: nil)
        for _ in 0..<20 {
            last = machine.failed(.unreachable, jitter: 1)
        }
        #expect(last == .wait(milliseconds: 1000))
        #expect(machine.waited() == .watch(from: "5"))
    }

    @Test func `Refusals wait up to ten seconds, and events clear the count`() {
        var machine = Self.watching(from: "5")
        for _ in 0..<20 {
            _ = machine.failed(.refused, jitter: 0)
        }
        let slow = machine.failed(.refused, jitter: 0)
        machine.received(version: "6")
        let quick = machine.failed(.refused, jitter: 0)
        #expect(slow == .wait(milliseconds: 5000))
        #expect(quick == .wait(milliseconds: 50))
    }

    static func watching(from version: String) -> ReflectorStateMachine {
        var machine = ReflectorStateMachine()
        _ = machine.listed(version: version, next: nil)
        return machine
    }
}
