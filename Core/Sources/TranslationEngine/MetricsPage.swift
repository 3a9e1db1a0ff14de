public import Translation

/// What translators tell Prometheus (text format 0.0.4).
public struct MetricsPage: Sendable {
    private var lines: [String] = []

    /// A page without figures.
    public init() {}

    /// The text.
    public var text: String { lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n" }

    /// Adds a figure.
    ///
    /// - Parameters:
    ///   - kind: `counter` or `gauge`.
    ///   - samples: its values, each with labels such as `reason="loop"`; an empty text where there are none.
    public mutating func add<Value: BinaryInteger>(
        _ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: Value)]
    ) {
        lines.append("# HELP \(name) \(help)")
        lines.append("# TYPE \(name) \(kind)")
        for sample in samples {
            lines.append("\(name)\(sample.labels.isEmpty ? "" : "{\(sample.labels)}") \(sample.value)")
        }
    }

    /// Adds what has become of the packets of a translator in userspace.
    public mutating func addTranslation(_ counters: TranslationCounters, writeFailures: UInt64) {
        let text = TranslationMetrics.text(of: counters, writeFailures: writeFailures, prefix: "duet_nat64")
        lines += text.split(separator: "\n").map(String.init)
    }

    /// Adds what the kernel's programs did with packets, by what they did.
    public mutating func addPrograms(_ counts: [(name: String, packets: UInt64, bytes: UInt64)]) {
        add(
            "duet_nat64_kernel_packets_total", "counter", "Packets that the kernel's programs saw, by what they did.",
            counts.map { ("path=\"\($0.name)\"", $0.packets) })
        add(
            "duet_nat64_kernel_bytes_total", "counter", "Their bytes.",
            counts.map { ("path=\"\($0.name)\"", $0.bytes) })
    }
}
