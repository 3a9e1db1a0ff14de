import Foundation
package import KubernetesAPI

/// The parameters of a request's query.
package struct Query: Sendable {
    private var values: [String: [String]] = [:]

    /// Reads the text after the question mark.
    package init(_ text: String?) {
        guard let text, !text.isEmpty else { return }
        for part in text.utf8.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            let name = Self.decode(Substring(part[..<equals]))
            values[name, default: []].append(Self.decode(Substring(part[equals...].dropFirst())))
        }
    }

    /// The first value of a parameter.
    package subscript(name: String) -> String? { values[name]?.first }

    /// Every value of a parameter.
    package func all(_ name: String) -> [String] { values[name] ?? [] }

    /// True when the parameter is `true` or `1`.
    package func flag(_ name: String) -> Bool { ["true", "1"].contains(values[name]?.first) }

    /// A parameter that must be a number.
    package func integer(_ name: String) throws(StatusError) -> Int? {
        guard let text = self[name], !text.isEmpty else { return nil }
        guard let value = Int(text) else {
            throw .badRequest("strconv.ParseInt: parsing \"\(text)\": invalid syntax (parameter \(name))")
        }
        return value
    }

    /// Text with percent escapes and plus signs resolved.
    package static func decode(_ text: some StringProtocol) -> String {
        percentDecoded(text, plusIsSpace: true)
    }

    /// One segment of a path with percent escapes resolved.
    package static func decodeSegment(_ text: some StringProtocol) -> String {
        percentDecoded(text, plusIsSpace: false)
    }

    /// Parameters as the text of a query, with its question mark; empty without parameters.
    static func text(_ parameters: [(String, String)]) -> String {
        guard !parameters.isEmpty else { return "" }
        return "?" + parameters.map { "\($0)=\(escape($1))" }.joined(separator: "&")
    }

    /// Text as one segment of a path or one value of a query.
    static func escape(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    /// RFC 3986 §2.3.
    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    private static func percentDecoded(_ text: some StringProtocol, plusIsSpace: Bool) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+"), plusIsSpace {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
