/// Random parts of objects' metadata, each with as few calls of the kernel as its randomness takes.
enum RandomNames {
    private static let hexDigits = Array("0123456789abcdef".utf8)
    /// Consonants and digits that make no words.
    private static let letters = Array("bcdfghjklmnpqrstvwxz2456789".utf8)

    /// A random UUID (RFC 9562 §5.4) as text.
    static func uuid() -> String {
        let high = UInt64.random(in: .min ... .max) & ~0xF000 | 0x4000
        let low = UInt64.random(in: .min ... .max) & ~(0xC0 << 56) | 0x80 << 56
        return String(unsafeUninitializedCapacity: 36) { text in
            var position = 0
            for digit in 0..<32 {
                if [8, 12, 16, 20].contains(digit) {
                    text[position] = UInt8(ascii: "-")
                    position += 1
                }
                let half = digit < 16 ? high : low
                text[position] = hexDigits[Int(truncatingIfNeeded: half >> (60 - 4 * (digit % 16))) & 0xF]
                position += 1
            }
            return position
        }
    }

    /// A random suffix of a name.
    ///
    /// - Parameter length: At most 13; so many letters are drawn at once.
    static func suffix(_ length: Int) -> String {
        var rest = UInt64.random(in: .min ... .max)
        return String(unsafeUninitializedCapacity: length) { text in
            for position in 0..<length {
                text[position] = letters[Int(rest % UInt64(letters.count))]
                rest /= UInt64(letters.count)
            }
            return length
        }
    }
}
