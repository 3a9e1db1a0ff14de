import Addresses
import DNSMessage
import DNSResolution
import TestSupport
import Testing

/// A machine, a clock, and what it has said.
private struct Bench {
    var machine: ForwardMachine
    var now: Int64 = 1000
    /// What is on its way: number, server, transport, message.
    var sent: [(id: UInt32, upstream: Upstream, transport: ForwardMachine.Transport, message: [UInt8])] = []
    var failed: [FactKey] = []

    static let key = FactKey(name: DNSName("www.example.com")?.wire ?? [], type: .a)

    init(_ servers: [String], rules: [ForwardRule] = []) {
        machine = ForwardMachine(random: { UInt64.random(in: .min ... .max) })
        let all = ForwardRule(upstreams: servers.compactMap { Upstream(text: $0) })
        take(machine.configure([all] + rules))
    }

    mutating func take(_ actions: [ForwardMachine.Action]) {
        for action in actions {
            switch action {
            case .send(let id, let upstream, let transport, let message):
                sent.append((id, upstream, transport, message))
            case .cancel(let id): sent.removeAll { $0.id == id }
            case .fail(let key, _): failed.append(key)
            }
        }
    }

    mutating func ask(_ key: FactKey = key) { take(machine.ask(key, now: now)) }

    mutating func pass(_ milliseconds: Int64) {
        now += milliseconds
        take(machine.tick(now: now))
    }

    /// Lets a server answer what has been sent to it; `change` may spoil the answer.
    mutating func answer(_ index: Int, address: String? = "192.0.2.1", _ change: (inout [UInt8]) -> Void = { _ in })
        throws -> CachedAnswer?
    {
        let query = try DNSMessage(parsing: sent[index].message)
        var message = DNSMessage(id: query.id, flags: [.response, .recursionAvailable])
        message.questions = query.questions
        if let address, let address = IPAddress(address) {
            message.answers = [
                ResourceRecord(name: query.questions[0].name, ttl: 60, data: DNSRecordData(address))
            ]
        }
        var bytes = message.serialized()
        change(&bytes)
        let (answer, actions) = machine.receive(sent[index].id, bytes.span, now: now)
        take(actions)
        return answer
    }
}

@Suite struct `Other servers` {
    @Test func `are asked once for identical questions`() throws {
        var bench = Bench(["192.0.2.53"])
        for _ in 0..<3 { bench.ask() }
        #expect(bench.sent.count == 1)
        #expect(try bench.answer(0)?.code == .noError)
        #expect(bench.sent.isEmpty && bench.machine.nextDeadline == nil)
    }

    @Test func `race, one of each family first`() {
        var bench = Bench(["192.0.2.1", "192.0.2.2", "2001:db8::1"])
        bench.ask()
        #expect(bench.sent.map(\.upstream.address.family) == [.ipv4])
        bench.pass(401)
        #expect(bench.sent.map(\.upstream.address.family) == [.ipv4, .ipv6])
    }

    @Test func `that answer late are asked later, and those that do not answer last`() throws {
        var bench = Bench(["192.0.2.1", "192.0.2.2"])
        bench.ask()
        for _ in 0..<5 {
            bench.pass(401)
            if bench.sent.count > 1 { break }
        }
        let slow = bench.sent[0].upstream
        #expect(try bench.answer(1) != nil)
        for _ in 0..<4 {
            bench.ask()
            while let index = bench.sent.firstIndex(where: { $0.upstream == slow }) {
                bench.take(bench.machine.fail(bench.sent[index].id, now: bench.now))
            }
            if !bench.sent.isEmpty { _ = try bench.answer(0) }
        }
        bench.ask()
        #expect(bench.sent[0].upstream != slow)
    }

    @Test func `that all fail are given up on`() {
        var bench = Bench(["192.0.2.1", "2001:db8::1"])
        bench.ask()
        for _ in 0..<60 where bench.failed.isEmpty { bench.pass(100) }
        #expect(bench.failed == [Bench.key] && bench.sent.isEmpty)
        var none = Bench([])
        none.ask()
        #expect(none.failed == [Bench.key])
    }

    @Test(arguments: ["another number", "a query", "another name", "another type", "scraps"])
    func `cannot be forged`(remark: String) throws {
        func change(_ bytes: inout [UInt8]) {
            switch remark {
            case "another number": bytes[0] ^= 1
            case "a query": bytes[2] &= 0x7F
            case "another name": bytes[14] ^= 1
            case "another type": bytes[30] = 28
            default: bytes.removeLast(bytes.count - 12)
            }
        }
        var bench = Bench(["192.0.2.53"])
        bench.ask()
        #expect(try bench.answer(0, change) == nil, "\(remark)")
        #expect(bench.sent.count == 1 && bench.sent[0].transport == .datagram)
        for _ in 0..<2 { _ = try bench.answer(0, change) }
        #expect(bench.sent.map(\.transport) == [.stream], "many forgeries lead to TCP")
        #expect(try bench.answer(0) != nil)
    }

