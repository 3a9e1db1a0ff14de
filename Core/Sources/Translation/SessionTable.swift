import Addresses
import Packet

/// A client and what it holds.
struct Client: Chained {
    let address: UInt128
    var chain: UInt32 = 0
    var mappings: UInt32 = 0
    var sessions: UInt32 = 0
    /// The public address of all its mappings (RFC 4787, REQ-2: paired).
    var publicAddress: UInt16
}

/// An address and port of a client, and the public ones that stand for them (RFC 6146: binding information base).
struct Mapping: Chained {
    let address: UInt128
    var chain: UInt32 = 0
    let client: UInt32
    var sessions: UInt32 = 0
    let port: UInt16
    let publicPort: UInt16
    let publicAddress: UInt16
    let kind: SessionKind
    /// Whether an operator has made it, so that it stays without sessions.
    var isStatic = false
}

/// A mapping and one IPv4 host and port that it talks to.
struct Session: Chained {
    var chain: UInt32 = 0
    let mapping: UInt32
    let remote: UInt32
    /// The entry that permits the remote host's other ports; 0 unless filtering is by address.
    let permission: UInt32
    var next: UInt32 = 0
    var previous: UInt32 = 0
    /// The second in which the session ends.
    var expires: UInt32
    let remotePort: UInt16
    /// The state of a TCP session; 0 for other kinds.
    var state: UInt8

    /// The state of an entry that is not in use.
    static let freed: UInt8 = 0xFF
}

/// That a mapping has sent to a host, by so many sessions.
struct Permission: Chained {
    var chain: UInt32 = 0
    let mapping: UInt32
    let remote: UInt32
    var sessions: UInt32
}

/// Clients, mappings and sessions, with every way to find them in constant time.
///
/// Entries never move.
struct SessionTable: ~Copyable {
    /// The slots of the timer wheel, one for each second: more than the longest time-out.
    private static let seconds = 8192

    let pool: [IPv4Address]
    /// Whether the memory of all tables could be had; without it there is never a session.
    let hasMemory: Bool
    private let configuration: NAT64Configuration
    private let hash: KeyedHash
    private(set) var clients: Slab<Client>
    private(set) var mappings: Slab<Mapping>
    var sessions: Slab<Session>
    private var permissions: Slab<Permission>
    private var clientBuckets: Buckets
    private var mappingBuckets: Buckets
    private var sessionBuckets: Buckets
    private var permissionBuckets: Buckets
    private var ports: PortTable
    private var wheel: ZeroedMemory<UInt32>
    /// The second up to which the wheel has turned.
    private var turned: UInt32?
    /// The sessions of the present slot that have not been looked at.
    private var due: UInt32 = 0

    init(_ configuration: NAT64Configuration) {
        self.configuration = configuration
        pool = configuration.pool.sorted()
        hash = KeyedHash(key: configuration.secret)
        // Numbers of sessions have 31 bits, of which the highest says something else in the wheel.
        let size = min(max(configuration.maximumSessions, 0), Int(SessionTable.slotMark) - 1)
        let permitted = configuration.filtering == .addressDependent ? size : 0
        clients = Slab(capacity: size)
        mappings = Slab(capacity: size)
        sessions = Slab(capacity: size)
        permissions = Slab(capacity: permitted)
        clientBuckets = Buckets(capacity: size)
        mappingBuckets = Buckets(capacity: size)
        sessionBuckets = Buckets(capacity: size)
        permissionBuckets = Buckets(capacity: permitted)
        ports = PortTable(
            addresses: pool.count, range: configuration.ports, identifiers: configuration.identifiers,
            restingPorts: configuration.maximumRestingPorts,
            secret: configuration.secret ^ 0xD1B5_4A32_D192_ED03)
        wheel = ZeroedMemory(count: SessionTable.seconds)
        hasMemory =
            clients.hasMemory && mappings.hasMemory && sessions.hasMemory && permissions.hasMemory
            && clientBuckets.hasMemory && mappingBuckets.hasMemory && sessionBuckets.hasMemory
            && permissionBuckets.hasMemory && ports.hasMemory && wheel.count > 0
    }

