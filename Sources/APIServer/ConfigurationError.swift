/// Why a server cannot start, and what to do about it.
public struct ConfigurationError: Error, CustomStringConvertible, Sendable {
    /// What failed, on which object, why, what to do.
    public let description: String

    /// Wraps the text.
    init(_ description: String) {
        self.description = description
    }
}
