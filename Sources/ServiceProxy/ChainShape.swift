/// What a chain that many Services share does; its name says it.
///
/// There are as many such chains as different shapes, not as Services.
struct ChainShape: Hashable, Sendable {
    let balance: Balance
    /// Whether it is for node ports, whose elements have no address.
    let isNodePort: Bool

    init(_ balance: Balance, isNodePort: Bool) {
        self.balance = balance
        self.isNodePort = isNodePort
    }

    /// Every way in without affinity, with the pool that it leads to: the shapes that take the first slot.
    static let waysIn: Set<ChainShape> = Set(
        [ChainShape(Balance(.cluster, over: 1), isNodePort: false)]
            + [ChainShape(Balance(.cluster, .local, over: 1), isNodePort: false)]
            + [false, true].flatMap { isNodePort in
                [Balance(.external, over: 1), Balance(.insider, over: 1), Balance(.outsider, .local, over: 1)].map {
                    ChainShape($0, isNodePort: isNodePort)
                }
            })

    /// The shape with the range for so many slots.
    func over(_ slots: UInt32) -> ChainShape {
        ChainShape(
            Balance(balance.entry, balance.pool, over: slots, stickySeconds: balance.stickySeconds),
            isNodePort: isNodePort)
    }

    /// The shape that differs in taking the first slot.
    var first: ChainShape { over(1) }

    /// For example `cluster-2`, `cluster-local-1`, `node-external-3-sticky-10800`; the number is the range of the draw.
    var name: String {
        var words = isNodePort ? ["node"] : []
        words.append(balance.entry.rawValue)
        if balance.pool == .local && balance.entry == .cluster { words.append("local") }
        words.append("\(balance.range)")
        if let seconds = balance.stickySeconds { words += ["sticky", "\(seconds)"] }
        return words.joined(separator: "-")
    }

    /// The shape of the chain of a name; nil for other chains.
    init?(name: String) {
        var words = name.split(separator: "-")[...]
        isNodePort = words.first == "node"
        if isNodePort { words.removeFirst() }
        guard let entry = words.popFirst().flatMap({ Balance.Entry(rawValue: String($0)) }) else { return nil }
        var pool: Pool = entry == .outsider ? .local : .everywhere
        if entry == .cluster && words.first == "local" {
            pool = .local
            words.removeFirst()
        }
        guard let range = words.popFirst().flatMap({ UInt32($0) }) else { return nil }
        var seconds: UInt32?
        if words.popFirst() == "sticky" { seconds = words.popFirst().flatMap { UInt32($0) } }
        balance = Balance(entry, pool, over: range, stickySeconds: seconds)
        guard self.name == name else { return nil }
    }
}
