internal import Addresses

/// A link-layer address of six bytes.
@frozen
public struct MACAddress: Hashable, Sendable, LosslessStringConvertible {
    /// The address in the low 48 bits, first byte highest.
    public let rawValue: UInt64

    /// Takes the low 48 bits of a number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue & 0xffff_ffff_ffff
    }

    /// Takes six bytes in wire order; `nil` for another count.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        rawValue = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Reads six groups of two hexadecimal digits with colons or dashes between them.
    public init?(_ text: String) {
        let groups = text.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
        let bytes = groups.compactMap { group in
            group.utf8.count == 2 && group.allSatisfy(\.isHexDigit) ? UInt8(group, radix: 16) : nil
        }
        guard groups.count == bytes.count else { return nil }
        self.init(bytes: bytes)
    }

    /// The six bytes in wire order.
    public var bytes: [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: rawValue >> UInt64(40 - 8 * $0)) }
    }

    /// Whether the address names a group of stations.
    public var isMulticast: Bool {
        rawValue >> 40 & 1 == 1
    }

    /// Lower-case digits with colons.
    public var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(17)
        for shift in stride(from: UInt64(40), through: 0, by: -8) {
            if !text.isEmpty { text.append(UInt8(ascii: ":")) }
            text.append(hexadecimal: rawValue >> shift & 0xFF, digits: 2)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
