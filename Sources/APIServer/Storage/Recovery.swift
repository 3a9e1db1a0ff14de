import JSON
import Logging

/// Builds the state from the log when a server starts.
struct Recovery: Sendable {
    private let definitions: [ResourceDefinition]
    private let selections: [JSONSelection]
    private let logger: Logger

    init(_ definitions: [ResourceDefinition], _ logger: Logger) {
        self.definitions = definitions
        self.logger = logger
        selections = definitions.map { JSONSelection(paths: StoredObject.selectedPaths + $0.fields.flatMap(\.paths)) }
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
        // Most of the time goes into reading the objects' texts, in whatever order.
        var rows = OrderedPipeline<LogRow, (index: Int, object: StoredObject)?> { [self] row in
            let record = try row.checked(log.path)
            return try indices[record.resource].map { ($0, try object(record, $0, log.path)) }
        }
        func take(_ row: LogRow, _ found: (index: Int, object: StoredObject)?) {
            let record = row.record
            state.revision = record.revision
            guard let (index, object) = found else {
                unknown.insert(record.resource)
                return
            }
            let isGone = record.kind == .deleted
            let previous = isGone ? state.trees[index].remove(record.key) : state.trees[index].insert(object)
            let event = StoredEvent(resource: index, kind: record.kind, object: object, previous: previous)
            state.histories[index].append(event)
            compaction.add(event)
        }
        let compacted = try log.read { try rows.add($0, take) }
        try rows.finish(take)
        state.revision = max(state.revision, compacted)
        for index in definitions.indices {
            state.histories[index].raiseHorizon(to: compacted)
            guard needsValue(index) else { continue }
            try recover(state.trees[index], definitions[index].strategy)
        }
        if !unknown.isEmpty {
            logger.warning("stored objects of unknown resources", metadata: ["resources": "\(unknown.sorted())"])
        }
        return (state, compaction)
    }

    private func recover(_ tree: ObjectTree, _ strategy: any ResourceStrategy) throws {
        var objects: [StoredObject] = []
        tree.forEach {
            objects.append($0)
            return true
        }
        var values = OrderedPipeline<StoredObject, JSONValue> { $0.value }
        for object in objects { try values.add(object) { strategy.recover($1) } }
        try values.finish { strategy.recover($1) }
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
            let stored = try JSONValue(parsing: record.text)
            var value = stored
            definition.strategy.defaultOnRead(&value)
            guard value != stored else {
                return StoredObject(
                    selected: stored, text: record.text, key: record.key, revision: record.revision,
                    written: record.written, fields: definition.fields)
            }
            return StoredObject(
                value, key: record.key, revision: record.revision, written: record.written, fields: definition.fields)
        } catch {
            throw StorageFailure.damaged("revision \(record.revision), \(record.resource) \(record.key.name): \(error)")
                .configurationError(path)
        }
    }
}
