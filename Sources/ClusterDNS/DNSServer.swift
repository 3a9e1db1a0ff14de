import Addresses
import DNSMessage
package import Linux
package import Logging

/// Answers queries on one thread: datagrams and streams on every address, and what other servers answer.
///
/// All of it lives on the thread that calls `run`; only `DNSServerState` is shared with others.
package final class DNSServer {
    private let state: DNSServerState
    private let port: UInt16
    private let logger: Logger
    private var poller: Poller
    private var responder = Responder()
    private var forwarder: Forwarder
    private var listeners: [UInt32: DNSListener] = [:]
    private var streams: [UInt32: DNSStream] = [:]
    private var nextID: UInt32 = 1
    /// When to try again to open sockets that could not be opened; nil if all are open.
    private var retryTime: Int64?
    private var failures: [IPAddress: String] = [:]
    private let datagram = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4096)

    /// Streams that may be open at once.
    private static let maximumStreams = 256
    /// Datagrams taken from one socket before others get their turn.
    private static let batch = 64

    /// Makes a server; it opens its sockets when it runs.
    package init(state: DNSServerState, configuration: ClusterDNSConfiguration, logger: Logger) throws(SystemError) {
        self.state = state
        port = configuration.port
        self.logger = logger
        poller = try Poller()
        forwarder = Forwarder(servers: configuration.upstreams, port: configuration.upstreamPort)
        try state.watch(&poller, token: PollToken(.wakeUp, 0).rawValue)
    }

    deinit { datagram.deallocate() }

    /// Answers until the state says to stop.
    package func run() {
        var tokens: [UInt64] = []
        adjustListeners()
        while !state.isStopped {
            poller.wait(milliseconds: timeout(), into: &tokens)
            let zone = state.zone
            for token in tokens { handle(PollToken(rawValue: token), zone) }
            let now = monotonicMilliseconds()
            for completion in forwarder.expire(now: now, &poller) { finish(completion) }
            for (id, stream) in streams where now >= stream.deadline { close(stream: id) }
            if let retryTime, now >= retryTime { adjustListeners() }
        }
    }

    private func timeout() -> Int32 {
        if forwarder.isWaiting { return 100 }
        return streams.isEmpty && retryTime == nil ? -1 : 1000
    }

    private func handle(_ token: PollToken, _ zone: ClusterZone) {
        switch token.kind {
        case .wakeUp:
            state.acknowledge()
            adjustListeners()
        case .datagrams:
            if let listener = listeners[token.id] { receiveDatagrams(listener, zone) }
        case .connections:
            if let listener = listeners[token.id] { accept(listener) }
        case .stream:
            serve(stream: token.id, zone)
        case .forward:
            if let completion = forwarder.progress(token.id, now: monotonicMilliseconds(), &poller) {
                finish(completion)
            }
        }
    }

    private func receiveDatagrams(_ listener: DNSListener, _ zone: ClusterZone) {
        var peer = SocketAddress()
        for _ in 0..<Self.batch {
            guard let count = Sockets.receive(listener.datagrams, datagram, from: &peer) else { return }
            let bytes = Span(_unsafeElements: UnsafeBufferPointer(rebasing: datagram[..<count]))
            switch responder.respond(to: bytes, isDatagram: true, zone: zone) {
            case .reply: Sockets.send(listener.datagrams, responder.writer.bytes, to: peer)
            case .forward(let alias): forward(.datagram(listener: listener.id, peer: peer), alias: alias, zone)
            case .ignore: break
            }
        }
    }

    // MARK: Streams

    private func accept(_ listener: DNSListener) {
        while let socket = Sockets.accept(listener.connections) {
            guard streams.count < Self.maximumStreams else { return }
            let id = makeID()
            guard (try? poller.add(socket, .read, token: PollToken(.stream, id).rawValue)) != nil else { continue }
            streams[id] = DNSStream(socket: socket, now: monotonicMilliseconds())
        }
    }

    private func serve(stream id: UInt32, _ zone: ClusterZone) {
        guard let stream = streams[id] else { return }
        do throws(SystemError) {
            let isOpen = try stream.receive(now: monotonicMilliseconds())
            while let query = stream.nextMessage() {
                switch responder.respond(to: query.span, isDatagram: false, zone: zone) {
                case .reply: stream.enqueue(responder.writer.bytes)
                case .forward(let alias): forward(.stream(id), alias: alias, zone)
                case .ignore: break
                }
            }
            try flush(stream, id)
            if !isOpen { close(stream: id) }
        } catch {
            close(stream: id)
        }
    }

    private func flush(_ stream: DNSStream, _ id: UInt32) throws(SystemError) {
        let interest = try stream.flush()
        try poller.modify(stream.socket, interest, token: PollToken(.stream, id).rawValue)
    }

    private func close(stream id: UInt32) { streams[id] = nil }

    // MARK: Other servers

    private func forward(_ client: ForwardClient, alias: DNSName?, _ zone: ClusterZone) {
        let request = ForwardRequest(client: client, query: responder.query, alias: alias, ttl: zone.ttl)
        if let completion = forwarder.start(request, now: monotonicMilliseconds(), &poller) { finish(completion) }
    }

    private func finish(_ completion: Forwarder.Completion) {
        let bytes = completion.request.answer(completion.answer, &responder)
        switch completion.request.client {
        case .datagram(let id, let peer):
            if let listener = listeners[id] { Sockets.send(listener.datagrams, bytes, to: peer) }
        case .stream(let id):
            guard let stream = streams[id] else { return }
            stream.enqueue(bytes)
            do throws(SystemError) { try flush(stream, id) } catch { close(stream: id) }
        }
    }

    // MARK: Sockets

    /// Opens and closes sockets until they are those of the wanted addresses; what fails is tried again later.
    private func adjustListeners() {
        let wanted = state.addresses
        forwarder.exclude(wanted, port: port)
        retryTime = nil
        for (id, listener) in listeners where !wanted.contains(listener.address) {
            listeners[id] = nil
            logger.info("no longer answering", metadata: ["address": "\(listener.address)"])
        }
        let present = Set(listeners.values.map(\.address))
        for address in wanted.subtracting(present).sorted() {
            do throws(SystemError) {
                let listener = try DNSListener(id: makeID(), address: address, port: port)
                try poller.add(listener.datagrams, .read, token: PollToken(.datagrams, listener.id).rawValue)
                try poller.add(listener.connections, .read, token: PollToken(.connections, listener.id).rawValue)
                listeners[listener.id] = listener
                failures[address] = nil
                logger.info("answering", metadata: ["address": "\(address)", "port": "\(port)"])
            } catch {
                let text = "\(error)"
                if failures.updateValue(text, forKey: address) != text {
                    logger.error("cannot answer, trying again", metadata: ["error": "\(text)"])
                }
                retryTime = monotonicMilliseconds() + 1000
            }
        }
    }

    private func makeID() -> UInt32 {
        nextID &+= 1
        return nextID
    }
}

/// What became ready: a kind of socket and its number.
struct PollToken {
    enum Kind: UInt8 {
        case wakeUp, datagrams, connections, stream, forward
    }

    let kind: Kind
    let id: UInt32

    init(_ kind: Kind, _ id: UInt32) {
        self.kind = kind
        self.id = id
    }

    init(rawValue: UInt64) {
        kind = Kind(rawValue: UInt8(truncatingIfNeeded: rawValue >> 32)) ?? .wakeUp
        id = UInt32(truncatingIfNeeded: rawValue)
    }

    var rawValue: UInt64 { UInt64(kind.rawValue) << 32 | UInt64(id) }
}
