import CNI
import Linux

/// A kernel parameter below `net`, as a configuration names it, and the value that it shall have.
struct NetworkParameter: Hashable {
    /// The name in the configuration, which the allow-list is asked for.
    let key: String
    /// The path below `/proc/sys`, for the container's interface.
    let path: String
    /// The value.
    let value: String

    /// Resolves a name with dots or slashes between its parts, and `IFNAME` for the interface.
    ///
    /// A name whose parts are parted by slashes may have dots in them, as names of interfaces do.
    init(_ key: String, _ value: String, interface: String) throws(CNIError) {
        let isDotted = key.firstIndex(of: "/").map { key[..<$0].contains(".") } ?? true
        let pattern =
            (isDotted ? key.split(separator: ".", omittingEmptySubsequences: false).joined(separator: "/") : key)
            .split(separator: "/")
        let parts = pattern.map { $0.replacing(first: "IFNAME", with: interface) }
        guard parts.count > 1, parts.first == "net", parts.allSatisfy({ $0 != "." && $0 != ".." }) else {
            throw CNIError("invalid net sysctl key: \"\(parts.joined(separator: "/"))\"")
        }
        self.key = key
        self.value = value
        path = parts.joined(separator: "/")
    }

    /// The value that the kernel has in this thread's namespace.
    func current() throws(SystemError) -> String { try Sysctl.get(path) }

    /// Whether the kernel's words mean the value: it parts the numbers of a list with tabs.
    func isMet(by current: String) -> Bool {
        value.split(whereSeparator: \.isWhitespace) == current.split(whereSeparator: \.isWhitespace)
    }
}

extension Substring {
    /// The text with the first occurrence of a word replaced.
    fileprivate func replacing(first word: String, with replacement: String) -> String {
        var start = startIndex
        while start < endIndex {
            let rest = self[start...]
            if rest.hasPrefix(word) { return self[..<start] + replacement + rest.dropFirst(word.count) }
            start = index(after: start)
        }
        return String(self)
    }
}
