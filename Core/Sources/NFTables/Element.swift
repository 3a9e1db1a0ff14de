public import Addresses

/// An element of a set or map.
public struct Element: Hashable, Sendable {
    /// What it carries beside its key.
    public enum Value: Hashable, Sendable {
        /// Nothing.
        case none
        /// What to do with the packet.
        case verdict(Verdict)
        /// Bytes that go into registers.
        case data(Key)
    }

    /// The key; in a set of ranges the first key.
    public var key: Key
    /// The last key of a range whose key has several fields.
    public var lastKey: Key?
    /// Whether the key is the first one behind a range.
    public var isRangeEnd: Bool
    /// What it carries beside its key.
    public var value: Value
    /// After how many milliseconds it ends; `nil` for the set's own time.
    public var timeout: UInt64?
    /// A text that the kernel keeps with the element; at most 127 bytes.
    public var comment: String?

    /// Describes an element.
    public init(
        _ key: Key, _ value: Value = .none, lastKey: Key? = nil, isRangeEnd: Bool = false, timeout: UInt64? = nil,
        comment: String? = nil
    ) {
        self.key = key
        self.lastKey = lastKey
        self.isRangeEnd = isRangeEnd
        self.value = value
        self.timeout = timeout
        self.comment = comment
    }

    /// The elements that stand for a prefix in a set of ranges with one address as its key.
    ///
    /// A range is two elements, its first address and the address behind its last; a range that reaches the end of the
    /// address space has no second one.
    public static func range(_ prefix: IPPrefix, _ value: Value = .none) -> [Element] {
        let start = Element(Key(prefix.first), value)
        guard let behind = prefix.last.advanced(by: 1) else { return [start] }
        return [start, Element(Key(behind), isRangeEnd: true)]
    }
}

extension Element: CustomStringConvertible {
    /// The key's bytes in hexadecimal, and the value.
    public var description: String {
        var text = (isRangeEnd ? "end " : "") + key.description
        if let lastKey { text += "-\(lastKey)" }
        switch value {
        case .none: break
        case .verdict(let verdict): text += " : \(verdict)"
        case .data(let data): text += " : \(data)"
        }
        if let timeout { text += " timeout \(timeout)ms" }
        if let comment { text += " comment \"\(comment)\"" }
        return text
    }
}

extension Key: CustomStringConvertible {
    /// The bytes in hexadecimal, a blank between groups of four.
    public var description: String {
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if index > 0 && index & 3 == 0 { text += " " }
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return text
    }
}