    @Test func `must repeat the case of the name, or are asked over TCP`() throws {
        var bench = Bench(["192.0.2.53"])
        func lowered(_ bytes: inout [UInt8]) { for index in 12..<29 { bytes[index] = DNSName.folded(bytes[index]) } }
        bench.ask()
        let name = bench.sent[0].message[12..<29]
        #expect(name.contains { $0 >= 65 && $0 <= 90 }, "chance of none is 1 in 8192")
        #expect(try bench.answer(0, lowered) == nil)
        #expect(bench.sent.map(\.transport) == [.stream])
        #expect(try bench.answer(0, lowered) != nil)
        bench.ask()
        #expect(!bench.sent[0].message[12..<29].contains { $0 >= 65 && $0 <= 90 }, "the server's habit is known now")
    }

    @Test func `are asked over TCP for what does not fit a datagram`() throws {
        var bench = Bench(["192.0.2.53"])
        bench.ask()
        #expect(try bench.answer(0, { $0[2] |= 2 }) == nil)
        #expect(bench.sent.map(\.transport) == [.stream])
    }

    @Test func `are asked without OPT record if they do not know it, and others if they refuse`() throws {
        var bench = Bench(["192.0.2.1", "192.0.2.2"])
        bench.ask()
        let first = bench.sent[0].upstream
        #expect(try bench.answer(0, address: nil, { $0[3] |= 1 }) == nil)
        #expect(bench.sent[0].upstream == first)
        #expect(try DNSMessage(parsing: bench.sent[0].message).extendedDNS == nil)
        #expect(try bench.answer(0, address: nil, { $0[3] |= 5 }) == nil)
        #expect(bench.sent[0].upstream != first)
    }

    @Test func `must go on sending their cookie`() throws {
        var bench = Bench(["192.0.2.53"])
        /// Gives an answer an OPT record with the client's cookie and the server's.
        func bake(_ bytes: inout [UInt8], _ query: [UInt8], forged: Bool = false) {
            bytes[11] = 1
            let client = forged ? Array(repeating: 0, count: 8) : Array(query[48..<56])
            bytes += [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 20, 0, 10, 0, 16] + client + Array(repeating: 7, count: 8)
        }
        bench.ask()
        let query = bench.sent[0].message
        #expect(try bench.answer(0, { bake(&$0, query) }) != nil)
        bench.ask()
        let next = bench.sent[0].message
        #expect(next.count == query.count + 8 && next.suffix(8).allSatisfy { $0 == 7 })
        #expect(try bench.answer(0) == nil, "without a cookie")
        #expect(try bench.answer(0, { bake(&$0, next, forged: true) }) == nil)
        #expect(try bench.answer(0, { bake(&$0, next) }) != nil)
    }

    @Test(
        arguments: [
            ([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 5, 0, 10, 0, 8, 1], "an option longer than its record"),
            ([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 99], "a record longer than the message"),
            ([0, 0, 41], "no whole record"), ([63], "a name longer than the message"),
        ] as [([UInt8], String)])
    func `are asked without OPT record if theirs cannot be read`(record: [UInt8], remark: String) throws {
        var bench = Bench(["192.0.2.1"])
        bench.ask()
        let spoilt = try bench.answer(0) { bytes in
            bytes[11] = 1
            bytes += record
        }
        #expect(spoilt == nil && bench.sent.count == 1, "\(remark)")
        #expect(try DNSMessage(parsing: bench.sent[0].message).extendedDNS == nil)
        #expect(try bench.answer(0) != nil)
    }

    @Test func `are chosen by the longest domain`() throws {
        let rule = try #require(ForwardRule(text: "corp.example=192.0.2.99,[2001:db8::99]:5353"))
        let deeper = try #require(ForwardRule(text: "lab.corp.example=tls://192.0.2.77#dns.lab"))
        var bench = Bench(["192.0.2.53"], rules: [rule, deeper])
        for (name, address, transport) in [
            ("a.corp.example", "192.0.2.99", ForwardMachine.Transport.datagram), ("b.example", "192.0.2.53", .datagram),
            ("c.lab.corp.example", "192.0.2.77", .tls), ("corp.example", "192.0.2.99", .datagram),
            ("xcorp.example", "192.0.2.53", .datagram),
        ] {
            bench.ask(FactKey(name: DNSName(name)?.wire ?? [], type: .aaaa))
            #expect(bench.sent.last?.upstream.address == IPAddress(address), "\(name)")
            #expect(bench.sent.last?.transport == transport)
        }
    }

    @Test func `may be replaced while questions are open`() throws {
        var bench = Bench(["192.0.2.1"])
        bench.ask()
        bench.take(bench.machine.configure([ForwardRule(upstreams: [Upstream(text: "192.0.2.2")].compactMap(\.self))]))
        #expect(bench.sent.map { "\($0.upstream)" } == ["192.0.2.2:53"])
        #expect(try bench.answer(0) != nil)
    }

    @Test func `use numbers and spellings that nobody guesses`() {
        var bench = Bench(["192.0.2.1"])
        var seen: Set<[UInt8]> = []
        for index in 0..<100 {
            bench.ask(FactKey(name: DNSName("name\(index)abcdefghij.example.com")?.wire ?? [], type: .a))
            seen.insert(Array(bench.sent[index].message[..<2]))
        }
        #expect(seen.count > 90)
    }

