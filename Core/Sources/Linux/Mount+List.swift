extension Mount {
    /// One line of `/proc/self/mountinfo` (proc(5)).
    public struct Entry: Sendable, Hashable {
        /// The kernel's number of the mount.
        public let id: Int
        /// Where it is mounted, as this process sees it.
        public let target: String
        /// The directory of the file system that is mounted there, "/" for all of it.
        public let root: String
        /// The file system's type, such as "tmpfs".
        public let type: String
        /// The device or name that was mounted.
        public let source: String
        /// The propagation fields, such as "shared:1"; empty for a private mount.
        public let propagation: [String]
    }

    /// All mounts that the calling thread sees, in mount order.
    public static func list() throws(SystemError) -> [Entry] {
        entries(mountinfo: try FileSystem.readText("/proc/thread-self/mountinfo"))
    }

    /// Reads the text form of `/proc/<pid>/mountinfo`; lines of another form are left out.
    static func entries(mountinfo text: String) -> [Entry] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: false).map { unescape($0) }
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count >= dash + 3, let id = Int(fields[0])
            else { return nil }
            return Entry(
                id: id, target: fields[4], root: fields[3], type: fields[dash + 1], source: fields[dash + 2],
                propagation: Array(fields[6..<dash]))
        }
    }

    // Blank, tab, line feed and backslash stand as three octal digits.
    private static func unescape(_ field: Substring) -> String {
        guard field.utf8.contains(UInt8(ascii: "\\")) else { return String(field) }
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest.removeFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
