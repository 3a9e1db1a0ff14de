/// An IPv4 address.
@frozen
public struct IPv4Address: Hashable, Sendable {
    /// The address as a number: 192.0.2.1 is 0xC0000201, whatever the byte order of the machine.
    public let rawValue: UInt32

    /// Makes an address from its number in host order.
    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

extension IPv4Address: Comparable {
    /// Orders by number.
    @inlinable
    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.rawValue < right.rawValue }
}

extension IPv4Address: LosslessStringConvertible {
    /// Reads dotted decimal, four octets without leading zeros (RFC 6943 §3.1.1, strict form).
    public init?(_ text: String) {
        let bytes = text.utf8.span
        guard let value = IPv4Address.parse(bytes, from: 0, allowingLeadingZeros: false) else { return nil }
        self.init(rawValue: value)
    }

    /// The address in dotted decimal.
    public var description: String {
        "\(rawValue >> 24).\(rawValue >> 16 & 0xFF).\(rawValue >> 8 & 0xFF).\(rawValue & 0xFF)"
    }
}

extension IPv4Address {
    /// Reads dotted decimal from `start` to the end of `bytes`.
    static func parse(_ bytes: Span<UInt8>, from start: Int, allowingLeadingZeros: Bool) -> UInt32? {
        var value: UInt32 = 0
        var position = start
        for octetIndex in 0..<4 {
            if octetIndex > 0 {
                guard position < bytes.count, bytes[position] == UInt8(ascii: ".") else { return nil }
                position += 1
            }
            let first = position
            var octet: UInt32 = 0
            while position < bytes.count, let digit = decimalDigit(bytes[position]) {
                octet = octet * 10 + digit
                guard octet <= 255 else { return nil }
                position += 1
            }
            guard position > first else { return nil }
            if !allowingLeadingZeros, position - first > 1, bytes[first] == UInt8(ascii: "0") { return nil }
            value = value << 8 | octet
        }
        return position == bytes.count ? value : nil
    }
}

/// The value of an ASCII decimal digit.
func decimalDigit(_ byte: UInt8) -> UInt32? {
    let digit = UInt32(byte &- UInt8(ascii: "0"))
    return digit < 10 ? digit : nil
}
