public import Linux

/// What the kernel, or the loader on its behalf, refuses: what was attempted, on which object, and why.
public struct BPFError: Error, Hashable, Sendable {
    /// The kernel's reason.
    public let errno: Errno
    /// What was attempted, such as "load program".
    public let operation: String
    /// The object that it was attempted on, such as a program's name; empty where there is none.
    public let context: String
    /// What else is known: the end of the verifier's log for a program that it rejects.
    public let detail: String

    /// Describes a failure of `operation` on `context`.
    public init(_ errno: Errno, _ operation: String, _ context: String = "", detail: String = "") {
        self.errno = errno
        self.operation = operation
        self.context = context
        self.detail = detail
    }
}

extension BPFError: CustomStringConvertible {
    /// "load program x: Invalid argument (EINVAL): …".
    public var description: String {
        let object = context.isEmpty ? "" : " \(context)"
        return "\(operation)\(object): \(errno)" + (detail.isEmpty ? "" : ": \(detail)")
    }
}
