import PodTranslation
import Translation
import TranslationEngine

/// What a translator tells Prometheus (text format 0.0.4).
struct TranslatorMetrics {
    static let type = "text/plain; version=0.0.4; charset=utf-8"

    /// The clients that are told one by one, those with most ports first: more would cost the one who asks too much.
    static let clients = 100

    private var page = MetricsPage()

    init(_ engine: any RunningTranslator, _ kernel: PodTranslationCounters?) {
        let usage = engine.usage
        page.add("duet_nat64_sessions", "gauge", "Sessions.", [("", usage.sessions)])
        page.add("duet_nat64_sessions_limit", "gauge", "Sessions that there may be.", [("", usage.maximumSessions)])
        page.add("duet_nat64_ports", "gauge", "Public ports in use.", [("", usage.ports)])
        page.add("duet_nat64_clients", "gauge", "Clients with public ports.", [("", usage.clients)])
        page.addTranslation(engine.counters, writeFailures: engine.writeFailures)
        page.add(
            "duet_nat64_client_ports", "gauge", "Public ports in use, of the clients with most of them.",
            engine.largestClients(TranslatorMetrics.clients).map { ("client=\"\($0.client)\"", $0.ports) })
        if let kernel { page.addPrograms(kernel.named.map { ($0.name, $0.count.packets, $0.count.bytes) }) }
    }

    /// The text.
    var text: String { page.text }
}
