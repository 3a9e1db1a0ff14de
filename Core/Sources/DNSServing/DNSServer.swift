import Addresses
import DNSResolution
public import Linux
import Wire

/// Answers queries on one thread: datagrams and streams on every address, and what other servers answer.
///
/// All of it lives on the thread that calls `run`; only `DNSServerState` is shared with others.
public final class DNSServer {
    let state: DNSServerState
    let configuration: DNSServerConfiguration
    let secure: (any SecureTransport)?
    private let log: (String) -> Void
    var poller: Poller
    let resolver: Resolver
    var machine: ForwardMachine
    var exchanges: [UInt32: UpstreamExchange] = [:]
    /// The sockets that questions have been asked by, those for the next questions, and those with unsent ones.
    var upstreamSockets: [UInt32: UpstreamSocket] = [:]
    var presentSockets: [UpstreamSocket] = []
    var unsentSockets: [UpstreamSocket] = []
    /// Whether something has been learnt about other servers that has not been told yet.
    var isHealthChanged = false
    var waiters = Waiters()
    var now: Int64 = 0
    var listeners: [UInt32: DNSListener] = [:]
    var streams: [UInt32: ClientStream] = [:]
    private var rules: [ForwardRule] = []
    let batch = DatagramBatch()
    private var shares = FairShares()
    /// Where answers on streams are written.
    let streamBuffer = MessageBuffer(capacity: 65535)
    /// Where answers in datagrams are written to queries that had to wait, and the listener that they belong to.
    let lateAnswers = DatagramQueue()
    var lateListener: UInt32 = 0
    let questions = DatagramQueue()
    private var generation: UInt64 = .max
    private var nextID: UInt32 = 1
    /// When to try again to open sockets that could not be opened; nil if all are open.
    private var retryTime: Int64?
    /// When the next heartbeat is due; nil if there are none.
    private var heartbeatTime: Int64?
    private var failures: [DNSServerState.SocketKey: String] = [:]

    /// How often the server shows that it can answer, in milliseconds.
    public static let heartbeatInterval: Int64 = 500
    /// Batches taken from one socket before others get their turn.
    private static let batches = 4

    /// Makes a server; it opens its sockets when it runs.
    ///
    /// - Parameters:
    ///   - secure: how servers are asked that want TLS; without it they are not.
    ///   - log: takes what an operator may want to know.
    public init(
        state: DNSServerState, configuration: DNSServerConfiguration, secure: (any SecureTransport)? = nil,
        log: @escaping (String) -> Void
    ) throws(SystemError) {
        self.state = state
        self.configuration = configuration
        self.secure = secure
        self.log = log
        poller = try Poller()
        let random = RandomBits()
        machine = ForwardMachine { random.next() }
        resolver = Resolver(
            snapshot: state.snapshot,
            cache: AnswerCache(capacity: configuration.cacheCapacity, maximumBytes: configuration.cacheBytes),
            options: configuration.resolver, metrics: state.metrics, buffer: MessageBuffer(capacity: 65535))
        heartbeatTime = configuration.sendsHeartbeats ? 0 : nil
        try state.watch(&poller, token: PollToken(.wakeUp, 0).rawValue)
    }

    /// Answers until the state says to stop.
    public func run() {
        var tokens: [UInt64] = []
        now = monotonicMilliseconds()
        adjust()
        endTurn()
        while !state.isStopped {
            poller.wait(milliseconds: timeout(), into: &tokens)
            now = monotonicMilliseconds()
            refreshSnapshot()
            for token in tokens { handle(PollToken(rawValue: token)) }
            if machine.nextDeadline.map({ now >= $0 }) ?? false { perform(machine.tick(now: now)) }
            answerLateClients()
            closeIdleStreams()
            endTurn()
            if let retryTime, now >= retryTime { adjust() }
            if let heartbeatTime, now >= heartbeatTime { sendHeartbeats() }
        }
        for id in listeners.keys { close(listener: id) }
    }

    private func refreshSnapshot() {
        let present = state.snapshotGeneration
        guard present != generation else { return }
        generation = present
        resolver.snapshot = state.snapshot
    }

    private func timeout() -> Int32 {
        var due: Int64 = streams.isEmpty && retryTime == nil ? .max : now + 1000
        if let deadline = machine.nextDeadline { due = min(due, deadline) }
        if let deadline = waiters.nextDeadline { due = min(due, deadline) }
        if let heartbeatTime { due = min(due, heartbeatTime) }
        return due == .max ? -1 : Int32(truncatingIfNeeded: min(max(due - now, 0), 60_000))
    }

    private func handle(_ token: PollToken) {
        switch token.kind {
        case .wakeUp:
            state.acknowledge()
            adjust()
            for (id, answer) in state.takeSecure() { receive(id, answer) }
        case .datagrams:
            if let listener = listeners[token.id] { receiveDatagrams(listener) }
        case .connections:
            if let listener = listeners[token.id] { accept(listener) }
        case .stream: serve(stream: token.id)
        case .exchange: progress(token.id)
        case .answers: receiveAnswers(token.id)
        }
    }

