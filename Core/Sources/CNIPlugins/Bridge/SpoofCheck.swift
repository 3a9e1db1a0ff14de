import CNI
import NFTables
import RouteNetlink

/// The rules that drop what a pod sends with another hardware address than its own (`macspoofchk`).
///
/// Table, chains and comments are the reference plugin's: a base chain that leads each port's frames to a chain of the
/// attachment, which leads to another that lets the right address pass. Either implementation removes what the other
/// made.
struct SpoofCheck {
    private let chain: String
    private let comment: String

    /// The table that the reference plugin uses too.
    static let table = Table(family: .bridge, name: "nat")
    /// The chain that sees all frames that come in.
    static let base = "PREROUTING"

    private var macChain: String { "\(chain)-mac" }

    /// Names the rules of an attachment.
    init(_ attachment: NetworkConfiguration.Attachment) {
        let identifier = "\(attachment.containerID)-\(attachment.interfaceName)"
        chain = "cni-br-iface-\(identifier)"
        comment = String(decoding: "macspoofchk-\(identifier)".utf8.prefix(127), as: UTF8.self)
    }

    /// Adds the rules for a port of the bridge whose pod has a hardware address; GC finds them by the owner.
    func add(port: String, mac: MACAddress, owner: AttachmentTag) throws {
        var socket = try NFTablesSocket()
        try socket.commit(addition(port: port, mac: mac, owner: owner.comment))
    }

    /// Removes the rules of owners that are gone; those that the reference plugin made do not tell whose they are.
    static func collectGarbage(where isObsolete: (String) -> Bool) throws {
        var socket = try NFTablesSocket()
        let rules = try socket.rules(of: table).filter { $0.owner.map(isObsolete) ?? false }
        var transaction = Transaction(
            rules.filter { $0.chain == base }.map { .deleteRule(table, chain: base, handle: $0.handle) })
        let chains = Set(rules.map(\.chain)).subtracting([base])
        // Each may lead to another, so that all are empty before the first goes.
        for name in chains { transaction.append(.flushChain(table, name)) }
        for name in chains { transaction.append(.deleteChain(table, name)) }
        try socket.commit(transaction)
    }

    /// Removes the rules; none is no error.
    func remove() throws {
        var socket = try NFTablesSocket()
        let rules = try socket.rules(of: Self.table, chain: Self.base).filter { $0.comment == comment }
        var transaction = Transaction(
            rules.map { .deleteRule(Self.table, chain: Self.base, handle: $0.handle) })
        let present = Set(try socket.chains(of: Self.table).map(\.name))
        for name in [chain, macChain] where present.contains(name) {
            transaction.append(.flushChain(Self.table, name))
            transaction.append(.deleteChain(Self.table, name))
        }
        try socket.commit(transaction)
    }

    /// The changes that add the rules.
    func addition(port: String, mac: MACAddress, owner: String) -> Transaction {
        let hook = Chain.Base(.filter, .prerouting, priority: Chain.Priority.raw)
        var transaction = Transaction([
            .addTable(Self.table), .addChain(Chain(table: Self.table, name: Self.base, base: hook)),
        ])
        for name in [chain, macChain] {
            transaction.append(.addChain(Chain(table: Self.table, name: name)))
            transaction.append(.flushChain(Self.table, name))
        }
        let name = Array(port.utf8) + [UInt8](repeating: 0, count: 16 - port.utf8.count)
        let rules: [(String, [Expression])] = [
            (
                Self.base,
                [
                    .meta(.inputInterfaceName, Register(0)), .compare(Register(0), .equal, name),
                    .verdict(.jump(chain)),
                ]
            ),
            (chain, [.verdict(.jump(macChain))]),
            (
                macChain,
                [
                    // The source address of an Ethernet header.
                    .payload(.link, offset: 6, length: 6, Register(0)), .compare(Register(0), .equal, mac.bytes),
                    .verdict(.return),
                ]
            ),
            (macChain, [.verdict(.drop)]),
        ]
        for (chain, expressions) in rules {
            transaction.append(
                .addRule(Rule(table: Self.table, chain: chain, comment: comment, owner: owner, expressions)))
        }
        return transaction
    }
}
