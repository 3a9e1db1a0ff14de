public import Addresses
public import DNSResolution
public import Linux
import Synchronization

/// What a server's thread is told from outside: the snapshot to answer from, the addresses to answer on, the servers to ask,
/// and when to end.
public final class DNSServerState: Sendable {
    /// One of the sockets that a server answers on.
    public struct SocketKey: Hashable, Sendable {
        /// The address.
        public let address: IPAddress
        /// The port.
        public let port: UInt16
        /// Whether it is for connections and not for datagrams.
        public let isStream: Bool

        /// Names a socket.
        public init(address: IPAddress, port: UInt16, isStream: Bool) {
            self.address = address
            self.port = port
            self.isStream = isStream
        }
    }

    private struct Content {
        var snapshot: ZoneSnapshot
        var addresses: Set<IPAddress> = []
        var peerAddresses: Set<IPAddress> = []
        var isDraining = false
        var rules: [ForwardRule] = []
        var secure: [(id: UInt32, answer: [UInt8]?)] = []
        var health: [(upstream: Upstream, milliseconds: Int64, isAway: Bool)] = []
        var open: Set<SocketKey> = []
        /// Sockets of a former process that nobody has taken yet, and duplicates for the next one; descriptors.
        var inherited: [SocketKey: Int32] = [:]
        var offered: [SocketKey: Int32] = [:]
    }

    private let content: Mutex<Content>
    private let generation = Atomic<UInt64>(0)
    private let stopped = Atomic(false)
    private let wakeUp: FileDescriptor.Pipe
    /// What the server has answered.
    public let metrics = ResolverMetrics()
    /// What it has lost.
    public let losses = ServingMetrics()

    /// Makes the state of a server that answers nowhere yet.
    public init(snapshot: ZoneSnapshot) throws(SystemError) {
        content = Mutex(Content(snapshot: snapshot))
        wakeUp = try FileDescriptor.pipe()
    }

    deinit {
        content.withLock { content in
            for number in content.inherited.values { _ = FileDescriptor(owning: number) }
            for number in content.offered.values { _ = FileDescriptor(owning: number) }
        }
    }

    /// Changes with every snapshot.
    @inline(__always)
    var snapshotGeneration: UInt64 { generation.load(ordering: .acquiring) }

    /// The snapshot as last published.
    public var snapshot: ZoneSnapshot { content.withLock { $0.snapshot } }

    /// The addresses to answer on, and those on which other nodes ask.
    var addresses: (own: Set<IPAddress>, forPeers: Set<IPAddress>) {
        content.withLock { ($0.addresses, $0.peerAddresses) }
    }

    /// Whether the server is about to end.
    var isDraining: Bool { content.withLock { $0.isDraining } }

    /// The servers to ask.
    var rules: [ForwardRule] { content.withLock { $0.rules } }

    /// Whether the server has to end.
    var isStopped: Bool { stopped.load(ordering: .relaxed) }

    /// The addresses on which the server answers both datagrams and connections.
    public var answering: Set<IPAddress> {
        content.withLock { content in
            Set(
                content.open.filter { key in
                    content.open.contains(SocketKey(address: key.address, port: key.port, isStream: !key.isStream))
                }.map(\.address))
        }
    }

    /// The servers that are asked, the smoothed time to their answers in milliseconds, and whether they are passed over.
    public var health: [(upstream: Upstream, milliseconds: Int64, isAway: Bool)] { content.withLock { $0.health } }

    func setHealth(_ health: [(upstream: Upstream, milliseconds: Int64, isAway: Bool)]) {
        content.withLock { $0.health = health }
    }

    /// The descriptor that is readable when something has changed.
    func watch(_ poller: inout Poller, token: UInt64) throws(SystemError) {
        try poller.add(wakeUp.reading, .read, token: token)
    }

    /// Takes what the other threads have written to wake the server up.
    func acknowledge() { _ = try? wakeUp.reading.read(upTo: 64) }

    /// Answers from a new snapshot from the next query on.
    public func publish(_ snapshot: ZoneSnapshot) {
        content.withLock { $0.snapshot = snapshot }
        generation.wrappingAdd(1, ordering: .releasing)
    }

    /// Answers on exactly these addresses, and on the second ones for other nodes, at the port that is for them.
    public func setAddresses(_ addresses: Set<IPAddress>, forPeers peerAddresses: Set<IPAddress> = []) {
        content.withLock { content in
            content.addresses = addresses
            content.peerAddresses = peerAddresses
        }
        wake()
    }

    /// Answers on, but no longer says that it can: others may take its place before it ends.
    public func drain() { content.withLock { $0.isDraining = true } }

    /// Asks these servers.
    public func setRules(_ rules: [ForwardRule]) {
        content.withLock { $0.rules = rules }
        wake()
    }

    /// Ends the server.
    public func stop() {
        stopped.store(true, ordering: .relaxed)
        wake()
    }

    func complete(secure id: UInt32, _ answer: [UInt8]?) {
        content.withLock { $0.secure.append((id, answer)) }
        wake()
    }

    func takeSecure() -> [(id: UInt32, answer: [UInt8]?)] {
        content.withLock { content in
            defer { content.secure = [] }
            return content.secure
        }
    }

    private func wake() {
        // It can fail only when the reading end, which lives as long, were closed.
        try? wakeUp.writing.write([0])
    }
}

extension DNSServerState {
    /// Takes sockets of a former process over; the server answers on them instead of opening its own.
    public func inherit(_ key: SocketKey, _ descriptor: consuming FileDescriptor) {
        let number = descriptor.release()
        content.withLock { content in
            if let old = content.inherited.updateValue(number, forKey: key) { _ = FileDescriptor(owning: old) }
        }
    }

    func takeInherited(_ key: SocketKey) -> FileDescriptor? {
        content.withLock { $0.inherited.removeValue(forKey: key) }.map { FileDescriptor(owning: $0) }
    }

    /// Notes an open socket, and keeps a duplicate of it for the next process.
    func opened(_ key: SocketKey, _ descriptor: borrowing FileDescriptor) {
        var number: Int32?
        do throws(SystemError) {
            number = try descriptor.duplicate().release()
        } catch {
            losses.count(.system)  // the next process opens its own
        }
        content.withLock { content in
            content.open.insert(key)
            if let number, let old = content.offered.updateValue(number, forKey: key) {
                _ = FileDescriptor(owning: old)
            }
        }
    }

    func closed(_ key: SocketKey) {
        content.withLock { content in
            content.open.remove(key)
            if let number = content.offered.removeValue(forKey: key) { _ = FileDescriptor(owning: number) }
        }
    }

    /// Calls `body` with the descriptor of every open socket, for the next process.
    public func forEachSocket<E: Error>(_ body: (SocketKey, Int32) throws(E) -> Void) throws(E) {
        try content.withLock { (content) throws(E) in
            for (key, number) in content.offered.sorted(by: { ($0.key.address, $0.value) < ($1.key.address, $1.value) })
            {
                try body(key, number)
            }
        }
    }
}

extension DNSServerState.SocketKey: Comparable, CustomStringConvertible {
    /// By address, then port, datagrams first.
    public static func < (left: Self, right: Self) -> Bool {
        (left.address, left.port, left.isStream ? 1 : 0) < (right.address, right.port, right.isStream ? 1 : 0)
    }

    /// The address and the port.
    public var description: String { "\(address) port \(port)" }
}
