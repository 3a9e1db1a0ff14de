import Foundation
import Linux

/// The newest acknowledged revision, in a file beside the database.
///
/// SQLite ignores the rest of a write-ahead log from the first damaged page on, as if it had never been written. The
/// watermark tells that from a log that ends there. It is written after each commit and never synced, so after a power
/// failure it may be older than the database, which is harmless; it is never newer.
final class Watermark: Sendable {
    private static let width = 20
    private let path: String
    private let file: FileDescriptor

    init(path: String) throws {
        self.path = path
        do {
            file = try FileDescriptor.open(path, [.readWrite, .create], mode: 0o600)
        } catch {
            throw ConfigurationError("cannot write \(path): \(error); choose another --data-dir")
        }
    }

    /// Notes that a revision is on disk.
    func raise(to revision: Int64) {
        let digits = String(revision)
        let text = Array((String(repeating: "0", count: Self.width - digits.utf8.count) + digits + "\n").utf8)
        // Without it, only a damaged log could go unnoticed.
        _ = pwrite(file.rawValue, text, text.count, 0)
    }

    /// Compares with what the database has.
    ///
    /// - Throws: `ConfigurationError` when the database has less than was acknowledged.
    func check(_ revision: Int64, _ database: String) throws {
        let text = (try? FileSystem.readText(path)) ?? ""
        guard let acknowledged = Int64(text.prefix(Self.width)), acknowledged > revision else { return }
        throw ConfigurationError(
            "the database \(database) ends at revision \(revision), but revision \(acknowledged) was acknowledged: its "
                + "write-ahead log \(database)-wal is damaged or missing; restore a backup into another directory with "
                + "`duet server restore`, or remove \(path) to go on without what is lost")
    }
}
