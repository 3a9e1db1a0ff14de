import Addresses
import CNI
import Linux
import NFTables

/// A chain of the `nat` table by which a reference plugin finds an attachment's rules with iptables.
///
/// Ours makes rules of nftables instead. It removes what the reference made: iptables is needed only where such rules
/// exist. And it makes the chain itself, empty, where iptables is installed: the reference's DEL fails without it
/// (iptables takes a rule whose chain is missing for a mistake of the caller, not for a rule that is gone).
struct IPTablesChain {
    /// The chain's name.
    let name: String
    /// The chain whose rules lead to it.
    var parent = "POSTROUTING"

    private static let table = "nat"

    /// The two ways in which the kernel can hold what iptables makes.
    private enum Variant: String, CaseIterable {
        case nft, legacy
    }

    /// Makes the empty chain for families; without iptables there is no need, and a table that others use in a way of
    /// their own stays as it is.
    func leavePlaceholder(_ families: [IPFamily]) {
        for family in families where Self.find(["\(prefix(family))tables-nft"]) != nil {
            let table = nftable(family)
            let base = Chain.Base(.nat, .postrouting, priority: Chain.Priority.sourceNAT)
            guard var socket = try? NFTablesSocket() else { return }
            try? socket.commit(
                Transaction([
                    .addTable(table), .addChain(Chain(table: table, name: parent, base: base)),
                    .addChain(Chain(table: table, name: name)),
                ]))
        }
    }

    /// Removes the chain in both families with the rules that lead to it; nothing there is no error.
    func remove() throws {
        for family in IPFamily.allCases {
            var socket = try NFTablesSocket()
            let chains = try socket.chains(of: nftable(family))
            if chains.contains(where: { $0.name == name }) { try removeFromNFTables(family, &socket) }
            if isLegacyInUse(family) { try remove(.legacy, family) }
        }
    }

    private func removeFromNFTables(_ family: IPFamily, _ socket: inout NFTablesSocket) throws {
        do throws(NFTablesError) {
            // Without rules that lead to it, it is the placeholder, or what an interrupted deletion left.
            try socket.commit(
                Transaction([.flushChain(nftable(family), name), .deleteChain(nftable(family), name)]))
        } catch {
            guard error.errno == .busy else { throw error }
            try remove(.nft, family)
        }
    }

    private func remove(_ variant: Variant, _ family: IPFamily) throws {
        let command = "\(prefix(family))tables"
        guard let list = Self.find(["\(command)-\(variant)", command]),
            let restore = Self.find(["\(command)-\(variant)-restore", "\(command)-restore"])
        else { return }
        guard try Self.run(list, ["-w", "-t", Self.table, "-S", name]).status.isSuccess else { return }
        let rules = try Self.run(list, ["-w", "-t", Self.table, "-S", parent]).text
            .split(whereSeparator: \.isNewline)
        let leading = rules.filter { $0.hasPrefix("-A \(parent) ") && $0.hasSuffix(" -j \(name)") }
        let lines =
            ["*\(Self.table)"] + leading.map { "-D" + $0.dropFirst(2) }
            + ["-F \(name)", "-X \(name)", "COMMIT", ""]
        let output = try Self.run(restore, ["-w", "--noflush"], input: lines.joined(separator: "\n"))
        guard output.status.isSuccess else {
            throw CNIError("cannot remove chain \(name) of table nat with \(restore): \(output.errorText)")
        }
    }

    /// Whether the table exists in the older kernel interface, in this network namespace.
    private func isLegacyInUse(_ family: IPFamily) -> Bool {
        let names = try? FileSystem.readText("/proc/thread-self/net/\(prefix(family))_tables_names")
        return names?.split(whereSeparator: \.isNewline).contains { $0 == Self.table } ?? false
    }

    private func nftable(_ family: IPFamily) -> Table { Table(family: Table.Family(family), name: Self.table) }

    private func prefix(_ family: IPFamily) -> String { family == .ipv4 ? "ip" : "ip6" }

    private static func find(_ names: [String]) -> String? {
        let directories = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin"]
        return names.lazy.flatMap { name in directories.lazy.map { "\($0)/\(name)" } }.first { FileSystem.exists($0) }
    }

    private static func run(
        _ executable: String, _ arguments: [String], input: String = ""
    ) throws -> ChildProcess.Output {
        try ChildProcess.output(
            of: ChildProcess.Specification(
                executable: executable, arguments: arguments, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]),
            input: Array(input.utf8))
    }
}
