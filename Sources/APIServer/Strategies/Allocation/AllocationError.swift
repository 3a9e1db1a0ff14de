/// Why an address or a port was not given out.
package struct AllocationError: Error, Equatable, CustomStringConvertible {
    /// The text, in the words of Kubernetes' allocators.
    package let description: String

    /// Nothing is free.
    package static let full = AllocationError(description: "range is full")

    /// Someone has it already.
    ///
    /// - Parameter what: `IP` or `port`.
    static func taken(_ what: String) -> AllocationError {
        AllocationError(description: "provided \(what) is already allocated")
    }
}
