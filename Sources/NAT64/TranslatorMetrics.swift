import PodTranslation
import Translation
import TranslationEngine

/// What a translator tells Prometheus (text format 0.0.4).
struct TranslatorMetrics {
    static let type = "text/plain; version=0.0.4; charset=utf-8"

    /// The clients that are told one by one, those with most ports first: more would cost the one who asks too much.
    static let clients = 100

    private var lines: [String] = []

    init(_ engine: any RunningTranslator, _ kernel: PodTranslationCounters?) {
        let (counters, usage) = (engine.counters, engine.usage)
        add("duet_nat64_sessions", "gauge", "Sessions.", [("", usage.sessions)])
        add("duet_nat64_sessions_limit", "gauge", "Sessions that there may be.", [("", usage.maximumSessions)])
        add("duet_nat64_ports", "gauge", "Public ports in use.", [("", usage.ports)])
        add("duet_nat64_clients", "gauge", "Clients with public ports.", [("", usage.clients)])
        let packets = TranslationMetrics.text(
            of: counters, writeFailures: engine.writeFailures, prefix: "duet_nat64")
        lines += packets.split(separator: "\n").map(String.init)
        add(
            "duet_nat64_client_ports", "gauge", "Public ports in use, of the clients with most of them.",
            engine.largestClients(TranslatorMetrics.clients).map { ("client=\"\($0.client)\"", $0.ports) })
        guard let kernel else { return }
        add(
            "duet_nat64_kernel_packets_total", "counter", "Packets that the kernel's programs saw, by what they did.",
            kernel.named.map { ("path=\"\($0.name)\"", $0.count.packets) })
        add(
            "duet_nat64_kernel_bytes_total", "counter", "Their bytes.",
            kernel.named.map { ("path=\"\($0.name)\"", $0.count.bytes) })
    }

    /// The text.
    var text: String { lines.joined(separator: "\n") + "\n" }

    private mutating func add<Value: BinaryInteger>(
        _ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: Value)]
    ) {
        lines.append("# HELP \(name) \(help)")
        lines.append("# TYPE \(name) \(kind)")
        for sample in samples {
            lines.append("\(name)\(sample.labels.isEmpty ? "" : "{\(sample.labels)}") \(sample.value)")
        }
    }
}
