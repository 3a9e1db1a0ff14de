internal import Addresses

/// The results of a connectivity matrix as text: a row for each Service, family and target, a column for each
/// place that was asked from.
public struct ProbeTable: Sendable {
    /// The results in the order of the matrix.
    public let results: [ProbeResult]

    /// Makes the table of these results.
    public init(_ results: [ProbeResult]) {
        self.results = results
    }

    /// Whether every probe was answered; false when there was none.
    public var allAnswered: Bool { !results.isEmpty && results.allSatisfy(\.isAnswered) }

    /// The aligned table, then a line for each failure, then the sum.
    public var text: String {
        let vantagePoints = results.map { $0.probe.from.description }.reduce(into: [String]()) { seen, name in
            if !seen.contains(name) { seen.append(name) }
        }
        var rows: [[String]] = [["SERVICE", "FAMILY", "TARGET"] + vantagePoints.map { $0.uppercased() }]
        var rowOfTarget: [[String]: Int] = [:]
        for result in results {
            let heading = [result.probe.service, result.probe.family.name, result.probe.targetText]
            let row = rowOfTarget[heading] ?? rows.count
            if row == rows.count {
                rowOfTarget[heading] = row
                rows.append(heading + vantagePoints.map { _ in "" })
            }
            if let column = vantagePoints.firstIndex(of: result.probe.from.description) {
                rows[row][heading.count + column] = result.cell
            }
        }
        let failures = results.compactMap { result -> String? in
            guard case .failed(let reason) = result.outcome else { return nil }
            return "failed: \(result.probe): \(reason)"
        }
        let answered = results.count { $0.isAnswered }
        let lines = Self.align(rows) + failures + ["\(answered) of \(results.count) requests answered"]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func align(_ rows: [[String]]) -> [String] {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let line = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}

extension ProbeResult {
    /// "ok 1.4 ms"; from a pod without a time, which would be that of starting a command.
    fileprivate var cell: String {
        guard isAnswered else { return "FAILED" }
        guard probe.from == .host else { return "ok" }
        let tenths = Int((latency / .microseconds(100)).rounded())
        return "ok \(tenths / 10).\(tenths % 10) ms"
    }
}
