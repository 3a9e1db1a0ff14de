/// A moment in UTC with the RFC 3339 text that the API uses.
public struct Timestamp: Sendable, Hashable, Comparable, LosslessStringConvertible {
    /// Seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int64
    /// Nanoseconds within the second, 0 to 999,999,999.
    public let nanoseconds: Int32

    /// Creates a moment.
    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Orders by time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// Seconds from another moment to this one.
    public func seconds(since other: Timestamp) -> Double {
        Double(seconds - other.seconds) + Double(nanoseconds - other.nanoseconds) / 1e9
    }

    /// The moment a number of whole seconds later.
    public func advanced(bySeconds count: Int64) -> Timestamp {
        Timestamp(seconds: seconds + count, nanoseconds: nanoseconds)
    }

    /// Text in whole seconds: `2024-02-29T12:00:00Z`, as metadata and conditions carry it.
    public var description: String { civilText + "Z" }

    /// Text with microseconds: `2024-02-29T12:00:00.000001Z`, as leases carry it.
    public var microText: String { "\(civilText).\(Self.digits(Int64(nanoseconds / 1000), 6))Z" }

    /// Text with as many fraction digits as are not zero, as the last-change annotation of endpoints carries it.
    public var nanoText: String {
        guard nanoseconds > 0 else { return description }
        var fraction = Self.digits(Int64(nanoseconds), 9)
        while fraction.hasSuffix("0") {
            fraction.removeLast()
        }
        return "\(civilText).\(fraction)Z"
    }

    private var civilText: String {
        let day = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
        let time = seconds - day * 86400
        let (year, month, dayOfMonth) = Self.civil(day: day)
        let date = "\(Self.digits(year, 4))-\(Self.digits(month, 2))-\(Self.digits(dayOfMonth, 2))"
        let clock = "\(Self.digits(time / 3600, 2)):\(Self.digits(time / 60 % 60, 2)):\(Self.digits(time % 60, 2))"
        return "\(date)T\(clock)"
    }

    private static func digits(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }

    /// Year, month and day of a day number; years run from March, so that the leap day comes last.
    private static func civil(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }

    /// Day number of a date.
    fileprivate static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Timestamp {
    /// Reads an RFC 3339 §5.6 date and time; offsets are converted, digits beyond nanoseconds dropped.
    public init?(_ description: String) {
        var scanner = Scanner(rest: description.utf8[...])
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), scanner.skip("T") || scanner.skip("t"),
            let hour = scanner.number(2), scanner.skip(":"), let minute = scanner.number(2), scanner.skip(":"),
            let second = scanner.number(2), 1...12 ~= month, 1...31 ~= day, hour < 24, minute < 60, second <= 60
        else { return nil }
        var nanoseconds: Int64 = 0
        if scanner.skip(".") {
            guard var digit = scanner.number(1) else { return nil }
            var unit: Int64 = 100_000_000
            while true {
                nanoseconds += digit * unit
                unit /= 10
                guard let next = scanner.number(1) else { break }
                digit = next
            }
        }
        var offset: Int64 = 0
        if !scanner.skip("Z"), !scanner.skip("z") {
            let sign: Int64 = scanner.skip("-") ? -1 : 1
            guard sign < 0 || scanner.skip("+"), let hours = scanner.number(2), scanner.skip(":"),
                let minutes = scanner.number(2)
            else { return nil }
            offset = sign * (hours * 3600 + minutes * 60)
        }
        guard scanner.rest.isEmpty else { return nil }
        let days = Timestamp.day(year: year, month: month, day: day)
        self.init(
            seconds: days * 86400 + hour * 3600 + minute * 60 + second - offset, nanoseconds: Int32(nanoseconds))
    }

    private struct Scanner {
        var rest: Substring.UTF8View

        mutating func number(_ width: Int) -> Int64? {
            guard rest.count >= width else { return nil }
            var value: Int64 = 0
            for byte in rest.prefix(width) {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            rest = rest.dropFirst(width)
            return value
        }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest = rest.dropFirst()
            return true
        }
    }
}
