/// The status line of an HTTP/1 response.
package enum HTTPStatus {
    /// The code in `HTTP/1.1 200 OK`; nil when the bytes do not begin with a status line.
    package static func code(in response: [UInt8]) -> Int? {
        let line = String(decoding: response.prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self)
        let parts = line.split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), parts[1].count == 3 else { return nil }
        return Int(parts[1])
    }
}
