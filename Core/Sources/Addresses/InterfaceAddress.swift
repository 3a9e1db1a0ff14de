/// An address as an interface carries it: with the length of the network it is on.
@frozen
public struct InterfaceAddress: Hashable, Sendable {
    /// The address, host bits included.
    public let address: IPAddress
    /// The number of network bits.
    public let length: Int

    /// Makes an interface address.
    ///
    /// - Precondition: `length` is in 0...32 for IPv4 and 0...128 for IPv6.
    @inlinable
    public init(_ address: IPAddress, length: Int) {
        precondition(length >= 0 && length <= address.family.bitWidth, "prefix length out of range")
        self.address = address
        self.length = length
    }

    /// The network that the address is on.
    @inlinable
    public var prefix: IPPrefix { IPPrefix(address, length: length) }
}

extension InterfaceAddress: LosslessStringConvertible {
    /// Reads `10.0.0.5/24`: a strict address and a decimal length without sign or leading zeros.
    public init?(_ text: String) {
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")),
            let address = IPAddress(String(text[..<slash]))
        else { return nil }
        let digits = text.utf8[text.utf8.index(after: slash)...]
        guard (1...3).contains(digits.count), digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        var length = 0
        for byte in digits {
            guard let digit = decimalDigit(byte) else { return nil }
            length = length * 10 + Int(digit)
        }
        guard length <= address.family.bitWidth else { return nil }
        self.init(address, length: length)
    }

    /// The text that the initialiser reads.
    public var description: String { "\(address)/\(length)" }
}

extension InterfaceAddress: Codable {
    /// Reads the text form.
    public init(from decoder: any Decoder) throws {
        self = try decoder.decodeText(as: InterfaceAddress.self, describedAs: "an address with a prefix length")
    }

    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
