internal import Addresses
package import Logging

/// Runs the translator of a node as long as any Service needs one, and tells the tables whether there is one.
///
/// Nothing throws: what cannot be translated is refused as a Service without endpoints is, and the reason is told.
package final class TranslationKeeper {
    private let logger: Logger
    private(set) var translator: ServiceTranslator?
    /// Why there is none although one is needed; told once.
    private var failure: String?
    /// Whether there may be a link: an earlier agent may have left one.
    private var mayHaveLink = true

    /// A keeper for the network namespace of whoever calls it.
    package init(logger: Logger) { self.logger = logger }

    /// Starts, moves or ends the translator as the tables want it, before they are flushed.
    ///
    /// - Parameter isRetry: whether it is tried again although it failed before.
    package func prepare(_ tables: [TableReconciler], isRetry: Bool = false) {
        guard let ipv4 = tables.first(where: { $0.family == .ipv4 }), tables.count == IPFamily.allCases.count else {
            return
        }
        if tables.contains(where: \.wantsTranslation), let wanted = ipv4.translationAddresses {
            if let translator, translator.addresses == wanted, !translator.hasEnded { return }
            if failure != nil, !isRetry { return }
            start(wanted, ipv4.translations)
        } else {
            translator = nil
        }
        ipv4.translator = translator
        for table in tables { table.set(isTranslating: translator != nil) }
    }

    /// After a flush: takes the link away that the tables lead nothing to any more.
    package func finish(_ tables: [TableReconciler]) {
        guard mayHaveLink, translator == nil, !tables.contains(where: \.wantsTranslation) else { return }
        failure = nil
        do {
            if try TranslationDevice.remove() { logger.info("no Service needs translation: its link is gone") }
            mayHaveLink = false
        } catch {
            logger.error("the link \(TranslationDevice.name) cannot be removed", metadata: ["error": "\(error)"])
        }
    }

    private func start(_ addresses: TranslationAddresses, _ pairs: [IPAddress: IPAddress]) {
        // The threads of the one before end when nobody has it any more; both may have queues for a moment.
        translator = nil
        mayHaveLink = true
        do {
            translator = try ServiceTranslator(addresses, pairs, logger: logger)
            failure = nil
            logger.info(
                "Services are translated between families",
                metadata: [
                    "device": "\(TranslationDevice.name)", "standIns": "\(addresses.standIns)",
                    "callers": "\(addresses.prefix.prefix)", "keepsCallers": "\(addresses.isRouted)",
                ])
        } catch {
            let text = "\(error)"
            if failure != text {
                logger.error(
                    "Services cannot be translated between families: endpoints of the other family are left out",
                    metadata: ["error": "\(text)"])
            }
            failure = text
        }
    }

    /// Whether the translator has ended by itself, and is to be started again.
    var hasEnded: Bool { translator?.hasEnded ?? false }

    /// Repairs what others have changed about the link.
    package func audit() {
        do {
            let changes = try translator?.ensure() ?? []
            guard !changes.isEmpty else { return }
            logger.warning(
                "repaired the link of translation", metadata: ["changes": "\(changes.joined(separator: ", "))"])
        } catch {
            logger.error("cannot repair the link of translation", metadata: ["error": "\(error)"])
        }
    }
}
