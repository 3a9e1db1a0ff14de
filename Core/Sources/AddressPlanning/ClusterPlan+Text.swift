import Addresses

extension ClusterPlan {
    /// The plan as people read it.
    public var text: String {
        var lines: [String] = []
        for family in families where !family.fragments.isEmpty {
            lines.append(
                "\(family.family) blocks of /\(family.blockLength), \(Self.number(family.podsPerBlock)) pods each")
            let rows = family.fragments.map { [$0.prefix.description, Self.number($0.blocks)] }
            lines += Self.table(rows + [["all", Self.number(family.blocks)]]).map { "  \($0)" }
            lines.append("")
        }
        var counts = [
            ("nodes with \(request.podsPerNode) pods", \Family.fullNodes),
            ("nodes with one block", \Family.nodes), ("pods", \Family.pods),
        ]
        if !request.servicePrefixes.isEmpty { counts.append(("Services", \Family.services)) }
        lines += Self.table(
            [["fits"] + families.map(\.family.name)]
                + counts.map { title, field in [title] + families.map { Self.number($0[keyPath: field]) } })
        lines.append("")
        lines += limits.map(\.sentence)
        return lines.joined(separator: "\n") + "\n"
    }

    /// The first column to the left, the others to the right.
    private static func table(_ rows: [[String]]) -> [String] {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ")
        }
    }

    /// Numbers of up to seven digits as they are, greater ones as a power of two: `~2^48`.
    static func number(_ value: UInt128) -> String {
        guard value >= 10_000_000 else { return "\(value)" }
        let power = 127 - value.leadingZeroBitCount
        // The nearest power on the logarithmic scale: the next one from 1.414 times on.
        let isNearer = power < 127 && value >> UInt128(power - 7) >= 181
        let isExact = value == 1 << UInt128(power)
        return "\(isExact ? "" : "~")2^\(isNearer ? power + 1 : power)"
    }
}

extension ClusterPlan.Limit {
    /// What the limit is about: `IPv4 blocks for nodes`.
    public var title: String {
        switch resource {
        case .blocks: "\(family) blocks for nodes"
        case .services: "\(family) addresses for Services"
        }
    }

    /// When it will be reached: `IPv4 blocks for nodes: 3 of 28 used, run out on day 26`.
    public var sentence: String {
        let (used, capacity) = (ClusterPlan.number(used), ClusterPlan.number(capacity))
        switch day {
        case 0: return "\(title): \(used) needed today, \(capacity) there"
        case let day?: return "\(title): \(used) of \(capacity) used, run out on day \(day)"
        case nil: return "\(title): \(used) of \(capacity) used"
        }
    }
}
