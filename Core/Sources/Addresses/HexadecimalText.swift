extension [UInt8] {
    /// Appends a number as text: lower-case hexadecimal digits, at least so many.
    public mutating func append(hexadecimal value: UInt64, digits: Int = 1) {
        var count = digits
        while count < 16, value >> UInt64(4 * count) != 0 { count += 1 }
        for position in (0..<count).reversed() {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(4 * position)) & 0xF
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
    }
}
