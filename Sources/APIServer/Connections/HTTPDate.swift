import Foundation
import Synchronization

/// The `Date` of answers (RFC 9110 §5.6.7), put into words once a second.
enum HTTPDate {
    private static let last = Mutex<(second: time_t, text: String)>((-1, ""))

    /// The date of now.
    static var now: String {
        let second = time(nil)
        return last.withLock { last in
            if last.second != second {
                last = (second, text(second))
            }
            return last.text
        }
    }

    /// The date of a number of seconds since 1970, as `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func text(_ second: time_t) -> String {
        var second = second
        var parts = tm()
        gmtime_r(&second, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
            // The process keeps the C locale, whose names are those of the header.
            let count = strftime(text.baseAddress, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            return String(decoding: UnsafeRawBufferPointer(text).prefix(count), as: UTF8.self)
        }
    }
}
