import Linux
import Translation
import TranslationEngine

/// An engine, whichever translators it has.
protocol RunningTranslator: AnyObject, Sendable {
    var isRunning: Bool { get }
    var counters: TranslationCounters { get }
    var writeFailures: UInt64 { get }
    var usage: TranslatorUsage { get }
    var clients: [ClientRecord] { get }

    func start(ended: @escaping @Sendable (SystemError) -> Void) throws(SystemError)
    func stop()
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

    var clients: [ClientRecord] {
        var clients: [ClientRecord] = []
        forEachTranslator { $0.forEachClient { clients.append($0) } }
        return clients
    }

    func sessions(limit: Int, where isWanted: (SessionRecord) -> Bool) -> [SessionRecord] {
        var sessions: [SessionRecord] = []
        forEachTranslator { translator in
            translator.forEachSession { if sessions.count < limit, isWanted($0) { sessions.append($0) } }
        }
        return sessions
    }
}
