/// A failed system call: what was attempted, on which object, and why it failed.
public struct SystemError: Error, Hashable, Sendable {
    /// The kernel's reason.
    public let errno: Errno
    /// What was attempted, such as "open".
    public let operation: String
    /// The object that it was attempted on, such as a path; empty where there is none.
    public let context: String

    /// Describes a failure of `operation` on `context`.
    public init(_ errno: Errno, _ operation: String, _ context: String = "") {
        self.errno = errno
        self.operation = operation
        self.context = context
    }
}

extension SystemError: CustomStringConvertible {
    /// "open /etc/x: No such file or directory (ENOENT)".
    public var description: String {
        context.isEmpty ? "\(operation): \(errno)" : "\(operation) \(context): \(errno)"
    }
}
