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
            case .cancel(let id): end(id)
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
            if transport == .datagram {
                let number = UInt16(message[0]) << 8 | UInt16(message[1])
                let socket = try socket(to: upstream, number: number)
                if socket.pending.isEmpty { unsentSockets.append(socket) }
                socket.add(id, message, number: number)
                exchanges[id] = .datagram(socket)
            } else {
                exchanges[id] = .stream(
                    try UpstreamStream(upstream, message, token: PollToken(.exchange, id).rawValue, &poller))
            }
        } catch {
            perform(machine.fail(id, now: now))
        }
    }

    /// A socket for one more question to a server.
    private func socket(to upstream: Upstream, number: UInt16) throws(SystemError) -> UpstreamSocket {
        if let index = presentSockets.firstIndex(where: { $0.upstream == upstream }) {
            let present = presentSockets[index]
            if present.takes(number, now: now) { return present }
            presentSockets.remove(at: index)
            present.isRetired = true
            if present.isDone { upstreamSockets[present.id] = nil }
        }
        let socket = try UpstreamSocket(upstream, id: makeID(), now: now)
        try poller.add(socket.descriptor, .read, token: PollToken(.answers, socket.id).rawValue)
        upstreamSockets[socket.id] = socket
        presentSockets.append(socket)
        return socket
    }

    /// Asks nothing more by the sockets that there are: other servers may be asked from now on.
    func retireSockets() {
        for socket in presentSockets {
            socket.isRetired = true
            if socket.isDone { upstreamSockets[socket.id] = nil }
        }
        presentSockets = []
    }

    private func end(_ id: UInt32) {
        guard case .datagram(let socket)? = exchanges.removeValue(forKey: id) else { return }
        socket.end(id)
        if socket.isDone { upstreamSockets[socket.id] = nil }
    }

    /// Goes on with an exchange on a stream that is ready.
    func progress(_ id: UInt32) {
        guard case .stream(let stream)? = exchanges[id] else { return }
        do throws(SystemError) {
            if let message = try stream.progress(token: PollToken(.exchange, id).rawValue, &poller) {
                receive(id, message)
            }
        } catch {
            fail([id])
        }
    }

    /// Takes what other servers have sent to a socket.
    func receiveAnswers(_ id: UInt32) {
        guard let socket = upstreamSockets[id] else { return }
        do throws(SystemError) {
            for index in 0..<(try batch.receiveAnswers(socket.descriptor)) {
                let number = batch.withMessage(of: index) { $0.count < 2 ? nil : UInt16($0[0]) << 8 | UInt16($0[1]) }
                var isKnown = false
                let exchange = number.flatMap { socket.exchange(of: $0, isKnown: &isKnown) }
                // What does not belong to any message may be an attempt at each of them.
                let meant = isKnown ? [exchange].compactMap(\.self) : socket.open
                for exchange in meant {
                    take(batch.withMessage(of: index) { machine.receive(exchange, $0, now: now) })
                }
            }
        } catch {
            fail(socket.open)
        }
    }

    /// Notes that exchanges have failed.
    private func fail(_ ids: [UInt32]) {
        for id in ids {
            end(id)
            perform(machine.fail(id, now: now))
        }
        isHealthChanged = true
    }

    /// Sends what this turn has brought.
    func endTurn() {
        while let socket = unsentSockets.popLast() {
            let pending = socket.pending
            socket.pending = []
            for (_, message) in pending {
                questions.next.replace(with: message)
                questions.add(size: message.count)
            }
            let lost = questions.flush(socket.descriptor)
            if !lost.isEmpty { fail(lost.map { pending[$0].exchange }) }
        }
        flushLateAnswers()
        if isHealthChanged {
            isHealthChanged = false
            state.setHealth(machine.health(now: now))
        }
    }

    private func flushLateAnswers() {
        guard lateAnswers.count > 0 else { return }
        guard let listener = listeners[lateListener] else {
            for _ in 0..<lateAnswers.count { state.losses.count(.send) }
            return lateAnswers.forget()
        }
        for _ in lateAnswers.flush(listener.socket) { state.losses.count(.send) }
    }

    /// Takes what came back in an exchange; nil if it has failed.
    func receive(_ id: UInt32, _ message: [UInt8]?) {
        guard let message else { return fail([id]) }
        take(machine.receive(id, message.span, now: now))
    }

    private func take(_ result: (answer: CachedAnswer?, actions: [ForwardMachine.Action])) {
        if let answer = result.answer {
            resolver.cache.store(answer)
            isHealthChanged = true
        }
        perform(result.actions)
        if let answer = result.answer { resume(answer.key, .again) }
    }

    /// Notes that nobody has been able to answer, and answers those who wait as well as possible.
    private func fail(_ key: FactKey, _ code: UInt16) {
        isHealthChanged = true
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
            if id != lateListener || lateAnswers.isFull { flushLateAnswers() }
            lateListener = id
            resolver.buffer.borrow(lateAnswers.next)
            switch resolver.resolve(waiter.query, isDatagram: true, client: waiter.client, now: now, attempt: attempt) {
            case .reply: lateAnswers.add(size: resolver.buffer.count, to: peer)
            case .needs(let next): waitAgain(waiter, for: next, after: key)
            case .ignore: break
            }
        case .stream(let id):
            guard let stream = streams[id] else { return }
            resolver.buffer.borrow(streamBuffer)
            switch resolver.resolve(waiter.query, isDatagram: false, client: waiter.client, now: now, attempt: attempt)
            {
            case .reply:
                stream.waiting -= 1
                stream.enqueue(resolver.buffer.bytes)
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