    /// Shows on each address that the server can answer there.
    private func sendHeartbeats() {
        heartbeatTime = now + Self.heartbeatInterval
        guard resolver.snapshot.isComplete, !state.isDraining else { return }
        for listener in listeners.values where !listener.key.isStream && listener.key.port == configuration.port {
            let own = SocketAddress(listener.key.address, port: listener.key.port)
            if !Sockets.send(listener.socket, [], to: own) { state.losses.count(.send) }
        }
    }

    private func receiveDatagrams(_ listener: DNSListener) {
        for _ in 0..<Self.batches {
            let count = max(batch.receive(listener.socket), 0)
            shares.begin()
            for index in 0..<count {
                guard !listener.isCrowded || shares.admits(batch.client(index)) else {
                    state.losses.count(.share)
                    continue
                }
                answer(index, listener)
            }
            for _ in 0..<batch.flush(listener.socket) { state.losses.count(.send) }
            guard count == DatagramBatch.size else {
                listener.isCrowded = false
                return
            }
        }
        listener.isCrowded = Sockets.isCrowded(listener.socket)
    }

    private func answer(_ index: Int, _ listener: DNSListener) {
        resolver.buffer.borrow(batch.outputs[index])
        let client = batch.client(index)
        let outcome = batch.withBytes(of: index) {
            resolver.resolve($0, isDatagram: true, client: client, now: now)
        }
        switch outcome {
        case .reply: batch.queue(index, size: resolver.buffer.count)
        case .ignore: if batch.length(of: index) > 0 { state.losses.count(.malformed) }
        case .needs(let key):
            let query = batch.withBytes(of: index) { bytes in bytes.byteOffsets.map { bytes[byte: $0] } }
            let waiter = Waiter(
                query: query, client: client, destination: .datagram(listener: listener.id, batch.peer(index)), now: now
            )
            wait(waiter, for: key)
        }
        if !resolver.refreshes.isEmpty { refresh() }
    }

    // MARK: Sockets

    /// Follows the wanted addresses and servers; what fails is tried again later.
    private func adjust() {
        let addresses = state.addresses
        let wanted = keys(addresses.own, port: configuration.port)
            .union(keys(addresses.forPeers, port: configuration.peerPort))
        let rules = state.rules.map { rule in
            // What a server asked itself would come back to it without end.
            ForwardRule(
                domain: rule.domain,
                upstreams: rule.upstreams.filter {
                    $0.tlsName != nil
                        || !wanted.contains(.init(address: $0.address, port: $0.port, isStream: false))
                })
        }
        if rules != self.rules {
            self.rules = rules
            retireSockets()
            perform(machine.configure(rules))
            isHealthChanged = true
        }
        retryTime = nil
        for (id, listener) in listeners where !wanted.contains(listener.key) {
            close(listener: id)
            if listener.key.isStream { log("no longer answering on \(listener.key)") }
        }
        for key in wanted.subtracting(listeners.values.map(\.key)).sorted() { open(key) }
    }

    private func keys(_ addresses: Set<IPAddress>, port: UInt16) -> Set<DNSServerState.SocketKey> {
        Set(
            addresses.flatMap { address in
                [false, true].map { .init(address: address, port: port, isStream: $0) }
            })
    }

    private func open(_ key: DNSServerState.SocketKey) {
        do throws(SystemError) {
            let listener = try DNSListener(id: makeID(), key: key, inherited: state.takeInherited(key))
            let kind = key.isStream ? PollToken.Kind.connections : .datagrams
            try poller.add(listener.socket, .read, token: PollToken(kind, listener.id).rawValue)
            listeners[listener.id] = listener
            state.opened(key, listener.socket)
            failures[key] = nil
            if key.isStream { log("answering on \(key)") }
            if !key.isStream, heartbeatTime != nil { heartbeatTime = now }
        } catch {
            let text = "\(error)"
            if failures.updateValue(text, forKey: key) != text { log("cannot answer, trying again: \(text)") }
            retryTime = now + 1000
        }
    }

    private func close(listener id: UInt32) {
        if let listener = listeners.removeValue(forKey: id) { state.closed(listener.key) }
    }

    func makeID() -> UInt32 {
        nextID &+= 1
        return nextID
    }
}

extension Resolver {
    /// Resolves a query given as an array.
    func resolve(
        _ query: [UInt8], isDatagram: Bool, client: IPAddress, now: Int64, attempt: Attempt = .first
    ) -> Outcome {
        let span = query.span
        return unsafe resolve(span.bytes, isDatagram: isDatagram, client: client, now: now, attempt: attempt)
    }
}

/// A socket that queries come to.
final class DNSListener {
    let id: UInt32
    let key: DNSServerState.SocketKey
    let socket: FileDescriptor
    /// Whether more arrives than can be answered.
    var isCrowded = false

    init(id: UInt32, key: DNSServerState.SocketKey, inherited: consuming FileDescriptor?) throws(SystemError) {
        self.id = id
        self.key = key
        if let inherited {
            socket = inherited
        } else {
            socket = try Sockets.open(key.address, port: key.port, isStream: key.isStream)
        }
    }
}

/// What became ready: a kind of socket and its number.
struct PollToken {
    enum Kind: UInt8 {
        case wakeUp, datagrams, connections, stream, exchange, answers
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
