internal import CLinux
internal import Glibc

/// What `/proc` knows of a process.
public struct ProcessInformation: Sendable, Hashable {
    /// The process id.
    public let pid: Int32
    /// The id of the process that started it.
    public let parent: Int32
    /// The state letter of proc(5); "Z" for one that ended and is not reaped.
    public let state: Character
    /// The start time in clock ticks since boot: together with the id it names a process for ever.
    public let startTime: UInt64

    /// Looks a process up; `nil` when there is none.
    public init?(pid: Int32) {
        // The name in parentheses may hold blanks and parentheses, so the fields count from the last ")".
        guard let text = try? FileSystem.readText("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let state = fields[0].first, let parent = Int32(fields[1]),
            let startTime = UInt64(fields[19])
        else { return nil }
        self.pid = pid
        self.parent = parent
        self.state = state
        self.startTime = startTime
    }

    /// The name under which the calling process was started, with the path that was given if any.
    ///
    /// `CommandLine` reads the memory map of the process to find its arguments; this asks nobody.
    public static var invocationName: String {
        unsafe duet_program_name().map { unsafe String(cString: $0) } ?? ""
    }

    /// The variables of the calling process.
    public static var environment: [String: String] {
        var variables: [String: String] = [:]
        var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
            unsafe next += 1
        }
        return variables
    }

    /// The calling process.
    public static var currentPID: Int32 {
        getpid()
    }

    /// The path of the running executable; `nil` for kernel threads and processes that ended.
    public var executable: String? {
        try? FileSystem.readLink("/proc/\(pid)/exe")
    }

    /// The arguments, the name included.
    public var commandLine: [String] {
        guard let bytes = try? FileSystem.readFile("/proc/\(pid)/cmdline") else { return [] }
        return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// All processes that the calling process sees.
    public static func all() throws(SystemError) -> [ProcessInformation] {
        try FileSystem.list("/proc").compactMap { Int32($0).flatMap { ProcessInformation(pid: $0) } }
    }
}