    /// Makes a mapping that stays, for a port of a client; false where its place is taken.
    mutating func makeStaticMapping(_ forward: PortForward) -> Bool {
        guard hasMemory, !mappings.isFull, let address = poolIndex(forward.publicAddress),
            !ports.isTaken(address, forward.kind, forward.publicPort),
            mapping(forward.kind, forward.client, forward.clientPort) == 0,
            let client = try? makeClient(forward.client, publicAddress: address)
        else { return false }
        insert(
            Mapping(
                address: forward.client.rawValue, client: client, port: forward.clientPort,
                publicPort: forward.publicPort, publicAddress: UInt16(address), kind: forward.kind, isStatic: true))
        return true
    }

    /// Keeps a port of a public address from being given out.
    mutating func reserve(_ kind: SessionKind, _ address: IPv4Address, _ port: UInt16) {
        guard hasMemory, let index = poolIndex(address) else { return }
        ports.reserve(index, kind, port)
    }

    // MARK: Mappings

    /// The position of a public address; nil for another address.
    func poolIndex(_ address: IPv4Address) -> Int? {
        var low = 0
        var high = pool.count
        while low < high {
            let middle = (low + high) / 2
            if pool[middle] < address { low = middle + 1 } else { high = middle }
        }
        return low < pool.count && pool[low] == address ? low : nil
    }

    /// The mapping of a client's address and port; 0 for none.
    func mapping(_ kind: SessionKind, _ address: IPv6Address, _ port: UInt16) -> UInt32 {
        guard hasMemory else { return 0 }
        var number = mappingBuckets[mappingHash(kind, address.rawValue, port)]
        while number != 0 {
            let mapping = mappings[number]
            if mapping.address == address.rawValue, mapping.port == port, mapping.kind == kind { return number }
            number = mapping.chain
        }
        return 0
    }

    /// The mapping that holds a public port; 0 for none.
    func mapping(_ kind: SessionKind, poolIndex: Int, publicPort: UInt16) -> UInt32 {
        hasMemory ? ports.owner(poolIndex, kind, publicPort) : 0
    }

    /// Makes a mapping for a client's address and port.
    mutating func makeMapping(
        _ kind: SessionKind, _ address: IPv6Address, _ port: UInt16, at now: UInt32
    ) throws(DropReason) -> UInt32 {
        guard hasMemory else { throw .noMemory }
        guard !mappings.isFull else { throw .tableFull }
        let client = try makeClient(address, publicAddress: nil)
        guard clients[client].mappings < UInt32(clamping: configuration.mappingsPerClient) else { throw .quota }
        guard let publicPort = freePort(client, kind, wish: port, at: now) else {
            forgetIfIdle(client)
            throw .portsExhausted
        }
        return insert(
            Mapping(
                address: address.rawValue, client: client, port: port, publicPort: publicPort,
                publicAddress: clients[client].publicAddress, kind: kind))
    }

    /// A free port of a client's public address.
    ///
    /// A client that holds nothing yet gets another address if its own is full.
    private mutating func freePort(
        _ client: UInt32, _ kind: SessionKind, wish: UInt16, at now: UInt32
    ) -> UInt16? {
        let first = Int(clients[client].publicAddress)
        for step in 0..<(clients[client].mappings == 0 ? min(pool.count, SessionTable.addressesTried) : 1) {
            let address = (first + step) % pool.count
            let key = clients[client].address
            guard let port = ports.free(address, kind, wish: wish, for: key, at: now) else { continue }
            clients[client].publicAddress = UInt16(address)
            return port
        }
        return nil
    }

    /// The public addresses that are looked at for a new client: where these are full, a search costs as much each.
    private static let addressesTried = 8

    @discardableResult
    private mutating func insert(_ mapping: Mapping) -> UInt32 {
        let number = mappings.insert(mapping)
        mappingBuckets.link(number, mappingHash(mapping.kind, mapping.address, mapping.port), in: &mappings)
        ports.setOwner(Int(mapping.publicAddress), mapping.kind, mapping.publicPort, number)
        clients[mapping.client].mappings += 1
        return number
    }

    private func mappingHash(_ kind: SessionKind, _ address: UInt128, _ port: UInt16) -> UInt64 {
        hash(address, UInt64(port) << 8 | UInt64(kind.rawValue))
    }

