internal import Addresses

extension ConnectTimeBalancer {
    /// Whether programs and maps are as they should be, looked at in parts between which changes may be applied.
    ///
    /// A comparison that a comparison of everything overtakes has nothing to say against the maps.
    func agrees(
        with table: TableReconciler, isolation: isolated (any Actor)? = #isolation
    ) async -> Bool {
        let family = table.family
        guard isInPlace() else { return false }
        comparisons[family] = TableComparison(.connectTime)
        defer { comparisons[family] = nil }
        guard let content = try? await reader.content(family) else { return comparisons[family] == nil }
        for (kind, entries) in content {
            comparisons[family]?.begin(kind, entries)
            while let finding = comparisons[family]?.advance(by: TableReconciler.stride, table.model) {
                if finding == .differs { return false }
                if finding == .agrees { break }
                await Task.yield()
            }
        }
        return comparisons[family]?.isComplete(table.model, entryCounts[family] ?? 0) ?? true
    }
}
