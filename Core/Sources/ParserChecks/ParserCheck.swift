/// What must hold of a parser, whatever bytes it is given.
///
/// A check is one function for two users: the fuzzer (`Fuzz/`), which looks for bytes by coverage, and the tests, which
/// replay the corpus and its mutations from seeds.
public struct ParserCheck: Sendable {
    /// The name, which is that of its corpus.
    public let name: String
    /// Examines some bytes; says what does not hold, or nil.
    ///
    /// A trap is a failure too.
    public let run: @Sendable ([UInt8]) -> String?

    /// Describes a check.
    public init(_ name: String, _ run: @escaping @Sendable ([UInt8]) -> String?) {
        self.name = name
        self.run = run
    }

    /// Every check.
    public static let all: [ParserCheck] = api + dns + translation
}

extension ParserCheck {
    /// The parts of bytes that are separated by a line end, at most `count` of them.
    static func lines(_ bytes: [UInt8], _ count: Int) -> [[UInt8]] {
        bytes.split(separator: UInt8(ascii: "\n"), maxSplits: count - 1, omittingEmptySubsequences: false).map(
            Array.init)
    }
}
