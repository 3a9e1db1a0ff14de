import JSON
import Logging

/// Builds the state from the log when a server starts.
struct Recovery {
    private let definitions: [ResourceDefinition]
    private let selections: [JSONSelection]
    private let logger: Logger

    init(_ definitions: [ResourceDefinition], _ logger: Logger) {
        self.definitions = definitions
        self.logger = logger
        selections = definitions.map { JSONSelection(paths: [["metadata", "labels"]] + $0.fields.flatMap(\.paths)) }
    }

    /// The state, and what of the log it does not need.
    ///
    /// - Throws: `ConfigurationError` when the log is damaged.
    func run(_ log: ObjectLog) throws -> (state: PublishedState, compaction: CompactionQueue) {
        let indices = Dictionary(
            definitions.enumerated().map { ($1.storageName, $0) }, uniquingKeysWith: { first, _ in first })
        var state = PublishedState(resourceCount: definitions.count)
        var compaction = CompactionQueue()
        var unknown: Set<String> = []
        let compacted = try log.read { record in
            state.revision = record.revision
            guard let index = indices[record.resource] else {
                unknown.insert(record.resource)
                return
            }
            let object = try object(record, index, log.path)
            let event = StoredEvent(
                resource: index, kind: record.kind, object: object, previous: state.trees[index][record.key])
            if record.kind == .deleted {
                state.trees[index].remove(record.key)
            } else {
                state.trees[index].insert(object)
            }
            state.histories[index].append(event)
            compaction.add(event)
        }
        state.revision = max(state.revision, compacted)
        for index in definitions.indices {
            state.histories[index].raiseHorizon(to: compacted)
            guard needsValue(index) else { continue }
            state.trees[index].forEach { object in
                definitions[index].strategy.recover(object.value)
                return true
            }
        }
        if !unknown.isEmpty {
            logger.warning("stored objects of unknown resources", metadata: ["resources": "\(unknown.sorted())"])
        }
        return (state, compaction)
    }

    /// Whether the strategy looks at stored objects; an `ObjectStrategy` that follows none holds nothing and changes nothing
    /// on read.
    private func needsValue(_ index: Int) -> Bool {
        let strategy = definitions[index].strategy
        return strategy.isFollowed || !(strategy is any ObjectStrategy)
    }

    private func object(_ record: LogRecord, _ index: Int, _ path: String) throws -> StoredObject {
        let definition = definitions[index]
        do throws(JSONError) {
            guard needsValue(index) else {
                return StoredObject(
                    selected: try JSONValue(parsing: record.text, only: selections[index]), text: record.text,
                    key: record.key, revision: record.revision, written: record.written, fields: definition.fields)
            }
            var value = try JSONValue(parsing: record.text)
            definition.strategy.defaultOnRead(&value)
            return StoredObject(
                value, key: record.key, revision: record.revision, written: record.written, fields: definition.fields)
        } catch {
            throw StorageFailure.damaged("revision \(record.revision), \(record.resource) \(record.key.name): \(error)")
                .configurationError(path)
        }
    }
}
