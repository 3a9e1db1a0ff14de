internal import Glibc

/// A POSIX extended regular expression; the library's state never leaves it.
@safe public final class RegularExpression {
    private var compiled = unsafe regex_t()

    /// Compiles an expression; nil when it is none.
    public init?(_ pattern: String) {
        guard unsafe regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0 else { return nil }
    }

    deinit {
        unsafe regfree(&compiled)
    }

    /// Whether it matches any part of a text.
    public func isFound(in text: String) -> Bool {
        unsafe regexec(&compiled, text, 0, nil, 0) == 0
    }
}
