/// A call to the container runtime that failed.
package struct RuntimeError: Error, Sendable, CustomStringConvertible {
    /// The call, such as `RunPodSandbox`.
    package var operation: String
    /// True when the runtime does not know the object.
    package var isNotFound: Bool
    /// The runtime's explanation.
    package var message: String

    /// What failed and why.
    package var description: String { "\(operation): \(message)" }
}
