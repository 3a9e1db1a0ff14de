/// Bytes that are not JSON, and where.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public let message: String
    /// The position of the offending byte, counted from 0.
    public let offset: Int

    /// Makes an error.
    public init(message: String, offset: Int) {
        self.message = message
        self.offset = offset
    }

    /// The message and the position.
    public var description: String { "malformed JSON at byte \(offset): \(message)" }
}
