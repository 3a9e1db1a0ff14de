import Crypto
import Foundation
import GRDBSQLite

/// One row of the log as it was read: what it says may not be what was written.
struct LogRow: Sendable {
    /// What it says.
    let record: LogRecord
    /// The digest that was written with it.
    let checksum: Int64

    /// Reads the row that a statement stands at, whose columns are the members of `LogRecord` in their order, with the checksum
    /// third; nil when they are of other types.
    init?(_ statement: OpaquePointer) {
        // Without a copy of each value as an object of the library, which is most of the time that rows take otherwise.
        func integer(_ column: Int32) -> Int64? {
            sqlite3_column_type(statement, column) == SQLITE_INTEGER ? sqlite3_column_int64(statement, column) : nil
        }
        func text(_ column: Int32) -> String? {
            guard sqlite3_column_type(statement, column) == SQLITE_TEXT,
                let bytes = sqlite3_column_text(statement, column)
            else { return nil }
            let length = Int(sqlite3_column_bytes(statement, column))
            return String(validating: UnsafeBufferPointer(start: bytes, count: length), as: UTF8.self)
        }
        guard let revision = integer(0), let written = integer(1), let checksum = integer(2), let resource = text(3),
            let namespace = text(4), let name = text(5), let kind = integer(6).flatMap(StoredEvent.Kind.init),
            sqlite3_column_type(statement, 7) == SQLITE_BLOB
        else { return nil }
        let object = UnsafeRawBufferPointer(
            start: sqlite3_column_blob(statement, 7), count: Int(sqlite3_column_bytes(statement, 7)))
        self.checksum = checksum
        record = LogRecord(
            revision: revision, written: written, resource: resource, key: ObjectKey(namespace: namespace, name: name),
            kind: kind, text: Array(object))
    }

    /// What it says, which is what was written.
    ///
    /// - Parameter path: Of the database, for the error.
    func checked(_ path: String) throws -> LogRecord {
        guard record.checksum == checksum else {
            throw StorageFailure.damaged(
                "the row of revision \(record.revision), \(record.resource) \(record.key.namespace)/\(record.key.name), "
                    + "has changed"
            )
            .configurationError(path)
        }
        return record
    }
}

/// One row of the log.
struct LogRecord: Sendable {
    /// Revision of the write.
    let revision: Int64
    /// When it was written, in seconds since 1970.
    let written: Int64
    /// Group and plural, such as `apps/deployments` or `/pods`.
    let resource: String
    /// The object.
    let key: ObjectKey
    /// The change.
    let kind: StoredEvent.Kind
    /// The object's text after the change.
    let text: [UInt8]

    /// A digest of everything above, by which damage on the disk is noticed.
    var checksum: Int64 {
        var head: [UInt8] = []
        head.reserveCapacity(128)
        for number in [revision, written, kind.rawValue] {
            withUnsafeBytes(of: number.littleEndian) { head.append(contentsOf: $0) }
        }
        for name in [resource, key.namespace, key.name] {
            head.append(contentsOf: name.utf8)
            head.append(0)
        }
        var hash = SHA256()
        hash.update(data: head)
        hash.update(data: text)
        return hash.finalize().withUnsafeBytes { $0.loadUnaligned(as: Int64.self) }
    }
}
