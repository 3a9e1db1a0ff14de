/// Choices about the names that Services and endpoints get.
public struct ClusterNamesOptions: Hashable, Sendable {
    /// Whether an endpoint without a hostname is named after its pod instead of its address.
    public var usesPodNames = false
    /// Whether a Service with addresses of its own but no ready endpoint does not exist.
    public var hidesEmptyServices = false

    /// Makes the usual choices.
    public init() {}
}