    /// The client of an address, which is made with a public address, or one that the hash chooses.
    private mutating func makeClient(_ address: IPv6Address, publicAddress: Int?) throws(DropReason) -> UInt32 {
        let bits = configuration.clientPrefixLength
        let key = bits >= 128 ? address.rawValue : address.rawValue & ~(UInt128.max >> UInt128(max(bits, 0)))
        let place = hash(key, 0)
        var number = clientBuckets[place]
        while number != 0 {
            if clients[number].address == key { return number }
            number = clients[number].chain
        }
        guard !clients.isFull, !pool.isEmpty else { throw .tableFull }
        let chosen = publicAddress ?? Int((place >> 32) % UInt64(pool.count))
        number = clients.insert(Client(address: key, publicAddress: UInt16(chosen)))
        clientBuckets.link(number, place, in: &clients)
        return number
    }

    private mutating func forgetIfIdle(_ client: UInt32) {
        guard clients[client].mappings == 0 else { return }
        clientBuckets.unlink(client, hash(clients[client].address, 0), in: &clients)
        clients.remove(client)
    }

    /// Removes a mapping that has no session.
    ///
    /// - Parameter end: the second in which its last session has ended; nil where it had none.
    mutating func forgetIfIdle(mapping number: UInt32, end: UInt32?) {
        let mapping = mappings[number]
        guard mapping.sessions == 0, !mapping.isStatic else { return }
        mappingBuckets.unlink(number, mappingHash(mapping.kind, mapping.address, mapping.port), in: &mappings)
        ports.release(
            Int(mapping.publicAddress), mapping.kind, mapping.publicPort, of: clients[mapping.client].address,
            until: rests(mapping.kind) ? end.map { $0 + configuration.timeouts.portRest } : nil)
        mappings.remove(number)
        clients[mapping.client].mappings -= 1
        forgetIfIdle(mapping.client)
    }

    /// Whether ports rest between two clients: not those of TCP, whose sessions show by themselves that they are over, and not
    /// where the hosts that the first one talked to could not send to the second (RFC 6888, REQ-8, A and C).
    private func rests(_ kind: SessionKind) -> Bool {
        kind != .tcp && configuration.filtering == .endpointIndependent && configuration.timeouts.portRest > 0
    }

    // MARK: Sessions

    /// The session of a mapping with a host and port; 0 for none.
    func session(_ mapping: UInt32, _ remote: IPv4Address, _ port: UInt16) -> UInt32 {
        var number = sessionBuckets[sessionHash(mapping, remote.rawValue, port)]
        while number != 0 {
            let session = sessions[number]
            if session.mapping == mapping, session.remote == remote.rawValue, session.remotePort == port {
                return number
            }
            number = session.chain
        }
        return 0
    }

    /// Whether a host may send to a mapping that it has no session with; to one that an operator has made all may.
    func permits(_ mapping: UInt32, _ remote: IPv4Address) -> Bool {
        configuration.filtering == .endpointIndependent || mappings[mapping].isStatic
            || permission(mapping, remote.rawValue) != 0
    }

    /// Makes a session that begins in a second and ends so many later.
    mutating func makeSession(
        _ mapping: UInt32, _ remote: IPv4Address, _ port: UInt16, state: UInt8, at now: UInt32, lifetime: UInt32
    ) throws(DropReason) {
        guard !sessions.isFull else { throw .tableFull }
        let client = mappings[mapping].client
        guard clients[client].sessions < UInt32(clamping: configuration.sessionsPerClient) else { throw .quota }
        let permission = makePermission(mapping, remote.rawValue)
        let number = sessions.insert(
            Session(
                mapping: mapping, remote: remote.rawValue, permission: permission, expires: now + lifetime,
                remotePort: port, state: state))
        sessionBuckets.link(number, sessionHash(mapping, remote.rawValue, port), in: &sessions)
        turned = turned ?? now
        schedule(number)
        mappings[mapping].sessions += 1
        clients[client].sessions += 1
    }

    private func sessionHash(_ mapping: UInt32, _ remote: UInt32, _ port: UInt16) -> UInt64 {
        hash(mapping, UInt64(remote) << 16 | UInt64(port))
    }

