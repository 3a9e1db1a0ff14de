extension IPPrefix: LosslessStringConvertible {
    /// Reads `address/length`; nil if a host bit is set.
    public init?(_ text: String) {
        guard let interface = InterfaceAddress(text), interface.address == interface.prefix.address else { return nil }
        self = interface.prefix
    }

    /// Reads `address/length` and clears the host bits.
    public init?(masking text: String) {
        guard let interface = InterfaceAddress(text) else { return nil }
        self = interface.prefix
    }

    /// The canonical text: `10.244.0.0/16`.
    public var description: String { "\(address)/\(length)" }
}

extension IPPrefix: Codable {
    /// Reads the strict text of a prefix.
    public init(from decoder: any Decoder) throws {
        self = try decoder.decodeText(as: IPPrefix.self, describedAs: "a network prefix")
    }

    /// Writes the canonical text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
