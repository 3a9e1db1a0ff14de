import Addresses
public import Translation

/// What an engine tells Prometheus of its packets (text format 0.0.4).
public enum TranslationMetrics {
    /// The lines about packets, drops and ICMP errors, each family of them with its help.
    ///
    /// - Parameter prefix: what the names begin with, without the underscore after it.
    public static func text(of counters: TranslationCounters, writeFailures: UInt64, prefix: String) -> String {
        var lines: [String] = []
        func add(_ name: String, _ help: String, _ samples: [(labels: String, value: UInt64)]) {
            lines.append("# HELP \(prefix)_\(name) \(help)")
            lines.append("# TYPE \(prefix)_\(name) counter")
            lines += samples.map { "\(prefix)_\(name)\($0.labels) \($0.value)" }
        }
        let directions: [(String, IPFamily)] = [("{to=\"ipv4\"}", .ipv4), ("{to=\"ipv6\"}", .ipv6)]
        add(
            "packets_total", "Packets that were translated, by the family they got.",
            directions.map { ($0.0, counters.packets(to: $0.1)) })
        add(
            "bytes_total", "Their bytes, IP headers included.", directions.map { ($0.0, counters.bytes(to: $0.1)) })
        add(
            "drops_total", "Packets that were dropped, by reason.",
            DropReason.allCases.map { ("{reason=\"\($0)\"}", counters.drops($0)) })
        add("errors_sent_total", "ICMP errors that were made.", [("", counters.replies)])
        add(
            "errors_suppressed_total", "ICMP errors that were not sent because there were too many.",
            [("", counters.suppressedReplies)])
        add("write_failures_total", "Packets that the device did not take.", [("", writeFailures)])
        return lines.joined(separator: "\n") + "\n"
    }
}
