import Glibc
import Linux

/// A process that outlives the command that started it, and is found again through a file with its id.
///
/// The file holds the id and the start time, so that a later process with the same id is never taken for it.
struct ManagedProcess: Sendable {
    /// Name in messages, and of the id and log files.
    let name: String
    /// What to start; output goes to the log.
    let specification: ChildProcess.Specification
    /// Path of the id file.
    let idFile: String
    /// Path of the log.
    let logFile: String

    init(
        name: String, executable: String, arguments: [String], paths: ClusterPaths, node: NodePaths? = nil
    ) {
        self.name = name
        self.idFile = "\(paths.processes)/\(name)"
        self.logFile = "\(paths.logs)/\(name).log"
        var specification = ChildProcess.Specification(executable: executable, arguments: arguments)
        specification.standardOutput = .file(logFile, append: true)
        specification.standardError = .file(logFile, append: true)
        specification.newSession = true
        specification.directory = "/"
        specification.networkNamespace = node?.networkNamespaceFile
        specification.mountNamespace = node?.mountNamespaceFile
        self.specification = specification
    }

    /// The id of the running process; `nil` when there is none.
    var runningID: Int32? {
        Self.runningID(idFile: idFile)
    }

    /// Starts the process unless it runs; tells whether it had to.
    @discardableResult
    func ensureRunning() throws -> Bool {
        if runningID != nil { return false }
        let child = try ChildProcess.spawn(specification)
        guard let information = ProcessInformation(pid: child.pid) else {
            throw LocalClusterError("\(name) ended at once", remedy: hint)
        }
        try FileSystem.writeFileAtomically(idFile, Array("\(child.pid) \(information.startTime)\n".utf8))
        return true
    }

    /// Fails when the process has ended, with the last lines of its log.
    func checkRunning() throws {
        guard runningID == nil else { return }
        throw LocalClusterError("\(name) ended:\n\(lastLogLines)", remedy: hint)
    }

    /// The last lines that the process wrote.
    var lastLogLines: String {
        guard let text = try? FileSystem.readText(logFile) else { return "  (it wrote nothing)" }
        return text.split(separator: "\n").suffix(5).map { "  \($0)" }.joined(separator: "\n")
    }

    private var hint: String { "Its log is \(logFile)." }

    /// The id that a file names, when that process still runs.
    static func runningID(idFile: String) -> Int32? {
        guard let text = try? FileSystem.readText(idFile) else { return nil }
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count == 2, let pid = Int32(fields[0]), let startTime = UInt64(fields[1]),
            let information = ProcessInformation(pid: pid), information.startTime == startTime,
            information.state != "Z"
        else { return nil }
        return pid
    }
}

extension ManagedProcess {
    /// Ends the processes that id files name, politely at first; returns when they are gone.
    static func stop(idFiles: [String], patience: Duration) throws {
        for pid in idFiles.compactMap({ runningID(idFile: $0) }) { try end(pid, with: SIGTERM) }
        let deadline = ContinuousClock.now + patience
        while true {
            let left = idFiles.compactMap { runningID(idFile: $0) }
            if left.isEmpty { break }
            if ContinuousClock.now > deadline {
                for pid in left { try end(pid, with: SIGKILL) }
            }
            pause()
        }
        for file in idFiles where FileSystem.exists(file) { try FileSystem.remove(file) }
    }

    /// Sends a signal; a process that is gone is no error.
    static func end(_ pid: Int32, with signal: Int32) throws(SystemError) {
        do throws(SystemError) {
            try ChildProcess(pid: pid).signal(signal)
        } catch {
            guard error.errno == .noProcess else { throw error }
        }
    }

    /// Reaps children that ended and gives the others a moment.
    static func pause() {
        while waitpid(-1, nil, WNOHANG) > 0 {}
        usleep(5000)
    }
}
