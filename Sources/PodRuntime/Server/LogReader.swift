import KubernetesAPI
import Linux

/// Turns a log file's bytes into what the user sees.
package struct LogFilter: Sendable {
    private let options: LogOptions
    private var remainingBytes: Int
    private var pending: [UInt8] = []
    private var isContinuing = false

    /// Creates a filter that has seen nothing.
    package init(_ options: LogOptions) {
        self.options = options
        remainingBytes = options.limitBytes ?? .max
    }

    /// True when no more output may come.
    package var isFull: Bool { remainingBytes == 0 }

    /// Takes in more of the file and returns the output of its complete lines.
    package mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        pending += bytes
        var output: [UInt8] = []
        var start = pending.startIndex
        while let end = pending[start...].firstIndex(of: 10) {
            append(pending[start..<end], to: &output)
            start = end + 1
        }
        pending.removeSubrange(..<start)
        let allowed = output.prefix(remainingBytes)
        remainingBytes -= allowed.count
        return Array(allowed)
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        guard let line = ContainerLogLine(bytes) else { return }
        if let since = options.since, let time = line.time, time < since { return }
        if options.hasTimestamps, !isContinuing {
            output += Array(line.timeText.utf8) + [UInt8(ascii: " ")]
        }
        output += line.content
        isContinuing = line.isPartial
        if !line.isPartial { output.append(10) }
    }
}

/// Reads one instance's log file, and what is appended to it.
package struct LogReader: ~Copyable {
    private let path: String
    private var file: FileDescriptor
    private var inode: UInt64
    private static let chunk = 64 * 1024

    /// Opens a log at its beginning, or where its last lines begin.
    package init(path: String, tailLines: Int?) throws {
        let start = try tailLines.map { try Self.start(ofLast: $0, in: path) } ?? 0
        let opened = try FileDescriptor.open(path)
        let number = try opened.status().inode
        try Self.skip(start, of: opened)
        self.path = path
        inode = number
        file = opened
    }

    private static func skip(_ count: Int, of file: borrowing FileDescriptor) throws {
        var left = count
        while left > 0 {
            let bytes = try file.read(upTo: min(left, chunk))
            guard !bytes.isEmpty else { return }
            left -= bytes.count
        }
    }

    /// Where the last lines begin; partial entries count as lines of their own, as in the runtime's file.
    private static func start(ofLast lines: Int, in path: String) throws -> Int {
        let file = try FileDescriptor.open(path)
        var ends: [Int] = []
        var position = 0
        while true {
            let bytes = try file.read(upTo: chunk)
            guard !bytes.isEmpty else { break }
            for (offset, byte) in bytes.enumerated() where byte == 10 {
                ends.append(position + offset + 1)
            }
            if ends.count > lines + 1 { ends.removeFirst(ends.count - lines - 1) }
            position += bytes.count
        }
        return ends.count > lines ? ends[ends.count - lines - 1] : 0
    }

    /// The next bytes; empty when there are none now.
    package mutating func next() throws -> [UInt8] {
        let bytes = try file.read(upTo: Self.chunk)
        guard bytes.isEmpty, let current = try? FileSystem.status(path), current.inode != inode else { return bytes }
        // The log was rotated: what remains is in the new file.
        file = try FileDescriptor.open(path)
        inode = try file.status().inode
        return try file.read(upTo: Self.chunk)
    }
}
