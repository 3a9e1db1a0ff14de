import Addresses
import DNSMessage

/// Asks other servers: a pure machine that is told what happens and says what to do.
///
/// Identical questions are asked once. The server that has been fastest is asked first; if it takes longer than usual, the
/// best one of the other family is asked as well, then the rest. Servers that do not answer are passed over for a while.
/// What an answer must repeat, and a forger must guess: number, port, spelling of the name, and the cookie.
public struct ForwardMachine {
    /// How a message travels.
    public enum Transport: Hashable, Sendable {
        /// A datagram from a port that nobody can know.
        case datagram
        /// A TCP connection.
        case stream
        /// TLS (RFC 7858).
        case tls
    }

    /// What is to be done.
    public enum Action: Sendable {
        /// Send a message, and report what comes back under the given number.
        case send(UInt32, Upstream, Transport, [UInt8])
        /// Nothing more is wanted from this exchange.
        case cancel(UInt32)
        /// Nobody has been able to answer; the response code says why.
        case fail(FactKey, UInt16)
    }

    struct Exchange {
        let question: FactKey
        let server: Int
        let transport: Transport
        let message: [UInt8]
        let sent: Int64
        let deadline: Int64
        var mismatches = 0
    }

    struct Question {
        var exchanges: [UInt32] = []
        /// Servers in the order in which they are asked, and the next one.
        let order: [Int]
        var next = 0
        /// When the next server is asked, in milliseconds.
        var nextTime: Int64
        let end: Int64
        let cases: UInt128
        var code = DNSResponseCode.serverFailure.rawValue
        var hasRetriedCookie = false
    }

    private(set) var servers: [UpstreamState] = []
    /// Which servers are asked below which domain, the longest domains first.
    private var routes: [(domain: DNSName, servers: [Int])] = []
    private(set) var questions: [FactKey: Question] = [:]
    private var exchanges: [UInt32: Exchange] = [:]
    private var nextID: UInt32 = 0
    /// No deadline comes before this time; it may be that of a question that is answered by now.
    private var earliest: Int64 = .max
    private let random: () -> UInt64

    /// Questions that may be open at once.
    public static let maximumQuestions = 1024
    /// How long a question is open at most, in milliseconds.
    private static let totalTime: Int64 = 4500
    /// How long one server has, in milliseconds.
    private static let serverTime: Int64 = 1500
    /// How often the list of servers is gone through.
    private static let rounds = 2
    /// Wrong answers after which an exchange goes on over TCP, where nobody else can answer.
    private static let maximumMismatches = 3

    /// Makes a machine without servers.
    ///
    /// - Parameter random: gives numbers that nobody can guess.
    public init(random: @escaping () -> UInt64 = { UInt64.random(in: .min ... .max) }) {
        self.random = random
    }

    /// Replaces the servers; what is known about those that stay is kept.
    public mutating func configure(_ rules: [ForwardRule]) -> [Action] {
        let known = Dictionary(servers.map { ($0.upstream, $0) }) { first, _ in first }
        let open = questions.keys
        var actions: [Action] = []
        for key in open { finish(key, &actions) }
        servers = []
        routes = rules.sorted { $0.domain.labelCount > $1.domain.labelCount }.map { rule in
            let indices = rule.upstreams.map { upstream in
                if let index = servers.firstIndex(where: { $0.upstream == upstream }) { return index }
                servers.append(known[upstream] ?? UpstreamState(upstream: upstream, clientCookie: random()))
                return servers.count - 1
            }
            return (rule.domain, indices)
        }
        // Whoever waits is served by the new servers.
        for key in open { actions += ask(key, now: lastTime) }
        return actions
    }

    private var lastTime: Int64 = 0

    /// Whether a question is open.
    public func isOpen(_ key: FactKey) -> Bool { questions[key] != nil }

    /// When `tick` is due at the latest, in milliseconds; nil while nothing is open.
    ///
    /// It does not follow every question that ends: looking for the next one costs as much as there are open ones, and
    /// `tick` does it.
    public var nextDeadline: Int64? { questions.isEmpty ? nil : earliest }

