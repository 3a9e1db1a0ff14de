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

    /// For example `cluster-2`, `cluster-local-1`, `node-external-3-sticky-10800`.
    var name: String {
        var words = isNodePort ? ["node"] : []
        words.append(balance.entry.rawValue)
        if balance.pool == .local && balance.entry == .cluster { words.append("local") }
        words.append("\(balance.count)")
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
        guard let count = words.popFirst().flatMap({ UInt32($0) }) else { return nil }
        var seconds: UInt32?
        if words.popFirst() == "sticky" { seconds = words.popFirst().flatMap { UInt32($0) } }
        balance = Balance(entry, pool, over: count, stickySeconds: seconds)
        guard self.name == name else { return nil }
    }
}
