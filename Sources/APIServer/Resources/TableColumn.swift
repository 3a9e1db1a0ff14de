package import JSON
package import KubernetesAPI

/// One column of what `kubectl get` shows for a resource.
package struct TableColumn: Sendable {
    /// The heading.
    package let name: String
    /// `string`, `integer` or `date`.
    package let type: String
    /// `name` for the column of names, otherwise empty.
    package let format: String
    /// What the column says.
    package let description: String
    /// 0 for columns that are always shown, 1 for those of `-o wide`.
    package let priority: Int
    /// The cell of an object, given the present moment.
    package let cell: @Sendable (JSONValue, Timestamp) -> JSONValue

    /// A column whose cell may depend on the time.
    package init(
        _ name: String, type: String = "string", format: String = "", priority: Int = 0, _ description: String,
        _ cell: @escaping @Sendable (JSONValue, Timestamp) -> JSONValue
    ) {
        self.name = name
        self.type = type
        self.format = format
        self.description = description
        self.priority = priority
        self.cell = cell
    }

    /// A column of text.
    package init(
        _ name: String, priority: Int = 0, _ description: String, _ text: @escaping @Sendable (JSONValue) -> String
    ) {
        self.init(name, priority: priority, description) { object, _ in .string(text(object)) }
    }

    /// A column of numbers.
    package static func number(
        _ name: String, _ description: String, _ value: @escaping @Sendable (JSONValue) -> Int
    ) -> TableColumn {
        TableColumn(name, type: "integer", description) { object, _ in .integer(Int64(value(object))) }
    }

    /// The name.
    package static let name = TableColumn(
        "Name", format: "name", "The name, unique within a namespace."
    ) { object, _ in object.at("metadata", "name") ?? "" }

    /// Time since creation.
    package static let age = TableColumn("Age", "Time since the object was created.") { object, now in
        .string(Age.text(since: object.at("metadata", "creationTimestamp")?.string, now))
    }

    /// The column's definition on the wire.
    package var definition: JSONValue {
        [
            "name": .string(name), "type": .string(type), "format": .string(format),
            "description": .string(description), "priority": .integer(Int64(priority)),
        ]
    }
}

/// Elapsed time the way kubectl shows it.
package enum Age {
    /// The time since a moment in two units at most: `5s`, `3m20s`, `2d4h`; `<unknown>` without a moment.
    package static func text(since start: String?, _ now: Timestamp) -> String {
        guard let start, let moment = Timestamp(start) else { return "<unknown>" }
        return text(seconds: Int(now.seconds - moment.seconds))
    }

    /// A duration of whole seconds.
    package static func text(seconds: Int) -> String {
        guard seconds >= -1 else { return "<invalid>" }
        let seconds = max(0, seconds)
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400)
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<600: return pair(minutes, "m", seconds % 60, "s")
        case ..<(3 * 3600): return "\(minutes)m"
        case ..<(8 * 3600): return pair(hours, "h", minutes % 60, "m")
        case ..<(48 * 3600): return "\(hours)h"
        case ..<(8 * 86400): return pair(days, "d", hours % 24, "h")
        case ..<(2 * 365 * 86400): return "\(days)d"
        case ..<(8 * 365 * 86400): return pair(days / 365, "y", days % 365, "d")
        default: return "\(days / 365)y"
        }
    }

    private static func pair(_ first: Int, _ firstUnit: String, _ second: Int, _ secondUnit: String) -> String {
        second == 0 ? "\(first)\(firstUnit)" : "\(first)\(firstUnit)\(second)\(secondUnit)"
    }
}
