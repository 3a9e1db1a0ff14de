public import CNI

extension CNIResult.DNS {
    /// Reads the text of a resolv.conf (resolv.conf(5)); of `domain` the last counts, lists add up.
    public init(resolverFile text: String) {
        self.init()
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let keyword = words.first, words.count > 1 else { continue }
            switch keyword {
            case "nameserver": nameservers.append(words[1])
            case "domain": domain = words[1]
            case "search": search += words.dropFirst()
            case "options": options += words.dropFirst()
            default: continue
            }
        }
    }
}
