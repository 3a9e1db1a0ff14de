internal import Addresses
internal import Linux
internal import NFTables
internal import PodTranslation
internal import Synchronization
internal import Translation
internal import TranslationEngine

/// What a node's translation tells Prometheus (text format 0.0.4).
public final class NodeTranslationMetrics: Sendable {
    private struct Sources {
        var userspace: UserspaceTranslator?
        var kernel: KernelTranslator?
        var translated = 0
        var clat = 0
        var exit = TranslationExit.own
    }

    private let sources = Mutex(Sources())
    private let ranges: TranslationTable.Ranges
    private let capacity: Int

    /// Metrics of a translation that has not begun.
    public init(options: NodeTranslationOptions) {
        ranges = options.ranges
        capacity = PrivateAddresses(range: options.podRange).capacity
    }

    func note(_ userspace: UserspaceTranslator?, _ kernel: KernelTranslator?) {
        sources.withLock { ($0.userspace, $0.kernel) = (userspace, kernel) }
    }

    func note(translated: Int, clat: Int) {
        sources.withLock { ($0.translated, $0.clat) = (translated, clat) }
    }

    func note(_ exit: TranslationExit) { sources.withLock { $0.exit = exit } }

    /// The text, as of now.
    public var text: String {
        let (userspace, kernel, translated, clat, exit) = sources.withLock {
            ($0.userspace, $0.kernel, $0.translated, $0.clat, $0.exit)
        }
        var page = MetricsPage()
        page.add(
            "duet_nat64_kernel_active", "gauge", "Whether the kernel translates what it can.",
            [("", kernel == nil ? 0 : 1)])
        page.add("duet_nat64_pods", "gauge", "Pods that are translated for.", [("", translated)])
        page.add("duet_nat64_clat_pods", "gauge", "Pods with a CLAT.", [("", clat)])
        page.add(
            "duet_nat64_private_addresses_limit", "gauge", "Private IPv4 addresses that there are for pods.",
            [("", capacity)])
        page.add(
            "duet_nat64_gateway_active", "gauge",
            "Whether this node is a gateway, and whether its pods leave by another one.",
            [("role=\"gateway\"", exit.isGateway ? 1 : 0), ("role=\"sender\"", exit.sender == nil ? 0 : 1)])
        addFigures(&page)
        if let userspace { page.addTranslation(userspace.counters, writeFailures: userspace.writeFailures) }
        // Without its figures a page is still of use.
        if let counters = try? kernel?.counters() {
            page.addPrograms(counters.named.map { ($0.name, $0.count.packets, $0.count.bytes) })
        }
        return page.text
    }

    /// What the rules count, whichever way packets took.
    private func addFigures(_ page: inout MetricsPage) {
        guard var table = try? TranslationTableReconciler(ranges: ranges), let figures = try? table.figures() else {
            return
        }
        let directions: [(String, TranslationTable.Figure)] = [
            ("direction=\"from-pods\"", .fromPods), ("direction=\"to-pods\"", .toPods),
            ("direction=\"from-nodes\"", .fromNodes), ("direction=\"to-nodes\"", .toNodes),
        ]
        page.add(
            "duet_nat64_forwarded_packets_total", "counter",
            "Packets of pods behind the translator, and of nodes that this one is the gateway of.",
            directions.map { ($0.0, figures[$0.1]?.packets ?? 0) })
        page.add(
            "duet_nat64_forwarded_bytes_total", "counter", "Their bytes as IPv4.",
            directions.map { ($0.0, figures[$0.1]?.bytes ?? 0) })
        let reasons: [(String, TranslationTable.Figure)] =
            Destinations.Reason.allCases.map { ("reason=\"\($0)\"", .refused($0)) } + [("reason=\"unasked\"", .unasked)]
        page.add(
            "duet_nat64_refused_total", "counter", "Packets that were refused behind the translator, by reason.",
            reasons.map { ($0.0, figures[$0.1]?.packets ?? 0) })
    }
}
