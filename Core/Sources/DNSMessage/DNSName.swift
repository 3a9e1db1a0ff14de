/// An absolute domain name of at most 255 bytes; case is kept, but does not count in comparisons (RFC 4343).
@frozen
public struct DNSName: Sendable {
    /// The uncompressed wire form: labels led by their length, and the root's zero (RFC 1035 §3.1).
    public internal(set) var wire: [UInt8]

    /// The root.
    public static let root = DNSName()

    /// Makes the root.
    public init() { wire = [0] }

    /// Makes a name from labels; nil if one is empty or longer than 63 bytes, or if the whole is too long.
    public init?(labels: some Sequence<some StringProtocol>) {
        wire = []
        for label in labels {
            guard append(label: label) else { return nil }
        }
        wire.append(0)
        guard wire.count <= 255 else { return nil }
    }

    /// Reads text such as `web.default.svc.cluster.local`, with or without a final dot; `.` is the root.
    ///
    /// Escapes (`\.`, `\065`) are not read: no name of a cluster needs them.
    public init?(_ text: String) {
        var text = text[...]
        if text.last == "." { text.removeLast() }
        guard !text.isEmpty else {
            self.init()
            return
        }
        self.init(labels: text.split(separator: ".", omittingEmptySubsequences: false))
    }

    private mutating func append(label: some StringProtocol) -> Bool {
        let count = label.utf8.count
        guard (1...63).contains(count) else { return false }
        wire.append(UInt8(count))
        wire.append(contentsOf: label.utf8)
        return true
    }

    /// Makes a name from its wire form; nil if that is malformed, too long, compressed, or followed by other bytes.
    public init?(wire: [UInt8]) {
        var position = 0
        while position < wire.count, wire[position] != 0 {
            guard wire[position] <= 63 else { return nil }
            position += Int(wire[position]) + 1
        }
        guard position == wire.count - 1, wire.count <= 255 else { return nil }
        self.wire = wire
    }

    /// The number of labels, the root not counted.
    public var labelCount: Int {
        var count = 0
        var position = 0
        while wire[position] != 0 {
            count += 1
            position += Int(wire[position]) + 1
        }
        return count
    }

    /// The labels as text, from the leftmost; bytes that are not UTF-8 are replaced.
    public var labels: [String] {
        var labels: [String] = []
        var position = 0
        while wire[position] != 0 {
            let end = position + Int(wire[position]) + 1
            labels.append(String(decoding: wire[(position + 1)..<end], as: UTF8.self))
            position = end
        }
        return labels
    }

    /// The name without its first label; nil for the root.
    public var parent: DNSName? {
        guard wire[0] != 0 else { return nil }
        var parent = DNSName()
        parent.wire = Array(wire[(Int(wire[0]) + 1)...])
        return parent
    }

    /// This name with one more label in front; nil if the label or the result is too long.
    public func prepending(_ label: String) -> DNSName? {
        var name = DNSName()
        name.wire = []
        guard name.append(label: label), name.wire.count + wire.count <= 255 else { return nil }
        name.wire += wire
        return name
    }

    /// Whether this is `zone` or a name below it.
    public func isInside(_ zone: DNSName) -> Bool {
        var position = 0
        while wire.count - position > zone.wire.count {
            position += Int(wire[position]) + 1
        }
        guard wire.count - position == zone.wire.count else { return false }
        for index in zone.wire.indices where DNSName.folded(wire[position + index]) != DNSName.folded(zone.wire[index])
        {
            return false
        }
        return true
    }

    /// A letter in lower case, any other byte as it is; length bytes are at most 63 and so never letters.
    @inlinable
    public static func folded(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }
}

extension DNSName: Hashable {
    /// Whether two names differ at most in the case of ASCII letters.
    @inlinable
    public static func == (left: DNSName, right: DNSName) -> Bool {
        guard left.wire.count == right.wire.count else { return false }
        for index in left.wire.indices where folded(left.wire[index]) != folded(right.wire[index]) { return false }
        return true
    }

    /// Feeds the name in lower case.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        var word: UInt64 = 0
        for (index, byte) in wire.enumerated() {
            word = word << 8 | UInt64(DNSName.folded(byte))
            if index & 7 == 7 { hasher.combine(word) }
        }
        hasher.combine(word)
        hasher.combine(wire.count)
    }
}

extension DNSName: CustomStringConvertible {
    /// The name as text with a final dot; bytes that are not printable ASCII, dots and backslashes are escaped
    /// (RFC 1035 §5.1).
    public var description: String {
        guard wire.count > 1 else { return "." }
        var text = ""
        var position = 0
        while wire[position] != 0 {
            let end = position + Int(wire[position]) + 1
            for byte in wire[(position + 1)..<end] {
                switch byte {
                case UInt8(ascii: "."), UInt8(ascii: "\\"): text += "\\" + String(Unicode.Scalar(byte))
                case 0x21...0x7E: text.unicodeScalars.append(Unicode.Scalar(byte))
                default:
                    let digits = String(byte)
                    text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
                }
            }
            text += "."
            position = end
        }
        return text
    }
}
