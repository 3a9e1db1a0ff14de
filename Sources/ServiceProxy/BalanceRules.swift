internal import Addresses
internal import NFTables

/// The rules that lead a connection to an endpoint, for the chain of a shape.
///
/// The registers are laid out so that one load serves each lookup:
/// ```
/// without affinity          0 | anchor address . port . protocol | number of the slot |
///                             '--- key of the slot -------------------------------'
/// with affinity     pool | client . | anchor address . port . protocol | number of the slot |
///                                                              protocol | backend's address . port |
///                   '--- key of the client's endpoint -----------------'
///                                   '--- member: anchor and backend -----------------------------'
/// ```
///
/// nft up to 1.0.6 does not know the size of a map's value, and aborts when it shall list a key that begins with one or
/// has one in it. So a value that becomes a part of a key has one word more in front, which takes the register before
/// it: nft then lists the key with what the registers held before, whose sizes it knows. Where the word falls on a part
/// of the key itself, that part is loaded once more.
struct BalanceRules {
    private let header: HeaderLayout
    private let shape: ChainShape

    init(_ header: HeaderLayout, _ shape: ChainShape) {
        self.header = header
        self.shape = shape
    }

    /// How often a number is drawn that may hit no slot.
    ///
    /// The numbers below the fallback's range are so no more than one in 60
    /// likelier than the others.
    static let attempts = 6

    /// The rules in order; the first that finds an endpoint ends the way.
    ///
    /// The last leads to where the first slot is taken: a packet that meets a change of the maps half-way may find another slot
    /// gone, but this one is the last to go. One chain does that for all ranges, since whoever adds an element to a map makes
    /// the kernel look at each rule that uses the map (nft_add_set_elem of net/netfilter/nf_tables_api.c).
    var all: [[Expression]] {
        let last: [[Expression]] = shape.balance.range > 1 ? [[.verdict(.goto(shape.first.name))]] : []
        let plain = Registers(header, anchor: 1)
        guard let seconds = shape.balance.stickySeconds else {
            return draws(into: plain.slot).map {
                anchor(in: plain) + [$0, .lookup(.endpoints, plain.anchor, into: Register(0))]
                    + [translation(from: Register(0))]
            } + last
        }
        let sticky = Registers(header, anchor: 1 + header.addressRegisters)
        let milliseconds = UInt64(seconds) * 1000
        // What stands before the backend in values, and is a part of the keys.
        let transportProtocol = Expression.meta(.transportProtocol, sticky.transportProtocol)
        func change(_ change: Expression.SetChange, timeout: UInt64? = nil) -> Expression {
            .change(
                change, set: TableLayout.affinity, key: Register(0), data: sticky.transportProtocol, timeout: timeout)
        }
        let ending = [change(.update, timeout: milliseconds), translation(from: sticky.slot)]
        let port = Expression.payload(.transport, offset: 2, length: 2, sticky.port(of: sticky.slot))
        let known =
            [header.destination(sticky.slot), port]
            + [.lookup(map: TableLayout.affinity, Register(0), into: sticky.transportProtocol), transportProtocol]
            + [.contains(set: TableLayout.MapName.members.name, sticky.anchor)]
        let drawn = draws(into: sticky.slot).map { draw in
            // A client whose endpoint is gone must be forgotten first: an update keeps what it finds.
            client(in: sticky) + [port, header.destination(Register(sticky.slot.index + 1)), draw]
                + [.lookup(.stickyEndpoints, sticky.anchor, into: sticky.transportProtocol), transportProtocol]
                + [change(.delete)] + ending
        }
        return [client(in: sticky) + known + ending] + drawn + last
    }

    /// What is drawn, until one hits a slot.
    private func draws(into register: Register) -> [Expression] {
        let balance = shape.balance
        func draw(below range: UInt32) -> Expression {
            .random(modulus: range, offset: balance.pool.rawValue, register)
        }
        return balance.range <= Balance.exactRange
            ? [draw(below: balance.range)]
            : Array(repeating: draw(below: balance.range), count: Self.attempts) + [draw(below: balance.fallbackRange)]
    }

    /// Loads the frontend under which the slots are kept.
    private func anchor(in registers: Registers) -> [Expression] {
        let key = [
            header.destination(registers.anchor),
            .payload(.transport, offset: 2, length: 2, registers.port(of: registers.anchor)),
            .meta(.transportProtocol, registers.transportProtocol),
        ]
        guard shape.balance.entry != .cluster else { return key }
        let before = Register(registers.anchor.index - 1)
        return key + [
            shape.isNodePort
                ? .lookup(.nodePortAliases, registers.port(of: registers.anchor), into: before)
                : .lookup(.aliases, registers.anchor, into: before)
        ]
    }

    /// Loads pool, client and anchor.
    private func client(in registers: Registers) -> [Expression] {
        anchor(in: registers)
            + [.immediate(shape.balance.pool.rawValue.registerBytes, Register(0)), header.source(Register(1))]
    }

    private func translation(from register: Register) -> Expression {
        .nat(
            .destination, header.family, address: register, port: Register(register.index + header.addressRegisters))
    }
}

/// Where the parts of keys stand.
private struct Registers {
    let anchor: Register
    private let addressRegisters: UInt32

    init(_ header: HeaderLayout, anchor: UInt32) {
        self.anchor = Register(anchor)
        addressRegisters = header.addressRegisters
    }

    /// The port of an anchor or backend that begins at a register.
    func port(of register: Register) -> Register { Register(register.index + addressRegisters) }
    /// The protocol of the anchor.
    var transportProtocol: Register { Register(anchor.index + addressRegisters + 1) }
    /// The number of the slot, and the backend in its place.
    var slot: Register { Register(anchor.index + addressRegisters + 2) }
}

extension Expression {
    fileprivate static func lookup(
        _ map: TableLayout.MapName, _ key: Register, into register: Register
    ) -> Expression {
        .lookup(map: map.name, key, into: register)
    }
}
