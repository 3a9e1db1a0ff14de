import CNI
import Linux

/// The kernel parameters that an administrator lets configurations set: extended regular expressions, one a line.
struct ParameterAllowList {
    /// The file; without it everything below `net` may be set.
    static let path = "/etc/cni/tuning/allowlist.conf"

    private let patterns: [String]

    /// Takes the content of a file.
    init(_ text: String) {
        patterns = text.split(whereSeparator: \.isNewline).map { line in
            String(line.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }.filter { !$0.isEmpty }
    }

    /// Reads the file; nil when there is none.
    static func current(_ path: String = path) throws -> ParameterAllowList? {
        guard FileSystem.exists(path) else { return nil }
        return ParameterAllowList(try FileSystem.readText(path))
    }

    /// Refuses names that no expression is found in.
    func check(_ parameters: [NetworkParameter]) throws(CNIError) {
        var expressions: [RegularExpression] = []
        for pattern in patterns {
            guard let expression = RegularExpression(pattern) else {
                throw CNIError("\(Self.path): invalid regular expression \"\(pattern)\"")
            }
            expressions.append(expression)
        }
        for parameter in parameters where !expressions.contains(where: { $0.isFound(in: parameter.key) }) {
            throw CNIError(
                "Sysctl \(parameter.key) is not allowed. Only the following sysctls are allowed: "
                    + "[\(patterns.joined(separator: " "))]")
        }
    }
}