    private mutating func remove(_ number: UInt32, at now: UInt32) {
        let session = sessions[number]
        sessionBuckets.unlink(number, sessionHash(session.mapping, session.remote, session.remotePort), in: &sessions)
        sessions[number].state = Session.freed
        sessions.remove(number)
        if session.permission != 0 {
            permissions[session.permission].sessions -= 1
            if permissions[session.permission].sessions == 0 {
                permissionBuckets.unlink(
                    session.permission, hash(session.mapping, UInt64(session.remote)), in: &permissions)
                permissions.remove(session.permission)
            }
        }
        clients[mappings[session.mapping].client].sessions -= 1
        mappings[session.mapping].sessions -= 1
        forgetIfIdle(mapping: session.mapping, end: now)
    }

    private func permission(_ mapping: UInt32, _ remote: UInt32) -> UInt32 {
        var number = permissionBuckets[hash(mapping, UInt64(remote))]
        while number != 0 {
            let permission = permissions[number]
            if permission.mapping == mapping, permission.remote == remote { return number }
            number = permission.chain
        }
        return 0
    }

    private mutating func makePermission(_ mapping: UInt32, _ remote: UInt32) -> UInt32 {
        guard configuration.filtering == .addressDependent else { return 0 }
        let known = permission(mapping, remote)
        if known != 0 {
            permissions[known].sessions += 1
            return known
        }
        // There are as many places as sessions, so one is free.
        let number = permissions.insert(Permission(mapping: mapping, remote: remote, sessions: 1))
        permissionBuckets.link(number, hash(mapping, UInt64(remote)), in: &permissions)
        return number
    }

    // MARK: Time

    /// Lets a session end in another second.
    ///
    /// One that lives longer stays where it is in the wheel, and is moved when its old second comes.
    mutating func prolong(_ number: UInt32, until expires: UInt32) {
        if expires < sessions[number].expires {
            unschedule(number)
            sessions[number].expires = expires
            schedule(number)
        } else {
            sessions[number].expires = expires
        }
    }

    /// Whether there are sessions that may have ended by `now` and have not been looked at.
    func isBehind(at now: UInt32) -> Bool { due != 0 || (turned.map { $0 < now } ?? false) }

    /// What has become of a session whose second in the wheel has come.
    enum Due {
        /// It lives on: it has been prolonged since it was put there.
        case moved
        /// It was given another second to end in.
        case revived(Session, Mapping)
        /// It is gone.
        case removed
    }

    /// Looks at the next session whose second in the wheel has come, and removes it if it has ended, unless `revive` gives it
    /// another second to end in.
    ///
    /// - Returns: nil if none has come by `now`.
    mutating func nextDue(at now: UInt32, revive: (inout Session, Mapping) -> Bool) -> Due? {
        guard hasMemory else { return nil }
        while due == 0 {
            guard let last = turned else {
                turned = now
                return nil
            }
            guard last < now else { return nil }
            // After a long pause one turn of the wheel meets everything.
            let second = max(last + 1, now > UInt32(SessionTable.seconds) ? now - UInt32(SessionTable.seconds) + 1 : 0)
            turned = second
            let slot = Int(second) % SessionTable.seconds
            due = wheel[slot]
            wheel[slot] = 0
        }
        let number = due
        due = sessions[number].next
        if due != 0 { sessions[due].previous = 0 }
        guard sessions[number].expires <= now else {
            schedule(number)
            return .moved
        }
        let ended = sessions[number]
        let mapping = mappings[ended.mapping]
        guard revive(&sessions[number], mapping) else {
            remove(number, at: now)
            return .removed
        }
        schedule(number)
        return .revived(ended, mapping)
    }

    private mutating func schedule(_ number: UInt32) {
        // What should have ended in a second that has passed ends in the next one.
        let second = max(sessions[number].expires, (turned ?? 0) + 1)
        let slot = Int(second) % SessionTable.seconds
        let head = wheel[slot]
        sessions[number].next = head
        // The head of a slot names the slot instead of a session before it.
        sessions[number].previous = SessionTable.slotMark | UInt32(slot)
        if head != 0 { sessions[head].previous = number }
        wheel[slot] = number
    }

    private mutating func unschedule(_ number: UInt32) {
        let (next, previous) = (sessions[number].next, sessions[number].previous)
        if next != 0 { sessions[next].previous = previous }
        if previous & SessionTable.slotMark != 0 {
            wheel[Int(previous & ~SessionTable.slotMark)] = next
        } else if previous != 0 {
            sessions[previous].next = next
        } else {
            due = next
        }
    }

    private static let slotMark: UInt32 = 1 << 31
}
