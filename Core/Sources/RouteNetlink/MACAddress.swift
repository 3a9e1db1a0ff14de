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

    /// Reads six groups of two hexadecimal digits with colons or dashes between them, or three of four with full stops.
    public init?(_ text: String) {
        let isDotted = text.utf8.contains(UInt8(ascii: "."))
        let groups = text.split(omittingEmptySubsequences: false) { isDotted ? $0 == "." : $0 == ":" || $0 == "-" }
        let (count, digits) = isDotted ? (3, 4) : (6, 2)
        guard groups.count == count else { return nil }
        var value: UInt64 = 0
        for group in groups {
            guard group.utf8.count == digits, group.allSatisfy(\.isHexDigit), let part = UInt64(group, radix: 16) else {
                return nil
            }
            value = value << UInt64(4 * digits) | part
        }
        rawValue = value
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
