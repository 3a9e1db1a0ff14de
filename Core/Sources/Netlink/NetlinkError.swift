internal import CLinux
public import Linux

/// A request that the kernel refused.
public struct NetlinkError: Error, Sendable, Hashable {
    /// The kernel's reason.
    public let errno: Errno
    /// What was attempted, on which object.
    public let operation: String
    /// The kernel's own words (extended acknowledgement); empty where it gives none.
    public let message: String
    /// The offset in bytes of the offending attribute in the message, where the kernel tells it.
    public let offset: Int?
    /// Which message of a batch failed, from zero.
    public let index: Int

    /// Describes a refusal.
    public init(_ errno: Errno, _ operation: String, message: String = "", offset: Int? = nil, index: Int = 0) {
        self.errno = errno
        self.operation = operation
        self.message = message
        self.offset = offset
        self.index = index
    }

    init(_ error: SystemError, _ operation: String) {
        self.init(error.errno, operation, message: error.operation)
    }

    /// Reads an error message (NLMSG_ERROR); `nil` when it is a confirmation.
    init?(_ reply: NetlinkReply, _ operation: String, index: Int = 0) {
        let code: Int32 = reply.payload.integer(at: 0)
        guard code != 0 else { return nil }
        // The code, the request's header, and the request itself unless the answer is capped; then attributes.
        var attributesStart = 4 + NetlinkRequest.headerSize
        if !reply.flags.contains(.capped) {
            attributesStart = 4 + ((Int(reply.payload.integer(at: 4, as: UInt32.self)) + 3) & ~3)
        }
        self.init(
            code: code, operation, index: index,
            reply.flags.contains(.errorAttributes) ? reply.attributes(after: attributesStart) : nil)
    }

    init(code: Int32, _ operation: String, index: Int = 0, _ attributes: NetlinkAttributes?) {
        self.init(
            Errno(rawValue: -code), operation,
            message: attributes?[Int(NLMSGERR_ATTR_MSG.rawValue)]?.string ?? "",
            offset: (attributes?[Int(NLMSGERR_ATTR_OFFS.rawValue)]?.integer(as: UInt32.self)).map(Int.init),
            index: index)
    }
}

extension NetlinkError: CustomStringConvertible {
    /// "create link eth0: File exists (EEXIST)", then the kernel's own words.
    public var description: String {
        var text = "\(operation): \(errno)"
        if !message.isEmpty { text += ": \(message)" }
        if let offset { text += " (at byte \(offset) of the request)" }
        return text
    }
}
