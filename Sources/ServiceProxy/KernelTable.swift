internal import NFTables

/// What the kernel has under the name of a family's table, as far as it is of this layout.
struct KernelTable: Sendable {
    let content: ProxyTable
    /// The shapes that have chains.
    let shapes: Set<ChainShape>

    /// Reads the table; nil when there is none, or one that this layout did not make or someone has changed.
    init?(reading layout: TableLayout, from kernel: any KernelConnection) throws {
        guard let shapes = try Self.shapes(of: layout, from: kernel) else { return nil }
        self.shapes = shapes
        var elements: [TableLayout.MapName: [Element]] = [:]
        for map in TableLayout.MapName.allCases {
            elements[map] = try kernel.elements(of: layout.table, set: map.name)
        }
        guard let content = layout.table(of: elements) else { return nil }
        self.content = content
    }

    /// The shapes that have chains, if sets, chains, rules and what leads to chains are those of the layout.
    ///
    /// Elements of Services are not looked at, so the cost does not depend on the number of Services.
    static func shapes(of layout: TableLayout, from kernel: any KernelConnection) throws -> Set<ChainShape>? {
        let chains = try kernel.chains(of: layout.table)
        guard !chains.isEmpty, Set(try kernel.sets(of: layout.table)) == Set(layout.sets) else { return nil }
        let shapes = Set(chains.compactMap { ChainShape(name: $0.name) })
        guard Set(chains) == Set(layout.chains + shapes.map(layout.chain)) else { return nil }
        let expected = layout.rules + shapes.flatMap(layout.rules)
        for map in TableLayout.shapeMaps {
            let dropping = map == TableLayout.shapes ? [layout.dropElement] : []
            let expected = Set(layout.elements(of: shapes, in: map) + dropping)
            guard Set(try kernel.elements(of: layout.table, set: map)) == expected else { return nil }
        }
        // Rules are known by their stamps, which are equal for equal rules.
        let found = try kernel.rules(of: layout.table)
        let isWhole = stamps(found.map { ($0.chain, $0.comment) }) == stamps(expected.map { ($0.chain, $0.comment) })
        return isWhole ? shapes : nil
    }

    private static func stamps(_ rules: [(chain: String, comment: String?)]) -> [String: [String]] {
        rules.reduce(into: [:]) { $0[$1.chain, default: []].append($1.comment ?? "") }
    }
}
