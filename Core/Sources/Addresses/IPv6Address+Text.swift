extension IPv6Address: LosslessStringConvertible {
    /// Reads any of the forms of RFC 4291 §2.2: full, compressed with `::`, or with a dotted IPv4 tail.
    public init?(_ text: String) {
        let bytes = text.utf8.span
        guard let value = IPv6Address.parse(bytes, allowingLeadingZeros: false) else { return nil }
        self.init(rawValue: value)
    }

    /// The canonical text of RFC 5952; IPv4-mapped addresses end in dotted decimal (its §5).
    public var description: String {
        if let mapped { return "::ffff:\(mapped)" }
        let zeros = elision
        var text: [UInt8] = []
        text.reserveCapacity(39)
        let colon = UInt8(ascii: ":")
        var index = 0
        while index < 8 {
            if index == zeros.lowerBound, !zeros.isEmpty {
                text.append(colon)
                text.append(colon)
                index = zeros.upperBound
                continue
            }
            if index > 0, index != zeros.upperBound || zeros.isEmpty { text.append(colon) }
            text.append(hexadecimal: UInt64(group(index)))
            index += 1
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The 16-bit group at `index`, 0 being the leftmost.
    public func group(_ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: rawValue >> UInt128(16 * (7 - index)))
    }

    /// The groups that `::` stands for: the first longest run of at least two zero groups (RFC 5952 §4.2).
    public var elision: Range<Int> {
        var best = 0..<0
        var index = 0
        while index < 8 {
            let start = index
            while index < 8, group(index) == 0 { index += 1 }
            if index - start > max(best.count, 1) { best = start..<index }
            index += 1
        }
        return best
    }
}

extension IPv6Address {
    /// Reads the whole of `bytes`; leading zeros are a matter of the dotted IPv4 tail only.
    static func parse(_ bytes: Span<UInt8>, allowingLeadingZeros: Bool) -> UInt128? {
        var value: UInt128 = 0
        var groups = 0
        var elision: Int?  // number of groups before "::"
        var position = 0
        let count = bytes.count
        if count >= 2, isColon(bytes[0]), isColon(bytes[1]) {
            elision = 0
            position = 2
        }
        while position < count {
            guard groups < 8 else { return nil }
            let start = position
            var group: UInt128 = 0
            while position < count, position - start <= 4, let digit = hexadecimalDigit(bytes[position]) {
                group = group << 4 | UInt128(digit)
                position += 1
            }
            guard position > start else { return nil }
            if position < count, bytes[position] == UInt8(ascii: ".") {
                guard groups <= 6,
                    let tail = IPv4Address.parse(bytes, from: start, allowingLeadingZeros: allowingLeadingZeros)
                else { return nil }
                value = value << 32 | UInt128(tail)
                groups += 2
                break
            }
            guard position - start <= 4 else { return nil }
            value = value << 16 | group
            groups += 1
            guard position < count else { break }
            guard isColon(bytes[position]) else { return nil }
            position += 1
            if position < count, isColon(bytes[position]) {
                guard elision == nil else { return nil }
                elision = groups
                position += 1
            } else if position == count {
                return nil
            }
        }
        guard let elision else { return groups == 8 ? value : nil }
        guard groups < 8 else { return nil }
        let tailBits = UInt128(16 * (groups - elision))
        let tail = value & ((1 << tailBits) - 1)
        let head = elision == 0 ? 0 : (value >> tailBits) << UInt128(16 * (8 - elision))
        return head | tail
    }

    private static func isColon(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ":") }
}

/// The value of an ASCII hexadecimal digit of either case.
func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
    if let digit = decimalDigit(byte) { return digit }
    let letter = UInt32((byte | 0x20) &- UInt8(ascii: "a"))
    return letter < 6 ? letter + 10 : nil
}
