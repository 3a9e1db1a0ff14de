internal import CLinux
internal import Glibc

/// A process that this one started.
public struct ChildProcess: Sendable, Hashable {
    /// The process id.
    public let pid: Int32

    /// Where one of the child's standard descriptors leads.
    public enum Redirection: Sendable, Hashable {
        /// The parent's.
        case inherit
        /// `/dev/null`.
        case null
        /// A file; created when needed, then appended to or emptied first.
        case file(String, append: Bool)
        /// An open descriptor of the parent.
        case descriptor(Int32)
    }

    /// What is to be started, and how.
    public struct Specification: Sendable {
        /// The path, or a name to look up in `PATH`.
        public var executable: String
        /// The arguments after the name.
        public var arguments: [String]
        /// All of the environment; `nil` inherits the parent's.
        public var environment: [String: String]?
        /// The working directory; `nil` inherits the parent's.
        public var directory: String?
        /// Where the child reads from.
        public var standardInput = Redirection.null
        /// Where the child's output goes.
        public var standardOutput = Redirection.inherit
        /// Where the child's error output goes.
        public var standardError = Redirection.inherit
        /// Whether the child leads a session of its own, out of reach of the terminal's signals.
        public var newSession = false
        /// The file of the network namespace to start in; `nil` stays in the parent's.
        public var networkNamespace: String?
        /// The file of the mount namespace to start in; `nil` stays in the parent's.
        public var mountNamespace: String?

        /// Describes a process with inherited output and empty input.
        public init(
            executable: String, arguments: [String] = [], environment: [String: String]? = nil,
            directory: String? = nil
        ) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
            self.directory = directory
        }
    }

    /// How a process ended.
    public enum ExitStatus: Sendable, Hashable, CustomStringConvertible {
        /// It returned this code.
        case exited(Int32)
        /// This signal ended it.
        case signalled(Int32)

        /// Whether the process returned zero.
        public var isSuccess: Bool {
            self == .exited(0)
        }

        /// "exit code 1" or "signal 9".
        public var description: String {
            switch self {
            case .exited(let code): "exit code \(code)"
            case .signalled(let signal): "signal \(signal)"
            }
        }
    }

    /// Wraps the id of a child.
    public init(pid: Int32) {
        self.pid = pid
    }

    /// Waits until the child ends, and reaps it.
    @discardableResult
    public func wait() throws(SystemError) -> ExitStatus {
        try Self.decode(reap(options: 0).status)
    }

    /// Reaps the child if it has ended; `nil` while it runs.
    public func poll() throws(SystemError) -> ExitStatus? {
        let (reaped, status) = try reap(options: WNOHANG)
        return reaped == 0 ? nil : Self.decode(status)
    }

    /// Sends a signal.
    public func signal(_ number: Int32) throws(SystemError) {
        _ = try systemCall("signal \(number) to process", "\(pid)") { kill(pid, number) }
    }

    /// A descriptor that becomes readable when the process ends.
    public func pidfd() throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try systemCall("open process", "\(pid)") { duet_pidfd_open(pid) })
    }

    private func reap(options: Int32) throws(SystemError) -> (pid: Int32, status: Int32) {
        var status: Int32 = 0
        let reaped = try systemCall("wait for process", "\(pid)") { unsafe waitpid(pid, &status, options) }
        return (reaped, status)
    }

    private static func decode(_ status: Int32) -> ExitStatus {
        // wait(2): the low seven bits hold the signal, the second byte the code.
        status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signalled(status & 0x7f)
    }
}