    @Test(arguments: UInt64(1)...6)
    func `do no damage with damaged answers`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var bench = Bench(["192.0.2.1", "2001:db8::1"])
            bench.ask()
            for _ in 0..<4 where !bench.sent.isEmpty {
                let query = bench.sent[0].message
                _ = try bench.answer(0) { bytes in
                    if Bool.random(using: &generator) {
                        bytes[11] = 1
                        // An OPT record with the client's cookie, which stands at the query's end, and one of the server.
                        bytes += [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 20, 0, 10, 0, 16] + query.suffix(8)
                        bytes += Array(repeating: 7, count: 8)
                    }
                    for _ in 0..<Int.random(in: 0...3, using: &generator) {
                        bytes[Int.random(in: 2..<bytes.count, using: &generator)] = UInt8.random(
                            in: 0...255, using: &generator)
                    }
                    if Bool.random(using: &generator) {
                        bytes.removeLast(Int.random(in: 0..<(bytes.count - 2), using: &generator))
                    }
                }
                bench.pass(500)
            }
            for _ in 0..<20 { bench.pass(500) }
            #expect(bench.sent.isEmpty, "seed \(seed)")
        }
    }

    @Test(
        arguments: [
            ("192.0.2.1", "192.0.2.1:53"), ("192.0.2.1:5353", "192.0.2.1:5353"), ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]:54", "[2001:db8::1]:54"),
            ("tls://9.9.9.9#dns.quad9.net", "tls://9.9.9.9:853#dns.quad9.net"),
            ("tls://9.9.9.9", nil), ("example.com", nil), ("192.0.2.1:0", nil), ("[192.0.2.1", nil),
        ] as [(String, String?)])
    func `have a text form`(text: String, form: String?) {
        #expect(Upstream(text: text)?.description == form)
    }
}

@Suite struct `Answers of other servers` {
    private func answer(_ change: (inout DNSMessage) -> Void) throws -> CachedAnswer {
        var message = DNSMessage(id: 1, flags: [.response])
        message.questions = [DNSQuestion(name: DNSName("www.example.com") ?? .root, type: .a)]
        change(&message)
        return try CachedAnswer(message.serialized().span, for: Bench.key, now: 1000)
    }

    private func record(_ owner: String, _ data: DNSRecordData, ttl: UInt32 = 300) -> ResourceRecord {
        ResourceRecord(name: DNSName(owner) ?? .root, ttl: ttl, data: data)
    }

    private func start(_ minimum: UInt32, ttl: UInt32 = 900) -> ResourceRecord {
        let name = DNSName("example.com") ?? .root
        return ResourceRecord(
            name: name, ttl: ttl,
            data: .soa(
                StartOfAuthority(
                    primary: name, mailbox: name, serial: 1, refresh: 1, retry: 1, expire: 1, minimum: minimum)))
    }

    @Test func `are kept for as long as RFC 2308 says`() throws {
        #expect(try answer { $0.answers = [record("www.example.com", .a(IPv4Address(rawValue: 1)))] }.ttl == 300)
        #expect(try answer { $0.authorities = [start(60)] }.ttl == 60)
        #expect(try answer { $0.authorities = [start(7200, ttl: 90)] }.ttl == 90)
        #expect(try answer { $0.authorities = [start(9000, ttl: 9000)] }.ttl == 3600)
        #expect(try answer { _ in }.ttl == 0, "without a start of authority")
        #expect(
            try answer { $0.answers = [record("www.example.com", .a(IPv4Address(rawValue: 1)), ttl: 1 << 31)] }.ttl == 0
        )
        #expect(try answer { $0.flags.responseCode = 2 }.ttl == 2)
    }

    @Test func `cannot slip other names in`() throws {
        let cache = AnswerCache()
        let good = record("www.example.com", .a(IPv4Address(rawValue: 1)))
        let slipped = record("bank.example", .a(IPv4Address(rawValue: 2)))
        let plain = try answer { $0.answers = [good] }
        let spoilt = try answer {
            $0.answers = [slipped, good, slipped]
            $0.authorities = [slipped]
            $0.additionals = [slipped]
        }
        cache.store(plain)
        let size = cache.byteCount
        cache.store(spoilt)
        #expect(cache.byteCount == size && cache.count == 1)
    }

    @Test func `are bounded in number and memory, those in use last longest`() throws {
        let cache = AnswerCache(capacity: 100, maximumBytes: 20_000)
        var keys: [FactKey] = []
        for index in 0..<1000 {
            let key = FactKey(name: DNSName("n\(index).example.com")?.wire ?? [], type: .a)
            keys.append(key)
            cache.store(CachedAnswer(failure: key, now: 0))
            #expect(cache.count <= 100 && cache.byteCount <= 20_000)
            #expect(cache.find(key) != nil)
        }
        #expect(keys.filter { cache.find($0) != nil }.count == cache.count)
    }
}
