import Addresses
import CNI
import Linux
import NFTables

/// A chain that a reference plugin made with iptables, to be removed with the rules that lead to it.
///
/// Ours makes none, so it looks before it runs anything: iptables itself is needed only where such a chain exists.
struct IPTablesChain {
    /// The table, such as "nat".
    let table: String
    /// The chain's name.
    let name: String
    /// The chain whose rules lead to it.
    let parent: String

    /// The two ways in which the kernel can hold what iptables makes.
    private enum Variant: String, CaseIterable {
        case nft, legacy
    }

    /// Removes the chain in both families; nothing there, or no iptables installed, is no error.
    func remove() throws {
        for family in IPFamily.allCases {
            for variant in Variant.allCases where try mayExist(variant, family) {
                try remove(variant, family)
            }
        }
    }

    private func mayExist(_ variant: Variant, _ family: IPFamily) throws -> Bool {
        switch variant {
        case .nft:
            var socket = try NFTablesSocket()
            return try socket.chains(of: Table(family: Table.Family(family), name: table)).contains { $0.name == name }
        case .legacy:
            // The tables of the older kernel interface that are in use in this network namespace.
            let names = try? FileSystem.readText("/proc/thread-self/net/\(prefix(family))_tables_names")
            return names?.split(whereSeparator: \.isNewline).contains { $0 == table } ?? false
        }
    }

    private func remove(_ variant: Variant, _ family: IPFamily) throws {
        let command = "\(prefix(family))tables"
        guard let list = Self.find(["\(command)-\(variant)", command]),
            let restore = Self.find(["\(command)-\(variant)-restore", "\(command)-restore"])
        else { return }
        let chain = try Self.run(list, ["-w", "-t", table, "-S", name])
        guard chain.status.isSuccess else { return }
        let rules = try Self.run(list, ["-w", "-t", table, "-S", parent]).text.split(whereSeparator: \.isNewline)
        let leading = rules.filter { $0.hasPrefix("-A \(parent) ") && $0.hasSuffix(" -j \(name)") }
        let lines =
            ["*\(table)"] + leading.map { "-D" + $0.dropFirst(2) } + ["-F \(name)", "-X \(name)", "COMMIT", ""]
        let output = try Self.run(restore, ["-w", "--noflush"], input: lines.joined(separator: "\n"))
        guard output.status.isSuccess else {
            throw CNIError("cannot remove chain \(name) of table \(table) with \(restore): \(output.errorText)")
        }
    }

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
