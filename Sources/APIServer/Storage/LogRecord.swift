import Crypto
import Foundation

/// One row of the log as it was read: what it says may not be what was written.
struct LogRow: Sendable {
    /// What it says.
    let record: LogRecord
    /// The digest that was written with it.
    let checksum: Int64

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
