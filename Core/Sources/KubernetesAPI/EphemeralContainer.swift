/// A container that is added to a running pod to look into it, and is never started again.
///
/// On the wire its fields are those of a container, and the one that it has besides.
public struct EphemeralContainer: Codable, Sendable, Hashable {
    /// What a container has; lifecycle, ports, probes and resources are absent.
    public var container: Container
    /// The container whose processes it sees.
    public var targetContainerName: String?

    private enum CodingKeys: String, CodingKey {
        case targetContainerName
    }

    /// Creates a value.
    public init(_ container: Container, targetContainerName: String? = nil) {
        self.container = container
        self.targetContainerName = targetContainerName
    }

    /// Reads a value.
    public init(from decoder: any Decoder) throws {
        container = try Container(from: decoder)
        targetContainerName = try decoder.container(keyedBy: CodingKeys.self)
            .decodeIfPresent(String.self, forKey: .targetContainerName)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        try container.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encodeIfPresent(targetContainerName, forKey: .targetContainerName)
    }
}
