/// Base64 with padding (RFC 4648, section 4), as Secrets hold bytes.
public enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The text of bytes.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var word: UInt32 = 0
        var count = 0
        func flush() {
            for position in 0..<4 {
                let digit = digits[Int(word >> (18 - 6 * UInt32(position)) & 63)]
                text.append(position <= count ? digit : UInt8(ascii: "="))
            }
        }
        for byte in bytes {
            word |= UInt32(byte) << (16 - 8 * UInt32(count))
            count += 1
            if count == 3 {
                flush()
                word = 0
                count = 0
            }
        }
        if count > 0 { flush() }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a text, in which line breaks do not count; nil for malformed text.
    public static func decode(_ text: String) -> [UInt8]? {
        guard case .success(let bytes) = read(text) else { return nil }
        return bytes
    }

    /// The offset of the first byte that is not base64; nil for a well-formed text.
    static func firstError(_ text: String) -> Int? {
        guard case .failure(let malformed) = read(text) else { return nil }
        return malformed.offset
    }

    private struct Malformed: Error {
        let offset: Int
    }

    private static func read(_ text: String) -> Result<[UInt8], Malformed> {
        var bytes: [UInt8] = []
        var word: UInt32 = 0
        var count = 0
        var padding = 0
        var offset = 0
        for digit in text.utf8 {
            defer { offset += 1 }
            let value: UInt32
            switch digit {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): continue
            case UInt8(ascii: "=") where count >= 2 && padding + count < 4:
                padding += 1
                continue
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(digit - UInt8(ascii: "A"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(digit - UInt8(ascii: "a")) + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(digit - UInt8(ascii: "0")) + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return .failure(Malformed(offset: offset))
            }
            guard padding == 0 else { return .failure(Malformed(offset: offset)) }
            word = word << 6 | value
            count += 1
            if count == 4 {
                bytes += [UInt8(truncatingIfNeeded: word >> 16), UInt8(truncatingIfNeeded: word >> 8)]
                bytes.append(UInt8(truncatingIfNeeded: word))
                word = 0
                count = 0
            }
        }
        switch (count, padding) {
        case (0, 0): break
        case (2, 2): bytes.append(UInt8(truncatingIfNeeded: word >> 4))
        case (3, 1): bytes += [UInt8(truncatingIfNeeded: word >> 10), UInt8(truncatingIfNeeded: word >> 2)]
        default: return .failure(Malformed(offset: offset))
        }
        return .success(bytes)
    }
}
