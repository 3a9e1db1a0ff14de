extension TableReconciler {
    /// How many entries are looked at in one go: for less than a millisecond.
    private static let stride = 2048

    /// Whether the kernel has what the model says, looked at in parts between which changes may be applied; false also when
    /// that cannot be found out so.
    ///
    /// A comparison that an audit overtakes has nothing to say against the table.
    package func agreesWithKernel(
        by reader: TableReader, isolation: isolated (any Actor)? = #isolation
    ) async -> Bool {
        // Connect-time maps are compared with the whole table.
        guard balancer == nil, !isOutOfStep, (try? isWhole()) == true else { return false }
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
        return comparison?.isComplete(model, entryCount) ?? true
    }
}
