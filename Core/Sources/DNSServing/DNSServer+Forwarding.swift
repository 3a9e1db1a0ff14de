import Addresses
import DNSMessage
import DNSResolution
import Linux

extension DNSServer {
    /// How long an old answer stays in use after a refresh has failed, in milliseconds (RFC 8767 §5).
    private static let staleTime: Int64 = 30_000

    /// Lets a query wait until a fact is known.
    func wait(_ waiter: Waiter, for key: FactKey) {
        guard waiters.hasRoom(for: waiter.client) else {
            // Only where nothing can be asked at all; the client is told at once.
            return fail(waiter)
        }
        waiters.add(waiter, for: key)
        perform(machine.ask(key, now: now))
    }

    /// Asks again for answers that are in use and near their end.
    func refresh() {
        let keys = resolver.refreshes
        resolver.refreshes = []
        for key in keys { perform(machine.ask(key, now: now)) }
    }

    /// Does what the machine says.
    func perform(_ actions: [ForwardMachine.Action]) {
        for action in actions {
            switch action {
            case .send(let id, let upstream, let transport, let message): send(id, upstream, transport, message)
            case .cancel(let id): exchanges[id] = nil
            case .fail(let key, let code): fail(key, code)
            }
        }
    }

    private func send(_ id: UInt32, _ upstream: Upstream, _ transport: ForwardMachine.Transport, _ message: [UInt8]) {
        guard transport != .tls else {
            guard let secure else { return perform(machine.fail(id, now: now)) }
            let state = state
            secure.send(message, to: upstream) { state.complete(secure: id, $0) }
            return
        }
        do throws(SystemError) {
            exchanges[id] = try UpstreamExchange(
                upstream, isStream: transport == .stream, message, token: PollToken(.exchange, id).rawValue, &poller)
        } catch {
            perform(machine.fail(id, now: now))
        }
    }

    /// Goes on with an exchange whose socket is ready.
    func progress(_ id: UInt32) {
        guard let exchange = exchanges[id] else { return }
        do throws(SystemError) {
            if let message = try exchange.progress(token: PollToken(.exchange, id).rawValue, &poller) {
                receive(id, message)
            }
        } catch {
            exchanges[id] = nil
            perform(machine.fail(id, now: now))
        }
    }

    /// Takes what came back in an exchange; nil if it has failed.
    func receive(_ id: UInt32, _ message: [UInt8]?) {
        guard let message, message.count >= DNSHeader.size else { return perform(machine.fail(id, now: now)) }
        let (answer, actions) = machine.receive(id, message.span, now: now)
        if let answer {
            resolver.cache.store(answer)
            state.setHealth(machine.health(now: now))
        }
        perform(actions)
        if let answer { resume(answer.key, .again) }
    }

    /// Notes that nobody has been able to answer, and answers those who wait as well as possible.
    private func fail(_ key: FactKey, _ code: UInt16) {
        state.setHealth(machine.health(now: now))
        if let old = resolver.cache.find(key), old.canServeStale {
            old.serveStale(until: now + Self.staleTime)
        } else {
            resolver.cache.store(CachedAnswer(failure: key, code: DNSResponseCode(rawValue: code), now: now))
        }
        resume(key, .again)
    }

    /// Resolves again what has waited for a fact.
    private func resume(_ key: FactKey, _ attempt: Attempt) {
        for waiter in waiters.take(key) { resume(waiter, attempt, waitingFor: key) }
    }

    private func resume(_ waiter: Waiter, _ attempt: Attempt, waitingFor key: FactKey?) {
        switch waiter.destination {
        case .datagram(let id, let peer):
            let buffer = lateBuffer
            resolver.buffer = buffer
            switch resolver.resolve(waiter.query, isDatagram: true, client: waiter.client, now: now, attempt: attempt) {
            case .reply: send(buffer.bytes, to: peer, from: id)
            case .needs(let next): waitAgain(waiter, for: next, after: key)
            case .ignore: break
            }
        case .stream(let id):
            guard let stream = streams[id] else { return }
            let buffer = lateBuffer
            resolver.buffer = buffer
            switch resolver.resolve(waiter.query, isDatagram: false, client: waiter.client, now: now, attempt: attempt)
            {
            case .reply:
                stream.waiting -= 1
                stream.enqueue(buffer.bytes)
                flush(stream, id)
            case .needs(let next): waitAgain(waiter, for: next, after: key)
            case .ignore: stream.waiting -= 1
            }
        }
    }

    private func send(_ bytes: [UInt8], to peer: SocketAddress, from id: UInt32) {
        guard let listener = listeners[id], Sockets.send(listener.socket, bytes, to: peer) else {
            return state.losses.count(.send)
        }
    }

    /// Waits for the next fact.
    ///
    /// One that has just come and is wanted again has no lifetime at all.
    private func waitAgain(_ waiter: Waiter, for next: FactKey, after key: FactKey?) {
        guard next != key || machine.isOpen(next) else { return fail(waiter) }
        waiters.add(waiter, for: next)
        perform(machine.ask(next, now: now))
    }

    /// Gives clients whose patience is over an answer that is no longer fresh, if there is one.
    func answerLateClients() {
        for (key, waiter) in waiters.takeLate(now: now) { resume(waiter, .late, waitingFor: key) }
    }

    /// Answers that the server has failed.
    private func fail(_ waiter: Waiter) {
        var bytes = waiter.query
        guard bytes.count >= DNSHeader.size else { return }
        var flags = DNSFlags(rawValue: UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
        flags.formUnion([.response, .recursionAvailable])
        flags.responseCode = DNSResponseCode.serverFailure.rawValue
        bytes[2] = UInt8(flags.rawValue >> 8)
        bytes[3] = UInt8(flags.rawValue & 0xFF)
        switch waiter.destination {
        case .datagram(let id, let peer): send(bytes, to: peer, from: id)
        case .stream(let id):
            guard let stream = streams[id] else { return }
            stream.waiting -= 1
            stream.enqueue(bytes)
            flush(stream, id)
        }
    }
}
