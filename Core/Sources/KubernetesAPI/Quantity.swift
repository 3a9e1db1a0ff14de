/// An amount of a resource: `100m`, `64Mi`, `1.5`, `2e3`; exact down to 10⁻⁹.
public struct Quantity: Sendable, Hashable, Codable, LosslessStringConvertible {
    /// The amount as it was written.
    public let description: String
    /// The amount in units of 10⁻⁹.
    private let nanos: Int128

    /// Reads a signed decimal number with an optional suffix: n u m k M G T P E, Ki Mi Gi Ti Pi Ei, or an exponent.
    public init?(_ description: String) {
        guard let nanos = Self.nanos(of: description) else { return nil }
        self.description = description
        self.nanos = nanos
    }

    /// Creates a whole amount.
    public init(_ value: Int) {
        description = String(value)
        nanos = Int128(value) * 1_000_000_000
    }

    /// Reads a JSON string or number.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self.init(number)
            return
        }
        let text: String
        if let number = try? container.decode(Double.self) {
            text = "\(number)"
        } else {
            text = try container.decode(String.self)
        }
        guard let value = Quantity(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is not a quantity")
        }
        self = value
    }

    /// Writes a JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The amount in whole units, rounded up and clamped to 64 bits.
    public var value: Int64 { rounded(to: 1_000_000_000) }

    /// The amount in thousandths, rounded up and clamped to 64 bits.
    public var milliValue: Int64 { rounded(to: 1_000_000) }

    private func rounded(to unit: Int128) -> Int64 {
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: unit)
        return Int64(clamping: remainder > 0 ? quotient + 1 : quotient)
    }

    private static func nanos(of text: String) -> Int128? {
        var rest = text.utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") {
            rest = rest.dropFirst()
        }
        var mantissa: Int128 = 0
        var fractionDigits = 0
        var digits = 0
        var hasPoint = false
        while let byte = rest.first {
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                digits += 1
                guard digits <= 27 else { return nil }
                mantissa = mantissa * 10 + Int128(byte - UInt8(ascii: "0"))
                fractionDigits += hasPoint ? 1 : 0
            } else {
                break
            }
            rest = rest.dropFirst()
        }
        guard digits > 0, let scale = Scale(suffix: rest) else { return nil }
        let factored = mantissa.multipliedReportingOverflow(by: scale.factor)
        guard !factored.overflow else { return nil }
        var value = factored.partialValue
        var exponent = scale.exponent + 9 - fractionDigits
        while exponent > 0 {
            let product = value.multipliedReportingOverflow(by: 10)
            guard !product.overflow else { return nil }
            value = product.partialValue
            exponent -= 1
        }
        while exponent < 0, value > 0 {
            value = (value + 9) / 10
            exponent += 1
        }
        return isNegative ? -value : value
    }

    /// What a suffix multiplies by: `factor` × 10^`exponent`.
    private struct Scale {
        let factor: Int128
        let exponent: Int

        init?(suffix: Substring.UTF8View) {
            let suffix = String(Substring(suffix))
            switch suffix {
            case "": (factor, exponent) = (1, 0)
            case "n": (factor, exponent) = (1, -9)
            case "u": (factor, exponent) = (1, -6)
            case "m": (factor, exponent) = (1, -3)
            case "k": (factor, exponent) = (1, 3)
            case "M": (factor, exponent) = (1, 6)
            case "G": (factor, exponent) = (1, 9)
            case "T": (factor, exponent) = (1, 12)
            case "P": (factor, exponent) = (1, 15)
            case "E": (factor, exponent) = (1, 18)
            case "Ki": (factor, exponent) = (1 << 10, 0)
            case "Mi": (factor, exponent) = (1 << 20, 0)
            case "Gi": (factor, exponent) = (1 << 30, 0)
            case "Ti": (factor, exponent) = (1 << 40, 0)
            case "Pi": (factor, exponent) = (1 << 50, 0)
            case "Ei": (factor, exponent) = (1 << 60, 0)
            default:
                guard suffix.first == "e" || suffix.first == "E", let power = Int(suffix.dropFirst()),
                    abs(power) <= 18
                else { return nil }
                (factor, exponent) = (1, power)
            }
        }
    }
}
