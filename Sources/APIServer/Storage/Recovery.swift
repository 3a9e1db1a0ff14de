import JSON
import Logging

/// Builds the state from the log when a server starts.
struct Recovery: Sendable {
    private let definitions: [ResourceDefinition]
    private let selections: [ObjectSelection]
    /// Whether the strategy looks at stored objects, per resource; an `ObjectStrategy` that follows none holds nothing and
    /// changes nothing on read.
    private let needsValue: [Bool]
    private let logger: Logger

    init(_ definitions: [ResourceDefinition], _ selections: [ObjectSelection], _ logger: Logger) {
        self.definitions = definitions
        self.selections = selections
        needsValue = definitions.map { $0.strategy.isFollowed || !($0.strategy is any ObjectStrategy) }
        self.logger = logger
    }

    /// An object out of the log.
    private struct Found: Sendable {
        /// Of its resource.
        let index: Int
        let object: StoredObject
        /// The object, if its strategy wants to recover it.
        let value: JSONValue?
    }

    /// What the rows of the log led to so far.
    private struct Progress: Sendable {
        var state: PublishedState
        var compaction = CompactionQueue()
        /// The objects that strategies want to recover, per resource.
        var values: [[ObjectKey: JSONValue]]
        /// Resources that the server does not know.
        var unknown: Set<String> = []

        mutating func take(_ record: LogRecord, _ found: Found?) {
            state.revision = record.revision
            guard let found else {
                unknown.insert(record.resource)
                return
            }
            let isGone = record.kind == .deleted
            let previous =
                isGone ? state.trees[found.index].remove(record.key) : state.trees[found.index].insert(found.object)
            if let value = found.value { values[found.index][record.key] = isGone ? nil : value }
            let event = StoredEvent(resource: found.index, kind: record.kind, object: found.object, previous: previous)
            state.histories[found.index].append(event)
            compaction.add(event)
        }
    }

    /// The state, and what of the log it does not need.
    ///
    /// - Throws: `ConfigurationError` when the log is damaged.
    func run(_ log: ObjectLog) throws -> (state: PublishedState, compaction: CompactionQueue) {
        let indices = Dictionary(
            definitions.enumerated().map { ($1.storageName, $0) }, uniquingKeysWith: { first, _ in first })
        let nothing = Progress(
            state: PublishedState(resourceCount: definitions.count), values: definitions.map { _ in [:] })
        var rows = OrderedPipeline<LogRow, Found?, Progress>(nothing) { row in
            let record = try row.checked(log.path)
            return try indices[record.resource].map { try found(record, $0, log.path) }
        } take: { progress, row, found in
            progress.take(row.record, found)
        }
        let compacted = try log.read { try rows.add($0) }
        var progress = try rows.finish()
        progress.state.revision = max(progress.state.revision, compacted)
        for index in definitions.indices {
            progress.state.histories[index].raiseHorizon(to: compacted)
            guard !progress.values[index].isEmpty else { continue }
            progress.state.trees[index].forEach { object in
                if let value = progress.values[index][object.key] { definitions[index].strategy.recover(value) }
                return true
            }
        }
        let unknown = progress.unknown.sorted()
        if !unknown.isEmpty {
            logger.warning("stored objects of unknown resources", metadata: ["resources": "\(unknown)"])
        }
        return (progress.state, progress.compaction)
    }

    private func found(_ record: LogRecord, _ index: Int, _ path: String) throws -> Found {
        let (definition, selection) = (definitions[index], selections[index])
        guard needsValue[index] else {
            let object = StoredObject(
                text: record.text, key: record.key, revision: record.revision, written: record.written, selection)
            return Found(index: index, object: object, value: nil)
        }
        do throws(JSONError) {
            let stored = try JSONValue(parsing: record.text)
            var value = stored
            definition.strategy.defaultOnRead(&value)
            let object =
                value == stored
                ? StoredObject(
                    text: record.text, value: stored, key: record.key, revision: record.revision,
                    written: record.written, selection)
                : StoredObject(
                    value, key: record.key, revision: record.revision, written: record.written, selection)
            return Found(index: index, object: object, value: definition.strategy.isFollowed ? value : nil)
        } catch {
            throw StorageFailure.damaged("revision \(record.revision), \(record.resource) \(record.key.name): \(error)")
                .configurationError(path)
        }
    }
}
