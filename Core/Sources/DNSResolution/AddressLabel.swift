public import Addresses
import Wire

/// Addresses as labels: dashes stand for separators, and a zero where a dash would stand at an end (`fd00--0`, `0--1`).
///
/// Endpoints without a hostname are named so, and pods by their addresses.
public enum AddressLabel {
    /// The size of the longest label.
    static let maximumSize = 39

    /// The label of an address.
    public static func text(_ address: IPAddress) -> String {
        var bytes: [UInt8] = []
        append(address, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the label of an address, without its length; with room for it, that allocates nothing.
    static func append(_ address: IPAddress, to bytes: inout [UInt8]) {
        switch address {
        case .v4(let address):
            for octet in 0..<4 {
                if octet > 0 { bytes.append(dash) }
                appendDecimal(address.rawValue >> UInt32(24 - octet * 8) & 0xFF, to: &bytes)
            }
        case .v6(let address): append(address, to: &bytes)
        }
    }

    /// The text of RFC 5952; mapped addresses stay hexadecimal, so that every label leads back to its address.
    private static func append(_ address: IPv6Address, to bytes: inout [UInt8]) {
        let zeros = address.elision
        var index = 0
        while index < 8 {
            if index == zeros.lowerBound, !zeros.isEmpty {
                if index == 0 { bytes.append(zero) }
                bytes.append(dash)
                bytes.append(dash)
                index = zeros.upperBound
                if index == 8 { bytes.append(zero) }
                continue
            }
            if index > 0, index != zeros.upperBound || zeros.isEmpty { bytes.append(dash) }
            appendHexadecimal(address.group(index), to: &bytes)
            index += 1
        }
    }

    /// Whether a label, in lower case, is that of an address.
    static func isLabel(_ label: RawSpan, of address: IPAddress, scratch: inout [UInt8]) -> Bool {
        scratch.removeAll(keepingCapacity: true)
        append(address, to: &scratch)
        return scratch.raw.isEqual(to: label)
    }

    /// The address that a label in any such form stands for: with exactly three single dashes it is an IPv4 address,
    /// otherwise an IPv6 address.
    static func address(_ label: RawSpan, scratch: inout [UInt8]) -> IPAddress? {
        guard label.byteCount <= maximumSize else { return nil }
        var dashes = 0
        var isDouble = false
        for position in label.byteOffsets where label[byte: position] == dash {
            dashes += 1
            if position > 0, label[byte: position - 1] == dash { isDouble = true }
        }
        let separator = dashes == 3 && !isDouble ? UInt8(ascii: ".") : UInt8(ascii: ":")
        scratch.removeAll(keepingCapacity: true)
        for position in label.byteOffsets {
            let byte = label[byte: position]
            scratch.append(byte == dash ? separator : byte)
        }
        return IPAddress(ascii: scratch.span)
    }

    private static let dash = UInt8(ascii: "-")
    private static let zero = UInt8(ascii: "0")

    private static func appendDecimal(_ value: UInt32, to bytes: inout [UInt8]) {
        if value >= 100 { bytes.append(zero + UInt8(truncatingIfNeeded: value / 100)) }
        if value >= 10 { bytes.append(zero + UInt8(truncatingIfNeeded: value / 10 % 10)) }
        bytes.append(zero + UInt8(truncatingIfNeeded: value % 10))
    }

    private static func appendHexadecimal(_ value: UInt16, to bytes: inout [UInt8]) {
        var isLeading = true
        for place in 0..<4 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt16(12 - place * 4) & 0xF)
            if digit == 0, isLeading, place < 3 { continue }
            isLeading = false
            bytes.append(digit < 10 ? zero + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
