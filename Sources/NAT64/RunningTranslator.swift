import Linux
import Translation
import TranslationEngine

/// An engine, whichever translators it has.
protocol RunningTranslator: AnyObject, Sendable {
    var isRunning: Bool { get }
    var counters: TranslationCounters { get }
    var writeFailures: UInt64 { get }
    var usage: TranslatorUsage { get }

    func start(ended: @escaping @Sendable (SystemError) -> Void) throws(SystemError)
    func stop()
    /// Up to so many clients, those with most public ports.
    func largestClients(_ limit: Int) -> [ClientRecord]
    /// Up to so many sessions that `isWanted` names.
    func sessions(limit: Int, where isWanted: (SessionRecord) -> Bool) -> [SessionRecord]
    var isTracing: Bool { get }
    func beginTrace() -> Bool
    func takeTrace() -> (records: [TraceRecord], lost: Int)
    func endTrace()
}

extension TranslationEngine: RunningTranslator where Translator: PacketTranslator & ~Copyable {
    var usage: TranslatorUsage {
        var usage = TranslatorUsage()
        forEachTranslator { usage.add($0.usage) }
        return usage
    }

    func largestClients(_ limit: Int) -> [ClientRecord] {
        var largest: [ClientRecord] = []
        var least: ClientRecord?
        forEachTranslator { translator in
            // There may be a million, while packets wait: no more than twice the limit is kept at any time, and most are not.
            translator.forEachClient { client in
                if let least, !client.isLarger(than: least) { return }
                largest.append(client)
                guard largest.count >= 2 * max(limit, 1) else { return }
                largest.sort { $0.isLarger(than: $1) }
                largest.removeSubrange(limit...)
                least = largest.last
            }
        }
        return Array(largest.sorted { $0.isLarger(than: $1) }.prefix(limit))
    }

    func sessions(limit: Int, where isWanted: (SessionRecord) -> Bool) -> [SessionRecord] {
        var sessions: [SessionRecord] = []
        forEachTranslator { translator in
            translator.forEachSession { if sessions.count < limit, isWanted($0) { sessions.append($0) } }
        }
        return sessions
    }
}

extension ClientRecord {
    /// Whether it holds more ports than another one; of equals the one with the lower address is told first.
    fileprivate func isLarger(than other: ClientRecord) -> Bool { (ports, other.client) > (other.ports, client) }
}
