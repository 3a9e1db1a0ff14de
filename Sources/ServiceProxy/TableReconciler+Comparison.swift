extension TableReconciler {
    /// How many entries are looked at in one go: for less than a millisecond.
    static let stride = 2048

    /// Whether the kernel has what the model says, looked at in parts between which changes may be applied.
    ///
    /// False also when that cannot be found out so. What leads calls at connect time is looked at as well. A comparison that an
    /// audit overtakes has nothing to say against the table.
    package func agreesWithKernel(
        by reader: TableReader, isolation: isolated (any Actor)? = #isolation
    ) async -> Bool {
        guard !isOutOfStep, (try? isWhole()) == true else { return false }
        comparison = TableComparison()
        defer { comparison = nil }
        for kind in EntryKind.allCases {
            guard let content = try? await reader.content(of: kind) else { return comparison == nil }
            comparison?.begin(kind, content)
            while let agrees = comparison?.advance(by: Self.stride, model) {
                if agrees == .differs { return false }
                if agrees == .agrees { break }
                await Task.yield()
            }
        }
        guard comparison?.isComplete(model, entryCount) ?? true else { return false }
        return await balancer?.agrees(with: self) ?? true
    }
}
