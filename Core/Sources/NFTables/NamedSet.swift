internal import CLinux

/// A named set, or a map when its elements carry values or verdicts.
public struct NamedSet: Hashable, Sendable {
    /// How a set behaves.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The bits of linux/netfilter/nf_tables.h.
        public let rawValue: UInt32

        /// Wraps the bits.
        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// The elements are ranges.
        public static let interval = Flags(rawValue: NFT_SET_INTERVAL.rawValue)
        /// Elements end after a time.
        public static let timeout = Flags(rawValue: NFT_SET_TIMEOUT.rawValue)
        /// Rules add elements.
        public static let dynamic = Flags(rawValue: NFT_SET_EVAL.rawValue)
    }

    /// What an element carries beside its key.
    public enum Value: Hashable, Sendable {
        /// Nothing.
        case none
        /// What to do with the packet.
        case verdict
        /// Fields that go into registers.
        case data([DataType])
    }

    /// The table that it belongs to.
    public let table: Table
    /// The name, unique within the table.
    public let name: String
    /// The fields of a key.
    public let key: [DataType]
    /// What an element carries beside its key.
    public let value: Value
    /// How it behaves.
    public let flags: Flags
    /// After how many milliseconds elements end, unless they say otherwise.
    public let timeout: UInt64?
    /// The largest number of elements; needed where rules add elements.
    public let size: UInt32?

    /// Describes a set.
    public init(
        table: Table, name: String, key: [DataType], value: Value = .none, flags: Flags = [], timeout: UInt64? = nil,
        size: UInt32? = nil
    ) {
        self.table = table
        self.name = name
        self.key = key
        self.value = value
        self.flags = flags
        self.timeout = timeout
        self.size = size
    }
}

extension NamedSet: CustomStringConvertible {
    /// The way nft writes it.
    public var description: String {
        var parts = ["type \(Self.text(key))"]
        switch value {
        case .none: break
        case .verdict: parts[0] += " : verdict"
        case .data(let types): parts[0] += " : \(Self.text(types))"
        }
        var words: [String] = []
        if flags.contains(.interval) { words.append("interval") }
        if flags.contains(.timeout) { words.append("timeout") }
        if flags.contains(.dynamic) { words.append("dynamic") }
        if !words.isEmpty { parts.append("flags \(words.joined(separator: ","))") }
        if let timeout { parts.append("timeout \(timeout)ms") }
        if let size { parts.append("size \(size)") }
        return "\(table) \(name) { \(parts.joined(separator: "; ")); }"
    }

    private static func text(_ types: [DataType]) -> String {
        types.map(\.name).joined(separator: " . ")
    }
}
