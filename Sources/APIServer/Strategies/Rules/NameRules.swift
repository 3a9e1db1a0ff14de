/// The syntax of names; each rule gives what is wrong with a text, in the words of
/// `k8s.io/apimachinery/pkg/util/validation`.
package enum NameRules {
    private static let labelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    private static let qualifiedPattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
    private static let qualifiedText =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

    /// A label of a DNS name (RFC 1123).
    package static func dnsLabel(_ text: String) -> [String] {
        var problems = tooLong(text, 63)
        if !isDNSLabel(text.utf8) {
            problems.append(
                mismatch(
                    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
                        + "and end with an alphanumeric character",
                    labelPattern, "my-name", "123-abc"))
        }
        return problems
    }

    /// A DNS name of such labels.
    package static func dnsSubdomain(_ text: String) -> [String] {
        var problems = tooLong(text, 253)
        if !text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy(isDNSLabel) {
            problems.append(
                mismatch(
                    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
                        + "must start and end with an alphanumeric character",
                    "\(labelPattern)(\\.\(labelPattern))*", "example.com"))
        }
        return problems
    }

    /// Anything that can stand between two slashes of a path, as roles are named.
    package static func pathSegment(_ text: String) -> [String] {
        if text == "." || text == ".." { return ["may not be '\(text)'"] }
        return ["/", "%"].filter(text.contains).map { "may not contain '\($0)'" }
    }

    /// A label that begins with a letter (RFC 1035), as Services are named.
    package static func dns1035Label(_ text: String) -> [String] {
        var problems = tooLong(text, 63)
        if !isDNSLabel(text.utf8) || text.utf8.first?.isLowercaseLetter != true {
            problems.append(
                mismatch(
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
                        + "character, and end with an alphanumeric character",
                    "[a-z]([-a-z0-9]*[a-z0-9])?", "my-name", "abc-123"))
        }
        return problems
    }

    /// A name with an optional DNS prefix, such as the key of a label.
    package static func qualifiedName(_ text: String) -> [String] {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var problems: [String] = []
        switch parts.count {
        case 1: break
        case 2:
            problems = parts[0].isEmpty ? ["must be non-empty"] : dnsSubdomain(parts[0])
            problems = problems.map { "prefix part \($0)" }
        default:
            return [
                "a qualified name " + mismatch(qualifiedText, qualifiedPattern, "MyName", "my.name", "123-abc")
                    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ]
        }
        let name = parts[parts.count - 1]
        if name.isEmpty {
            problems.append("name part must be non-empty")
        }
        problems += tooLong(name, 63).map { "name part \($0)" }
        if !isQualified(name) {
            problems.append("name part " + mismatch(qualifiedText, qualifiedPattern, "MyName", "my.name", "123-abc"))
        }
        return problems
    }

    /// The value of a label.
    package static func labelValue(_ text: String) -> [String] {
        var problems = tooLong(text, 63)
        if !text.isEmpty, !isQualified(text) {
            problems.append(
                mismatch(
                    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
                        + "must start and end with an alphanumeric character",
                    "(\(qualifiedPattern))?", "MyValue", "my_value", "12345"))
        }
        return problems
    }

    /// The number of a port.
    package static func portNumber(_ number: Int) -> [String] {
        (1...65535).contains(number) ? [] : ["must be between 1 and 65535, inclusive"]
    }

    /// The name of a port (RFC 6335, section 5.1).
    package static func portName(_ text: String) -> [String] {
        var problems = tooLong(text, 15)
        if !text.utf8.allSatisfy({ $0.isLowercaseLetter || $0.isDigit || $0 == UInt8(ascii: "-") }) {
            problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !text.utf8.contains(where: \.isLowercaseLetter) {
            problems.append("must contain at least one letter (a-z)")
        }
        if text.contains("--") {
            problems.append("must not contain consecutive hyphens")
        }
        if text.hasPrefix("-") || text.hasSuffix("-") {
            problems.append("must not begin or end with a hyphen")
        }
        return problems
    }

    /// A key of a ConfigMap or Secret, which becomes the name of a file.
    package static func configurationKey(_ text: String) -> [String] {
        var problems = tooLong(text, 253)
        if text.isEmpty || !text.utf8.allSatisfy({ $0.isAlphanumeric || "-._".utf8.contains($0) }) {
            problems.append(
                mismatch(
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'", "[-._a-zA-Z0-9]+",
                    "key.name", "KEY_NAME", "key-name"))
        }
        if text == "." {
            problems.append("must not be '.'")
        } else if text == ".." {
            problems.append("must not be '..'")
        } else if text.hasPrefix("..") {
            problems.append("must not start with '..'")
        }
        return problems
    }

    /// The name of an environment variable.
    package static func environmentName(_ text: String) -> [String] {
        text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") } && !text.isEmpty
            ? []
            : [
                mismatch(
                    "a valid environment variable name must consist only of printable ASCII characters other than '='",
                    "[ -<>-~]+", "my.env-name", "MY_ENV.NAME", "MyEnvName1")
            ]
    }

    private static func tooLong(_ text: String, _ limit: Int) -> [String] {
        text.utf8.count > limit ? ["must be no more than \(limit) bytes"] : []
    }

    private static func isDNSLabel(_ text: some BidirectionalCollection<UInt8>) -> Bool {
        guard let first = text.first, let last = text.last else { return false }
        return (first.isLowercaseLetter || first.isDigit) && (last.isLowercaseLetter || last.isDigit)
            && text.allSatisfy { $0.isLowercaseLetter || $0.isDigit || $0 == UInt8(ascii: "-") }
    }

    private static func isQualified(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return first.isAlphanumeric && last.isAlphanumeric
            && text.utf8.allSatisfy { $0.isAlphanumeric || "-_.".utf8.contains($0) }
    }

    /// The sentence about a pattern, in the spacing that clients know.
    private static func mismatch(_ text: String, _ pattern: String, _ examples: String...) -> String {
        let shown = examples.map { "'\($0)', " }.joined(separator: " or ")
        return "\(text) (e.g. \(shown)regex used for validation is '\(pattern)')"
    }
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isLowercaseLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    var isAlphanumeric: Bool {
        isDigit || isLowercaseLetter || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
    }
}
