import Addresses
import DNSMessage
import Linux

/// Asks other servers, one after the other until one answers, and keeps their answers for a while.
///
/// Each question has a socket of its own, so its source port is random, as its number is (RFC 5452).
struct Forwarder {
    /// The end of a request: what a server answered, or nil if none did.
    struct Completion {
        let request: ForwardRequest
        let answer: [UInt8]?
    }

    private let configured: [IPAddress]
    private var servers: [IPAddress]
    private let port: UInt16
    private var cache = ForwardCache()
    private var exchanges: [UInt32: ForwardExchange] = [:]
    private var nextID: UInt32 = 0
    /// The server that answered last, which is asked first.
    private var preferred = 0

    /// Questions that may wait for an answer at once.
    private static let maximumExchanges = 1024

    init(servers: [IPAddress], port: UInt16) {
        configured = servers
        self.servers = servers
        self.port = port
    }

    /// Leaves out addresses of this server itself: what it asked there would come back to it without end.
    mutating func exclude(_ addresses: Set<IPAddress>, port: UInt16) {
        servers = port == self.port ? configured.filter { !addresses.contains($0) } : configured
        preferred = 0
    }

    /// Whether an answer is outstanding.
    var isWaiting: Bool { !exchanges.isEmpty }

    /// Begins a request; the result is nil while an answer is outstanding.
    mutating func start(_ request: ForwardRequest, now: Int64, _ poller: inout Poller) -> Completion? {
        if let bytes = cache.answer(ForwardCache.Key(request.question, request.query), now: now) {
            return Completion(request: request, answer: bytes)
        }
        guard !servers.isEmpty, exchanges.count < Forwarder.maximumExchanges else {
            return Completion(request: request, answer: nil)
        }
        nextID &+= 1
        let id = nextID
        exchanges[id] = ForwardExchange(request: request)
        return ask(id, now: now, &poller)
    }

    /// Asks the next server that can be asked; without one the request has failed.
    private mutating func ask(_ id: UInt32, now: Int64, _ poller: inout Poller) -> Completion? {
        guard let exchange = exchanges[id] else { return nil }
        while exchange.attempts < servers.count {
            let server = servers[(preferred + exchange.attempts) % servers.count]
            exchange.attempts += 1
            do throws(SystemError) {
                try exchange.ask(server, port: port, now: now, token: PollToken(.forward, id).rawValue, &poller)
                return nil
            } catch {
                continue
            }
        }
        return end(id, exchange.refusal)
    }

    /// Goes on with a request whose socket is ready.
    mutating func progress(_ id: UInt32, now: Int64, _ poller: inout Poller) -> Completion? {
        guard let exchange = exchanges[id] else { return nil }
        do throws(SystemError) {
            guard let bytes = try exchange.progress(token: PollToken(.forward, id).rawValue, &poller) else {
                return nil
            }
            let code = DNSResponseCode(rawValue: UInt16(bytes[3]) & 0xF)
            guard code != .serverFailure, code != .refused else {
                exchange.refusal = bytes
                return ask(id, now: now, &poller)
            }
            preferred = (preferred + exchange.attempts - 1) % servers.count
            cache.store(ForwardCache.Key(exchange.request.question, exchange.request.query), bytes, now: now)
            return end(id, bytes)
        } catch {
            return ask(id, now: now, &poller)
        }
    }

    /// Gives up waiting for servers that have had their time.
    mutating func expire(now: Int64, _ poller: inout Poller) -> [Completion] {
        guard !exchanges.isEmpty else { return [] }
        let late = exchanges.filter { now >= $0.value.deadline }.keys
        return late.compactMap { ask($0, now: now, &poller) }
    }

    private mutating func end(_ id: UInt32, _ answer: [UInt8]?) -> Completion? {
        exchanges.removeValue(forKey: id).map { Completion(request: $0.request, answer: answer) }
    }
}
