import Linux

/// Bearer tokens from a file, in the form of `kube-apiserver --token-auth-file`: comma-separated lines of
/// token, user, uid and, quoted where there are several, groups.
package struct StaticTokens: Sendable {
    private let users: [String: User]

    /// No tokens.
    package static let none = StaticTokens(users: [:])

    private init(users: [String: User]) {
        self.users = users
    }

    /// Reads a file.
    ///
    /// - Throws: `ConfigurationError` that names the line that is wrong.
    package init(path: String) throws {
        let text: String
        do {
            text = try FileSystem.readText(path)
        } catch {
            throw ConfigurationError("cannot read the tokens: \(error); name a readable file with --token-auth-file")
        }
        try self.init(text: text, source: path)
    }

    /// Reads the text of a file.
    ///
    /// - Parameter source: What errors call the text.
    package init(text: String, source: String) throws {
        var users: [String: User] = [:]
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.hasSuffix("\r") ? line.dropLast() : line
            guard !line.isEmpty else { continue }
            let place = "\(source), line \(number + 1)"
            guard let fields = Self.fields(line) else {
                throw ConfigurationError("\(place): a quotation mark is not closed or not doubled")
            }
            guard fields.count >= 3, !fields[0].isEmpty, !fields[1].isEmpty else {
                throw ConfigurationError("\(place): expected token,user,uid and optionally \"group,group\"")
            }
            let groups = fields.count > 3 ? fields[3].split(separator: ",").map(String.init) : []
            guard users[fields[0]] == nil else { throw ConfigurationError("\(place): the token is given twice") }
            users[fields[0]] = User(name: fields[1], uid: fields[2], groups: groups).asAuthenticated
        }
        self.users = users
    }

    /// The owner of a token.
    package subscript(token: String) -> User? { users[token] }

    /// The fields of a line (RFC 4180, without line breaks in fields); nil for a misplaced quotation mark.
    private static func fields(_ line: Substring) -> [String]? {
        var fields = [""]
        var rest = line[...]
        while let character = rest.popFirst() {
            if character == "," {
                fields.append("")
            } else if character == "\"", fields[fields.count - 1].isEmpty {
                guard let quoted = quoted(&rest) else { return nil }
                fields[fields.count - 1] = quoted
            } else if character == "\"" {
                return nil
            } else {
                fields[fields.count - 1].append(character)
            }
        }
        return fields
    }

    /// The text up to the closing quotation mark, behind which the field ends.
    private static func quoted(_ rest: inout Substring) -> String? {
        var text = ""
        while let character = rest.popFirst() {
            if character != "\"" {
                text.append(character)
            } else if rest.first == "\"" {
                rest.removeFirst()
                text.append("\"")
            } else {
                return rest.isEmpty || rest.first == "," ? text : nil
            }
        }
        return nil
    }
}
