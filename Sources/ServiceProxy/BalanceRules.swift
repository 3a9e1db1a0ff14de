internal import Addresses
internal import NFTables

/// The rules that lead a connection to an endpoint, for the chain of a shape.
///
/// The registers are laid out so that one load serves each lookup:
/// ```
/// without affinity                  | anchor address | protocol | port | number of the slot |
///                                   | backend's address and port, in the place of the key   |
/// with affinity     pool | client . | anchor address | protocol | port | number of the slot |
///                                                                      | backend's address . port |
///                   '--- key of the client's endpoint -----------------'
///                                   '--- member: anchor and backend ------------------------------'
/// ```
struct BalanceRules {
    private let header: HeaderLayout
    private let shape: ChainShape
    /// Where the anchor begins.
    private let anchor: UInt32

    init(_ header: HeaderLayout, _ shape: ChainShape) {
        self.header = header
        self.shape = shape
        anchor = shape.balance.stickySeconds == nil ? 0 : 1 + header.addressRegisters
    }

    /// The rules in order; the first that finds an endpoint ends the way.
    ///
    /// The last draws the first slot: a packet that meets a change of the maps half-way may find another slot gone,
    /// but this one is the last to go.
    var all: [[Expression]] {
        let balance = shape.balance
        let draw = Expression.random(modulus: balance.count, offset: balance.pool.rawValue, slot)
        let first = Expression.immediate(balance.pool.rawValue.registerBytes, slot)
        guard let seconds = balance.stickySeconds else {
            return [draw, first].map { anchorKey + [$0, endpoint(into: Register(0)), translation(from: 0)] }
        }
        let milliseconds = UInt64(seconds) * 1000
        let backend = slot
        let keep = change(.update, timeout: milliseconds)
        return [
            clientKey + [.lookup(map: TableLayout.affinity, Register(0), into: backend)]
                + [.contains(set: TableLayout.MapName.members.rawValue, Register(anchor))]
                + [keep, translation(from: backend.index)],
            // A client whose endpoint is gone must be forgotten first: an update keeps what it finds.
            clientKey + [draw, endpoint(into: backend), change(.delete), keep, translation(from: backend.index)],
            anchorKey + [first, endpoint(into: backend), translation(from: backend.index)],
        ]
    }

    private var slot: Register { Register(anchor + header.addressRegisters + 2) }

    /// Loads the frontend under which the slots are kept.
    private var anchorKey: [Expression] {
        let isOnItself = shape.balance.entry == .cluster
        let map: TableLayout.MapName = shape.isNodePort ? .nodePortAliases : .aliases
        let key = shape.isNodePort ? HeaderLayout.destinationPort(from: anchor) : header.frontendKey(from: anchor)
        return isOnItself ? key : key + [.lookup(map: map.rawValue, Register(anchor), into: Register(anchor))]
    }

    /// Loads pool, client and anchor.
    private var clientKey: [Expression] {
        [.immediate(shape.balance.pool.rawValue.registerBytes, Register(0)), header.source(Register(1))] + anchorKey
    }

    private func endpoint(into register: Register) -> Expression {
        .lookup(map: TableLayout.MapName.endpoints.rawValue, Register(anchor), into: register)
    }

    private func change(_ change: Expression.SetChange, timeout: UInt64? = nil) -> Expression {
        .change(change, set: TableLayout.affinity, key: Register(0), data: slot, timeout: timeout)
    }

    private func translation(from register: UInt32) -> Expression {
        .nat(
            .destination, header.family, address: Register(register),
            port: Register(register + header.addressRegisters))
    }
}