    /// Begins to ask a question, unless it is open already.
    public mutating func ask(_ key: FactKey, now: Int64) -> [Action] {
        lastTime = now
        guard questions[key] == nil else { return [] }
        let candidates = routes.first { key.isInside($0.domain) }?.servers ?? []
        guard !candidates.isEmpty, questions.count < Self.maximumQuestions else {
            return [.fail(key, DNSResponseCode.serverFailure.rawValue)]
        }
        questions[key] = Question(
            order: order(candidates, now: now), nextTime: now, end: now + Self.totalTime,
            cases: UInt128(random()) << 64 | UInt128(random()))
        var actions: [Action] = []
        askNext(key, now, &actions)
        return actions
    }

    /// Servers by how soon they are expected to answer; the second is of the other family if there is one.
    private func order(_ candidates: [Int], now: Int64) -> [Int] {
        guard candidates.count > 1 else { return candidates }
        func rank(_ index: Int) -> (Int, Int64) {
            (servers[index].awayUntil > now ? 1 : 0, servers[index].time)
        }
        var order = candidates.sorted { rank($0) < rank($1) }
        let family = servers[order[0]].upstream.address.family
        if let other = order.firstIndex(where: { servers[$0].upstream.address.family != family }), other > 1,
            servers[order[other]].awayUntil <= now
        {
            order.insert(order.remove(at: other), at: 1)
        }
        return order
    }

    /// Asks the next server of a question.
    private mutating func askNext(_ key: FactKey, _ now: Int64, _ actions: inout [Action]) {
        guard var question = questions[key] else { return }
        guard question.next < question.order.count * Self.rounds else {
            question.nextTime = .max
            questions[key] = question
            if question.exchanges.isEmpty { fail(key, &actions) }
            return
        }
        let server = question.order[question.next % question.order.count]
        question.next += 1
        question.nextTime = now + servers[server].patience
        earliest = min(earliest, question.nextTime, question.end)
        questions[key] = question
        send(key, to: server, servers[server].upstream.tlsName == nil ? .datagram : .tls, now, &actions)
    }

    private mutating func send(
        _ key: FactKey, to server: Int, _ transport: Transport, _ now: Int64, _ actions: inout [Action]
    ) {
        guard let cases = questions[key]?.cases else { return }
        nextID &+= 1
        let message = UpstreamMessage.query(
            key, id: UInt16(truncatingIfNeeded: random()), cases: cases, server: servers[server])
        let deadline = now + (transport == .datagram ? Self.serverTime : Self.serverTime * 2)
        earliest = min(earliest, deadline)
        exchanges[nextID] = Exchange(
            question: key, server: server, transport: transport, message: message, sent: now, deadline: deadline)
        questions[key]?.exchanges.append(nextID)
        actions.append(.send(nextID, servers[server].upstream, transport, message))
    }

    private mutating func end(_ id: UInt32, _ actions: inout [Action]) {
        guard let exchange = exchanges.removeValue(forKey: id) else { return }
        questions[exchange.question]?.exchanges.removeAll { $0 == id }
        actions.append(.cancel(id))
    }

    private mutating func finish(_ key: FactKey, _ actions: inout [Action]) {
        guard let question = questions.removeValue(forKey: key) else { return }
        for id in question.exchanges {
            exchanges[id] = nil
            actions.append(.cancel(id))
        }
    }

    private mutating func fail(_ key: FactKey, _ actions: inout [Action]) {
        let code = questions[key]?.code ?? DNSResponseCode.serverFailure.rawValue
        finish(key, &actions)
        actions.append(.fail(key, code))
    }
}

