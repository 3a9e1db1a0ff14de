import Linux
import Logging
import Synchronization

/// The client certificates that no longer count, by serial number, from a file that is read again when it changes.
///
/// A line is a serial number in hexadecimal digits, with or without colons, alone or as `openssl x509 -noout -serial`
/// prints it; text behind `#` is a remark.
package final class RevokedCertificates: Sendable {
    /// How long a change of the file may stay unnoticed.
    private static let interval = Duration.seconds(1)

    private struct State {
        var serials: Set<[UInt8]> = []
        var seen: FileStatus?
        var next = ContinuousClock.now
    }

    private let path: String
    private let logger: Logger
    private let state = Mutex(State())

    /// Reads the file when it is there.
    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    /// True for a serial number that is in the file; its bytes begin with the highest.
    package func contains(_ serial: some Sequence<UInt8>) -> Bool {
        state.withLock { !$0.serials.isEmpty && $0.serials.contains(Self.significant(serial)) }
    }

    /// Reads the file if it has changed, but not more often than once a second; true when there is something new.
    package func refresh() -> Bool {
        state.withLock { state in
            let now = ContinuousClock.now
            guard now >= state.next else { return false }
            state.next = now + Self.interval
            let before = state.serials
            update(&state)
            return state.serials != before
        }
    }

    /// Takes the file's new content; one that cannot be read changes nothing.
    private func update(_ state: inout State) {
        guard FileSystem.exists(path) else {
            state.seen = nil
            state.serials = []
            return
        }
        do {
            let status = try FileSystem.status(path)
            guard status != state.seen else { return }
            let (serials, problems) = Self.read(try FileSystem.readText(path))
            state.serials = serials
            state.seen = status
            for line in problems {
                logger.error("a line is no serial number", metadata: ["file": "\(path)", "line": "\(line)"])
            }
            logger.notice("read the revoked certificates", metadata: ["file": "\(path)", "count": "\(serials.count)"])
        } catch {
            logger.error("cannot read the revoked certificates", metadata: ["file": "\(path)", "error": "\(error)"])
        }
    }

    /// The serial numbers of a file's text, and the numbers of the lines that are none.
    package static func read(_ text: String) -> (serials: Set<[UInt8]>, problems: [Int]) {
        var serials: Set<[UInt8]> = []
        var problems: [Int] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            var digits = line.prefix { $0 != "#" }.filter { !$0.isWhitespace && $0 != ":" }[...]
            if digits.isEmpty { continue }
            if digits.lowercased().hasPrefix("serial=") { digits = digits.dropFirst("serial=".count) }
            let padded = digits.count.isMultiple(of: 2) ? Array(digits.utf8) : [UInt8(ascii: "0")] + digits.utf8
            let bytes = stride(from: 0, to: padded.count, by: 2).map {
                UInt8(String(decoding: padded[$0..<$0 + 2], as: UTF8.self), radix: 16)
            }
            guard !bytes.isEmpty, !bytes.contains(nil), digits.allSatisfy(\.isHexDigit) else {
                problems.append(index + 1)
                continue
            }
            serials.insert(significant(bytes.compactMap(\.self)))
        }
        return (serials, problems)
    }

    private static func significant(_ bytes: some Sequence<UInt8>) -> [UInt8] { Array(bytes.drop { $0 == 0 }) }
}
