extension JSONParser {
    /// Reads a number: an integer where it is written as one and fits, else a double.
    mutating func parseNumber() throws(JSONError) -> JSONValue {
        let start = position
        let isNegative = take(UInt8(ascii: "-"))
        guard let first = peek(), isDigit(first) else {
            position = start
            throw error("expected a value")
        }
        var magnitude: UInt64? = 0
        while let byte = peek(), isDigit(byte) {
            magnitude = magnitude.flatMap { value in
                let (product, overflow) = value.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
                return overflow || carry ? nil : sum
            }
            position += 1
            if first == UInt8(ascii: "0") { break }
        }
        if let byte = peek(), isDigit(byte) { throw error("a number must not start with 0") }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            try parseDigits()
        }
        if let byte = peek(), byte | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try parseDigits()
        }
        if isInteger, let magnitude {
            if !isNegative, let value = Int64(exactly: magnitude) { return .integer(value) }
            if isNegative, magnitude <= UInt64(Int64.max) + 1 {
                return .integer(Int64(truncatingIfNeeded: 0 &- magnitude))
            }
        }
        let digits = bytes.extracting(start..<position)
        var text = ""
        for index in digits.indices { text.unicodeScalars.append(Unicode.Scalar(digits[index])) }
        guard let value = Double(text), value.isFinite else {
            throw JSONError(message: "the number is out of range", offset: start)
        }
        return .double(value)
    }

    private mutating func parseDigits() throws(JSONError) {
        guard let first = peek(), isDigit(first) else { throw error("expected a digit") }
        while let byte = peek(), isDigit(byte) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
