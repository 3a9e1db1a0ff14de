extension JSONParser {
    /// Reads a string whose opening quote is at `position`.
    mutating func parseString() throws(JSONError) -> String {
        let start = position + 1
        let end = plainEnd(from: start)
        if end < bytes.count, bytes[end] == UInt8(ascii: "\"") {
            position = end + 1
            return try text(of: bytes.extracting(start..<end), at: start)
        }
        position = start
        return try parseEscapedString()
    }

    /// Passes over a string whose opening quote is at `position`; what it holds is not looked at.
    mutating func skipString() throws(JSONError) {
        position = plainEnd(from: position + 1)
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): position = plainEnd(from: position + 2)
            default: position = plainEnd(from: position + 1)
            }
        }
        throw error("a string is not closed")
    }

    /// The index of the first quote, backslash or control character from an index on, or the end of the text.
    ///
    /// Eight bytes are looked at in one step. The lowest mark of a word is right; a borrow may mark bytes above it wrongly.
    private func plainEnd(from start: Int) -> Int {
        var end = start
        while end + 8 <= bytes.count {
            // All eight bytes lie in the span.
            let word = UInt64(
                littleEndian: unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: end, as: UInt64.self))
            let found =
                Self.below(1, word ^ Self.each(UInt8(ascii: "\"")))
                | Self.below(1, word ^ Self.each(UInt8(ascii: "\\"))) | Self.below(0x20, word)
            if found != 0 { return end + found.trailingZeroBitCount / 8 }
            end += 8
        }
        while end < bytes.count {
            let byte = bytes[end]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            end += 1
        }
        return min(end, bytes.count)
    }

    /// Marks, in their high bits, the bytes of a word that are less than a limit of at most 128.
    private static func below(_ limit: UInt8, _ word: UInt64) -> UInt64 {
        (word &- each(limit)) & ~word & each(0x80)
    }

    private static func each(_ byte: UInt8) -> UInt64 {
        UInt64(byte) &* 0x0101_0101_0101_0101
    }

    /// Reads the rest of a string that holds an escape or an error.
    private mutating func parseEscapedString() throws(JSONError) -> String {
        let start = position
        var content: [UInt8] = []
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try text(of: content.span, at: start)
            case UInt8(ascii: "\\"):
                position += 1
                try parseEscape(into: &content)
            case 0..<0x20:
                throw error("a control character in a string must be escaped")
            default:
                content.append(byte)
                position += 1
            }
        }
        throw error("a string is not closed")
    }

    private func text(of content: Span<UInt8>, at start: Int) throws(JSONError) -> String {
        do {
            return String(copying: try UTF8Span(validating: content))
        } catch {
            throw JSONError(message: "a string is not valid UTF-8", offset: start + error.byteOffsets.lowerBound)
        }
    }

    private mutating func parseEscape(into content: inout [UInt8]) throws(JSONError) {
        guard let byte = peek() else { throw error("a string is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try parseUnicodeEscape()
            content.append(contentsOf: String(scalar).utf8)
        default:
            position -= 1
            throw error("unknown escape in a string")
        }
    }

    /// Reads the digits after `\u`, and the second half of a surrogate pair.
    private mutating func parseUnicodeEscape() throws(JSONError) -> Unicode.Scalar {
        let high = try parseFourDigits()
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard high < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw error("half of a surrogate pair in a string")
        }
        let low = try parseFourDigits()
        guard (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        else { throw error("half of a surrogate pair in a string") }
        return scalar
    }

    private mutating func parseFourDigits() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("expected four hexadecimal digits after \\u")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }
}
