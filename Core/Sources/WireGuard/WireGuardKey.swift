/// A Curve25519 key: a device's private one or its public one.
public struct WireGuardKey: Hashable, Sendable {
    /// The 32 bytes.
    public let bytes: [UInt8]

    /// The size of a key in bytes.
    public static let size = 32

    /// Takes 32 bytes; `nil` for another count.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        self.bytes = Array(bytes)
    }

    /// Whether all bytes are zero, which is how the kernel says that there is none.
    public var isZero: Bool {
        bytes.allSatisfy { $0 == 0 }
    }
}
