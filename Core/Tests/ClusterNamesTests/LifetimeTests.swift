import Addresses
import DNSMessage
import DNSResolution
import Testing

/// What becomes of other servers' answers when their time comes to an end (RFC 8767).
@Suite struct `An answer of another server` {
    private let name = "four.example"

    private func bench(ttl: UInt32, staleSeconds: UInt32 = 3600) -> ResolverBench {
        let bench = ResolverBench { $0.staleSeconds = staleSeconds }
        bench.add(name, (name, .address("192.0.2.1")), ttl: ttl)
        return bench
    }

    private func query(id: UInt16 = 7) -> [UInt8] {
        DNSMessage.query(id: id, name: Fixtures.name(name), type: .a).serialized()
    }

    /// The answer that is given without asking anybody; nil if somebody has to be asked.
    private func atHand(_ bench: ResolverBench, _ attempt: Attempt = .first) throws -> DNSMessage? {
        guard case .reply = bench.resolve(query(), .loopback(.ipv4), true, attempt) else { return nil }
        return try DNSMessage(parsing: bench.buffer.bytes)
    }

    @Test func `is asked for again before its end while it is in use, and once`() throws {
        let bench = bench(ttl: 100)
        let start = bench.now
        for _ in 0..<4 { _ = try bench.ask(name, .a) }
        bench.now = start + 89_000
        _ = try bench.ask(name, .a)
        #expect(bench.resolver.refreshes.isEmpty, "more than a tenth of its lifetime is left")
        bench.now = start + 91_000
        for _ in 0..<3 { #expect(try bench.ask(name, .a).answers.first?.ttl == 9) }
        #expect(bench.resolver.refreshes.map(\.type) == [.a])
        #expect(bench.asked.count == 1, "clients have not waited for it")

        // The new answer has a lifetime of its own, and is again asked for only while it is in use.
        bench.resolver.refreshes = []
        bench.now = start + 101_000
        #expect(try bench.ask(name, .a).answers.first?.ttl == 100)
        #expect(bench.asked.count == 2)
        bench.now += 95_000
        _ = try bench.ask(name, .a)
        #expect(bench.resolver.refreshes.isEmpty, "asked for twice only")
    }

    @Test func `with a short lifetime is not asked for before its end`() throws {
        let bench = bench(ttl: 9)
        for _ in 0..<4 { _ = try bench.ask(name, .a) }
        bench.now += 8_900
        _ = try bench.ask(name, .a)
        #expect(bench.resolver.refreshes.isEmpty)
    }

    @Test func `is used after its end by those who do not wait any longer`() throws {
        let bench = bench(ttl: 60)
        _ = try bench.ask(name, .a)
        bench.now += 61_000
        #expect(try atHand(bench) == nil, "first it is asked for")
        #expect(try atHand(bench, .again) == nil)
        let late = try #require(try atHand(bench, .late))
        #expect(late.texts == ["192.0.2.1"])
        #expect(late.answers.first?.ttl == 30, "RFC 8767 §4")
        #expect(late.responseCode == .noError)
        var sources: [AnswerSource] = []
        bench.metrics.forEach { _, _, _, source, _ in sources.append(source) }
        #expect(sources.contains(.stale))
    }

    @Test func `is used at once for a while after nobody could renew it`() throws {
        let bench = bench(ttl: 60)
        _ = try bench.ask(name, .a)
        bench.now += 61_000
        let answer = try #require(bench.cache.find(FactKey(name: Fixtures.name(name).wire, type: .a)))
        #expect(answer.canServeStale)
        answer.serveStale(until: bench.now + 30_000)
        bench.now += 29_000
        #expect(try atHand(bench)?.texts == ["192.0.2.1"])
        bench.now += 2_000
        #expect(try atHand(bench) == nil, "then it is asked for again")
    }

    @Test(arguments: [(0, 61, false), (100, 159, true), (100, 161, false)] as [(UInt32, Int64, Bool)])
    func `is forgotten after the configured time`(staleSeconds: UInt32, age: Int64, isUsed: Bool) throws {
        let bench = bench(ttl: 60, staleSeconds: staleSeconds)
        _ = try bench.ask(name, .a)
        bench.now += age * 1000
        #expect(try (atHand(bench, .late) != nil) == isUsed)
    }

    @Test func `that is a failure is never used after its end`() throws {
        let bench = ResolverBench()
        bench.answers["\(name) A"] = .failure(ResolverBench.ServerSays(code: .serverFailure))
        #expect(try bench.ask(name, .a).responseCode == .serverFailure)
        bench.now += 1_900
        #expect(try atHand(bench)?.responseCode == .serverFailure, "RFC 9520: not asked again at once")
        bench.now += 200
        #expect(try atHand(bench, .late) == nil)
    }

    @Test func `that denies is used after its end as any other`() throws {
        let bench = ResolverBench()
        #expect(try bench.ask(name, .a).responseCode == .nameError)
        bench.now += 61_000
        #expect(try atHand(bench) == nil)
        #expect(try atHand(bench, .late)?.responseCode == .nameError)
    }
}
