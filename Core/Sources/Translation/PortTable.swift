import Addresses

/// Which mapping holds each port of each public address.
struct PortTable: ~Copyable {
    private static let kinds = 3
    private static let ports = 65536
    private let range: ClosedRange<UInt16>
    private let identifiers: ClosedRange<UInt16>
    /// The mapping of each port, or its number among those that rest.
    private var owners: ZeroedMemory<UInt32>
    /// A bit for each port that is taken, or rests.
    private var taken: ZeroedMemory<UInt64>
    /// Those that have been given back, and nobody but their clients gets yet (RFC 6888, REQ-8): what is still on its way to
    /// such a client must not come to another.
    private var resting: RestingPorts
    private var random: UInt64

    private static let restingMark: UInt32 = 1 << 31
    /// How many ports that have rested are looked at for one that is given out.
    private static let wakenAtOnce = 8

    init(
        addresses: Int, range: ClosedRange<UInt16>, identifiers: ClosedRange<UInt16>, restingPorts: Int, secret: UInt64
    ) {
        self.range = range
        self.identifiers = identifiers
        owners = ZeroedMemory(count: addresses * PortTable.kinds * PortTable.ports)
        taken = ZeroedMemory(count: addresses * PortTable.kinds * PortTable.ports / 64)
        resting = RestingPorts(capacity: restingPorts)
        random = secret | 1
    }

    /// Whether the memory for the ports could be had.
    var hasMemory: Bool { owners.count > 0 && taken.count > 0 && resting.hasMemory }

    private static func first(_ address: Int, _ kind: SessionKind) -> Int {
        (address * kinds + Int(kind.rawValue)) * ports
    }

    /// The mapping that holds a port; 0 for none.
    func owner(_ address: Int, _ kind: SessionKind, _ port: UInt16) -> UInt32 {
        let owner = owners[PortTable.first(address, kind) + Int(port)]
        return owner & PortTable.restingMark == 0 ? owner : 0
    }

    /// Whether a port may not be given out.
    func isTaken(_ address: Int, _ kind: SessionKind, _ port: UInt16) -> Bool {
        let index = PortTable.first(address, kind) + Int(port)
        return taken[index / 64] & (1 << UInt64(index % 64)) != 0
    }

    /// Keeps a port from being given out, without a mapping that holds it.
    mutating func reserve(_ address: Int, _ kind: SessionKind, _ port: UInt16) {
        let index = PortTable.first(address, kind) + Int(port)
        taken[index / 64] |= 1 << UInt64(index % 64)
    }

    /// Gives a port to a mapping.
    mutating func setOwner(_ address: Int, _ kind: SessionKind, _ port: UInt16, _ mapping: UInt32) {
        let index = PortTable.first(address, kind) + Int(port)
        if owners[index] & PortTable.restingMark != 0 { resting.forget(owners[index] & ~PortTable.restingMark) }
        owners[index] = mapping
        taken[index / 64] |= 1 << UInt64(index % 64)
    }

    /// Takes a port back.
    ///
    /// - Parameter until: the second before which nobody but the client gets it; nil for a port that needs no rest.
    mutating func release(
        _ address: Int, _ kind: SessionKind, _ port: UInt16, of client: UInt128, until: UInt32?
    ) {
        let index = PortTable.first(address, kind) + Int(port)
        guard let until else { return free(index) }
        if resting.isFull { wake(at: .max, atMost: 1) }
        // Still full where none may rest at all.
        guard !resting.isFull else { return free(index) }
        let entry = RestingPorts.Entry(client: client, until: until, place: UInt32(index))
        owners[index] = PortTable.restingMark | resting.add(entry)
    }

    private mutating func free(_ index: Int) {
        owners[index] = 0
        taken[index / 64] &= ~(1 << UInt64(index % 64))
    }

    /// Frees ports that have rested; false where none has.
    @discardableResult
    private mutating func wake(at now: UInt32, atMost limit: Int) -> Bool {
        var count = 0
        while count < limit, let entry = resting.next(at: now) {
            if let place = entry.place { free(Int(place)) }
            count += 1
        }
        return count > 0
    }

    /// Whether a client may have a port: nobody has it, or it rests after the client has had it.
    private func isFree(_ address: Int, _ kind: SessionKind, _ port: UInt16, for client: UInt128) -> Bool {
        guard isTaken(address, kind, port) else { return true }
        let owner = owners[PortTable.first(address, kind) + Int(port)]
        return owner & PortTable.restingMark != 0 && resting.client(owner & ~PortTable.restingMark) == client
    }

    /// A free port for a client: the wished one if it can be had, else one of the same range and parity (RFC 4787 §4.2),
    /// else any.
    mutating func free(
        _ address: Int, _ kind: SessionKind, wish: UInt16, for client: UInt128, at now: UInt32
    ) -> UInt16? {
        wake(at: now, atMost: PortTable.wakenAtOnce)
        if let port = choose(address, kind, wish, client) { return port }
        return wake(at: now, atMost: .max) ? choose(address, kind, wish, client) : nil
    }

    private mutating func choose(
        _ address: Int, _ kind: SessionKind, _ wish: UInt16, _ client: UInt128
    ) -> UInt16? {
        if kind == .icmp {
            if identifiers.contains(wish), isFree(address, kind, wish, for: client) { return wish }
            return search(address, kind, identifiers, parity: .max)
        }
        if range.contains(wish), isFree(address, kind, wish, for: client) { return wish }
        // RFC 4787 §4.2.2: an even port stays even, an odd one odd.
        let parity: UInt64 = wish % 2 == 0 ? 0x5555_5555_5555_5555 : 0xAAAA_AAAA_AAAA_AAAA
        let system: ClosedRange<UInt16> = wish < 1024 ? 0...1023 : 1024...65535
        if system.overlaps(range) {
            let same = range.clamped(to: system)
            if let port = search(address, kind, same, parity: parity) { return port }
            if let port = search(address, kind, same, parity: .max) { return port }
        }
        return search(address, kind, range, parity: .max)
    }

    /// A free port of a range, from a random place on.
    private mutating func search(
        _ address: Int, _ kind: SessionKind, _ range: ClosedRange<UInt16>, parity: UInt64
    ) -> UInt16? {
        // xorshift64: RFC 6056 wants ports that cannot be guessed from the one before.
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        let words = Int(range.lowerBound) / 64...Int(range.upperBound) / 64
        let start = Int((random >> 16) % UInt64(words.count))
        let base = PortTable.first(address, kind) / 64
        for step in 0..<words.count {
            let word = words.lowerBound + (start + step) % words.count
            var free = ~taken[base + word] & parity
            if word == words.lowerBound { free &= UInt64.max << UInt64(range.lowerBound % 64) }
            if word == words.upperBound { free &= UInt64.max >> UInt64(63 - range.upperBound % 64) }
            guard free != 0 else { continue }
            // Not always the lowest free port of the word, either.
            let turn = UInt64(truncatingIfNeeded: random) % 64
            let turned = turn == 0 ? free : free >> turn | free << (64 - turn)
            let bit = (UInt64(turned.trailingZeroBitCount) + turn) % 64
            return UInt16(word * 64 + Int(bit))
        }
        return nil
    }
}