extension ForwardMachine {
    /// Takes what came back in an exchange; the result is the answer, if that is what it was.
    public mutating func receive(_ id: UInt32, _ message: Span<UInt8>, now: Int64) -> (CachedAnswer?, [Action]) {
        lastTime = now
        guard let exchange = exchanges[id] else { return (nil, []) }
        var actions: [Action] = []
        let key = exchange.question
        let reply: UpstreamMessage.Reply
        switch UpstreamMessage.match(message, exchange.message, key, servers[exchange.server]) {
        case .none:
            mismatch(id, now, &actions)
            return (nil, actions)
        case .otherCase where exchange.transport == .datagram:
            // Over TCP nobody else can have answered, so the case then says something about the server.
            end(id, &actions)
            send(key, to: exchange.server, .stream, now, &actions)
            return (nil, actions)
        case .otherCase(let content):
            servers[exchange.server].keepsCase = false
            reply = content
        case .answer(let content):
            if let cookie = content.cookie { servers[exchange.server].serverCookie = cookie }
            reply = content
        }
        servers[exchange.server].succeed(after: now - exchange.sent)
        let code = reply.code
        let flags = DNSFlags(rawValue: UInt16(message[2]) << 8 | UInt16(message[3]))
        if code == 23, questions[key]?.hasRetriedCookie == false {
            questions[key]?.hasRetriedCookie = true  // the server has just given a new cookie
            end(id, &actions)
            send(key, to: exchange.server, exchange.transport, now, &actions)
        } else if code == DNSResponseCode.formatError.rawValue || code == DNSResponseCode.notImplemented.rawValue,
            servers[exchange.server].takesExtendedDNS
        {
            servers[exchange.server].takesExtendedDNS = false
            end(id, &actions)
            send(key, to: exchange.server, exchange.transport, now, &actions)
        } else if flags.contains(.truncated), exchange.transport == .datagram {
            end(id, &actions)
            send(key, to: exchange.server, .stream, now, &actions)
        } else if code == DNSResponseCode.noError.rawValue || code == DNSResponseCode.nameError.rawValue,
            let answer = try? CachedAnswer(message, for: key, now: now)
        {
            finish(key, &actions)
            return (answer, actions)
        } else {
            questions[key]?.code = code == 5 ? 5 : 2
            end(id, &actions)
            askNext(key, now, &actions)
        }
        return (nil, actions)
    }

    private mutating func mismatch(_ id: UInt32, _ now: Int64, _ actions: inout [Action]) {
        guard var exchange = exchanges[id] else { return }
        exchange.mismatches += 1
        exchanges[id] = exchange
        guard exchange.mismatches >= Self.maximumMismatches || exchange.transport != .datagram else { return }
        end(id, &actions)
        if exchange.transport == .datagram {
            send(exchange.question, to: exchange.server, .stream, now, &actions)
        } else {
            askNext(exchange.question, now, &actions)
        }
    }

    /// Takes that an exchange has failed: the server is away, or has ended the connection.
    public mutating func fail(_ id: UInt32, now: Int64) -> [Action] {
        lastTime = now
        guard let exchange = exchanges[id] else { return [] }
        var actions: [Action] = []
        servers[exchange.server].fail(now: now)
        end(id, &actions)
        askNext(exchange.question, now, &actions)
        return actions
    }

    /// Does what is due.
    public mutating func tick(now: Int64) -> [Action] {
        lastTime = now
        guard let due = nextDeadline, now >= due else { return [] }
        var actions: [Action] = []
        for (id, exchange) in exchanges where now >= exchange.deadline {
            servers[exchange.server].fail(now: now)
            end(id, &actions)
            if questions[exchange.question]?.exchanges.isEmpty == true { askNext(exchange.question, now, &actions) }
        }
        for (key, question) in questions {
            if now >= question.end {
                fail(key, &actions)
            } else if now >= question.nextTime {
                askNext(key, now, &actions)
            }
        }
        earliest = min(
            questions.values.lazy.map { min($0.nextTime, $0.end) }.min() ?? .max,
            exchanges.values.lazy.map(\.deadline).min() ?? .max)
        return actions
    }

    /// The servers, the smoothed time to their answers in milliseconds, and whether they are passed over.
    public func health(now: Int64) -> [(upstream: Upstream, milliseconds: Int64, isAway: Bool)] {
        servers.map { ($0.upstream, $0.time, $0.awayUntil > now) }
    }
}

extension FactKey {
    /// Whether the name is `domain` or lies below it.
    fileprivate func isInside(_ domain: DNSName) -> Bool {
        let start = name.count - domain.wire.count
        guard start >= 0 else { return false }
        var position = 0
        while position < start { position += Int(name[position]) + 1 }
        return position == start
            && domain.wire.indices.allSatisfy { DNSName.folded(domain.wire[$0]) == name[start + $0] }
    }
}
