public import Linux
public import Netlink

/// A transaction or list that the kernel refused; nothing of the transaction was done.
public struct NFTablesError: Error, Sendable, Hashable {
    /// The kernel's reason.
    public let errno: Errno
    /// The change that it refused first, or what was asked for.
    public let operation: String
    /// The number of that change in the transaction, from zero; `nil` when it is the transaction as a whole.
    public let index: Int?
    /// The kernel's own words; empty where it gives none.
    public let message: String

    /// Describes a refusal.
    public init(_ errno: Errno, _ operation: String, index: Int? = nil, message: String = "") {
        self.errno = errno
        self.operation = operation
        self.index = index
        self.message = message
    }

    /// Describes a refusal of what is no transaction.
    public init(_ error: NetlinkError) {
        self.init(error.errno, error.operation, message: error.message)
    }
}

extension NFTablesError: CustomStringConvertible {
    /// "add rule ip t c …: No such file or directory (ENOENT)", then the kernel's own words.
    public var description: String {
        var text = "nftables: \(operation): \(errno)"
        if let index { text += " (change \(index + 1) of the transaction)" }
        if !message.isEmpty { text += ": \(message)" }
        return text
    }
}
